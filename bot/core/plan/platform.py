"""The platform's own part of a change: its files, and output that belongs to no single service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.core.kit import Kit
from bot.core.model.plan import PlatformChange
from bot.core.model.platform import Platform
from bot.core.model.values import Pointer, UnitEnv, Value
from bot.core.plan.diff import Difference, differences
from bot.core.plan.objects import Compared
from bot.core.plan.shape import as_map, is_list
from bot.core.plan.sides import KeyPair, Place, Sides

MOST = 6
"""Entries of one file that are named; the rest is counted."""


def file_changes(sides: Sides) -> Iterator[PlatformChange]:
    """Files of platform/ whose content says something else, with what differs in each."""
    if sides.before is None:
        return
    old, new = sides.before.platform.docs, sides.after.platform.docs
    for path in sorted(old.keys() | new.keys()):
        was = old[path].value if path in old else None
        now = new[path].value if path in new else None
        found = list(differences(_entries(was), _entries(now)))
        if found:
            yield PlatformChange(path, _said(found))
    yield from (change for _, change in _content(sides.before.kit, sides.after.kit))


def output_changes(compared: Iterable[tuple[KeyPair, Compared]]) -> Iterator[PlatformChange]:
    """Output of the platform's own: projects, parents, groups, namespaces that several services share."""
    for pair, found in compared:
        if found.changes:
            key = pair.after or pair.before or ("",)
            yield PlatformChange(found.changes[0].path, f"{key[0]} {'/'.join(key[1:])}", found.changes)


def cause(sides: Sides, place: Place, changed: frozenset[Place]) -> str:
    """Why a service differs whose own files are the same: the folder of a unit at the other end of a link, or the
    platform's file. Empty where neither is to blame."""
    was, now = sides.old.get(place), sides.new.get(place)
    if sides.before is None or was is None or now is None:
        return ""
    for name in sorted(_peers(sides, was, now)):
        folder = _folder(sides, (name, place[1]))
        if folder and ((name, place[1]) in changed or folder in sides.broken):
            return folder
    return _platform_cause(sides.before.platform, sides.after.platform, sides, now)


def _peers(sides: Sides, was: UnitEnv, now: UnitEnv) -> set[str]:
    old = sides.before.linked.links.get(was) if sides.before is not None else None
    new = sides.after.linked.links.get(now)
    a = {*old.callers, *old.uses} if old is not None else set()
    b = {*new.callers, *new.uses} if new is not None else set()
    return {peer.service for peer in a ^ b}


def _folder(sides: Sides, place: Place) -> str:
    unit = sides.new.get(place) or sides.old.get(place)
    if unit is not None:
        return unit[0]
    return next((folder for folder in sorted(sides.broken) if folder.rpartition("/")[2] == place[0]), "")


def _platform_cause(old: Platform, new: Platform, sides: Sides, unit: UnitEnv) -> str:
    effective = sides.after.effective(unit)
    env, owner = effective.environment, effective.owner
    if old.environments.get(env) != new.environments.get(env):
        return "platform/environments.yaml"
    if old.teams.get(owner) != new.teams.get(owner):
        return "platform/teams.yaml"
    reads = {
        effective.type,
        *(str(as_map(need).get("recipe")) for need in as_map(effective.value.get("needs")).values()),
    }
    for name, change in _content(sides.before.kit, sides.after.kit) if sides.before is not None else ():
        if name in reads:
            return change.path
    if old.recipes != new.recipes:
        return "platform/recipes.yaml"
    return "platform/config.yaml" if old.config != new.config else ""


def _content(old: Kit, new: Kit) -> Iterator[tuple[str, PlatformChange]]:
    """Blueprints and recipes of the platform repo's own that are not what they were, with their names."""
    for was, now in ((old.blueprints, new.blueprints), (old.recipes, new.recipes)):
        for name in sorted(was.keys() | now.keys()):
            a, b = was.get(name), now.get(name)
            if a is not None and b is not None and a.digest == b.digest:
                continue
            path = next((part.path for part in (b, a) if part is not None and part.path.startswith("platform/")), "")
            if path:
                what = "changed" if a is not None and b is not None else "new" if b is not None else "removed"
                yield name[0], PlatformChange(path, f"{name[0]} v{name[1]} {what}")


def _entries(value: Value) -> Value:
    """A file's entries without its one outer key, which its name says already; lists of entries by their index."""
    if isinstance(value, Mapping) and len(value) == 1:
        value = next(iter(value.values()))
    return {} if value is None else value


def _said(found: list[Difference]) -> str:
    shown = [_one(difference) for difference in found[:MOST]]
    return ", ".join(shown) + (f" and {len(found) - MOST} more" if len(found) > MOST else "")


def _one(found: Difference) -> str:
    name = _dotted(found.pointer)
    if found.before is None:
        return f"+ {name}" if _deep(found.after) else f"{name}: {_plain(found.after)}"
    if found.after is None:
        return f"\N{MINUS SIGN} {name}"
    if _deep(found.before) or _deep(found.after):
        return name
    return f"{name}: {_plain(found.before)} → {_plain(found.after)}"


def _dotted(pointer: Pointer) -> str:
    return ".".join(str(part) for part in pointer) or "all"


def _deep(value: Value) -> bool:
    return isinstance(value, Mapping) or is_list(value)


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)
