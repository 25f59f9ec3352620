"""GraphQL's own way to write values: nothing in a name or an env value can end its string."""

import json
from collections.abc import Mapping
from decimal import Decimal


class Word(str):
    """A word of an enum, which stands without quotes."""


def literal(value: object) -> str:
    """A value as it stands in a query. A string's escapes are those of JSON (GraphQL, 2.9.4)."""
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value)


def field(name: str, arguments: Mapping[str, object], selection: str) -> str:
    """A field with its arguments and what is asked of it."""
    given = ", ".join(f"{key}: {literal(value)}" for key, value in arguments.items())
    return f"{name}{f'({given})' if given else ''} {{ {selection} }}"
