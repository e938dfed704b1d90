"""The worker on a real Valkey: what it runs, what it refuses, and how it ends."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer, PickleSerializer
from structlog.testing import capture_logs

from bot import worker
from bot.core.wake import Wake
from bot.flows.place import Place
from bot.ports import GoneError, OutsideWorldError, PoisonError
from bot.valkey import Valkey
from bot.wakeups import JOB, QUEUES, RqWakeups
from bot.worker import Desk, work

pytestmark = pytest.mark.world
REVIEW, DELIVER = "review-github-12-3", "deliver-github-12"
PLACE = cast(Place, "the place")
Flow = Callable[[Wake, Place, Desk], None]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names whose flow ran, instead of the flows."""
    names: list[str] = []
    flow_is(monkeypatch, lambda wake, _place, _desk: names.append(str(wake)))
    monkeypatch.setattr(worker, "LEAST_WAIT", 0.05)
    monkeypatch.setattr(worker, "GONE_WAIT", 0.05)
    monkeypatch.setattr(worker, "SETTLE_SECONDS", 0.0)
    return names


def flow_is(monkeypatch: pytest.MonkeyPatch, flow: Flow) -> None:
    for name in ("review", "deliver", "queue"):
        monkeypatch.setitem(cast("dict[str, Flow]", worker._FLOWS), name, flow)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Error ids that were said at the forge."""
    ids: list[str] = []
    monkeypatch.setattr(worker, "say_failed", lambda _wake, _place, error_id: ids.append(error_id))
    return ids


def desk_of(bell: RqWakeups) -> Desk:
    return Desk(lambda forge, repository: PLACE if (forge, repository) == ("github", "12") else None, bell)


def burst(bell: RqWakeups, valkey: Valkey, desk: Desk | None = None) -> None:
    work(desk or desk_of(bell), valkey.url, threading.Event(), burst=True)


@contextmanager
def working(bell: RqWakeups, valkey: Valkey, desk: Desk | None = None) -> Iterator[threading.Event]:
    """A worker in a thread; it ends with the block."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(desk or desk_of(bell), valkey.url, stop))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def until(true: Callable[[], object], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(true())


def forge_a_job(
    raw: redis.Redis, function: str, *args: object, serializer: object = JSONSerializer, **kwargs: object
) -> str:
    queue = Queue(QUEUES[1], connection=raw, serializer=serializer)  # type: ignore[arg-type]  # rq types it by instance
    return str(queue.enqueue_call(function, args=args, kwargs=kwargs).id)


def test_a_name_that_was_rung_runs_once_and_leaves_nothing_in_redis(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str]
) -> None:
    bell.ring(REVIEW)
    bell.ring(DELIVER)
    burst(bell, valkey)
    assert ran == [DELIVER, REVIEW]
    assert set(raw.scan_iter()) <= {b"rq:queues"}


def test_a_job_that_names_any_other_function_is_refused_and_never_imported(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    forge_a_job(raw, "os.system", f"touch {touched}")
    forge_a_job(raw, "bot.worker.perform", REVIEW)
    forge_a_job(raw, "bot.flows.deliver.deliver", REVIEW)
    bell.ring(REVIEW)
    with capture_logs() as lines:
        burst(bell, valkey)
    assert not touched.exists()
    assert ran == [REVIEW]
    assert sum(line["event"] == "refused a job that is not ours" for line in lines) == 3


CALLED: list[object] = []


def planted(*arguments: object) -> None:
    """A function that only a name in Redis would call."""
    CALLED.append(arguments)


def test_callbacks_and_registries_that_someone_planted_are_never_called(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str]
) -> None:
    """RQ's own worker calls the failure callback of whatever job it finds in the registry of running ones."""
    callback = f"{__name__}.planted"
    for job in (forge_a_job(raw, JOB, REVIEW), forge_a_job(raw, callback)):
        for kind in ("success", "failure", "stopped"):
            raw.hset(Job.key_for(job), f"{kind}_callback_name", callback)
        raw.zadd(f"rq:wip:{QUEUES[1]}", {f"{job}:x": 1})
    burst(bell, valkey)
    assert ran == [REVIEW]
    assert CALLED == []
    work_of_rq = forge_a_job(raw, callback)
    raw.hset(Job.key_for(work_of_rq), "failure_callback_name", callback)
    raw.zadd(f"rq:wip:{QUEUES[1]}", {f"{work_of_rq}:x": 1})
    Queue(QUEUES[1], connection=raw, serializer=JSONSerializer).started_job_registry.cleanup()
    assert CALLED, "the callback is a real one"


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickled_job_is_not_unpickled(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], tmp_path: Path
) -> None:
    forge_a_job(raw, JOB, Bomb(tmp_path / "touched"), serializer=PickleSerializer)
    burst(bell, valkey)
    assert not (tmp_path / "touched").exists()
    pickle.loads(pickle.dumps(Bomb(tmp_path / "touched")))  # noqa: S301 - our own: the bomb is a real one
    assert (tmp_path / "touched").exists()
    assert ran == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"data": b"no zlib"},
        {"data": b"x\x9c\x03\x00", "created_at": "no time"},
        {b"\xff": b"\xff", "data": b"\xff"},
    ],
)
def test_a_broken_job_costs_the_jobs_behind_it_nothing(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], fields: dict[str | bytes, bytes | str]
) -> None:
    if fields:
        raw.hset(Job.key_for("broken"), mapping=fields)  # type: ignore[arg-type]  # bytes as keys are allowed
    raw.rpush(f"rq:queue:{QUEUES[1]}", "broken", b"\xff\xfe")
    raw.set(Job.key_for("text"), "a string, no hash")
    raw.rpush(f"rq:queue:{QUEUES[1]}", "text")
    bell.ring(REVIEW)
    burst(bell, valkey)
    assert ran == [REVIEW]


