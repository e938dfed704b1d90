"""Policies over one change: what they have against it that they had not against what stood there before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.core.build import Build
from bot.core.policy.kinds import as_map, text_of
from bot.core.policy.model import ADVICE, CODE_OF, Policy, Verdict
from bot.core.problem import Problem
from bot.core.render.policies import asked_for
from bot.core.rules.blame import Blame, blame
from bot.core.rules.cases import Asked, ObjectsOf, asked, objects_in, older
from bot.core.rules.finding import Finding, Judges, changed_units
from bot.core.rules.waivers import Waiver, counting

WHY = "causeway.dev/why"
"""Annotation of a policy: why what it asks for matters, for whoever it refuses."""
FIX = "causeway.dev/fix"
"""Annotation of a policy: what to write instead."""


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that a policy has against the change. It refuses where it is `new` and not `waived`."""

    finding: Finding
    verdict: Verdict
    environment: str
    new: bool
    waived: Waiver | None
    refuses: bool
    """The policy denies; else it only warns."""


def policy_findings(before: Build | None, after: Build, judges: Judges) -> tuple[Held, ...]:
    """All that the judges' policies have against what differs, each once. With no side before all of it is new."""
    policies = judges.policies
    if policies is None or not (policies.policies or policies.rego):
        return ()
    objects = objects_in(judges.memo)
    units = changed_units(before, after, judges)
    held = frozenset(folder for folder in judges.held if folder in after.units)
    cases = {one.case.key: one for one in asked(before, after, units, held, objects)}
    said = judges.engine(policies, [one.case for one in cases.values()])
    fired = {verdict.case for verdict in said if verdict.effect != "audit"}
    stood = _stood(fired, cases, before, judges, objects)
    in_cluster = _in_cluster(sorted(fired), cases, judges) if asked_for(after.platform) else _nowhere
    by_name = {policy.name: policy for policy in policies.policies}
    excuses = cache(lambda folder: counting(before, after, folder, judges))

    def tell(verdict: Verdict) -> Held:
        one = cases[verdict.case]
        unit = one.case.unit
        waiver = excuses(unit).get(verdict.policy) if unit is not None else None
        new = (verdict.case, verdict.policy, verdict.validation) not in stood
        finding = Finding(
            f"policy/{verdict.policy}/{verdict.validation}",
            verdict.case,
            unit,
            _problem(verdict, by_name.get(verdict.policy), blame(one, verdict, after, before), waiver),
        )
        if verdict.effect == "deny" and (waiver is not None or not new) and in_cluster(verdict):
            finding = replace(finding, problem=_stuck(finding.problem, one.case.environment))
        return Held(finding, verdict, one.case.environment, new, waiver, verdict.effect == "deny")

    return tuple(tell(verdict) for verdict in said if verdict.effect != "audit")


def _stood(
    keys: Iterable[str], cases: Mapping[str, Asked], before: Build | None, judges: Judges, objects: ObjectsOf
) -> frozenset[tuple[str, str, str]]:
    """(case, policy, validation) of what fired before, for the few cases that fire now. Where a refused unit runs as an
    older commit says, that commit is what stood: the side before shows its version under today's platform."""
    again = []
    for key in sorted(keys):
        one = cases[key]
        commit = judges.held.get(one.case.unit) if one.case.unit is not None else None
        side = (judges.older(commit) or before) if commit is not None else before
        case = older(one, side, objects)
        if case is not None:
            again.append(case)
    if not again or judges.policies is None:
        return frozenset()
    return frozenset(
        (verdict.case, verdict.policy, verdict.validation)
        for verdict in judges.engine(judges.policies, again)
        if verdict.effect != "audit"
    )


def _nowhere(verdict: Verdict) -> bool:  # noqa: ARG001
    return False


def _in_cluster(keys: Sequence[str], cases: Mapping[str, Asked], judges: Judges) -> Callable[[Verdict], bool]:
    """Whether the cluster will say the same: it sees no Workload, and leaves out what the label of a waiver excuses."""
    labelled = {key: case for key in keys if (case := cases[key].labelled) is not None}
    said = judges.engine(judges.policies, [*labelled.values()]) if judges.policies is not None and labelled else ()
    again = {(verdict.case, verdict.policy, verdict.validation) for verdict in said}

    def says(verdict: Verdict) -> bool:
        known = verdict.case not in labelled or (verdict.case, verdict.policy, verdict.validation) in again
        return cases[verdict.case].key is not None and known

    return says


def _problem(verdict: Verdict, policy: Policy | None, at: Blame, waiver: Waiver | None) -> Problem:
    said = verdict.message if verdict.kind == "violation" else _broken(verdict)
    why = _annotation(policy, WHY) or "The platform team asks this of everything that runs here."
    fix = _annotation(policy, FIX) or (
        "Change what this line says, or ask for an exception: a comment "
        f"`/waive {verdict.policy} until <date> because …` opens the change."
    )
    if waiver is not None:
        fix = f"Waived until {waiver.until}: {waiver.reason}"
    return Problem(
        at.path,
        at.line,
        at.column,
        ADVICE if verdict.effect == "warn" and verdict.kind == "violation" else CODE_OF[verdict.kind],
        f"{said} (policy `{verdict.policy}`)",
        f"{why}{at.through}",
        fix,
        "error" if verdict.effect == "deny" and waiver is None else "warning",
    )


def _stuck(problem: Problem, environment: str) -> Problem:
    """What the review lets pass and the cluster will not: nothing else would tell before the sync fails for ever."""
    return replace(
        problem,
        why=f"{problem.why} The cluster of {environment} has this policy, too, and will refuse the object: its sync "
        "fails until this is mended.",
    )


def _broken(verdict: Verdict) -> str:
    place = verdict.place
    return f"cannot be judged: {verdict.message}, at {place.path}:{place.line}:{place.column}"


def _annotation(policy: Policy | None, name: str) -> str:
    return text_of(as_map(policy.doc.value), "metadata", "annotations", name) if policy is not None else ""


def standing_violations(found: Iterable[Held]) -> Iterator[Held]:
    """What the review lets pass though the policy denies it: what stood before, and what is waived."""
    return (one for one in found if one.refuses and (not one.new or one.waived is not None))
