"""Which destructive words of destroy.yaml count: in date, and approved for exactly the head that lands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from bot.core.model.delivery import Evidence
from bot.core.model.platform import Destroy, Platform
from bot.core.rules.finding import Judges
from bot.core.tree import Oid


def judges_of(
    base: Platform, change: Platform, evidence: Evidence, head_sha: Oid, now: int, owner_of: Callable[[str], str]
) -> Judges:
    """The base's platform judges; entries of the change's destroy.yaml count where `evidence` carries their approvals.

    `owner_of` gives the owning team of `env/service/need`, or an empty string. Approvals of data need owner and
    platform team, of bulk removals the platform team alone.
    """
    teams = {approval.team for approval in evidence.approvals.get(head_sha, ())}
    today = datetime.fromtimestamp(now, UTC).date()
    live = [entry for entry in change.destroy if date.fromisoformat(entry.until) >= today]
    platform_team = base.platform_team in teams
    destroys = frozenset(
        (entry.data, entry.action)
        for entry in live
        if entry.data is not None and platform_team and _owner_agrees(entry, teams, owner_of)
    )
    removals: dict[str, int] = {}
    for entry in live if platform_team else ():
        if entry.environment is not None:
            removals[entry.environment] = max(entry.at_most, removals.get(entry.environment, 0))
    return Judges(base, evidence, removals, destroys)


def _owner_agrees(entry: Destroy, teams: set[str], owner_of: Callable[[str], str]) -> bool:
    owner = owner_of(entry.data or "")
    return owner in teams if owner else True
