"""What the Docker SDK raises, told in our own errors: the one place that knows its exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import MachineLostError, NoEngineError, ProviderError

HINTS = {
    "could not select device driver": "install the NVIDIA Container Toolkit on this machine",
    "nvidia-container-cli": "check the GPU driver with nvidia-smi",
    "no space left on device": "free some space with `docker system prune`",
    "Mounts denied": "share that folder in Docker Desktop's settings",
}
"""What to do about a message of the engine, by a part of it: the engine has no codes for these."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise our errors instead of the SDK's; NoEngineError for an engine that no longer answers."""
    from docker.errors import APIError, DockerException, ImageNotFound, NotFound
    from requests.exceptions import RequestException

    try:
        yield
    except ImageNotFound as error:
        said = error.explanation or "the image is not on this machine"
        raise ProviderError(said, "build it with `longshore build`") from error
    except NotFound as error:
        raise MachineLostError(f"the container is gone: {error.explanation}") from error
    except APIError as error:
        raise ProviderError(
            f"the Docker engine refused: {error.explanation}", _hint(error)
        ) from error
    except (DockerException, RequestException, OSError) as error:
        raise NoEngineError("the Docker engine no longer answers", "start it again") from error


def _hint(error: Exception) -> str:
    return next((hint for part, hint in HINTS.items() if part in str(error)), "")
