"""A large mapping that a small change turns into another one, without copying it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST = 512
"""Changes on top of one base. Beyond it a copy is made, so that lookups and copies of the changes stay cheap."""


class Overlay(Mapping[K, V], Generic[K, V]):
    """A frozen mapping: a base that is shared with others, and what differs from it. No value is None.

    Iterates over the base in its order, then over what came new, in the order in which it came. Equal to any mapping
    with the same items.
    """

    __slots__ = ("_base", "_changes", "_size")

    def __init__(self, base: dict[K, V], changes: dict[K, V | None] | None = None) -> None:
        self._base = base
        self._changes = changes or {}
        come = sum(1 for key, value in self._changes.items() if value is not None and key not in base)
        gone = sum(1 for key, value in self._changes.items() if value is None and key in base)
        self._size = len(base) + come - gone

    def __getitem__(self, key: K) -> V:
        if key in self._changes:
            value = self._changes[key]
            if value is None:
                raise KeyError(key)
            return value
        return self._base[key]

    def __contains__(self, key: object) -> bool:
        # Mapping's own asks for the value and catches KeyError, which costs more than both lookups.
        if key in self._changes:
            return self._changes[key] is not None
        return key in self._base

    def __iter__(self) -> Iterator[K]:
        if not self._changes:
            return iter(self._base)
        return self._walk()

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"Overlay({dict(self)!r})"

    def differing(self, other: Overlay[K, V]) -> frozenset[K] | None:
        """Keys where the two may differ, at the cost of what changed; None where they share no base."""
        if self._base is not other._base:
            return None
        return frozenset(self._changes.keys() | other._changes.keys())

    def derive(self, changes: Mapping[K, V | None]) -> Overlay[K, V]:
        """This mapping with `changes`; None removes. Costs the changes, not the mapping."""
        if not changes:
            return self
        merged = {**self._changes, **changes}
        if len(merged) <= MOST or len(merged) * 8 < len(self._base):
            return Overlay(self._base, merged)
        base = {key: value for key, value in self._base.items() if key not in merged}
        base.update({key: value for key, value in merged.items() if value is not None})
        return Overlay(base)

    def _walk(self) -> Iterator[K]:
        for key in self._base:
            if key not in self._changes or self._changes[key] is not None:
                yield key
        for key, value in self._changes.items():
            if value is not None and key not in self._base:
                yield key
