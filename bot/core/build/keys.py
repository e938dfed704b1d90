"""Which keys the output has, who takes part in each, and the digest of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.core.build.state import Build, Interfaces, UnitState, world_of
from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Key
from bot.core.model.unit import Facts, Linked
from bot.core.model.values import UnitEnv
from bot.core.overlay import Overlay
from bot.core.render import RENDERERS, digest

Members = Overlay[Key, tuple[UnitEnv, ...]]
Digests = Overlay[Key, str]


def digested(kit: Kit, platform: Platform, units: Mapping[str, UnitState], linked: Linked) -> tuple[Members, Digests]:
    """Every key, from nothing."""
    found: dict[Key, list[UnitEnv]] = {key: [] for key in platform_keys(platform)}
    for unit, facts in sorted(Interfaces(units).items()):
        if unit not in linked.losers:
            for key in unit_keys(facts):
                found.setdefault(key, []).append(unit)
    members = Overlay({key: tuple(those) for key, those in found.items()})
    world = world_of(kit, platform, units, linked, members)
    return members, Overlay({key: digest(RENDERERS[key[0]].inputs(key, world)) for key in members})


def digested_again(
    since: Build,
    kit: Kit,
    platform: Platform,
    units: Mapping[str, UnitState],
    linked: Linked,
    touched: Iterable[UnitEnv],
    relinked: frozenset[UnitEnv],
    same_platform: bool,
) -> tuple[Members, Digests, set[Key]]:
    """The keys of `since` with those made anew that `touched` or `relinked` units take part in; which ones differ.

    A platform that differs although units read the same of it (destroy.yaml, holds) changes no key of a unit, but its
    own keys are made anew.
    """
    before, after = Interfaces(since.units), Interfaces(units)
    edits: dict[Key, set[UnitEnv]] = {}
    again: set[Key] = set() if same_platform else set(platform_keys(platform))
    for unit in {*touched, *relinked}:
        for facts, losers, there in (
            (before.get(unit), since.linked.losers, False),
            (after.get(unit), linked.losers, True),
        ):
            if facts is None or unit in losers:
                continue
            for key in unit_keys(facts):
                those = edits.setdefault(key, set(since.members.get(key, ())))
                those.add(unit) if there else those.discard(unit)
                again.add(key)
    own = frozenset(platform_keys(platform))
    changes = {key: tuple(sorted(those)) if those or key in own else None for key, those in edits.items()}
    members = since.members.derive(changes)
    world = world_of(kit, platform, units, linked, members)
    made: dict[Key, str | None] = {}
    for key in sorted(again):
        value = digest(RENDERERS[key[0]].inputs(key, world)) if key in members else None
        if value != since.digests.get(key):
            made[key] = value
    return members, since.digests.derive(made), set(made)


def platform_keys(platform: Platform) -> Iterator[Key]:
    """Keys that are there whether or not anything runs."""
    for renderer in RENDERERS.values():
        yield from renderer.keys_of_platform(platform)


def unit_keys(facts: Facts) -> Iterator[Key]:
    """Keys that a unit-environment takes part in."""
    for renderer in RENDERERS.values():
        yield from renderer.keys_of_facts(facts)


def keys_of_unit(build: Build, folder: str) -> Iterator[Key]:
    """Keys that a unit takes part in, in any of its environments; none where it could not be compiled."""
    state = build.units.get(folder)
    for here in state.environments.values() if state is not None else ():
        yield from unit_keys(here.facts)
