"""Which part of the one side is which part of the other: services by name and environment, keys by what they render.

The name and not the folder, since outputs are named after the service: a folder that moves is a change of the service,
not its end and another's beginning. The linker lets one folder hold a name in an environment, so this is exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from bot.core.build import Build, Delta, UnitState, difference
from bot.core.model.render import Key
from bot.core.model.values import UnitEnv

Place = tuple[str, str]
"""(service name, environment)."""

OF_SERVICE = frozenset({"service", "data", "catalog"})
"""Keys whose second item is the folder of the unit that owns them."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both builds, where they may differ, and the unit-environments there by place.

    `broken` folders could not be compiled on the side after: they are no removals, for they keep their last output.
    """

    before: Build | None
    after: Build
    delta: Delta
    old: Mapping[Place, UnitEnv]
    new: Mapping[Place, UnitEnv]
    broken: frozenset[str]

    def differ(self, place: Place) -> bool:
        """True where the unit's own compiled state is not the same on both sides."""
        was, now = self.old.get(place), self.new.get(place)
        if was is None or now is None or self.before is None:
            return was != now
        if not _other_state(self.before, self.before.units[was[0]], self.after, self.after.units[now[0]]):
            return False
        a, b = self.before.effective(was), self.after.effective(now)
        return (a.folder, a.blueprint, a.waiting, a.value) != (b.folder, b.blueprint, b.waiting, b.value)

    def edited(self, place: Place) -> bool:
        """True where the service's own files differ, or stand in another folder."""
        was, now = self.old.get(place), self.new.get(place)
        if was is None or now is None or self.before is None:
            return True
        return (was[0], self.before.units[was[0]].id) != (now[0], self.after.units[now[0]].id)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """One part of the output whose digest differs; None: that side has no such part."""

    before: Key | None
    after: Key | None

    @property
    def kind(self) -> str:
        return (self.after or self.before or ("",))[0]


def sides_of(before: Build | None, after: Build) -> Sides:
    """Both builds side by side."""
    broken = frozenset(folder for folder in after.failing() if not after.units[folder].environments)
    delta = difference(before, after)
    builds = [build for build in (before, after) if build is not None]
    met = {unit[0] for build in builds for key in delta.keys for unit in build.members.get(key, ())}
    folders = sorted({*delta.units, *(unit[0] for unit in delta.relinked), *met})
    old = _places(before, folders) if before is not None else {}
    return Sides(
        before,
        after,
        delta,
        {place: unit for place, unit in old.items() if unit[0] not in broken},
        _places(after, folders),
        broken,
    )


def changed_places(sides: Sides) -> frozenset[Place]:
    """Places whose unit itself appears, goes, or is not what it was."""
    return frozenset(place for place in sides.old.keys() | sides.new.keys() if sides.differ(place))


def changed_keys(sides: Sides) -> tuple[KeyPair, ...]:
    """Every part of the output whose digest differs, sorted; that of broken units on the side before left out."""
    old = sides.before.digests if sides.before is not None else {}
    new = sides.after.digests
    differ = [key for key in sides.delta.keys if old.get(key) != new.get(key)]
    gone = {key for key in differ if key in old and not _broken(sides, key)}
    come = {key for key in differ if key in new}
    pairs = [KeyPair(key, key) for key in sorted(gone & come)]
    was, now = _by_name(sides.before, gone - come), _by_name(sides.after, come - gone)
    for name in sorted(was.keys() | now.keys()):
        pairs.extend(KeyPair(a, b) for a, b in zip_longest(was.get(name, ()), now.get(name, ())))
    return tuple(pairs)


def place_of(sides: Sides, pair: KeyPair) -> Place | None:
    """The service and environment that a key belongs to. A namespace belongs to its only service; what several share,
    and all else, belongs to the platform: None."""
    if pair.kind in ("service", "data"):
        build, key = (sides.after, pair.after) if pair.after is not None else (sides.before, pair.before)
        assert build is not None and key is not None  # noqa: S101, PT018 - one side of a pair is there, with its build
        return (build.facts((key[1], key[2])).name, key[2])
    if pair.kind == "namespace":
        places = {
            (build.facts(unit).name, unit[1])
            for build, key in ((sides.before, pair.before), (sides.after, pair.after))
            if build is not None and key is not None
            for unit in build.members[key]
        }
        return places.pop() if len(places) == 1 else None
    return None


def shown_with(sides: Sides, pair: KeyPair) -> str | None:
    """The unit folder whose catalog entries a key belongs to: its own, or a system's while one service says it."""
    if pair.kind == "catalog":
        return (pair.after or pair.before or ("", ""))[1]
    if pair.kind != "system":
        return None
    sources = ((sides.before, pair.before), (sides.after, pair.after))
    folders = {
        unit[0] for build, key in sources if build is not None and key is not None for unit in build.members[key]
    }
    return folders.pop() if len(folders) == 1 else None


def service_of(state: UnitState) -> str:
    """The name of a unit, by its folder where its manifest cannot be read."""
    return state.unit.name if state.unit is not None else state.folder.rpartition("/")[2]


def _places(build: Build, folders: Iterable[str]) -> dict[Place, UnitEnv]:
    found: dict[Place, UnitEnv] = {}
    for folder in folders:
        state = build.units.get(folder)
        for env, here in state.environments.items() if state is not None else ():
            if (folder, env) not in build.linked.losers:
                found.setdefault((here.facts.name, env), (folder, env))
    return found


def _other_state(before: Build, old: UnitState, after: Build, new: UnitState) -> bool:
    """Equal ids under equal platform entries compile to equal states, so nothing deep needs to be compared."""
    return old is not new and not (old.folder == new.folder and old.id == new.id and before.reads == after.reads)


def _broken(sides: Sides, key: Key) -> bool:
    if key[0] in OF_SERVICE:
        return key[1] in sides.broken
    before = sides.before
    members = before.members[key] if before is not None else ()
    return key not in sides.after.digests and bool(members) and all(unit[0] in sides.broken for unit in members)


def _by_name(build: Build | None, keys: Iterable[Key]) -> Mapping[Key, list[Key]]:
    found: dict[Key, list[Key]] = defaultdict(list)
    for key in sorted(keys):
        name = key
        if build is not None and key[0] in OF_SERVICE:
            name = (key[0], service_of(build.units[key[1]]), *key[2:])
        found[name].append(key)
    return found
