"""What a failed build most likely means: patterns of its last words, and what to do."""

import re

from ..errors import BuildError
from .progress import Progress

SHOWN = 6

HINTS: tuple[tuple[str, str], ...] = (
    (
        r"no space left on device|disk quota exceeded",
        "free some space: `docker system df` shows what Docker holds, "
        "`docker builder prune` empties its build cache",
    ),
    (
        r"certificate verify failed|self.signed certificate|unknownissuer|peer certificate",
        "behind a proxy with a CA of its own? set image.ca to its bundle",
    ),
    (
        r"\b(401|403)\b.*|unauthorized|forbidden|authentication required",
        "the package index asks for a login: set image.netrc or image.pip_conf",
    ),
    (
        r"name resolution|failed to lookup|could not resolve|dns error|network is unreachable",
        "the build has no network: mend it, or build with image.wheelhouse and image.offline",
    ),
    (
        r"no solution found|no matching distribution|not found in the package registry"
        r"|was not found in the|no version of|are unsatisfiable",
        "check image.requirements; torch and its kin keep the versions of the image",
    ),
    (r"unable to locate package|no installation candidate", "check the names in image.apt"),
    (
        r"pull access denied|failed to resolve source|failed to do request|manifest unknown"
        r"|requested image not found|error getting credentials|failed to create llb",
        "the base image cannot be fetched: check image.base, or bring it here with `docker pull` "
        "or `docker load`",
    ),
    (r"exit code: 137|signal: killed", "the build ran out of memory: give the engine more"),
)


def build_error(progress: Progress, code: int) -> BuildError:
    """The error of a build that ended with `code`, from what it said last."""
    words = progress.last_words()
    step = progress.failed_step()
    first = (
        f"the image could not be built: {step} failed" if step else "the image could not be built"
    )
    shown = "\n".join(f"    {line}" for line in words[-SHOWN:]) or f"    exit code {code}"
    return BuildError(f"{first}\n{shown}", hint("\n".join([*words, *progress.last])))


def hint(text: str) -> str:
    """What to do about a build that said this, empty when nothing is known."""
    lower = text.lower()
    return next((words for pattern, words in HINTS if re.search(pattern, lower)), "")
