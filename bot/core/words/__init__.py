"""Every sentence that Causeway says. It decides nothing: plans, steps and refusals come in, words go out."""

from dataclasses import replace

from bot.core.model.conversation import Conversation, Said
from bot.core.model.plan import Plan
from bot.core.words.beside import annotated, remarks
from bot.core.words.changed import differences, plan_digest
from bot.core.words.commands import no_platform
from bot.core.words.comment import comment, digest
from bot.core.words.commit import commit_message
from bot.core.words.notices import (
    always_refused,
    claimed,
    cursor_left,
    cursor_lost,
    failed_delivery,
    foreign_cursor,
    fork_waits,
    halted,
    lag,
    never_looked_at,
    not_judged,
    not_on_branch,
    other_branch,
    resume,
    stuck,
    target_not_allowed,
)
from bot.core.words.seal import Seal, fits, read_seal, sealed
from bot.core.words.status import ASK_THE_DOCTOR, LOOKING, cannot_look, status, summary
from bot.core.words.terminal import terminal
from bot.core.words.verdict import verdict

__all__ = [
    "ASK_THE_DOCTOR",
    "LOOKING",
    "Seal",
    "always_refused",
    "cannot_look",
    "claimed",
    "comment",
    "commit_message",
    "cursor_left",
    "cursor_lost",
    "differences",
    "failed_delivery",
    "fits",
    "foreign_cursor",
    "fork_waits",
    "halted",
    "lag",
    "never_looked_at",
    "no_platform",
    "not_judged",
    "not_on_branch",
    "other_branch",
    "plan_digest",
    "read_seal",
    "resume",
    "say",
    "sealed",
    "status",
    "stuck",
    "target_not_allowed",
    "terminal",
    "verdict",
    "withdrawn",
]


def say(talk: Conversation) -> Said:
    """The status, and the comment where there is something to say. Nothing to say is a plan that concerns nothing of
    ours, without delivery trouble; a pull request that has a comment from before then gets `withdrawn`."""
    plan = talk.outcome
    silent = isinstance(plan, Plan) and not plan.concerns and not plan.errors
    # The base's files may say who must agree to what moves nothing that runs: a hold, a team, a policy.
    waits = talk.stage == "open" and talk.agreement.missing
    if silent and not (waits or talk.error_id or talk.halted or talk.delivered or talk.conflict):
        found = verdict(talk)
        return Said(found.state, status(found), None, "", summary=summary(found))
    return withdrawn(talk)


def withdrawn(talk: Conversation) -> Said:
    """The same with a comment in any case, so that one that stands there does not go on saying what is over."""
    plan = talk.outcome
    if isinstance(plan, Plan) and plan.concerns and not talk.plan_id:
        talk = replace(talk, plan_id=plan_digest(plan))
    found = verdict(talk)
    return Said(
        found.state,
        status(found),
        comment(talk),
        digest(talk),
        annotations=annotated(talk),
        remarks=remarks(talk),
        summary=summary(found),
    )
