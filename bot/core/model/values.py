"""Plain data as it comes out of a file, and pointers into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""What JSON can say. Treated as immutable everywhere: a changed value is a new value."""

Pointer = tuple[str | int, ...]
"""A path inside a document: keys and list indexes from the root."""

ObjectKey = str
"""An object's identity in a render: its path in the GitOps repo."""

UnitEnv = tuple[str, str]
"""(unit folder, environment). The folder, because two folders may claim one name."""


@dataclass(frozen=True, slots=True)
class Pos:
    """A place in a file, both from 1; columns count code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Doc:
    """A parsed file. `marks` gives, for every key and list item, (position of the key or None, of the value)."""

    path: str
    value: Value
    marks: Mapping[Pointer, tuple[Pos | None, Pos]]

    def at(self, pointer: Pointer, key: bool = False) -> Pos:
        """Where `pointer` stands, or its nearest ancestor that has a place; `key` asks for the key's own position."""
        while pointer not in self.marks and pointer:
            pointer = pointer[:-1]
        name, value = self.marks.get(pointer, (None, Pos(1, 1)))
        return name if key and name is not None else value


Layer = Literal["release", "override", "manifest", "team", "blueprint", "environment", "recipe", "link", "platform"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who gave a value: the layer that won, the file and place that say it, and the reason where a layer gives one."""

    layer: Layer
    path: str
    line: int
    column: int
    reason: str = ""
