"""`longshore completion`: the shell's completion script, made by click."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    For bash, once: longshore completion bash > ~/.local/share/bash-completion/completions/longshore
    """
    from .main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    for name in ("longshore", "deploy"):
        variable = f"_{name.upper()}_COMPLETE"
        click.echo(kind(cli, {}, name, variable).source())
