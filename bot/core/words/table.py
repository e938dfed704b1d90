"""A row per fact, environments as columns; narrow enough for a phone."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.words import blocks, facts, phrases
from bot.core.words.amounts import count, places
from bot.core.words.groups import Column, Group, columns
from bot.core.words.inline import Line, line, own, plain, user
from bot.core.words.links import origin_link

MOST = 4
"""Columns; beyond it environments become rows."""

FIRST_LOOK = frozenset({"image", "runs", "reached_by", "uses", "cost"})

_ACTION = {"new": "", "changed": "", "removed": " (leaves)", "linked": "", "waiting": " (waits)"}


def facts_table(group: Group, blob_url: str) -> str:
    """The table of a group; empty where no fact is known. Environments that are left have no column."""
    shown = [column for column in columns(group.shown.environments) if column.action != "removed" and column.cells]
    fresh = all(column.action == "new" for column in shown)
    told = sorted({f for column in shown for f in column.cells if not fresh or _first_look(f)}, key=facts.order)
    if not told:
        return ""
    if len(shown) > MOST:
        return _long(group, shown, told)
    head = [title(group), *[line(places(column.environments), _ACTION[column.action]) for column in shown]]
    rows = [[facts.label(fact), *_cells(shown, fact)] for fact in told]
    if len(shown) == 1 and len(group.services) == 1:
        rows = [
            [name, line(cell, _source(group, fact, blob_url))] for fact, (name, cell) in zip(told, rows, strict=True)
        ]
    return blocks.table(head, rows)


def _first_look(fact: str) -> bool:
    """Of a new service every fact is new. The table keeps to those that decide; addresses and settings are folded."""
    return fact in FIRST_LOOK or fact.startswith("need.")


def title(group: Group) -> Line:
    """The service's name, or how many there are."""
    return (user(group.shown.name, 60),) if len(group.services) == 1 else (own(count(len(group.services), "service")),)


def _cells(shown: Sequence[Column], fact: str) -> list[Line]:
    """A long cell that repeats its left neighbour is only `same`."""
    cells = [column.cells.get(fact, phrases.NONE) for column in shown]
    return [
        (own("same"),) if at and words == cells[at - 1] and len(plain(words)) > 8 else words
        for at, words in enumerate(cells)
    ]


def _long(group: Group, shown: Sequence[Column], told: Sequence[str]) -> str:
    """A row for each fact and each set of environments that share its cell."""
    rows: list[list[Line]] = []
    for fact in told:
        same: dict[Line, list[str]] = {}
        for column in shown:
            if fact in column.cells:
                same.setdefault(column.cells[fact], []).extend(column.environments)
        rows.extend([facts.label(fact), places(where), words] for words, where in same.items())
    return blocks.table([title(group), (own("where"),), (own("change"),)], rows)


def _source(group: Group, fact: str, blob_url: str) -> Line:
    """In a table of one column there is room for the line that says it, where the service's own file does."""
    service = group.services[0]
    for plan in service.environments:
        for row in plan.rows:
            if row.fact == fact and row.origin is not None and plan.action in ("changed", "linked"):
                own_file = row.origin.path.startswith(f"{service.folder}/") and row.before != row.after
                return line(" · ", origin_link(row.origin, blob_url)) if own_file else ()
    return ()
