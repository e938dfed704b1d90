"""Filling in defaults: a row names a place in an object and the value that stands there when nothing does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from bot.core.model.values import Value

Plain: TypeAlias = dict[str, Any]
"""An object while it is filled in: Python's own dicts and lists all the way down."""

Row: TypeAlias = tuple[str, Any]
"""(`spec.rules[].weight`, 1): a path of keys, `[]` for every item of a list. What stands before the last key is not
made: no defaults appear in a part that is not there, as in a cluster. A value that can be called gets the map that it
is put into, and None leaves it as it is."""

Rows: TypeAlias = Sequence[Row]
"""In the order in which they are filled in: outer before inner."""


def plain(value: Value) -> Any:
    """A copy of the value that may be changed; nulls in maps are left out, since Kubernetes drops them."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def fill(found: Plain, rows: Rows) -> None:
    """Fills the rows into an object, in place."""
    for path, default in rows:
        parent, _, key = path.rpartition(".")
        for holder in at(found, parent):
            if key not in holder:
                value = default(holder) if callable(default) else plain(default)
                if value is not None:
                    holder[key] = value


def at(found: Plain, path: str) -> Iterator[Plain]:
    """Every map at a path; none where the object has nothing there."""
    return _at(found, path.split(".") if path else [])


def _at(found: Any, steps: Sequence[str]) -> Iterator[Plain]:
    if not isinstance(found, dict):
        return
    if not steps:
        yield found
        return
    step, rest = steps[0], steps[1:]
    if step.endswith("[]"):
        items = found.get(step[:-2])
        for item in items if isinstance(items, list) else ():
            yield from _at(item, rest)
    else:
        yield from _at(found.get(step), rest)


def drop(found: Plain, path: str, keys: Sequence[str], empty: Callable[[Any], bool]) -> None:
    """Removes keys whose value is empty, which Kubernetes' own types leave out when they are written."""
    for holder in at(found, path):
        for key in keys:
            if key in holder and empty(holder[key]):
                del holder[key]
