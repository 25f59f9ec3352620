"""Machines that are reached by ssh: keys, one connection, files by rsync."""

from .address import Address, banner
from .connection import Connection
from .entry import enter
from .host import RemoteHost
from .keys import Keys

__all__ = ["Address", "Connection", "Keys", "RemoteHost", "banner", "enter"]
