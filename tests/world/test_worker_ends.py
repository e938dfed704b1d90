"""How a worker ends, soon and whole, and how it goes on where its queue ends and comes back."""

from __future__ import annotations

import threading
import time

import pytest
import redis

from bot import worker
from bot.core.wake import Wake
from bot.flows.place import Place
from bot.ports import OutsideWorldError
from bot.valkey import Valkey, start_valkey
from bot.wakeups import QUEUES, RqWakeups
from bot.worker import Desk
from tests.world.test_worker import DELIVER, PLACE, REVIEW, flow_is, until, working

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


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Error ids that were said at the forge."""
    ids: list[str] = []
    monkeypatch.setattr(worker, "say_failed", lambda _wake, _place, error_id: ids.append(error_id))
    return ids


def test_a_server_that_goes_and_comes_back_empty_is_survived(
    tmp_path_factory: pytest.TempPathFactory, ran: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("q")
    server = start_valkey(folder)
    bell = RqWakeups(server.url)
    assert bell.emptied()
    assert not bell.emptied()
    with working(bell, server):
        bell.ring(REVIEW)
        assert until(lambda: ran == [REVIEW])
        server.stop()
        time.sleep(0.5)
        server = start_valkey(folder)
        # What a sweep asks before it trusts its marks.
        assert bell.emptied()
        bell.ring(DELIVER)
        assert until(lambda: ran == [REVIEW, DELIVER])
        redis.Redis.from_url(server.url).flushall()
        assert bell.emptied()
        bell.ring(REVIEW)
        assert until(lambda: len(ran) == 3)
    bell.close()
    server.stop()


def test_an_idle_worker_stops_within_two_seconds_and_leaves_no_thread(
    bell: RqWakeups, valkey: Valkey, ran: list[str]
) -> None:
    before = threading.active_count()
    with working(bell, valkey) as stop:
        bell.ring(REVIEW)
        assert until(lambda: ran)
        started = time.monotonic()
        stop.set()
    assert time.monotonic() - started < 2
    assert until(lambda: threading.active_count() == before, 2)


def test_a_worker_in_the_middle_of_a_question_stops_within_three_seconds_and_leaves_the_name_to_others(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = threading.Event()

    def flow(wake: Wake, _place: Place, _desk: Desk) -> None:
        ran.append(str(wake))
        assert closed.wait(20)
        raise OutsideWorldError("this bot is about to stop")

    flow_is(monkeypatch, flow)
    desk = Desk(lambda _forge, _repository: PLACE, bell, closed.set)
    bell.ring(REVIEW)
    with working(bell, valkey, desk) as stop:
        assert until(lambda: ran)
        started = time.monotonic()
        stop.set()
    assert time.monotonic() - started < 3
    assert (said, raw.zcard("causeway-later") + len(raw.lrange(f"rq:queue:{QUEUES[1]}", 0, -1))) == ([], 1)
