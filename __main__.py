"""`python -m longshore` is the `longshore` command."""

from .cli.main import main

main()
