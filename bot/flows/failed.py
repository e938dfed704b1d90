"""An unexpected error reaches the pull request, or the one issue of a delivery, with an id that the log knows."""

from __future__ import annotations

from bot.core import words
from bot.core.model.ask import SurveyAsk
from bot.core.model.conversation import Conversation, Said, Shas
from bot.core.tree import Oid
from bot.core.wake import Wake
from bot.flows.names import COMMENT, CONTEXT
from bot.flows.place import Place
from bot.ports import PoisonError, Pull, Status

FAILED = "failed"
"""Key of the one issue that says that a delivery ended in an unexpected error."""


def say_failed(wake: Wake, place: Place, error_id: str) -> None:
    """Says on the forge that the flow of this wake failed."""
    if wake.flow == "deliver":
        title, body = words.failed_delivery(error_id)
        place.forge.ensure_issue(FAILED, title, body)
        return
    if wake.flow == "queue":
        said = failed(None, place, error_id)
        place.forge.ensure_status(Oid(wake.sha), Status(CONTEXT, said.state, said.status))
        return
    pull = place.forge.pull(wake.number)
    said = failed(pull, place, error_id)
    place.forge.ensure_status(pull.head_sha, Status(CONTEXT, said.state, said.status, pull.web_url))
    if said.comment is not None:
        place.forge.ensure_comment(wake.number, COMMENT, said.digest, said.comment, urgent=True)


def say_kept_out(wake: Wake, place: Place, why: str) -> None:
    """Says why no look comes to an end, on a head that nothing was said of yet. One that has a status keeps it: the
    fault lies outside, and what was found is no less true by it."""
    if wake.flow != "review":
        return
    pull = place.forge.pull(wake.number)
    if pull.state == "open" and place.forge.status(pull.head_sha, CONTEXT) is None:
        status = Status(CONTEXT, "pending", words.cannot_look(why), pull.web_url, words.ASK_THE_DOCTOR)
        place.forge.ensure_status(pull.head_sha, status)


def say_sound(place: Place) -> None:
    """After a delivery that ended as it should: an issue from an earlier error is closed."""
    title, _ = words.failed_delivery("")
    place.forge.ensure_issue(FAILED, title, None)


def failed(pull: Pull | None, place: Place, error_id: str) -> Said:
    """What is said of a look that failed. Where Causeway only watches, it fails nothing either."""
    return words.say(
        Conversation(
            outcome=None,
            stage="open",
            dialect=place.dialect,
            shas=Shas("", pull.base_ref if pull is not None else "", pull.head_sha if pull is not None else "", ""),
            observing=_observing(place),
            error_id=error_id,
        )
    )


def _observing(place: Place) -> bool:
    """As the default branch says. False where that cannot be known, because it is what fails."""
    repository = place.forge.repository()
    ref = f"refs/heads/{repository.default_branch}"
    tip = place.git.fetch(place.forge.remote(), [ref])[ref]
    try:
        return tip is not None and place.core.survey(SurveyAsk(place.git.path, tip)).observe
    except PoisonError:
        return False
