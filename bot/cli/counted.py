"""Progress through long work: every file that is read and every part that is rendered counts one step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from bot.core.tree import Entry, Oid, Tree

A = TypeVar("A")
B = TypeVar("B")
Counted = Callable[[], None]


class CountedTree:
    """A tree that counts what is read of it, and is the same tree otherwise."""

    __slots__ = ("_counted", "_tree")

    def __init__(self, tree: Tree, counted: Counted) -> None:
        self._tree, self._counted = tree, counted

    @property
    def id(self) -> Oid:
        return self._tree.id

    def list(self, folder: str) -> Mapping[str, Entry]:
        return self._tree.list(folder)

    def rows(self, folder: str) -> bytes:
        return self._tree.rows(folder)

    def get(self, path: str) -> Entry | None:
        return self._tree.get(path)

    def read(self, path: str) -> bytes:
        self._counted()
        return self._tree.read(path)


def counted_map(counted: Counted) -> Callable[[Callable[[A], B], Iterable[A]], Iterable[B]]:
    """`map` that counts each answer."""

    def each(function: Callable[[A], B], many: Iterable[A]) -> Iterator[B]:
        for made in map(function, many):
            counted()
            yield made

    return each
