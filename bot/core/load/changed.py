"""Which unit folders differ between two trees, visiting only folders that do."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.load.units import ROOT, is_unit, unit_folders
from bot.core.tree import Tree, name_of
from bot.core.tree_rows import differing


def changed_units(old: Tree, new: Tree) -> frozenset[str]:
    """Every folder that is a unit on either side and may not be the same: its content differs, or a unit around it
    came or went, which is its problem too."""
    return frozenset(_changed(old, new, ROOT))


def _changed(old: Tree, new: Tree, folder: str) -> Iterator[str]:
    for raw in differing(old.rows(folder), new.rows(folder)):
        path = f"{folder}/{name_of(raw)}"
        if any(is_unit(tree, path) for tree in (old, new)):
            yield path
            for tree in (old, new):
                yield from unit_folders(tree, path)
        else:
            yield from _changed(old, new, path)
