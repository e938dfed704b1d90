"""Locks around a mirror: ours, which die with their holder, and git's lock files, which do not."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.ports import OutsideWorldError

STALE = 1200.0
"""Seconds after which a lock file of git belongs to nobody: longer than any command may run (`Limits`)."""


def clear_stale_locks(mirror: Path, older: float = STALE) -> int:
    """Removes git's lock files that a killed process left behind; how many there were."""
    removed = 0
    now = time.time()
    for lock in [*mirror.glob("*.lock"), *mirror.glob("refs/**/*.lock"), *mirror.glob("objects/info/**/*.lock")]:
        try:
            if now - lock.stat().st_mtime > older:
                lock.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # its owner was alive, and is done
    return removed


@contextmanager
def held(path: Path, *, alone: bool, limit: float) -> Iterator[None]:
    """Holds the lock file `path`, shared or alone. The kernel frees it when its holder dies.

    `OutsideWorldError` where it is not to be had within `limit` seconds: a stopped process may hold it for ever.
    """
    with path.open("ab") as file:
        end = time.monotonic() + limit
        while True:
            try:
                fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise OutsideWorldError(f"{path} has been held by another process for {limit:g} seconds") from None
                time.sleep(0.02)
        yield
