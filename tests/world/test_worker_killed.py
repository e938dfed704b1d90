"""Workers that die or stand still in the middle of their work."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from bot import worker
from bot.valkey import Valkey
from bot.wakeups import RqWakeups
from tests.world.test_worker import DELIVER, REVIEW, flow_is, until, working

pytestmark = pytest.mark.world


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names whose flow ran, instead of the flows."""
    names: list[str] = []
    flow_is(monkeypatch, lambda wake, _place, _desk: names.append(str(wake)))
    monkeypatch.setattr(worker, "LEAST_WAIT", 0.05)
    monkeypatch.setattr(worker, "GONE_WAIT", 0.05)
    monkeypatch.setattr(worker, "SETTLE_SECONDS", 0.0)
    return names


PROGRAM = """
import sys, threading
from bot import logs, wakeups, worker
from bot.worker import Desk, work
held = wakeups.RqWakeups.held
wakeups.RqWakeups.held = lambda self, name, seconds=0.6: held(self, name, seconds)
def flow(wake, place, desk):
    print("begun", flush=True)
    sys.stdin.readline()
    print("ended", flush=True)
worker._FLOWS.update(review=flow)
logs.configure(json=True)
bell = wakeups.RqWakeups(sys.argv[1])
work(Desk(lambda *_: "the place", bell), sys.argv[1], threading.Event())
"""


@contextmanager
def process(valkey: Valkey) -> Iterator[subprocess.Popen[str]]:
    """A worker of its own, whose holds last 0.6 s and whose flow waits for a line."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, valkey.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def heard(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_what_a_killed_worker_had_begun_is_begun_again_by_another(
    bell: RqWakeups, valkey: Valkey, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.wakeups._SURE_SECONDS", 0)
    monkeypatch.setattr(worker, "LEFT_SECONDS", 0.2)
    bell.ring(REVIEW)
    with process(valkey) as child:
        assert heard(child) == "begun"
        child.kill()
    with working(bell, valkey):
        assert until(lambda: ran == [REVIEW])


@pytest.mark.skipif(sys.platform != "linux", reason="stops a process by signal")
def test_a_holder_that_is_stopped_is_replaced_and_when_it_wakes_its_name_is_looked_at_once_more(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.wakeups._SURE_SECONDS", 0)
    monkeypatch.setattr(worker, "LEFT_SECONDS", 0.2)
    bell.ring(REVIEW)
    with process(valkey) as child:
        assert heard(child) == "begun"
        child.send_signal(signal.SIGSTOP)
        with working(bell, valkey):
            assert until(lambda: ran == [REVIEW])
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
        child.send_signal(signal.SIGCONT)
        assert heard(child) == "ended"
        # It lost its hold, so its answer may have been the older one: it rings, and takes what it rang.
        assert heard(child) == "begun"
        child.stdin.write("\n")
        child.stdin.flush()
        assert heard(child) == "ended"
        assert until(lambda: not raw.exists(f"held:{REVIEW}"))


def test_a_burst_of_rings_is_one_look(
    bell: RqWakeups, valkey: Valkey, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SETTLE_SECONDS", 0.3)
    with working(bell, valkey):
        for _ in range(20):
            bell.ring(REVIEW)
            time.sleep(0.005)
        assert until(lambda: ran)
        time.sleep(0.5)
    assert ran == [REVIEW]


def test_a_lone_ring_is_looked_at_without_waiting_for_more(
    bell: RqWakeups, valkey: Valkey, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SETTLE_SECONDS", 60.0)
    with working(bell, valkey):
        bell.ring(REVIEW)
        assert until(lambda: ran)


def test_what_landed_goes_before_what_was_rung_a_moment_earlier(
    bell: RqWakeups, valkey: Valkey, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SETTLE_SECONDS", 60.0)
    monkeypatch.setattr(worker, "QUIET_SECONDS", 0.2)
    with working(bell, valkey):
        bell.ring(REVIEW)
        time.sleep(0.05)
        bell.ring(DELIVER)
        assert until(lambda: len(ran) == 2)
    assert ran == [DELIVER, REVIEW]
