"""An unexpected error reaches the pull request, or the one issue of a delivery, with an id that the log knows."""

from __future__ import annotations

from bot.core import words
from bot.core.model.conversation import Conversation, Dialect, Shas
from bot.core.wake import Wake
from bot.flows.deliver import HALTED
from bot.flows.place import Place
from bot.flows.review import COMMENT, CONTEXT
from bot.ports import Status


def say_failed(wake: Wake, place: Place, error_id: str) -> None:
    """Says on the forge that the flow of this wake failed."""
    if wake.flow != "review":
        title, body = words.failed_delivery(error_id)
        place.forge.ensure_issue(HALTED, title, body)
        return
    pull = place.forge.pull(wake.number)
    said = words.say(
        Conversation(
            outcome=None,
            stage="open",
            dialect=Dialect("github"),
            shas=Shas("", pull.base_ref, pull.head_sha, ""),
            error_id=error_id,
        )
    )
    place.forge.ensure_status(pull.head_sha, Status(CONTEXT, said.state, said.status, pull.web_url))
    if said.comment is not None:
        place.forge.ensure_comment(wake.number, COMMENT, said.digest, said.comment)
