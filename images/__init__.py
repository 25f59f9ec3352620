"""Image specs, and how one is built once and tagged by everything that went in."""
