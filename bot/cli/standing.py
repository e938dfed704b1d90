"""A platform folder judged as it stands, compared with nothing: every problem that it has now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.cli.counted import CountedTree
from bot.configured import configured_opa
from bot.core.build import Build, Memo, build, outlines
from bot.core.kit import kit_of
from bot.core.model.delivery import Evidence
from bot.core.policy.found import policies_of
from bot.core.policy.model import Engine, PolicySet
from bot.core.policy.rego import judged_by
from bot.core.problem import Problem, Refusal
from bot.core.rules import Judges
from bot.core.rules.judge import RULES
from bot.core.rules.policies import policy_findings
from bot.core.tree import Tree
from bot.opa import judges
from bot.shipped import shipped_tree

_FOLLOWS = "CW0504"
"""A service that is used and not there. Where one cannot be read, others miss it: that is no news of its own."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A whole platform, compiled and rendered, and all that is wrong with it, sorted."""

    build: Build
    memo: Memo
    problems: tuple[Problem, ...]


def built(tree: Tree, counted: Callable[[], None]) -> tuple[Build, Memo] | Refusal:
    """The build of a folder; calls `counted` for each file read. A Refusal only where `platform/` itself cannot be
    read."""
    kit = kit_of(tree, shipped_tree())
    if isinstance(kit, Refusal):
        return kit
    memo = Memo()
    made = build(CountedTree(tree, counted), kit, memo)
    return made if isinstance(made, Refusal) else (made, memo)


def standing(tree: Tree, counted: Callable[[], None]) -> Standing | Refusal:
    """Compiles, links, renders and judges everything; calls `counted` for each file read and part of the output."""
    made = built(tree, counted)
    if isinstance(made, Refusal):
        return made
    found, memo = made
    problems = {problem for state in found.units.values() for problem in state.problems}
    for key in found.digests:
        done = outlines(found, [key], memo)[key]
        problems |= set(done.problems) if isinstance(done, Refusal) else set()
        counted()
    with closing(judges(configured_opa())) as engine:
        policies = judged_by(policies_of(tree, found.kit), engine)
        if isinstance(policies, Refusal):
            return policies
        judged = list(_judged(found, policies, memo, engine))
    problems |= set(policies.problems)
    problems |= {problem for problem in judged if problem.code != _FOLLOWS or not found.failing()}
    return Standing(found, memo, tuple(sorted(problems)))


def _judged(made: Build, policies: PolicySet, memo: Memo, engine: Engine) -> Iterator[Problem]:
    today = datetime.now(UTC).date().isoformat()
    by = Judges(made.platform, Evidence(), policies=policies, engine=engine, memo=memo, today=today, asking=True)
    for rule in RULES:
        if rule.kind == "state":
            yield from (finding.problem for finding in rule.look(None, made, by, {}))
    yield from (one.finding.problem for one in policy_findings(None, made, by))
