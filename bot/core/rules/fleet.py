"""What a change of policies, teams, environments, recipes or blueprints means for every service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from bot.core.build import Build, Memo
from bot.core.model.plan import Fleet, FleetRow, PlatformChange
from bot.core.policy.found import FOLDER
from bot.core.policy.model import Case, Engine, PolicySet
from bot.core.rules.cases import objects_in, of_unit
from bot.core.tree import Tree, walk

MOST_CASES = 6_000
"""Cases that one preview judges: some hundred services. More would make a review of a fleet take minutes."""

_Said = frozenset[tuple[str, str]]
"""(policy, service)."""


def fleet_of(
    before: Build | None, after: Build, refused: frozenset[str], changed: Iterable[str], folder: str = "platform"
) -> Fleet | None:
    """Who newly fails, passes or changes by a change of `platform/`; None where that is the same."""
    if before is None or before.tree.get(folder) == after.tree.get(folder):
        return None
    fails = tuple(sorted(name_of(after, unit) for unit in refused))
    passes = tuple(sorted(name_of(after, unit) for unit in before.failing() - after.failing() if unit in after.units))
    return Fleet(
        (FleetRow("", fails),) if fails else (),
        (FleetRow("", passes),) if passes else (),
        tuple(sorted(changed)),
        len(after.units),
        len(after.units),
        policies=False,
    )


def policy_files(before: Tree | None, after: Tree) -> tuple[PlatformChange, ...]:
    """The files of policies that are not what they were."""
    old, new = _files(before), _files(after)
    return tuple(
        PlatformChange(
            path, "policies removed" if path not in new else "policies changed" if path in old else "policies"
        )
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )


def _files(tree: Tree | None) -> Mapping[str, object]:
    entry = tree.get(FOLDER) if tree is not None else None
    return dict(walk(tree, FOLDER)) if tree is not None and entry is not None and entry.kind == "folder" else {}


def preview(after: Build, old: PolicySet | None, new: PolicySet, engine: Engine, memo: Memo) -> Fleet:
    """What changed policies say of everything that is rendered, beside what those that judge now say of it."""
    cases: list[Case] = []
    owners: dict[str, str] = {}
    judged: set[str] = set()
    for folder in sorted(after.units):
        if len(cases) >= MOST_CASES:
            break
        judged.add(folder)
        for case in of_unit(after, folder, objects_in(memo)):
            if case.key not in owners:
                cases.append(case)
                owners[case.key] = name_of(after, folder)
    now = _said(new, cases, owners, engine)
    was = _said(old, cases, owners, engine) if old is not None else frozenset()
    return Fleet(_rows(now - was), _rows(was - now), (), len(judged), len(after.units), policies=True)


def _said(policies: PolicySet, cases: list[Case], owners: Mapping[str, str], engine: Engine) -> _Said:
    return frozenset(
        (verdict.policy, owners[verdict.case]) for verdict in engine(policies, cases) if verdict.effect == "deny"
    )


def _rows(said: Iterable[tuple[str, str]]) -> tuple[FleetRow, ...]:
    found: dict[str, set[str]] = defaultdict(set)
    for policy, service in said:
        found[policy].add(service)
    return tuple(FleetRow(policy, tuple(sorted(found[policy]))) for policy in sorted(found))


def name_of(build: Build, folder: str) -> str:
    """The service's name, the folder's where its manifest cannot be read."""
    state = build.units.get(folder)
    return state.unit.name if state is not None and state.unit is not None else folder.rpartition("/")[2]
