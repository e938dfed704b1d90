"""The ladder: from everything to a summary, one rung at a time, so that a comment fits its forge at any size.

A comment is a row of parts. A part has forms, each a whole block, filed by the rung from which on it is shown. Filling
goes from the lowest rung up: first what must be said of everything, then more of each, as long as there is room. So a
plan of thousands tells a little of all before it tells all of a little, and no block is ever cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

Build = Callable[[], str]


class Rung(IntEnum):
    """How much is told. Each rung is given to all parts before the next one to any."""

    MUST = 0
    NEED = 1
    FACTS = 2
    COUNTS = 3
    CHANGES = 4
    DIFFS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One place in the comment. Forms are built only when there may be room; `stands_for` says how many of what would
    be missing where none is shown (`{"service": 3}`)."""

    forms: Mapping[Rung, Build]
    stands_for: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The chosen blocks in order. `missing` counts what no block tells; `shortened` is true where any part could have
    told more."""

    blocks: tuple[str, ...]
    missing: Mapping[str, int]
    shortened: bool


MISSES = 12
"""So many parts in a row that found no room end a rung: the rest would be built for nothing."""


def always(block: str) -> Part:
    """A part with one form that is never left out while there is room at all."""
    return Part({Rung.MUST: lambda: block})


def fit(parts: Sequence[Part], limit: int) -> Fitted:
    """At most `limit` bytes of UTF-8, blank lines between blocks counted."""
    shown = [""] * len(parts)
    reached: list[Rung | None] = [None] * len(parts)
    room = limit
    for rung in Rung:
        misses = 0
        for at, part in enumerate(parts):
            if misses >= MISSES:
                break
            build = part.forms.get(rung)
            if build is None:
                continue
            block = build()
            cost = _size(block) - _size(shown[at])
            if cost > room:
                misses += 1
                continue
            misses = 0
            room -= cost
            shown[at], reached[at] = block, rung
    missing: dict[str, int] = {}
    for part, got in zip(parts, reached, strict=True):
        what, number = part.stands_for
        if got is None and number:
            missing[what] = missing.get(what, 0) + number
    full = all(got == max(part.forms) for part, got in zip(parts, reached, strict=True) if part.forms)
    return Fitted(tuple(block for block in shown if block), missing, not full)


def _size(block: str) -> int:
    return len(block.encode("utf-8", "replace")) + 2 if block else 0
