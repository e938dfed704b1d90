"""What reverting this change would do, so that a person can merge without fear, or knows that there is no way back."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.plan import Plan
from bot.core.words.amounts import names, places, unique
from bot.core.words.data import LOSES, Stake, stakes
from bot.core.words.inline import Line, code, joined, line, own


def undo(plan: Plan) -> tuple[Line, ...]:
    """Sentences, what reverting brings first, what it does not bring back last. Empty where nothing would move."""
    acts = [*_removes(plan), *_restores(plan), *_returns(plan)]
    if not acts:
        return ()
    done = line("Reverting ", joined(acts, last=" and "), ".")
    return (done, *_data_after(plan), *_lost(plan), *_migrated(plan))


def _where(plan: Plan, *actions: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Services and environments of these actions."""
    found = [
        (service.name, environment.environment)
        for service in plan.services
        if service.action != "refused"
        for environment in service.environments
        if environment.action in actions
    ]
    return unique(name for name, _ in found), unique(environment for _, environment in found)


def _removes(plan: Plan) -> list[Line]:
    services, environments = _where(plan, "new", "waiting")
    fresh = {service.name for service in plan.services if service.action == "new"}
    if not services:
        return []
    everywhere = all(name in fresh for name in services)
    return [
        line("removes ", names(services, 4), *([" everywhere"] if everywhere else [" from ", places(environments)]))
    ]


def _restores(plan: Plan) -> list[Line]:
    services, environments = _where(plan, "changed", "linked")
    return (
        [
            line(
                "makes ",
                names(services, 4),
                " in ",
                places(environments),
                " what it was" if len(services) == 1 else " what they were",
            )
        ]
        if services
        else []
    )


def _returns(plan: Plan) -> list[Line]:
    services, environments = _where(plan, "removed")
    return [line("brings ", names(services, 4), " back in ", places(environments))] if services else []


def _data_after(plan: Plan) -> list[Line]:
    made = [stake for stake in stakes(plan, "create") if stake.service.action != "refused"]
    kept = [stake for stake in made if stake.data.protected]
    gone = [stake for stake in made if not stake.data.protected]
    out = [line(_named(kept), " would be kept with what is stored by then.")] if kept else []
    if gone:
        out.append(line(_named(gone), " would be destroyed with what is stored by then."))
    taken = stakes(plan, "keep")
    if taken:
        out.append(line(_named(taken), " would be found as ", "it was." if len(taken) == 1 else "they were."))
    return out


def _lost(plan: Plan) -> list[Line]:
    lost = [stake for stake in stakes(plan, *sorted(LOSES)) if stake.service.action != "refused"]
    return [line("The data of ", _named(lost), " does not come back.")] if lost else []


def _migrated(plan: Plan) -> list[Line]:
    ran = any(environment.migrates for service in plan.services for environment in service.environments)
    return [(own("A migration that has run is not undone."),)] if ran else []


def _named(found: Sequence[Stake]) -> Line:
    if len(found) > 4:
        return line(joined([(code(stake.path),) for stake in found[:3]]), f" and {len(found) - 3:,} more")
    return joined([(code(stake.path),) for stake in found], last=" and ")
