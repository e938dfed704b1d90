"""Waivers: a policy that a service need not keep until a day, by the platform team's leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from bot.core.build import Build
from bot.core.model.delivery import Kept
from bot.core.model.unit import Unit
from bot.core.model.values import Value
from bot.core.problem import Problem
from bot.core.rules.finding import Finding, Judges, changed_units


@dataclass(frozen=True, slots=True)
class Waiver:
    """One entry of a manifest's `waivers`."""

    policy: str
    reason: str
    until: str
    index: int

    def same(self, other: Waiver) -> bool:
        """True where both say the same, wherever they stand in the list."""
        return (self.policy, self.reason, self.until) == (other.policy, other.reason, other.until)


def waivers_in(build: Build | None, folder: str) -> tuple[Waiver, ...]:
    """Those of the unit in `folder`, in the order of its manifest."""
    state = build.units.get(folder) if build is not None else None
    return _written(state.unit) if state is not None and state.unit is not None else ()


def _written(unit: Unit) -> tuple[Waiver, ...]:
    given = cast(Mapping[str, Value], unit.manifest.value).get("waivers")
    entries = given if isinstance(given, list | tuple) else ()
    maps = (cast(Mapping[str, str], entry) for entry in entries)
    return tuple(Waiver(e["policy"], e["reason"], str(e["until"]), at) for at, e in enumerate(maps))


def counting(before: Build | None, after: Build, folder: str, judges: Judges) -> Mapping[str, Waiver]:
    """Policy -> the waiver of it that counts: in date, and agreed to with this change or when it stood there before."""
    had = waivers_in(before, folder)
    live = [one for one in waivers_in(after, folder) if one.until >= judges.today]
    agreed = judges.excused or judges.asking
    return {one.policy: one for one in live if agreed or any(one.same(old) for old in had)}


def unknown_waivers(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:  # noqa: ARG001 - the shape of a rule
    """Waivers of policies that there are not: they excuse nothing, and nobody would notice."""
    if judges.policies is None:
        return
    names = sorted({policy.name for policy in judges.policies.policies} | set(_rego(judges)))
    for folder in changed_units(before, after, judges):
        unit = after.units[folder].unit
        for waiver in _written(unit) if unit is not None else ():
            if unit is not None and waiver.policy not in names:
                yield Finding("unknown-waiver", f"{folder} {waiver.policy}", folder, _unknown(unit, waiver, names))


def unagreed_waivers(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:  # noqa: ARG001 - the shape of a rule
    """New waivers that landed past the platform team. Left alone, one that excuses nothing yet would stand there before
    the next change, and count. A review asks for the approval instead."""
    if before is None or judges.excused or judges.asking:
        return
    for folder in changed_units(before, after, judges):
        unit, had = after.units[folder].unit, waivers_in(before, folder)
        for waiver in _written(unit) if unit is not None else ():
            if unit is not None and waiver.until >= judges.today and not any(waiver.same(old) for old in had):
                yield Finding("unagreed-waiver", f"{folder} {waiver.policy}", folder, _unagreed(unit, waiver))


def _unagreed(unit: Unit, waiver: Waiver) -> Problem:
    at = unit.manifest.at(("waivers", waiver.index, "policy"))
    return Problem(
        unit.manifest.path, at.line, at.column, "CW0731",
        f"the platform team did not agree to the waiver of `{waiver.policy}`",
        "it landed without their approval, and from the next change on it would count as what stood before; what ran "
        "before stays",
        "open a pull request that touches this waiver, and have the platform team approve it, or remove the waiver",
    )  # fmt: skip


def _rego(judges: Judges) -> Iterator[str]:
    for path in judges.policies.rego if judges.policies is not None else ():
        yield path.rpartition("/")[2].removesuffix(".rego")


def _unknown(unit: Unit, waiver: Waiver, names: list[str]) -> Problem:
    at = unit.manifest.at(("waivers", waiver.index, "policy"))
    near = get_close_matches(waiver.policy, names, n=1)
    return Problem(
        unit.manifest.path, at.line, at.column, "CW0730", f"there is no policy `{waiver.policy}` to waive",
        "the waiver excuses nothing, and whoever reads it would think that it does",
        f"did you mean `{near[0]}`?" if near else f"name one of: {', '.join(names[:20])}" if names else "remove it",
    )  # fmt: skip
