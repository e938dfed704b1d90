"""The shrink guard: a change that removes much at once must have been meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.core.build import Build, difference
from bot.core.model.delivery import Kept
from bot.core.problem import Problem
from bot.core.rules.finding import Finding, Judges

SHRINK = "CW0704"
"""The one code that `causeway resume` sets aside."""


def shrink_guard(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:  # noqa: ARG001 - the shape of a rule
    """More than 10 services and more than 20 % of an environment, or all of three or more, need a confirmation."""
    if before is None:
        return
    changed = difference(before, after).units
    leaving: dict[str, int] = Counter(
        env
        for folder in changed & before.units.keys()
        for env in before.units[folder].environments
        if not _back(before, after, folder, env, changed)
    )
    counts = Counter(env for state in before.units.values() for env in state.environments) if leaving else {}
    for env in sorted(leaving):
        gone, total = leaving[env], counts[env]
        too_many = (gone > 10 and gone * 5 > total) or (gone == total and total >= 3)
        if too_many and gone > judges.removals_allowed.get(env, 0):
            yield Finding("shrink-guard", env, None, _problem(env, gone, total))


def _back(before: Build, after: Build, folder: str, env: str, changed: frozenset[str]) -> bool:
    """True where the unit still has this environment, here or in another folder under its name, or where it is not
    gone but only unreadable: a broken service keeps its last good output."""
    state = after.units.get(folder)
    if state is not None and (env in state.environments or not state.environments):
        return True
    old = before.units[folder].unit
    if old is None:
        return False
    others = (after.units.get(path) for path in changed if path != folder)
    return any(
        other is not None and other.unit is not None and other.unit.name == old.name and env in other.environments
        for other in others
    )


def _problem(env: str, gone: int, total: int) -> Problem:
    return Problem(
        "platform/environments.yaml",
        1,
        1,
        SHRINK,
        f"{gone} of {total} services would leave {env} in one change",
        "A wrong merge or a moved folder can empty an environment in seconds; that much must have been meant.",
        f"Put `- {{removals: {{environment: {env}, at_most: {gone}}}, reason: …, until: …}}` into "
        "platform/destroy.yaml and have the platform team approve it, or split the change.",
    )
