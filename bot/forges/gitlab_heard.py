"""What people said on a merge request, and what the bot left beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial

from bot.forges.ensure import UnknownOutcomeError
from bot.forges.gitlab_bodies import AWARDS, comment_of, moment
from bot.forges.gitlab_calls import Calls, Json
from bot.ports import Comment, GoneError, Reaction

_TRIES = 3
_REMEMBERED = 1000
_COMMAND = re.compile(r"^[ \t]*/[a-z]", re.MULTILINE)


class Heard:
    """Reads notes and reactions. Reactions cost a request for each note, so only what may be a command is asked about,
    and only until the bot's last word on it stands there: that never changes again."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._settled: dict[int, Comment] = {}

    def comments(self, path: str, me: int, notes: Callable[[], list[Json]]) -> tuple[Comment, ...]:
        """People's notes on the merge request at `path`, oldest first; GitLab's own and the bot's are left out."""

        def ask() -> tuple[Comment, ...]:
            people = [one for one in notes() if not one["system"] and one["author"]["id"] != me]
            return tuple(self._comment(path, one, me) for one in people)

        return self._calls.read("listing comments", ask)

    def react(self, path: str, me: int, comment: str, reaction: Reaction) -> None:
        """The bot's own emoji stands at that note."""
        path, name = f"{path}/notes/{int(comment)}/award_emoji", AWARDS[reaction]
        for attempt in range(1, _TRIES + 1):
            if name in self._calls.read("listing reactions", partial(self._awards, path, me)):
                return
            try:
                self._calls.write("reacting", "post", path, name=name)
            except GoneError as gone:
                # GitLab's answer to an emoji that stands there already.
                if "already been taken" not in str(gone):
                    raise
            except UnknownOutcomeError:
                if attempt == _TRIES:
                    raise
                self._calls.pause(attempt)
            else:
                return

    def _comment(self, path: str, note: Json, me: int) -> Comment:
        known = self._settled.get(note["id"])
        if known is not None and known.body == note["body"]:
            return known
        asked = _COMMAND.search(note["body"]) is not None
        made = comment_of(note, self._awards(f"{path}/notes/{note['id']}/award_emoji", me) if asked else {})
        if made.reactions & {"done", "refused"}:
            self._settled[note["id"]] = made
            if len(self._settled) > _REMEMBERED:
                del self._settled[next(iter(self._settled))]
        return made

    def _awards(self, path: str, me: int) -> dict[str, datetime]:
        return {one["name"]: moment(one["created_at"]) for one in self._calls.all(path) if one["user"]["id"] == me}
