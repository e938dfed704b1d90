"""Who owns which path of a GitOps tree, and with what content: the render plus what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.build import Build, Memo, keys_of_unit, outlines
from bot.core.build.fill import Each
from bot.core.model.delivery import Actual, Kept
from bot.core.model.render import Inputs, Key, Outline, Rendered
from bot.core.overlay import Overlay
from bot.core.problem import Refusal
from bot.core.render import target_of
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
) -> Overlay[str, Own]:
    """Every owned path of one target. Keys of `refused` units give nothing: `kept` holds what they had."""
    render = _render(build, target, memo, each)
    out = {key for folder in refused for key in keys_of_unit(build, folder) if unit_of(key) == folder}
    found = render.paths.derive({path: None for path in _paths(render, out) if render.paths[path].key in out})
    changes: dict[str, Own | None] = {}
    for path, entry in kept.items():
        old = found.get(path)
        named = entry.unit if entry.reason in ("refused", "held") and entry.unit else None
        unit = named or (old.unit if old is not None else None)
        changes[path] = Own(entry.id, entry.kind, None, unit)
    return found.derive(changes)


@dataclass(frozen=True, slots=True)
class Render:
    """The paths of a whole render, and whose they are."""

    paths: Overlay[str, Own]
    outlines: Overlay[Key, Outline]


def _render(build: Build, target: str, memo: Memo, each: Each[Inputs, Rendered | Refusal]) -> Render:
    """From the newest render that the build is known to differ from in a few keys; else from nothing."""
    done = memo.renders.get((build.token, target))
    if done is not None and isinstance(done, Render):
        return done
    for token, delta in reversed(list(build.deltas.items())):
        old = memo.renders.get((token, target))
        if isinstance(old, Render):
            made = _moved(old, build, delta.keys, target, memo, each)
            break
    else:
        made = _moved(Render(Overlay({}), Overlay({})), build, build.digests, target, memo, each)
    memo.renders.put((build.token, target), made)
    return made


def _moved(
    old: Render,
    build: Build,
    keys: Iterable[Key],
    target: str,
    memo: Memo,
    each: Each[Inputs, Rendered | Refusal],
) -> Render:
    keys = list(keys)
    here = [key for key in keys if key in build.digests and target_of(key, build.platform) == target]
    found = outlines(build, here, memo, each)
    now: dict[Key, Outline | None] = dict.fromkeys(keys)
    now.update({key: outline for key, outline in found.items() if not isinstance(outline, Refusal)})
    changes: dict[str, Own | None] = dict.fromkeys(_paths(old, keys))
    for key, outline in now.items():
        for item in outline or ():
            changes[item.path] = Own(item.id, item.kind, key, unit_of(key))
    return Render(old.paths.derive(changes), old.outlines.derive(now))


def _paths(render: Render, keys: Iterable[Key]) -> list[str]:
    return [item.path for key in keys for item in render.outlines.get(key, ())]


def moving(one: Owned, other: Owned) -> frozenset[str]:
    """Paths where two may differ; all of both where nothing better is known."""
    if isinstance(one, Overlay) and isinstance(other, Overlay):
        known = one.differing(other)
        if known is not None:
            return known
    return frozenset(one.keys() | other.keys())


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


def drifted(head: Tree | None, expected: Owned, memo: Memo) -> tuple[str, ...]:
    """Owned paths whose content is not what the law says, sorted. A head that was found to keep the law is remembered,
    since its own `.causeway/` says all that the law depends on."""
    if head is not None and memo.lawful.get(head.id) is not None:
        return ()
    found = tuple(sorted(path for path, own in expected.items() if actual_id(head, path) != own.id))
    if head is not None and not found:
        memo.lawful.put(head.id, True)
    return found


def obstructed(head: Tree | None, before: Owned, after: Owned, paths: Iterable[str]) -> dict[str, Own]:
    """Of `paths`, new ones where something foreign stands already, and those where a file stands in for a folder."""
    if head is None:
        return {}
    found: dict[str, Own] = {}
    for path in paths:
        own, there = after.get(path), actual_id(head, path)
        if own is None or own.id is None or there == own.id:
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
