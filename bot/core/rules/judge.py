"""All rules over one change: what is new refuses, what stood before warns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.build import Build
from bot.core.model.delivery import Kept
from bot.core.rules.data import data_at_stake
from bot.core.rules.finding import Finding, Judges, Rule
from bot.core.rules.holding import still_holding
from bot.core.rules.links import broken_links
from bot.core.rules.secrets import literal_secrets
from bot.core.rules.shrink import shrink_guard

RULES: tuple[Rule, ...] = (
    Rule("links", "state", broken_links),
    Rule("literal-secrets", "state", literal_secrets),
    Rule("still-holding", "change", still_holding),
    Rule("data-at-stake", "change", data_at_stake),
    Rule("shrink-guard", "change", shrink_guard),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """`new` refuses; `standing` fired on the base side already, or belongs to a rollback, and warns."""

    new: tuple[Finding, ...]
    standing: tuple[Finding, ...]


def judge(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Judged:
    """Every rule over what differs. With no side before (a first delivery) every finding is standing."""
    found = _all(before, after, judges, kept)
    if before is None:
        return Judged((), tuple(found))
    stood = {
        (f.rule, f.object) for rule in RULES if rule.kind == "state" for f in rule.look(after, before, judges, kept)
    }
    new: list[Finding] = []
    standing: list[Finding] = []
    for finding in found:
        old = (finding.rule, finding.object) in stood or _rolls_back(finding, after, judges)
        (standing if old else new).append(finding)
    return Judged(tuple(new), tuple(standing))


def _all(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterable[Finding]:
    return [finding for rule in RULES for finding in rule.look(before, after, judges, kept)]


def _rolls_back(finding: Finding, after: Build, judges: Judges) -> bool:
    """A unit whose very folder ran in the last 30 days may come back past newer rules; data stays guarded."""
    if finding.unit is None or finding.rule == "data-at-stake":
        return False
    state = after.units.get(finding.unit)
    return state is not None and state.id in judges.evidence.ran.get(finding.unit, frozenset())
