"""Edits of YAML that people wrote: lines are put in or taken out, all else stays as it stands, comments too.

Every edit is proven by reading the result: it must say exactly what was meant, else there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from bot.core.emit import emit_yaml
from bot.core.model.values import Doc, Value
from bot.core.parse import parse
from bot.core.problem import Refusal


def with_entry(doc: Doc, text: str, top: str, name: str, entry: Mapping[str, Value]) -> str:
    """`top: {name: entry}` beside what stands there. Where the map is written on one line, the file is written anew."""
    value = cast(Mapping[str, Mapping[str, Value]], doc.value)
    wanted = {**value, top: {**value[top], name: entry}}
    rows = text.splitlines()
    first = next(iter(value[top]), None)
    if first is not None:
        at = doc.at((top, first), key=True)
        block = _indented({name: entry}, " " * (at.column - 1))
        edited = _joined([*rows[: at.line - 1], *block, *rows[at.line - 1 :]])
        if says(doc.path, edited, wanted):
            return edited
    return emit_yaml(wanted).decode()


def without_entry(doc: Doc, text: str, top: str, name: str) -> str:
    """The same file without `top.name`; the lines of its neighbours stay. Written anew where it is on one line."""
    value = cast(Mapping[str, Mapping[str, Value]], doc.value)
    rest = {key: entry for key, entry in value[top].items() if key != name}
    wanted = {**value, top: rest}
    rows = text.splitlines()
    start = doc.at((top, name), key=True).line
    for end in range(start, len(rows) + 1) if rest else ():
        edited = _joined([*rows[: start - 1], *rows[end:]])
        if says(doc.path, edited, wanted):
            return edited
    return emit_yaml(wanted).decode()


def with_item(doc: Doc, text: str, top: str, item: Mapping[str, Value]) -> str | None:
    """`item` at the end of the list `top`, which is made where there is none; None where it cannot be put in without
    touching other lines."""
    value = cast(Mapping[str, Value], doc.value)
    had = value.get(top)
    items = list(had) if isinstance(had, Sequence) and not isinstance(had, str) else []
    wanted = {**value, top: [*items, item]}
    rows = text.splitlines()
    if top not in value:
        edited = _joined([*rows, *_indented({top: [item]}, "")])
        return edited if says(doc.path, edited, wanted) else None
    start = doc.at((top,), key=True).line
    dash = next((row for row in rows[start:] if row.lstrip().startswith("- ")), "- ")
    block = _indented([item], dash[: len(dash) - len(dash.lstrip())])
    for at in range(len(rows), start - 1, -1):
        edited = _joined([*rows[:at], *block, *rows[at:]])
        if says(doc.path, edited, wanted):
            return edited
    return None


def says(path: str, text: str, wanted: Value) -> bool:
    """True where the text reads as exactly this value."""
    found = parse(path, text.encode())
    return not isinstance(found, Refusal) and found.value == wanted


def _indented(value: Value, indent: str) -> list[str]:
    return [f"{indent}{row}" if row else row for row in emit_yaml(value).decode().splitlines()]


def _joined(rows: Sequence[str]) -> str:
    return "\n".join(rows) + "\n"
