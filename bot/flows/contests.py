"""Who else wants the same: claims of other open pull requests, from their heads, remembered only to save work.

Only a change that newly claims something asks at all, so that the usual one costs nothing. Whoever collides learns of
it from both sides: where the set of rivals of one has changed, the others are looked at again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from bot.core import words
from bot.core.model.ask import Required, RequiredAsk
from bot.core.model.conversation import Contest
from bot.core.tree import Oid
from bot.core.wake import Wake
from bot.flows.place import Place
from bot.ports import Conflict, PoisonError, Pull, Wakeups

MOST = 200
"""Other pull requests that are looked at, the newest first."""
_REMEMBERED = 2_000

Claims = tuple[tuple[str, ...], ...]


def contests(
    pull: Pull, head: Oid, base: Oid | None, required: Required, place: Place, forks_ask: bool
) -> tuple[Contest, ...]:
    """Other open pull requests that newly claim what this one newly claims, by number. With `forks_ask`, what comes
    from forks is read only once it was asked for, so its claims count only where they are known."""
    _remember(place, pull.number, head, required.claims)
    mine, found = frozenset(required.claims), []
    if mine and base is not None:
        others = [o for o in place.forge.open_pulls() if o.number != pull.number and o.base_ref == pull.base_ref]
        others = sorted(others, key=lambda one: -one.number)[:MOST]
        _learn([one for one in others if not (one.fork and forks_ask)], base, place)
        for one in sorted(others, key=lambda one: one.number):
            both = mine.intersection(place.claims.get((one.number, one.head_sha), ()))
            if both:
                # Addresses and objects only follow from a name that is the same.
                told = [claim for claim in both if claim[0] == "name"] or both
                found.append(Contest(one.number, tuple(words.claimed(claim) for claim in sorted(told))))
    place.rivals[pull.number] = frozenset(one.number for one in found)
    return tuple(found)


def stir(number: int, place: Place, wakeups: Wakeups) -> None:
    """Rings those who have become rivals of this one, or are none any more, since it was looked at last."""
    now = place.rivals.pop(number, frozenset())
    changed = now ^ place.contested.pop(number, frozenset())
    if now:
        place.contested[number] = now
    for other in sorted(changed):
        wakeups.ring(str(Wake("review", place.forge_name, place.repository, number=other)))


def _learn(others: Sequence[Pull], base: Oid, place: Place) -> None:
    """The claims of those whose head has not been looked at."""
    unknown = {
        place.forge.pull_ref(one.number): one for one in others if (one.number, one.head_sha) not in place.claims
    }
    if not unknown:
        return
    for ref, head in place.git.fetch(place.forge.remote(), list(unknown)).items():
        if head is not None and head == unknown[ref].head_sha:
            _remember(place, unknown[ref].number, head, _claims(head, base, place))


def _claims(head: Oid, base: Oid, place: Place) -> Claims:
    merged = place.git.merge_tree(base, head)
    if isinstance(merged, Conflict):
        return ()
    try:
        return place.core.required(RequiredAsk(place.git.path, base, merged, int(time.time()))).claims
    except PoisonError:
        # Its own review says so. One bad pull request must not spoil the others'.
        return ()


def _remember(place: Place, number: int, head: Oid, claims: Claims) -> None:
    place.claims[number, head] = claims
    while len(place.claims) > _REMEMBERED:
        del place.claims[next(iter(place.claims))]
