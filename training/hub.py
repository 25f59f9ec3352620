"""Whether the hub can be reached, settled before its library is loaded."""

import socket
from collections.abc import MutableMapping
from urllib.parse import urlsplit


def prepare(environ: MutableMapping[str, str]) -> None:
    """Without a network, take models from the cache alone.

    The hub's library would try each file for most of a minute first. It reads HF_HUB_OFFLINE when
    it is loaded. Behind a proxy names need not resolve, so there the library has to find out.
    """
    if any(name in environ for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
        return
    address = urlsplit(environ.get("HF_ENDPOINT", "https://huggingface.co"))
    try:
        socket.getaddrinfo(address.hostname, address.port or 443)
    except OSError:
        environ.setdefault("HF_HUB_OFFLINE", "1")