@pytest.mark.parametrize("name", ["review-github-99-3", "review-gitlab-12-3", "review-github-12-3\n", "x" * 10_000, ""])
def test_names_that_are_not_ours_are_dropped(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], name: str
) -> None:
    forge_a_job(raw, JOB, name)
    burst(bell, valkey)
    assert ran == []
    assert not raw.zcard("causeway-later")


def test_a_name_that_another_worker_has_is_rung_again_and_runs_when_it_is_free(
    bell: RqWakeups, valkey: Valkey, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BUSY_SECONDS", 0.1)
    with working(bell, valkey):
        with bell.held(REVIEW):
            bell.ring(REVIEW)
            time.sleep(0.6)
            assert ran == []
        assert until(lambda: ran)
    assert ran == [REVIEW]


def test_an_outside_fault_is_tried_again_when_it_said_and_meanwhile_others_are_served(
    bell: RqWakeups, valkey: Valkey, ran: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []

    def flow(wake: Wake, _place: Place, _desk: Desk) -> None:
        if wake.flow == "review":
            times.append(time.monotonic())
            if len(times) == 1:
                raise OutsideWorldError("a rate limit", retry_after=0.8)
        ran.append(str(wake))

    flow_is(monkeypatch, flow)
    bell.ring(REVIEW)
    with working(bell, valkey):
        assert until(lambda: times)
        bell.ring(DELIVER)
        assert until(lambda: ran == [DELIVER], 0.7)
        assert until(lambda: len(ran) == 2)
    assert 0.8 <= times[1] - times[0] < 2
    assert said == []


def test_what_is_gone_is_looked_at_once_more_and_then_let_go_in_silence(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def flow(wake: Wake, _place: Place, _desk: Desk) -> None:
        ran.append(str(wake))
        raise GoneError("no such pull request")

    flow_is(monkeypatch, flow)
    bell.ring(REVIEW)
    burst(bell, valkey)
    assert ran == [REVIEW] * 2
    assert (said, raw.zcard("causeway-later")) == ([], 0)


def test_an_unexpected_error_is_said_three_times_with_its_id_then_there_is_silence_until_a_new_event(
    bell: RqWakeups, raw: redis.Redis, valkey: Valkey, ran: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def flow(wake: Wake, _place: Place, _desk: Desk) -> None:
        ran.append(str(wake))
        raise RuntimeError("a fault of ours")

    flow_is(monkeypatch, flow)
    desk = desk_of(bell)
    bell.ring(REVIEW)
    with capture_logs() as lines:
        burst(bell, valkey, desk)
    logged = [line["error_id"] for line in lines if line["event"] == "unexpected error"]
    assert len(set(logged)) == 3
    assert said == logged
    assert (len(ran), raw.zcard("causeway-later"), raw.zcard("causeway-begun")) == (3, 0, 0)
    bell.ring(REVIEW)
    burst(bell, valkey, desk)
    assert len(ran) == 6


def test_the_id_of_a_poisonous_question_is_the_one_that_the_log_has(
    bell: RqWakeups, valkey: Valkey, ran: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def flow(wake: Wake, _place: Place, _desk: Desk) -> None:
        ran.append(str(wake))
        raise PoisonError("took longer than 60 s", "0123456789ab")

    flow_is(monkeypatch, flow)
    bell.ring(DELIVER)
    burst(bell, valkey)
    assert said == ["0123456789ab"] * 3


def test_a_forge_that_cannot_be_told_of_an_error_does_not_end_the_worker(
    bell: RqWakeups, valkey: Valkey, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def flow(wake: Wake, _place: Place, _desk: Desk) -> None:
        ran.append(str(wake))
        if wake.flow == "review":
            raise RuntimeError("a fault of ours")

    def mute(*_: object) -> None:
        raise ValueError("a fault of ours here too")

    flow_is(monkeypatch, flow)
    monkeypatch.setattr(worker, "say_failed", mute)
    bell.ring(REVIEW)
    with capture_logs() as lines:
        burst(bell, valkey)
        bell.ring(DELIVER)
        burst(bell, valkey)
    assert ran == [REVIEW] * 3 + [DELIVER]
    assert sum(line["event"] == "could not say that it failed" for line in lines) == 3
