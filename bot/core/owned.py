"""Who owns which path of a GitOps tree, and with what content: the render plus what is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.build import Build, Memo, keys_for, outlines
from bot.core.build.fill import Each
from bot.core.model.delivery import Actual, Kept
from bot.core.model.render import Inputs, Key, Rendered
from bot.core.problem import Refusal
from bot.core.settle import unit_of
from bot.core.tree import Oid, Tree


@dataclass(frozen=True, slots=True)
class Own:
    """One owned path. `id` None: it is owned by being absent. `key` is None where `kept` and no render decides it."""

    id: Oid | None
    kind: Literal["file", "folder"]
    key: Key | None
    unit: str | None


Owned = Mapping[str, Own]


def owned(
    build: Build,
    target: str,
    kept: Kept,
    refused: frozenset[str],
    memo: Memo,
    each: Each[Inputs, Rendered | Refusal] = map,
) -> dict[str, Own]:
    """Every owned path of one target. Keys of `refused` units give nothing: `kept` holds what they had."""
    keys = [key for key in keys_for(build, target) if unit_of(key) not in refused]
    found: dict[str, Own] = {}
    for key, outline in outlines(build, keys, memo, each).items():
        if not isinstance(outline, Refusal):
            unit = unit_of(key)
            for item in outline:
                found[item.path] = Own(item.id, item.kind, key, unit)
    for path, entry in kept.items():
        old = found.get(path)
        named = entry.unit if entry.reason in ("refused", "held") and entry.unit else None
        unit = named or (old.unit if old is not None else None)
        found[path] = Own(entry.id, entry.kind, None, unit)
    return found


def adopted(actual: Actual, render: Owned) -> dict[str, Own]:
    """What a person who resumes without a cursor hands over: folders that carry our provenance, what stands where the
    render wants to write, and what is kept. Nothing, where no folder is ours."""
    head = actual.head
    ours = list(provenance_folders(head)) if head is not None else []
    found = {path: Own(actual_id(head, path), own.kind, None, None) for path, own in render.items() if ours}
    found.update((path, Own(actual_id(head, path), "folder", None, None)) for path in ours)
    for path, entry in actual.kept.items():
        found[path] = Own(entry.id, entry.kind, None, entry.unit if entry.reason == "refused" else None)
    return {path: own for path, own in found.items() if own.id is not None}


def provenance_folders(head: Tree) -> Iterator[str]:
    """Folders that carry our provenance, wherever a render could have put them."""
    for top in ("environments", "data"):
        for env in head.list(top):
            for middle in head.list(f"{top}/{env}"):
                for name in head.list(f"{top}/{env}/{middle}"):
                    folder = f"{top}/{env}/{middle}/{name}"
                    if head.get(f"{folder}/provenance.json") is not None:
                        yield folder


def actual_id(head: Tree | None, path: str) -> Oid | None:
    """What stands at a path of the GitOps tree."""
    entry = head.get(path) if head is not None else None
    return entry.id if entry is not None else None


def drifted(head: Tree | None, expected: Owned) -> tuple[str, ...]:
    """Owned paths whose content is not what the law says, sorted."""
    return tuple(sorted(path for path, own in expected.items() if actual_id(head, path) != own.id))


def obstructed(head: Tree | None, before: Owned, after: Owned) -> dict[str, Own]:
    """New paths where something foreign stands already, and paths where a file stands in for one of their folders."""
    if head is None:
        return {}
    found: dict[str, Own] = {}
    for path, own in after.items():
        there = actual_id(head, path)
        if own.id is None or there == own.id:
            continue
        if _file_above(head, path) or (there is not None and path not in before):
            found[path] = own
    return found


def _file_above(head: Tree, path: str) -> bool:
    parts = path.split("/")
    for size in range(1, len(parts)):
        entry = head.get("/".join(parts[:size]))
        if entry is None:
            return False
        if entry.kind != "folder":
            return True
    return False
