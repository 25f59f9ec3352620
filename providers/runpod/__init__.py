"""RunPod as a provider: REST v2, and GraphQL where nothing else knows bids."""

from .provider import RunpodProvider

__all__ = ["RunpodProvider"]
