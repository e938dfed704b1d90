"""The whole bot on the sandbox forge, door and worker in processes of their own. Wall time is what people wait for."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.sandbox import Sandbox
from bot.valkey import start_valkey
from tests.bench.flood import Flood, flood
from tests.bench.rows import Row
from tests.world.street import GITOPS, PLATFORM, SECRET, Street, manifest

_PATIENCE = 60.0
_LOOK = 0.002
"""Seconds between two looks at the forge, and so the error of a sample."""


@contextmanager
def installed() -> Iterator[tuple[Street, str, int]]:
    """An installation that runs: the street, the URL of its door, and the door's process id."""
    with ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="cw-")))
        valkey = start_valkey(home / "q")
        ends.callback(valkey.stop)
        forge = ends.enter_context(Sandbox(home / "forge"))
        street = Street(forge, home, valkey)
        ends.callback(_end, street.process())
        door = _serve(home)
        ends.callback(_end, door)
        url = f"{_told(door)}/webhooks/github"
        forge.create_webhook(PLATFORM, url, SECRET)
        yield street, url, door.pid


def _serve(home: Path) -> subprocess.Popen[bytes]:
    with (home / "door.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "serve", "--port", "0"],
            env={**os.environ, "CAUSEWAY_CONFIG": str(home / "settings.json")},
            stdout=subprocess.PIPE,
            stderr=log,
        )


def _told(door: subprocess.Popen[bytes]) -> str:
    assert door.stdout is not None
    line = door.stdout.readline().decode()
    if "http://" not in line:
        raise RuntimeError(f"the door did not open: {line!r}")
    return "http://" + line.partition("http://")[2].strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _milliseconds(done: Callable[[], object], begun: float) -> float:
    while not done():
        if time.perf_counter() - begun > _PATIENCE:
            raise RuntimeError("the bot did not answer")
        time.sleep(_LOOK)
    return (time.perf_counter() - begun) * 1000


def _wait_for_quiet(street: Street) -> None:
    """Until the bot has asked for nothing for half a second: what it still does would be counted."""
    seen = -1
    while seen != len(street.sandbox.requests):
        seen = len(street.sandbox.requests)
        time.sleep(0.5)


def measured(runs: int, seconds: float) -> list[Row]:
    """From webhook to status and comment, from merge to push, and what the door takes."""
    with installed() as (street, url, pid):
        reviews: list[float] = []
        deliveries: list[float] = []
        calls: list[float] = []
        for run in range(runs + 1):
            street.sandbox.commit(PLATFORM, f"add-{run}", _edits(run), "Add a service", "dana", base="main")
            _wait_for_quiet(street)
            seen = len(street.sandbox.requests)
            begun = time.perf_counter()
            number = street.sandbox.open_pull(PLATFORM, "Add a service", f"add-{run}", "main", "dana")
            reviews.append(_milliseconds(lambda number=number: street.comments(number), begun))  # type: ignore[misc]
            calls.append(sum(".git/" not in one.path for one in street.sandbox.requests[seen:]))
            if not street.status(number).startswith("success"):
                raise RuntimeError(street.status(number))
            head = street.sandbox.head(GITOPS)
            begun = time.perf_counter()
            street.merge(number)
            deliveries.append(_milliseconds(lambda head=head: street.sandbox.head(GITOPS) != head, begun))  # type: ignore[misc]
        _wait_for_quiet(street)
        taken = flood(url, SECRET, street.platform, pid, seconds)
    # The first run starts the worker's child and fills its memory.
    return [
        Row("webhook to status and comment, wall time", "ms", reviews[1:], 150.0),
        Row("  calls of the forge meanwhile", "calls", calls[1:], 6.0),
        Row("merge to GitOps push, wall time", "ms", deliveries[1:], 500.0),
        *_of_flood(taken),
    ]


def _of_flood(taken: Flood) -> list[Row]:
    return [
        Row("signed 25 KB deliveries acknowledged", "/s", taken.rates, 2_500.0, more_is_better=True),
        Row("  99 of 100 within", "ms", [taken.p99], 30.0),
        Row("  memory that the door grew by", "MB", [taken.grown]),
    ]


def _edits(run: int) -> dict[str, bytes]:
    return {path: text.encode() for path, text in manifest(f"svc-{run}").items()}
