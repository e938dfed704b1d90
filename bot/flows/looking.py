"""A look that takes longer than a moment says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bot.core import words
from bot.flows.names import CONTEXT
from bot.flows.place import Place
from bot.ports import OutsideWorldError, Pull, Status

log = structlog.get_logger(__name__)

SLOW_SECONDS = 5.0


@contextmanager
def looking(pull: Pull, place: Place, since: float) -> Iterator[None]:
    """Where the block still runs five seconds after `since` (monotonic), a head that has no status yet gets a pending
    one, once. One that has a status keeps it until there is a better answer: else every move of the base would block
    every merge for a while. What was begun to be said is said when the block is left, so nothing comes after it.

    The block must not use `place.forge`, which is for one thread at a time.
    """
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(pull, place, since, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(pull: Pull, place: Place, since: float, done: threading.Event) -> None:
    if done.wait(max(0.0, since + SLOW_SECONDS - time.monotonic())):
        return
    try:
        if place.forge.status(pull.head_sha, CONTEXT) is None:
            place.forge.ensure_status(pull.head_sha, Status(CONTEXT, "pending", words.LOOKING, pull.web_url))
    except OutsideWorldError as error:
        # The look itself goes on; what it finds is said with the forge's next chance.
        log.warning("could not say that it takes long", number=pull.number, why=str(error))
