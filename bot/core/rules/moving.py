"""What a change moves where: the units whose own folder it changes, and what else differs in an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.build import Build, difference
from bot.core.model.render import Key
from bot.core.model.unit import Unit
from bot.core.tree import Oid

_UNIT_KEYS = frozenset({"service", "data"})


@dataclass(frozen=True, slots=True)
class Moves:
    """`own`: by environment, unit folders that the change itself touches and whose output there differs. `others`: by
    environment, whether anything else of it differs. `units`: every unit folder that the change touches."""

    own: Mapping[str, frozenset[str]] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    platform: bool = False
    """What all units read differs: the platform's own files, or the kit."""


def moves(before: Build, after: Build) -> Moves:
    """What differs between the builds, by who moved it."""
    delta = difference(before, after)
    folders = frozenset(folder for folder in delta.units if written(before, folder) != written(after, folder))
    own: dict[str, set[str]] = {}
    others: set[str] = set()
    for key in delta.keys:
        env = _environment(key)
        if env is None:
            continue
        if key[0] in _UNIT_KEYS and key[1] in folders:
            own.setdefault(env, set()).add(key[1])
        else:
            others.add(env)
    fixed = {env: frozenset(found) for env, found in own.items()}
    return Moves(fixed, frozenset(others), folders, before.reads != after.reads)


def written(build: Build, folder: str) -> Oid | None:
    """The version of a unit that the tree of a build holds, whatever version the build uses."""
    entry = build.tree.get(folder)
    return entry.id if entry is not None else None


def unit_of(build: Build, folder: str) -> Unit | None:
    """The unit in this folder, None where there is none that can be read."""
    state = build.units.get(folder)
    return state.unit if state is not None else None


def comes_back(folder: str, after: Build, ran: Mapping[str, frozenset[Oid]]) -> bool:
    """A rollback: the very version of the folder was delivered lately and not refused then."""
    return written(after, folder) in ran.get(folder, frozenset())


def _environment(key: Key) -> str | None:
    """The environment of a part of the output; catalog entries and the like have none."""
    if key[0] in _UNIT_KEYS:
        return key[2]
    return key[1] if key[0] in ("environment", "project", "namespace") else None
