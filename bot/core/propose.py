"""What a pull request would change: both sides built, judged and planned. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from bot.core.build import Build, Memo
from bot.core.build.fill import Each
from bot.core.diffs import MOST_BYTES, diffs
from bot.core.kit import kit_of
from bot.core.model.delivery import Evidence, Kept
from bot.core.model.plan import Fleet, Plan
from bot.core.model.render import Inputs, Rendered
from bot.core.plan import plan
from bot.core.policy.found import policies_of, same_policies
from bot.core.policy.judge import judge_cases
from bot.core.policy.model import Engine, PolicySet
from bot.core.policy.rego import judged_by
from bot.core.problem import Refusal
from bot.core.rules import Judges
from bot.core.rules.consent import judges_of
from bot.core.rules.fleet import fleet_of, policy_files, preview
from bot.core.rules.gates import gates
from bot.core.rules.waived import waivers_of
from bot.core.settle import Settled, Sides, Trees, base_build, build_at, settle
from bot.core.step import owner_of
from bot.core.tree import Oid, Tree

NOTHING = Plan((), (), (), concerns=False, mode="enforce", renderer=1, lines={})
"""The plan of a change that touches nothing of ours."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan, and the diffs of the files that it changes."""

    plan: Plan
    diffs: Mapping[str, str]


OURS = ("services", "platform")
"""The folders of a platform repo that Causeway reads; nothing else there concerns it."""


def concerns(base: Tree | None, merged: Tree) -> bool:
    """True where the change touches anything that Causeway reads."""
    return any((base.get(name) if base is not None else None) != merged.get(name) for name in OURS)


def propose(
    base: Tree | None,
    merged: Tree,
    shipped: Tree,
    kept: Mapping[str, Kept],
    evidence: Evidence,
    head_sha: Oid,
    now: int,
    trees: Trees,
    memo: Memo,
    each: Each[Inputs, Rendered | Refusal] = map,
    diff_bytes: int = MOST_BYTES,
    engine: Engine = judge_cases,
) -> Proposal | Refusal:
    """The plan of `merged` against `base`, both on the platform side. `base` is None where no ancestor can be read:
    the tree founds itself. `diff_bytes` limits the diffs, all together. A Refusal only where the platform's own files
    of `merged` cannot be read.
    """
    kit = kit_of(merged, shipped)
    if isinstance(kit, Refusal):
        return kit
    together = {path: entry for entries in kept.values() for path, entry in entries.items()}
    before: Build | None = None
    if base is not None:
        base_kit = kit_of(base, shipped)
        built = base_kit if isinstance(base_kit, Refusal) else base_build(base, base_kit, together, trees, memo)
        before = None if isinstance(built, Refusal) else built

    read = policies_of(base, before.kit) if base is not None and before is not None else policies_of(merged, kit)
    judging = judged_by(read, engine)
    if isinstance(judging, Refusal):
        return judging
    older = cache(lambda commit: build_at(commit, shipped, trees, memo))

    def judges_for(wanted: Build) -> Judges:
        platform = before.platform if before is not None else wanted.platform
        owner = owner_of((before, wanted), together, older)
        judges = judges_of(platform, wanted.platform, evidence, head_sha, now, owner)
        return replace(judges, policies=judging, engine=engine, asking=True)

    found = settle(Sides(before, base, merged, kit, together, trees, memo, older, each), judges_for)
    if isinstance(found, Refusal):
        return found
    held_back = gates(before, found.wanted, now, evidence.ran)
    made = plan(
        before,
        found.wanted,
        memo,
        refused=found.refused - found.standing,
        problems=tuple(sorted({*found.problems, *held_back})),
        kept=together,
        each=each,
        destroys=found.judges.destroys_allowed,
    )
    edited = policy_files(base, merged)
    made = replace(
        made,
        waivers=tuple(waivers_of(before, found.wanted, found.judges, found.judged)),
        fleet=_fleet(before, base, merged, found, made, judging, engine, memo),
        platform=(*made.platform, *edited),
        concerns=made.concerns or bool(edited),
    )
    return Proposal(made, diffs(before, found.wanted, memo, found.refused, each, diff_bytes))


def _fleet(
    before: Build | None,
    base: Tree | None,
    merged: Tree,
    found: Settled,
    made: Plan,
    judging: PolicySet,
    engine: Engine,
    memo: Memo,
) -> Fleet | None:
    """For whoever changes the platform's side: what that means for all."""
    if before is None or base is None:
        return None
    if not same_policies(base, merged, before.kit, found.wanted.kit):
        now = judged_by(policies_of(merged, found.wanted.kit), engine)
        return None if isinstance(now, Refusal) else preview(found.wanted, judging, now, engine, memo)
    return fleet_of(before, found.wanted, found.refused - found.standing, [one.name for one in made.services])
