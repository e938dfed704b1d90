"""Who may change what: whose approval a change needs, and what is still missing.

The base decides: its owners, its teams, its environments. The change's own files say only who the new owner is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast, get_args

from bot.core.build import Build
from bot.core.model.delivery import Approval
from bot.core.model.platform import Destroy, Platform
from bot.core.model.rights import Ground, Missing, Requirement
from bot.core.model.values import Value
from bot.core.rules.hosts import foreign_hosts
from bot.core.rules.moving import Moves, comes_back, moves, unit_of
from bot.core.tree import Oid, Tree

_DESTROY = "platform/destroy.yaml"


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked about. `before` is the base as far as it can be read, `stood_in` says that an older commit stands
    in for it; `ran` is what was delivered lately, `owner_of` gives the owning team of `env/service/need`."""

    before: Build
    after: Build
    now: int
    ran: Mapping[str, frozenset[Oid]]
    owner_of: Callable[[str], str]
    stood_in: bool = False


def required(change: Change) -> tuple[Requirement, ...]:
    """Every team that must agree, and to what; sorted, each once. A service's rollback under the same owner asks
    nobody: it was agreed to when it ran first."""
    found = moves(change.before, change.after)
    rows = [
        *_platform(change),
        *_destroyed(change, found),
        *(row for folder in sorted(found.units) for row in _unit(change, found, folder)),
    ]
    order = {ground: at for at, ground in enumerate(get_args(Ground))}
    return tuple(sorted(set(rows), key=lambda row: (order[row.ground], row.subject, row.team)))


def missing(
    requirements: Sequence[Requirement], approvals: Sequence[Approval], consents: frozenset[str], stand_in: str
) -> tuple[Missing, ...]:
    """What still lacks approvals. `consents` are teams of which everybody who wrote the change is a member: they agree
    to what they wrote, but where an environment counts approvals these are other people's, and data is never destroyed
    on the word of its author alone. `stand_in` is the platform team: where the owning team is only the author, it may
    approve for an environment."""
    by_team: dict[str, set[str]] = {}
    for one in approvals:
        by_team.setdefault(one.team, set()).add(one.user_id)
    second = {row.subject for row in requirements if row.ground == "destroy" and by_team.get(row.team)}
    found = []
    for row in requirements:
        people = by_team.get(row.team, set())
        if row.ground == "environment":
            lacks = row.count - len(people | by_team.get(stand_in, set()))
        elif row.ground == "destroy":
            agrees = bool(people) or (row.team in consents and row.subject in second)
            lacks = 0 if agrees else 1
        else:
            lacks = 0 if people or row.team in consents else row.count
        if lacks > 0:
            found.append(Missing(row, lacks))
    return tuple(found)


def _row(platform: Platform, team: str, ground: Ground, subject: str, other: Platform, count: int = 1) -> Requirement:
    """A team that the base knows is the base's; only one that comes with the change is named by it. A team that nobody
    knows cannot agree: the platform team speaks for it."""
    slug = team if team in platform.teams or team in other.teams else platform.platform_team
    entry = platform.teams.get(slug) or other.teams[slug]
    return Requirement(slug, str(entry.value["forge_team"]), ground, subject, count)


def _ask(change: Change, team: str, ground: Ground, subject: str, count: int = 1) -> Requirement:
    return _row(change.before.platform, team, ground, subject, change.after.platform, count)


def _platform(change: Change) -> Iterator[Requirement]:
    team = change.before.platform.platform_team
    if change.stood_in:
        yield _ask(change, team, "stand-in", "platform/")
    paths = [path for path in _differing(change.before.tree, change.after.tree) if path != _DESTROY]
    if paths:
        yield _ask(change, team, "platform", paths[0] if len(paths) == 1 else "platform/")


def _differing(old: Tree, new: Tree) -> list[str]:
    a = {f"platform/{name}": entry for name, entry in _entries(old).items()}
    b = {f"platform/{name}": entry for name, entry in _entries(new).items()}
    return sorted(path for path in a.keys() | b.keys() if a.get(path) != b.get(path))


def _entries(tree: Tree) -> Mapping[str, object]:
    entry = tree.get("platform")
    return tree.list("platform") if entry is not None and entry.kind == "folder" else {}


