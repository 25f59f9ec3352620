"""Clouds to try and to test against without an account; their machines are containers here."""
