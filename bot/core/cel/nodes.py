"""Expressions as trees: what the checker hands over, after macros are written out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bot.core.cel.values import Runtime


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    id: int
    value: Runtime


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a type's name, or the variable of a loop."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)` where `test`."""

    id: int
    operand: Node
    field: str
    test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator; `target` is what stands before the dot."""

    id: int
    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; `optional` are the indexes written `?x`, which drop out when absent."""

    id: int
    elements: tuple[Node, ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a map."""

    key: Node
    value: Node
    optional: bool


@dataclass(frozen=True, slots=True)
class Pairs:
    """A map."""

    id: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """`some.Type{...}`: never run, kept so that it can be refused by name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro written out: `result` after `step` ran for each element of `over`, while `condition` holds.

    With `second`, `first` is the index or the key and `second` the element or the value.
    """

    id: int
    first: str
    second: str
    over: Node
    sum_name: str
    start: Node
    condition: Node
    step: Node
    result: Node


Node: TypeAlias = Literal | Name | Select | Call | Items | Pairs | Message | Loop


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression that the checker accepted.

    `offsets` says at which character of the text a part stands; `types` is the checker's type of each part, as text
    (`int`, `list(string)`, `dyn`).
    """

    root: Node
    offsets: dict[int, int]
    types: dict[int, str]
