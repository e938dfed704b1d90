"""From a character of a YAML scalar's value back to the place in the file where it was written."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.model.values import Pos
from bot.core.policy.model import Place


def locator(source: str, path: str, start: Pos, value: str) -> tuple[Place, Callable[[int, int], Place]]:
    """Where the first character of `value` stands, and the way from a line and column of it (from 1, code points) to
    the file's. `start` is where the scalar begins: at its sign (`|`, `>`), its quote, or its first character.

    Exact for block, plain and single-quoted scalars; a place behind an escape of a double-quoted one is that of the
    scalar's start, since escapes make it inexact.
    """
    lines = source.split("\n")
    first = Pos(start.line, start.column)
    places = _aligned(lines, start, value)
    begin = next((place for place, char in zip(places, value, strict=False) if not char.isspace()), first)

    def at(line: int, column: int) -> Place:
        offset = _offset(value, line, column)
        found = places[offset] if offset < len(places) else (places[-1] if len(places) == len(value) > 0 else begin)
        return Place(path, found.line, found.column)

    return Place(path, begin.line, begin.column), at


def _offset(value: str, line: int, column: int) -> int:
    at = 0
    for _ in range(line - 1):
        following = value.find("\n", at) + 1
        if not following:
            break
        at = following
    return max(0, at + column - 1)


def _aligned(lines: list[str], start: Pos, value: str) -> list[Pos]:
    """The place of each character of the value, up to the first that cannot be told. What is not space is written in
    the file in the same order, whatever the style; space is placed after what stands before it."""
    row, column = start.line - 1, start.column - 1
    sign = lines[row][column : column + 1]
    single = sign == "'"
    if sign in ("|", ">"):
        row, column = row + 1, 0
    elif sign in ("'", '"'):
        column += 1
    places: list[Pos] = []
    for char in value:
        if char in " \t\n":
            places.append(places[-1] if places else Pos(row + 1, column + 1))
            continue
        while row < len(lines) and not lines[row][column:].strip(" \t\r"):
            row, column = row + 1, 0
        if row >= len(lines):
            return places
        text = lines[row]
        while text[column] in " \t":
            column += 1
        if text[column] != char:
            return places
        places.append(Pos(row + 1, column + 1))
        column += 2 if single and text[column : column + 2] == "''" else 1
    return _spaced(places, value)


def _spaced(places: list[Pos], value: str) -> list[Pos]:
    """Spaces that follow a character on its line stand right after it."""
    for at in range(1, len(places)):
        if value[at] in " \t":
            places[at] = Pos(places[at - 1].line, places[at - 1].column + 1)
    return places
