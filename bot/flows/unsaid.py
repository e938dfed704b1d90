"""Final words that were lost: a pull request that is delivered, and whose status does not say so.

A delivery that is killed between its push and its rings leaves nothing behind that would make anybody look again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.model.ask import DeliveredAsk, Head
from bot.core.tree import Oid
from bot.flows.names import CONTEXT
from bot.flows.place import Place
from bot.ports import Pull

MOST = 20
"""Merged pull requests that are remembered, the newest; each costs a request or two until its word is said."""

TRIES = 3


@dataclass(slots=True)
class Waiting:
    """A merged pull request whose final word has not been seen yet."""

    landed: Oid
    head: Oid
    tries: int = 0


def remember(waiting: dict[int, Waiting], pulls: Iterable[Pull]) -> None:
    """Adds the newest merged ones of `pulls`, most recently changed first."""
    merged = [pull for pull in pulls if pull.merged and pull.landed_sha is not None][:MOST]
    for pull in reversed(merged):
        waiting.pop(pull.number, None)
        waiting[pull.number] = Waiting(pull.landed_sha or pull.head_sha, pull.head_sha)
    for number in list(waiting)[:-MOST]:
        del waiting[number]


def unsaid(waiting: dict[int, Waiting], place: Place, heads: tuple[Head, ...]) -> set[int]:
    """Those that are delivered without saying so, each in up to three rounds. What is not delivered yet costs no
    request."""
    found = set()
    for number, one in list(waiting.items()):
        commits = [place.core.delivered(DeliveredAsk(place.git.path, head, one.landed)).commit for head in heads]
        if not heads or None in commits:
            continue
        status = place.forge.status(one.head, CONTEXT)
        said = status is not None and all(commit is not None and commit[:7] in status.description for commit in commits)
        if said or one.tries == TRIES:
            del waiting[number]
            continue
        one.tries += 1
        found.add(number)
    return found
