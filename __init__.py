"""Longshore ships a training job to whatever hardware fits, and leaves nothing running."""

__version__ = "0.1.0"
