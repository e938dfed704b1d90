"""From what an expression reads to the paths that are there, so that a plan can name the line behind each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from bot.core.model.values import Pointer, Value

MOST: Final = 20
"""Paths that one verdict names."""


def pointers_in(value: Value, prefix: Pointer, reads: Iterable[Pointer]) -> tuple[Pointer, ...]:
    """The paths below `prefix` that are read, as far as they are there, the deepest first; `*` is each item. Of a path
    that is not there, what is there of it counts: where something is missing, that is the place to add it."""
    found = {path for read in reads for path in _there(value, (*prefix, *read), ())}
    return tuple(sorted((path for path in found if path), key=lambda path: (-len(path), tuple(map(str, path)))))[:MOST]


def _there(value: Value, rest: Pointer, done: Pointer) -> Iterator[Pointer]:
    if not rest:
        yield done
        return
    step, after = rest[0], rest[1:]
    inner = _inner(value, step)
    if not inner:
        yield done
    for key, item in inner[:MOST]:
        yield from _there(item, after, (*done, key))


def _inner(value: Value, step: str | int) -> list[tuple[str | int, Value]]:
    if isinstance(value, Mapping):
        if step == "*" and "*" not in value:
            return list(value.items())
        return [(str(step), value[str(step)])] if str(step) in value else []
    if isinstance(value, list | tuple):
        if step == "*":
            return list(enumerate(value))
        return [(step, value[step])] if isinstance(step, int) and 0 <= step < len(value) else []
    return []
