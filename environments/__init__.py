"""Named layers of settings, and the code that lays one over another."""
