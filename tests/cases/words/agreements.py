"""Conversations about who must agree and what has to wait, made of others."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.conversation import Contest, Conversation
from bot.core.model.plan import Plan
from bot.core.model.rights import Agreement, Missing, Requirement
from bot.core.problem import Problem
from bot.core.rules.gates import FROZEN, HELD

OWNER = Requirement("payments", "acme/payments", "owner", "services/checkout")
PROD = Requirement("payments", "acme/payments", "environment", "prod", 2)
TEAMS = Requirement("platform", "acme/platform", "platform", "platform/teams.yaml")
TAKES = Requirement("shop", "acme/shop", "new-owner", "services/checkout")
DATA = tuple(Requirement(team, f"acme/{team}", "destroy", "prod/checkout/db") for team in ("platform", "payments"))


def waits_for_one(talk: Conversation) -> Conversation:
    """The owner wrote it; production wants a second person."""
    missing = (Missing(replace(PROD, count=1), 1),)
    return replace(talk, agreement=Agreement(missing, (OWNER,), "acme/platform"))


def waits_for_many(talk: Conversation) -> Conversation:
    """An outsider takes a service over, and touches the platform's files on the way."""
    missing = (Missing(OWNER, 1), Missing(TAKES, 1), Missing(TEAMS, 1), Missing(PROD, 2))
    return replace(talk, agreement=Agreement(missing, (), "acme/platform"))


def waits_and_moves_nothing(talk: Conversation) -> Conversation:
    """A hold that is lifted: nothing that runs differs."""
    assert isinstance(talk.outcome, Plan)
    hold = Requirement("platform", "acme/platform", "platform", "platform/holds.yaml")
    quiet = replace(talk.outcome, services=(), platform=(), concerns=False, lines={})
    return replace(talk, outcome=quiet, agreement=Agreement((Missing(hold, 1),), (), "acme/platform"))


def destroyed_by_leave(talk: Conversation) -> Conversation:
    """Both teams agreed."""
    return replace(talk, agreement=Agreement((), DATA, "acme/platform"))


def merged_without(talk: Conversation) -> Conversation:
    """An administrator broke the glass."""
    return replace(talk, agreement=Agreement((Missing(PROD, 1),), (OWNER,), "acme/platform"))


def changed_since(talk: Conversation) -> Conversation:
    """Another merge has changed what prod's database is made of."""
    found = (
        "`checkout` in `dev`, `staging` changes now, too",
        "`checkout` in `prod`, cost a month: was $214 → $391, is now $214 → $460",
        "`checkout` in `prod`: `db` would now be replaced",
    )
    return replace(talk, changed=found, since="3f2c1e03f2c1e03f2c1e03f2c1e03f2c1e03f2c1")


def contested(talk: Conversation) -> Conversation:
    """Two others want the same."""
    rivals = (Contest(41, ("the name `checkout`",)), Contest(43, ("the address `pay.acme.com` in `prod`",)))
    return replace(talk, contests=rivals)


def frozen(talk: Conversation) -> Conversation:
    """Frozen and on hold."""
    found = (
        Problem(
            "platform/environments.yaml", 24, 14, FROZEN, "prod is frozen until Mon 2026-11-23 08:00 (Europe/Berlin)",
            "what runs there must not change in that time",
            "wait until it is over: this is looked at again by itself then; a rollback passes",
        ),
        Problem(
            "platform/holds.yaml", 2, 3, HELD, "prod is on hold by ada: incident 4711",
            "what runs there must not change until the hold is gone", "wait, or have it lifted: a comment `/unhold "
            "prod` by the platform team opens the change that does it; a rollback passes",
        ),
    )  # fmt: skip
    assert isinstance(talk.outcome, Plan)
    return replace(talk, outcome=replace(talk.outcome, problems=found))
