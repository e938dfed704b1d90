"""Which destructive words of destroy.yaml count: in date, and approved for exactly the head that lands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from bot.core.model.delivery import Evidence
from bot.core.model.platform import Platform
from bot.core.rules.finding import Judges
from bot.core.tree import Oid


def judges_of(
    base: Platform, change: Platform, evidence: Evidence, head_sha: Oid, now: int, owner_of: Callable[[str], str]
) -> Judges:
    """The base's platform judges; entries of the change's destroy.yaml count where `evidence` carries their approvals.

    `owner_of` gives the owning team of `env/service/need`, or an empty string. Data needs owner and platform team, bulk
    removals the platform team alone. Who wrote the change agrees to it by that; but somebody else of one of the teams
    must have approved: nothing is destroyed on the word of its author alone.
    """
    approving = frozenset(approval.team for approval in evidence.approvals.get(head_sha, ()))
    # As text: the schema holds the form, and a 31st of February is a day that people can write.
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    live = [entry for entry in change.destroy if entry.until >= today]
    destroys = frozenset(
        (entry.data, entry.action)
        for entry in live
        if entry.data is not None
        and _agreed({base.platform_team, owner_of(entry.data) or base.platform_team}, approving, evidence.consents)
    )
    removals: dict[str, int] = {}
    for entry in live if base.platform_team in approving else ():
        if entry.environment is not None:
            removals[entry.environment] = max(entry.at_most, removals.get(entry.environment, 0))
    agreed = base.platform_team in approving | evidence.consents
    return Judges(base, evidence, removals, destroys, today=today, excused=agreed)


def _agreed(teams: set[str], approving: frozenset[str], consents: frozenset[str]) -> bool:
    return teams <= approving | consents and bool(teams & approving)
