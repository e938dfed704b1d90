"""The types that rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.build import Build, Memo, difference
from bot.core.model.delivery import Evidence, Kept
from bot.core.model.platform import Platform
from bot.core.policy.judge import judge_cases
from bot.core.policy.model import Engine, PolicySet
from bot.core.problem import Problem
from bot.core.tree import Oid


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule against one object. (rule, object) is its identity when two sides are compared.

    `unit` is the unit folder that it refuses, or None where it refuses the change as a whole.
    """

    rule: str
    object: str
    unit: str | None
    problem: Problem


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges: the platform side of the base, and what people did that counts as evidence for this change."""

    platform: Platform
    evidence: Evidence
    removals_allowed: Mapping[str, int] = field(default_factory=dict)
    """How many services may leave an environment at once, where that is confirmed."""
    destroys_allowed: frozenset[tuple[str, str]] = frozenset()
    """(`env/service/need`, `destroy` or `forget`) that destroy.yaml names with its approvals in."""
    held: Mapping[str, Oid] = field(default_factory=dict)
    """Units that are refused on the side before, with the platform commit that they run from."""
    older: Callable[[Oid], Build | None] = lambda _: None
    """The build of such a commit, None where history has lost it."""
    policies: PolicySet | None = None
    """Of the base; None where it has none that can be read, and nothing stood there."""
    engine: Engine = judge_cases
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    today: str = ""
    """ISO date: what is dated counts until the end of its day."""
    excused: bool = False
    """The platform team agreed to this very change, so waivers that are new in it count."""
    asking: bool = False
    """It is still being asked: a new waiver counts, and its approval is what the change waits for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of RULES. `look(before, after, judges, kept)` yields findings over what differs between the builds."""

    name: str
    kind: Literal["state", "change"]
    look: Callable[[Build | None, Build, Judges, Kept], Iterable[Finding]]


def changed_units(before: Build | None, after: Build, judges: Judges) -> list[str]:
    """Unit folders of `after` to look at, sorted: those whose compiled state is not the one of `before`, and those that
    are refused on the side before, where it says of them something else than what runs."""
    if before is None:
        return sorted(after.units)
    units = ((folder, after.units.get(folder)) for folder in difference(before, after).units)
    changed = {folder for folder, state in units if state is not None and before.units.get(folder) is not state}
    # Not the views' own `&`: it would go through every unit of the fleet.
    return sorted(changed | {folder for folder in judges.held if folder in after.units})