def _destroyed(change: Change, found: Moves) -> Iterator[Requirement]:
    """Words of destruction that are new, or that the change makes use of."""
    team = change.before.platform.platform_team
    known = {_words(entry) for entry in change.before.platform.destroy}
    today = datetime.fromtimestamp(change.now, UTC).date().isoformat()
    if _DESTROY in _differing(change.before.tree, change.after.tree):
        yield _ask(change, team, "platform", _DESTROY)
    for entry in change.after.platform.destroy:
        if entry.until < today:
            continue
        if entry.data is not None and (_words(entry) not in known or _uses(change, found, entry.data)):
            yield _ask(change, team, "destroy", entry.data)
            owner = change.owner_of(entry.data)
            if owner:
                yield _ask(change, owner, "destroy", entry.data)
        elif entry.environment is not None and (_words(entry) not in known or _leaving(change, found, entry)):
            yield _ask(change, team, "destroy", entry.environment)


def _words(entry: Destroy) -> tuple[object, ...]:
    return entry.data, entry.action, entry.environment, entry.at_most, entry.until


def _uses(change: Change, found: Moves, name: str) -> bool:
    """True where the change touches a service of that name which has this need before."""
    env, service, need = name.split("/", 2)
    for folder in found.units:
        state = change.before.units.get(folder)
        there = state.environments.get(env) if state is not None else None
        if there is not None and there.facts.name == service and need in {fact.need for fact in there.facts.data}:
            return True
    return False


def _leaving(change: Change, found: Moves, entry: Destroy) -> bool:
    """True where the change takes a service out of the environment."""
    for folder in found.units:
        was, now = change.before.units.get(folder), change.after.units.get(folder)
        stays = now is not None and entry.environment in now.environments
        if was is not None and entry.environment in was.environments and not stays:
            return True
    return False


def _unit(change: Change, found: Moves, folder: str) -> Iterator[Requirement]:
    base, team = change.before.platform, change.before.platform.platform_team
    old, new = unit_of(change.before, folder), unit_of(change.after, folder)
    stood = folder in change.before.units
    # What stood there and cannot be read has an owner that nobody knows: the platform team speaks for it.
    owner = old.owner if old is not None else team if stood else ""
    back = comes_back(folder, change.after, change.ran) and new is not None and new.owner == owner
    if owner and not back:
        yield _ask(change, owner, "owner", folder)
    if new is not None:
        if new.owner != owner:
            yield _ask(change, new.owner, "new-owner", folder)
        yield from _exceptions(change, folder)
        if foreign_hosts(change.before, change.after, folder):
            yield _ask(change, team, "hosts", folder)
    agreeing = owner or (new.owner if new is not None else "")
    for name in sorted(found.own) if agreeing and not back else ():
        count = cast(int, base.environments[name].value["approvals"]) if name in base.environments else 0
        if folder in found.own[name] and count:
            yield _ask(change, agreeing, "environment", name, count)


def _exceptions(change: Change, folder: str) -> Iterator[Requirement]:
    """What leaves the golden path by the platform team's leave: raw manifests and waivers, where they are new."""
    team = change.before.platform.platform_team
    old, new = _manifest(change.before, folder), _manifest(change.after, folder)
    given = new.get("waivers")
    if isinstance(given, Sequence) and not isinstance(given, str):
        had = old.get("waivers")
        known = list(had) if isinstance(had, Sequence) and not isinstance(had, str) else []
        if any(waiver not in known for waiver in given):
            yield _ask(change, team, "waiver", folder)
    extra = new.get("extra")
    if extra and (extra != old.get("extra") or _raw(change.before, folder, extra) != _raw(change.after, folder, extra)):
        yield _ask(change, team, "extra", folder)


def _manifest(build: Build, folder: str) -> Mapping[str, Value]:
    unit = unit_of(build, folder)
    return cast(Mapping[str, Value], unit.manifest.value) if unit is not None else {}


def _raw(build: Build, folder: str, extra: Value) -> object:
    """What stands where `extra` points: its content is as much an exception as the word itself."""
    place = str(extra.get("path", "")) if isinstance(extra, Mapping) else str(extra)
    return build.tree.get(f"{folder}/{place.strip('/')}")
