"""How values, fields and places look inside a sentence, on one line and never long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot.core.check.schema import Node
from bot.core.emit import emit_yaml
from bot.core.model.values import Pointer
from bot.core.text import visible

_FORMS: Final[Mapping[str, str]] = {
    "string": "some-text",
    "integer": "1",
    "number": "1.5",
    "boolean": "true",
    "array": "[one, two]",
    "object": "{field: value}",
    "null": "null",
}


def path(pointer: Pointer) -> str:
    """A place as people write it: `routes[0].host`."""
    shown = ""
    for part in pointer:
        shown += f"[{part}]" if isinstance(part, int) else f".{cut(part)}" if shown else cut(part)
    return shown


def inline(value: Any) -> str:
    """A value as it could be written on one line, cut where it is long."""
    return cut(_flow(value))


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and any(sign in value for sign in ",[]{}:\n"):
        return value if "\n" not in value and not set(value) & set(",[]{}") else json.dumps(value, ensure_ascii=False)
    return emit_yaml(value).decode().strip()


def cut(text: str) -> str:
    """Written text inside a sentence: one line, at most 60 characters, and no backtick, so that the backticks of a
    sentence always pair and whoever renders it can tell its code from its words."""
    text = " ".join(visible(text).replace("`", "'").split())
    return text if len(text) <= 60 else text[:57] + "..."


def it(at: Pointer) -> str:
    """The subject of a sentence."""
    return f"`{path(at)}`" if at else "the file"


def key_of(at: Pointer) -> str:
    """What stands before the value on its line."""
    return f"{cut(at[-1])}: " if at and isinstance(at[-1], str) else "- " if at else ""


def listed(names: Iterable[Any]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def types(node: Node) -> list[str]:
    kinds = node.get("type", ())
    return [kinds] if isinstance(kinds, str) else list(kinds)


def found(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{inline(value)}`"
        case int() | float():
            return f"the number `{inline(value)}`"
        case str():
            return f'the text "{cut(value)}"'
        case list():
            return "a list"
        case _:
            return "a map of fields"


def example(node: Node) -> str | None:
    examples = node.get("examples")
    return inline(examples[0]) if isinstance(examples, list) and examples else None


def shape(at: Pointer, node: Node, wanted: Sequence[str] = ()) -> str:
    return f"write `{key_of(at)}{form(node, wanted)}`"


def to_write(name: str, node: Node) -> str:
    return f"write `{cut(name)}: {form(node)}`"


def form(node: Node, wanted: Sequence[str] = ()) -> str:
    """What a value here looks like: the schema's example, its default or first choice, else its kind."""
    shown = example(node)
    if shown is not None:
        return shown
    for keyword in ("const", "default"):
        if keyword in node:
            return inline(node[keyword])
    if node.get("enum"):
        return inline(node["enum"][0])
    for part in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        if isinstance(part, Mapping):
            return form(part, wanted)
    kinds = list(wanted) or types(node)
    return _FORMS.get(kinds[0], "...") if kinds else "..."
