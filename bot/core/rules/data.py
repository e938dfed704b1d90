"""Data at stake: a change that would replace protected state, or destroy it, without the words that allow it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.build import Build, difference
from bot.core.model.delivery import Kept
from bot.core.model.unit import DataFact, Unit
from bot.core.model.values import UnitEnv, Value
from bot.core.problem import Problem
from bot.core.rules.finding import Finding, Judges, changed_units


def data_at_stake(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:
    """Protected state, live or kept, whose recipe, or a field that its recipe calls replacing, differs between the
    sides."""
    if before is None:
        return
    was = {**_waiting(kept, judges), **_ran(before, difference(before, after).units, judges)}
    for folder in changed_units(before, after, judges):
        for env in after.units[folder].environments:
            for fact in after.facts((folder, env)).data:
                name = data_id(after, (folder, env), fact)
                old = was.get(name) or _stays(name, judges, kept)
                if old is not None and old[2].protected and old[2].stateful:
                    why = _replaces(old[0], (old[1], old[2]), after, ((folder, env), fact))
                    if why and not destroy_allowed(name, judges):
                        yield Finding("data-at-stake", name, folder, _problem(after, folder, env, fact, name, why))


def _ran(before: Build, changed: frozenset[str], judges: Judges) -> dict[str, tuple[Build, UnitEnv, DataFact]]:
    """State as it really runs. What `before` says of a refused unit is its last good version under today's platform;
    its state was made by the platform of its own time."""
    found = {
        data_id(before, unit, fact): (before, unit, fact)
        for folder in changed - judges.held.keys()
        for unit, fact in _data(before, folder)
    }
    for folder, commit in judges.held.items():
        build = judges.older(commit)
        for unit, fact in _data(build, folder) if build is not None else ():
            if build is not None:
                found[data_id(build, unit, fact)] = (build, unit, fact)
    return found


def _stays(name: str, judges: Judges, kept: Kept) -> tuple[Build, UnitEnv, DataFact] | None:
    """Kept state, as the platform made it that it is kept from: who takes it up again must not replace it either."""
    commit = next((e.commit for e in kept.values() if e.unit == name and e.reason in ("data", "draining")), None)
    build = judges.older(commit) if commit is not None else None
    for folder in build.units if build is not None else ():
        for unit, fact in _data(build, folder) if build is not None else ():
            if build is not None and data_id(build, unit, fact) == name:
                return build, unit, fact
    return None


def _waiting(kept: Kept, judges: Judges) -> dict[str, tuple[Build, UnitEnv, DataFact]]:
    """State that is kept without a need: whoever takes it up again must not replace it either."""
    found: dict[str, tuple[Build, UnitEnv, DataFact]] = {}
    for entry in kept.values():
        build = judges.older(entry.commit) if entry.reason == "data" and not entry.unit.endswith("/*") else None
        for folder in build.units if build is not None else ():
            for unit, fact in _data(build, folder) if build is not None else ():
                if build is not None and data_id(build, unit, fact) == entry.unit:
                    found[entry.unit] = (build, unit, fact)
    return found


def data_id(build: Build, unit: UnitEnv, fact: DataFact) -> str:
    """`env/service/need`: the identity of state, which a moved folder keeps."""
    return f"{unit[1]}/{build.facts(unit).name}/{fact.need}"


def destroy_allowed(name: str, judges: Judges) -> bool:
    """True where destroy.yaml of the change names this state and its approvals, by owner and platform team, are in."""
    return (name, "destroy") in judges.destroys_allowed


def _data(build: Build, folder: str) -> Iterator[tuple[UnitEnv, DataFact]]:
    state = build.units.get(folder)
    for env, found in state.environments.items() if state is not None else ():
        for fact in found.facts.data:
            yield (folder, env), fact


def _need(build: Build, unit: UnitEnv, need: str) -> dict[str, Value]:
    needs = build.effective(unit).value["needs"]
    found = needs[need] if isinstance(needs, dict) else {}
    return dict(found) if isinstance(found, dict) else {}


def _replaces(before: Build, was: tuple[UnitEnv, DataFact], after: Build, now: tuple[UnitEnv, DataFact]) -> str:
    old, new = was[1], now[1]
    if old.recipe != new.recipe:
        return f"recipe `{old.recipe}` → `{new.recipe}`"
    here, there = before.facts(was[0]), after.facts(now[0])
    if new.form == "kubernetes" and (here.cluster, here.namespace) != (there.cluster, there.namespace):
        return f"the move from `{here.cluster}/{here.namespace}` to `{there.cluster}/{there.namespace}`"
    a, b = _need(before, was[0], old.need), _need(after, now[0], new.need)
    fields = b.get("replaces_on")
    for field in fields if isinstance(fields, list | tuple) else ():
        if _field(a, str(field)) != _field(b, str(field)):
            return f"`{field}: {_field(a, str(field))} → {_field(b, str(field))}`"
    return ""


def _field(need: dict[str, Value], name: str) -> Value:
    options = need.get("options")
    return need[name] if name in need else options.get(name) if isinstance(options, dict) else None


def _problem(after: Build, folder: str, env: str, fact: DataFact, name: str, why: str) -> Problem:
    unit = after.units[folder].unit
    path, line, column = _place(unit, env, fact.need)
    return Problem(
        path,
        line,
        column,
        "CW0701",
        f"{name} ({fact.type}) would be replaced: {why} cannot be done in place",
        "The new one starts empty; what is stored in the old one would be gone for its users.",
        f"Set it back to keep the data. To replace it on purpose, add `- {{data: {name}, action: destroy, reason: …, "
        "until: …}` to platform/destroy.yaml; then the owner and the platform team must approve.",
    )


def _place(unit: Unit | None, env: str, need: str) -> tuple[str, int, int]:
    if unit is None:
        return ("platform/recipes.yaml", 1, 1)
    for pointer in (("environments", env, "needs", need), ("needs", need)):
        if pointer in unit.manifest.marks:
            at = unit.manifest.at(pointer, key=True)
            return unit.manifest.path, at.line, at.column
    return unit.manifest.path, 1, 1
