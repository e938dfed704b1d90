"""Who must agree to a change, as a pull request or a landed one: both sides built as a review builds them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from bot.core.build import Build, Memo, build
from bot.core.kit import kit_of
from bot.core.link.whole import Claim, claims_of
from bot.core.model.ask import Required, TeamSeen
from bot.core.model.delivery import Kept
from bot.core.problem import Refusal
from bot.core.rules.rights import Change, required
from bot.core.settle import Trees, base_build, build_at
from bot.core.step import owner_of
from bot.core.tree import Oid, Tree

NOBODY = Required(())
ALONE = ("name", "host", "object")
"""Kinds of claims that only one unit can hold."""


def agree(
    base: Tree,
    merged: Tree,
    shipped: Tree,
    kept: Mapping[str, Kept],
    ran: Mapping[str, frozenset[Oid]],
    now: int,
    trees: Trees,
    memo: Memo,
    stood_in: bool,
) -> Required:
    """Whose approval the change from `base` to `merged` needs. Nobody's where a side cannot be read: then nothing of it
    goes live either, and the review says why. `stood_in`: `base` is older than the tip, which cannot be read."""
    base_kit, kit = kit_of(base, shipped), kit_of(merged, shipped)
    if isinstance(base_kit, Refusal) or isinstance(kit, Refusal):
        return NOBODY
    together = {path: entry for entries in kept.values() for path, entry in entries.items()}
    before = base_build(base, base_kit, together, trees, memo)
    if isinstance(before, Refusal):
        return NOBODY
    after = build(merged, kit, memo, since=before, held=before)
    if isinstance(after, Refusal):
        return NOBODY
    older = cache(lambda commit: build_at(commit, shipped, trees, memo))
    owner = owner_of((before, after), together, older)
    team = before.platform.platform_team
    forge_team = str(before.platform.teams[team].value["forge_team"])
    rows = required(Change(before, after, now, ran, owner, stood_in))
    return Required(rows, TeamSeen(team, forge_team), new_claims(before, after))


def new_claims(before: Build, after: Build) -> tuple[Claim, ...]:
    """What units that changed claim, and nobody claimed before. A namespace may be shared, so it is left out."""
    units = [
        (folder, environment)
        for folder, unit in after.units.items()
        if before.units.get(folder) is not unit
        for environment in unit.environments
    ]
    wanted = {claim for unit in units for claim in claims_of(after.facts(unit)) if claim[0] in ALONE}
    if not wanted:
        return ()
    held = {
        claim
        for folder, unit in before.units.items()
        for e in unit.environments
        for claim in claims_of(before.facts((folder, e)))
    }
    return tuple(sorted(wanted - held))
