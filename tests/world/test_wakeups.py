"""The bell on a real Valkey: each name queued once, late rings, and one worker at a time for a name."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from bot.ports import OutsideWorldError, Wakeups
from bot.valkey import Valkey, start_valkey
from bot.wakeups import JOB, QUEUES, RqWakeups

pytestmark = pytest.mark.world
REVIEW = "review-github-12-3"
DELIVER = "deliver-github-12"


def jobs(raw: redis.Redis) -> list[Job]:
    ids = [item.decode() for queue in QUEUES for item in raw.lrange(f"rq:queue:{queue}", 0, -1)]
    return [Job.fetch(item, connection=raw, serializer=JSONSerializer) for item in ids]


def test_it_is_the_port(bell: Wakeups) -> None:
    assert bell.ring(REVIEW) is True


def test_many_rings_at_once_for_one_name_queue_one_job(bell: RqWakeups, raw: redis.Redis) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: bell.ring(REVIEW), range(200)))
    assert answers.count(True) == 1
    (job,) = jobs(raw)
    assert (job.func_name, job.args) == (JOB, [REVIEW])


def test_a_job_holds_nothing_but_a_name_and_a_dotted_path_in_json(bell: RqWakeups, raw: redis.Redis) -> None:
    bell.ring(DELIVER)
    (job,) = jobs(raw)
    assert job.id.startswith(DELIVER)
    assert JSONSerializer.loads(job.data) == [JOB, None, [DELIVER], {}]
    assert job.result_ttl == 0


def test_a_ring_after_the_work_started_queues_it_again(bell: RqWakeups, raw: redis.Redis) -> None:
    bell.ring(REVIEW)
    bell.started(REVIEW)
    assert bell.ring(REVIEW) is True
    assert bell.ring(REVIEW) is False
    assert len(jobs(raw)) == 2


def test_a_job_rung_while_its_name_runs_still_runs_afterwards(
    bell: RqWakeups, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def work(name: str) -> None:
        bell.started(name)
        ran.append(name)
        if len(ran) < 3:
            bell.ring(name)

    monkeypatch.setattr("bot.wakeups.JOB", f"{__name__}.called")
    monkeypatch.setitem(globals(), "called", work)
    bell.ring(REVIEW)
    SimpleWorker(list(QUEUES), connection=raw, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")
    assert ran == [REVIEW] * 3
    assert raw.keys("rq:job:*") == []


def test_deliveries_are_taken_before_reviews(bell: RqWakeups, raw: redis.Redis) -> None:
    bell.ring(REVIEW)
    bell.ring(DELIVER)
    assert [job.args[0] for job in jobs(raw)] == [DELIVER, REVIEW]


@pytest.mark.parametrize("name", ["", "review-github-12", "rm -rf /", "review-github-12-3\n", "os.system"])
def test_only_names_of_wakes_are_rung(bell: RqWakeups, raw: redis.Redis, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a wake"):
        bell.ring(name)
    assert raw.dbsize() == 0


def test_a_later_ring_comes_when_it_is_due_and_only_once(bell: RqWakeups, raw: redis.Redis) -> None:
    assert bell.ring(REVIEW, after=0.2) is True
    assert bell.ring(REVIEW, after=60) is False
    assert bell.ring(REVIEW, after=0.1) is True
    assert (bell.ring_due(), jobs(raw)) == (0, [])
    assert bell.waiting()["causeway-later"] == 1
    time.sleep(0.15)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: bell.ring_due(), range(8))) == 1
    assert [job.args[0] for job in jobs(raw)] == [REVIEW]
    assert bell.ring_due() == 0


def test_a_name_planted_in_redis_is_not_rung(bell: RqWakeups, raw: redis.Redis) -> None:
    raw.zadd("causeway-later", {b"os.system\xff": 0})
    assert bell.ring_due() == 0
    assert jobs(raw) == []


def test_one_worker_at_a_time_holds_a_name(bell: RqWakeups) -> None:
    with bell.held(REVIEW) as first, bell.held(REVIEW) as second, bell.held(DELIVER) as other:
        assert first is not None
        assert second is None
        assert other is not None
    with bell.held(REVIEW) as again:
        assert again is not None


def test_a_job_that_finds_its_name_held_is_not_lost(bell: RqWakeups, raw: redis.Redis) -> None:
    with bell.held(REVIEW) as working:
        assert working is not None
        bell.started(REVIEW)
        # Something changed meanwhile: a second job, which another worker takes from the queue and cannot run yet.
        assert bell.ring(REVIEW) is True
        raw.delete("rq:queue:causeway-review")
        with bell.held(REVIEW) as second:
            assert second is None
            assert bell.ring(REVIEW, after=0.05) is True
    time.sleep(0.1)
    assert bell.ring_due() == 1
    assert [job.args for job in jobs(raw)] == [[REVIEW]]


def test_a_name_is_kept_far_beyond_its_time_by_the_heartbeat(bell: RqWakeups) -> None:
    with bell.held(REVIEW, seconds=0.3) as hold:
        time.sleep(1.0)
        assert hold is not None
        assert not hold.lost
        with bell.held(REVIEW) as other:
            assert other is None


def test_a_name_taken_by_another_is_seen_as_lost_and_not_released_for_them(bell: RqWakeups, raw: redis.Redis) -> None:
    with bell.held(REVIEW, seconds=0.3) as hold:
        raw.set(f"held:{REVIEW}", "another worker")
        time.sleep(0.3)
        assert hold is not None
        assert hold.lost
    assert raw.get(f"held:{REVIEW}") == b"another worker"


@pytest.mark.skipif(sys.platform != "linux", reason="stops a process by signal")
def test_a_holder_that_was_stopped_and_wakes_later_knows_at_once_that_it_lost(valkey: Valkey, bell: RqWakeups) -> None:
    program = (
        "import sys; from bot.wakeups import RqWakeups\n"
        "with RqWakeups(sys.argv[1]).held(sys.argv[2], seconds=0.4) as hold:\n"
        "    print(hold.lost, flush=True); sys.stdin.readline(); print(hold.lost, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, valkey.url, REVIEW], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "False\n"
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.6)
        with bell.held(REVIEW) as mine:
            assert mine is not None
            child.stdin.write("\n")
            child.stdin.flush()
            child.send_signal(signal.SIGCONT)
            assert child.stdout.readline() == "True\n"
            assert child.wait() == 0
            assert not mine.lost


def test_a_restarted_empty_server_costs_nothing_but_the_queue() -> None:
    # Not tmp_path: a socket's path is short.
    with tempfile.TemporaryDirectory() as folder:
        restart(Path(folder))


def restart(folder: Path) -> None:
    server = start_valkey(folder)
    bell = RqWakeups(server.url)
    assert bell.ring(REVIEW)
    server.stop()
    assert bell.reasons_not_ready() == ["the queue cannot be reached (ConnectionError)"]
    started = time.monotonic()
    with pytest.raises(OutsideWorldError):
        bell.ring(REVIEW)
    assert time.monotonic() - started < 3
    again = start_valkey(folder)
    try:
        assert bell.reasons_not_ready() == []
        assert bell.ring(REVIEW) is True
        assert bell.waiting()["causeway-review"] == 1
    finally:
        bell.close()
        again.stop()


def test_no_thread_stays_behind(bell: RqWakeups) -> None:
    before = threading.active_count()
    with bell.held(REVIEW):
        pass
    assert threading.active_count() == before


def test_rings_that_were_swallowed_are_counted_for_a_moment(bell: RqWakeups, raw: redis.Redis) -> None:
    assert bell.swallowed(REVIEW) == 0
    for _ in range(3):
        bell.ring(REVIEW)
    assert bell.swallowed(REVIEW) == 2
    assert 0 < raw.pttl(f"swallowed:{REVIEW}") <= 1000
