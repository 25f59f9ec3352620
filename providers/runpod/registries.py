"""The login of a private image, kept by RunPod under a name that its content makes."""

import hashlib

from ...errors import ProviderError
from ...images.login import login
from .api import Api
from .models import CreateRegistry


def login_for(image: str, api: Api) -> str | None:
    """The id of the login RunPod pulls this image with; None for an image that needs none.

    A login cannot be changed or read back there: another password makes another entry.
    """
    found = login(image)
    if found is None:
        return None
    entry = entry_for(image, found.username, found.password)
    return _kept(api, entry.name) or _added(api, entry)


def entry_for(image: str, username: str, password: str) -> CreateRegistry:
    """The entry of a login: the same for all images of one registry."""
    facts = "\0".join((image.partition("/")[0], username, password))
    name = f"longshore-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"
    return CreateRegistry(name=name, username=username, password=password)


def _kept(api: Api, name: str) -> str | None:
    return next((one.id for one in api.registries() if one.name == name), None)


def _added(api: Api, entry: CreateRegistry) -> str:
    """The entry's id; also when the answer was lost, or somebody else was faster."""
    try:
        return api.add_registry(entry).id
    except ProviderError:
        kept = _kept(api, entry.name)
        if kept is None:
            raise
        return kept
