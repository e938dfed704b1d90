"""All rules over one change: what is new refuses, what stood before warns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from bot.core.build import Build
from bot.core.model.delivery import Kept
from bot.core.rules.data import data_at_stake
from bot.core.rules.finding import Finding, Judges, Rule
from bot.core.rules.holding import still_holding
from bot.core.rules.links import broken_links
from bot.core.rules.policies import Held, policy_findings
from bot.core.rules.secrets import literal_secrets
from bot.core.rules.shrink import shrink_guard
from bot.core.rules.unreviewed import unreviewed
from bot.core.rules.waivers import unagreed_waivers, unknown_waivers
from bot.core.tree import Oid

RULES: tuple[Rule, ...] = (
    Rule("links", "state", broken_links),
    Rule("literal-secrets", "state", literal_secrets),
    Rule("unknown-waiver", "state", unknown_waivers),
    Rule("unagreed-waiver", "change", unagreed_waivers),
    Rule("still-holding", "change", still_holding),
    Rule("data-at-stake", "change", data_at_stake),
    Rule("shrink-guard", "change", shrink_guard),
    Rule("unreviewed", "change", unreviewed),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """`new` refuses; `standing` fired on the base side already, or belongs to a rollback, and warns."""

    new: tuple[Finding, ...]
    standing: tuple[Finding, ...]
    policies: tuple[Held, ...] = ()
    """All that policies said. Those that refuse are among `new`, the rest among `standing`, but for what only warns and
    warned before."""


def judge(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Judged:
    """Every rule over what differs. With no side before (a first delivery) every finding is standing."""
    found = _all(before, after, judges, kept)
    held = policy_findings(before, after, judges)
    if before is None:
        return Judged((), (*found, *(one.finding for one in held)), held)
    stood = _state(after, before, judges, kept)
    then = cache(lambda commit: _then(commit, judges, kept))
    new: list[Finding] = []
    standing: list[Finding] = []
    for finding in found:
        name = (finding.rule, finding.object)
        commit = judges.held.get(finding.unit) if finding.unit is not None else None
        side = then(commit) if commit is not None else None
        old = name in (stood if side is None else side)
        (standing if old or _rolls_back(finding, after, judges) else new).append(finding)
    for one in held:
        if not (one.refuses or one.new):
            continue  # advice that was given once; every later change of the service would only repeat it
        refuses = one.refuses and one.new and one.waived is None and not _rolls_back(one.finding, after, judges)
        (new if refuses else standing).append(one.finding)
    return Judged(tuple(new), tuple(standing), held)


def _state(before: Build | None, after: Build, judges: Judges, kept: Kept) -> frozenset[tuple[str, str]]:
    """What the rules that look at one build find in `after`, where it may differ from `before`."""
    rules = (rule for rule in RULES if rule.kind == "state")
    return frozenset((found.rule, found.object) for rule in rules for found in rule.look(before, after, judges, kept))


def _then(commit: Oid, judges: Judges, kept: Kept) -> frozenset[tuple[str, str]] | None:
    """What stood where a refused unit ran last; None where history has lost it. The side before shows its version among
    today's neighbours and under today's platform: what their change does to it would look old there, and what was
    refused for that would go live with the next commit."""
    build = judges.older(commit)
    return _state(None, build, judges, kept) if build is not None else None


def _all(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterable[Finding]:
    return [finding for rule in RULES for finding in rule.look(before, after, judges, kept)]


def _rolls_back(finding: Finding, after: Build, judges: Judges) -> bool:
    """A unit whose very folder ran in the last 30 days may come back past newer rules; data stays guarded."""
    if finding.unit is None or finding.rule == "data-at-stake":
        return False
    state = after.units.get(finding.unit)
    return state is not None and state.id in judges.evidence.ran.get(finding.unit, frozenset())
