"""One file for each command; the only room that prints and knows exit codes."""
