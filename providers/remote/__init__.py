"""Machines that are reached by ssh: keys, one connection, files by rsync."""
