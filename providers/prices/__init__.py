"""Bundled price tables; SOURCES.md says where each comes from."""
