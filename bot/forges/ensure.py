"""Level-triggered writing: read what is there, do what is missing; after a lost answer, read before doing it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.ports import GoneError, OutsideWorldError

_MOST_FAILURES = 3


class UnknownOutcomeError(OutsideWorldError):
    """A write whose answer was lost: it may have happened."""


@dataclass(frozen=True, slots=True)
class Found:
    """One text of ours at the forge. `edit` gives it the wanted content, `remove` takes it away."""

    digest: str
    edit: Callable[[], None]
    remove: Callable[[], None]


def ensure_one(
    listed: Callable[[], Sequence[Found]],
    create: Callable[[], None],
    digest: str,
    pause: Callable[[int], None],
) -> bool:
    """Afterwards exactly one text of ours is there, with this digest; False where nothing had to be written.

    `listed` gives ours, oldest first: the oldest stays, younger twins go. After creating one it looks again, because
    another worker may have done the same at the same moment; whoever created last sees both. That costs one list for
    each text ever created and none for an unchanged one. A list that lags can still hide a twin; the next look takes it
    away. `pause` waits before the n-th repetition; after three failures the last one is raised.
    """
    failures, wrote, created = 0, False, False
    while True:
        found = listed()
        if created and not found:
            # The list lags behind our own write. Creating again would make the twin.
            return True
        try:
            if not found:
                create()
                wrote = created = True
                continue
            wrote = wrote or len(found) > 1
            removed = [_removed(twin) for twin in found[1:]]
            if found[0].digest != digest:
                found[0].edit()
                wrote = True
            if all(removed) or failures == _MOST_FAILURES:
                return wrote
            failures += 1
        except GoneError:
            # Somebody deleted what was listed: look again. But no place to create it in is an answer.
            failures += 1
            if not found or failures >= _MOST_FAILURES:
                raise
        except UnknownOutcomeError:
            failures += 1
            if failures >= _MOST_FAILURES:
                raise
            wrote = True
            pause(failures)


def _removed(twin: Found) -> bool:
    """False where it was gone already: most likely another worker was quicker, but only another look can tell."""
    try:
        twin.remove()
    except GoneError:
        return False
    return True
