"""This machine as a place to run: in a container, or as a process where there is no engine."""

from .provider import LocalProvider

__all__ = ["LocalProvider"]
