"""One wake, one flow: takes names from the queue, one at a time for each name, and never lets an error go unseen.

It reads RQ's queues without RQ's own worker. That one imports and calls whatever function a job names, and so do its
callbacks and the cleaning of its registries: whoever can write to Redis would run code beside our tokens. Here a job is
looked up in a closed table, and can at worst waste a look.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from bot.core.tree import Oid
from bot.core.wake import Wake, parse_wake
from bot.flows.deliver import deliver
from bot.flows.failed import say_failed, say_kept_out, say_sound
from bot.flows.place import Place
from bot.flows.review import review, review_queue
from bot.ports import GoneError, OutsideWorldError, PoisonError
from bot.wakeups import JOB, QUEUES, RqWakeups

log = structlog.get_logger(__name__)

BUSY_SECONDS = 1.0
"""A name that another worker has is rung again after about this long."""

STRIKES = 3
TAKE_SECONDS = 1
"""How long one question for work may wait in Redis; `stop` is looked at in between."""

FAREWELL_SECONDS = 2.0
"""Work in hand may go on for so long after `stop`; then its child is ended, and its name rung for another worker."""

LEAST_WAIT = 5.0
"""After a fault outside, unless it said when to come back; twice as long each time that it is met again."""

MOST_WAIT = 300.0

KEPT_OUT = 3
"""So many faults outside in a row are told at the pull request: a right that is missing does not pass by itself."""

SETTLE_SECONDS = 0.15
QUIET_SECONDS = 0.025
GONE_WAIT = 30.0
LEFT_SECONDS = 5.0

Places = Callable[[str, str], Place | None]
"""(forge name, repository id) -> the place, None for a repository that is not ours."""


def _nothing() -> None:
    return


class Desk:
    """What work needs. `interrupt` ends the questions that children work at, for good (`Wiring.interrupt`)."""

    def __init__(self, places: Places, wakeups: RqWakeups, interrupt: Callable[[], None] = _nothing) -> None:
        self.places = places
        self.wakeups = wakeups
        self.interrupt = interrupt
        self.strikes: dict[str, int] = {}
        self.gone: set[str] = set()
        self.kept_out: dict[str, int] = {}


def run(name: str, desk: Desk) -> None:
    """The only job there is. Its argument is a name; whatever else it is given is dropped."""
    wake = parse_wake(name)
    if wake is None:
        log.warning("not a wake", name=name[:100])
        return
    perform(wake, desk)


_JOBS: Mapping[str, Callable[[str, Desk], None]] = {JOB: run}


def perform(wake: Wake, desk: Desk) -> None:
    """Runs the flow of one wake under its name's lock. OutsideWorldError only where the queue is away."""
    name = str(wake)
    with desk.wakeups.held(name) as hold:
        if hold is None:
            desk.wakeups.ring(name, after=BUSY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            return
        desk.wakeups.started(name)
        place = desk.places(wake.forge, wake.repository)
        if place is None:
            log.warning("not a repository of ours", wake=name)
            return
        with desk.wakeups.begun(name):
            _guarded(wake, name, place, desk)
            if hold.lost:
                # Stopped for long, another worker had the name meanwhile: what was said last may be the older answer.
                desk.wakeups.ring(name)


def _guarded(wake: Wake, name: str, place: Place, desk: Desk) -> None:
    bound = log.bind(wake=name)
    try:
        _FLOWS[wake.flow](wake, place, desk)
        desk.strikes.pop(name, None)
        desk.gone.discard(name)
        desk.kept_out.pop(name, None)
        bound.info("done")
    except GoneError as gone:
        # Some 404s pass by themselves; the second in a row is believed.
        again = name not in desk.gone
        bound.info("nothing there any more", why=str(gone), again=again)
        if again:
            desk.gone.add(name)
            desk.wakeups.ring(name, after=GONE_WAIT)
        else:
            desk.gone.discard(name)
    except OutsideWorldError as outside:
        _met_outside(wake, name, place, desk, outside)
    except Exception as error:  # noqa: BLE001
        # Whatever it is, it must reach the pull request and the log.
        error_id = error.error_id if isinstance(error, PoisonError) else uuid4().hex[:12]
        bound.exception("unexpected error", error_id=error_id)
        _struck(wake, name, place, desk, error_id)


def _met_outside(wake: Wake, name: str, place: Place, desk: Desk, outside: OutsideWorldError) -> None:
    """Comes back when it was told to; else later each time, and says at the pull request what keeps it out."""
    times = desk.kept_out.get(name, 0)
    wait = outside.retry_after or min(LEAST_WAIT * 2**times, MOST_WAIT) * random.uniform(1, 2)  # noqa: S311 - jitter
    log.warning("the world outside failed", wake=name, why=str(outside), again_in=round(wait, 1))
    desk.wakeups.ring(name, after=wait)
    if outside.retry_after is not None:
        return
    desk.kept_out[name] = times + 1
    if times + 1 == KEPT_OUT:
        try:
            say_kept_out(wake, place, str(outside))
        except Exception:
            # Most likely the very fault that is to be told. The log has both.
            log.exception("could not say what keeps it out", wake=name)


def _struck(wake: Wake, name: str, place: Place, desk: Desk, error_id: str) -> None:
    """Says it, and tries again until the third strike; from then on only a new event looks at it again."""
    strikes = desk.strikes[name] = desk.strikes.get(name, 0) + 1
    if strikes < STRIKES:
        desk.wakeups.ring(name, after=LEAST_WAIT)
    else:
        del desk.strikes[name]
    try:
        say_failed(wake, place, error_id)
    except Exception:
        # The fault may lie in what is needed to say so. The log has both.
        log.exception("could not say that it failed", wake=name, error_id=error_id)


def _review(wake: Wake, place: Place, desk: Desk) -> None:
    review(wake.number, place, desk.wakeups, str(wake))


def _deliver(wake: Wake, place: Place, desk: Desk) -> None:  # noqa: ARG001 - the shape of a flow
    deliver(place, desk.wakeups)
    say_sound(place)


def _queue(wake: Wake, place: Place, desk: Desk) -> None:  # noqa: ARG001 - the shape of a flow
    review_queue(Oid(wake.sha), place)


_FLOWS: Mapping[str, Callable[[Wake, Place, Desk], None]] = {
    "review": _review,
    "deliver": _deliver,
    "queue": _queue,
}


def work(desk: Desk, redis_url: str, stop: threading.Event, burst: bool = False) -> None:
    """Takes work until `stop` is set; with `burst`, until there is none. Runs jobs in this thread, so facts stay warm.

    After `stop` it ends within about a second where it is idle, within three where the core is asked something. A
    network call in hand runs to its own limit; killing the process then costs nothing but time.
    """
    connection = Redis.from_url(redis_url, socket_timeout=TAKE_SECONDS + 5.0, socket_connect_timeout=1.0)
    queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in QUEUES]
    ended = threading.Event()
    with _beside(lambda: _turn(desk.wakeups, stop, ended)), _beside(lambda: _hurry(desk, stop, ended)):
        try:
            while not stop.is_set():
                try:
                    took = _take(desk, queues, connection, burst)
                except (RedisError, OutsideWorldError) as error:
                    log.warning("the queue cannot be reached", why=f"{type(error).__name__}: {error}")
                    stop.wait(1.0)
                    continue
                if burst and not took and _nothing_later(desk, stop):
                    return
        finally:
            ended.set()
            connection.close()


def _take(desk: Desk, queues: Sequence[Queue], connection: Redis, burst: bool) -> bool:
    """One job, if one comes in time: proven to be ours, then done. True where there was one."""
    keys = [queue.key for queue in queues]
    popped = _popped(keys, connection, burst)
    if popped is None:
        return False
    key, job_id = popped
    job = _read(job_id, connection)
    if job is not None:
        _settle(job[1], job[2], desk.wakeups)
        first = cast("bytes | None", connection.lpop(keys[0])) if key != keys[0] else None
        if first is not None:
            # Told in the same moment, and more urgent: what landed goes before what is said of it.
            connection.lpush(key, job_id)
            job_id = first.decode(errors="replace")
            job = _read(job_id, connection)
    connection.delete(Job.key_for(job_id))
    if job is None:
        return True
    function, argument, _ = job
    try:
        _JOBS[function](argument, desk)
    except (RedisError, OutsideWorldError):
        raise
    except Exception:
        # Nothing that a name leads to may end the worker.
        log.exception("unexpected error outside of a flow", error_id=uuid4().hex[:12])
    return True


def _settle(name: str, age: float, wakeups: RqWakeups) -> None:
    """A forge tells one thing several times at once; a moment's patience makes one look of them. It ends with the first
    moment in which nobody rings; what waited in the queue has been patient enough."""
    heard = -1
    until = time.monotonic() + SETTLE_SECONDS - age
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(QUIET_SECONDS, left))
        now = wakeups.swallowed(name)
        if now <= max(heard, 0):
            return
        heard = now


def _popped(keys: Sequence[str], connection: Redis, burst: bool) -> tuple[str, str] | None:
    """The key of the first queue that has a job, and the job's id."""
    if not burst:
        found = cast("tuple[bytes, bytes] | None", connection.blpop(list(keys), TAKE_SECONDS))
        return None if found is None else (found[0].decode(), found[1].decode(errors="replace"))
    for key in keys:
        popped = cast("bytes | None", connection.lpop(key))
        if popped is not None:
            return key, popped.decode(errors="replace")
    return None


def _read(job_id: str, connection: Redis) -> tuple[str, str, float] | None:
    """The function and the one argument of a job that the table knows, and its age in seconds; None, and a line in the
    log, for all others."""
    try:
        job = Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
        function, arguments = job.func_name, job.args
        if function in _JOBS and not job.kwargs and len(arguments) == 1 and isinstance(arguments[0], str):
            age = (datetime.now(UTC) - job.enqueued_at).total_seconds() if job.enqueued_at is not None else 0.0
            return str(function), arguments[0], max(0.0, age)
        why = f"it names {function!r}"[:200]
    except RedisError:
        raise
    except Exception as error:  # noqa: BLE001
        # Whatever stands in Redis, however broken, is only not a job.
        why = f"it cannot be read ({type(error).__name__})"
    log.warning("refused a job that is not ours", why=why, job=job_id[:100])
    return None


def _nothing_later(desk: Desk, stop: threading.Event) -> bool:
    waiting = desk.wakeups.waiting()
    if waiting["causeway-later"]:
        stop.wait(0.05)
    return not any(waiting.values())


def _turn(wakeups: RqWakeups, stop: threading.Event, ended: threading.Event) -> None:
    """Rings what is due, and what a dead worker left behind."""
    looked = time.monotonic()
    while not ended.wait(0.25) and not stop.is_set():
        try:
            wakeups.ring_due()
            if time.monotonic() - looked > LEFT_SECONDS:
                looked = time.monotonic()
                wakeups.ring_left()
        except OutsideWorldError as error:
            log.warning("the queue cannot be reached", why=str(error))
            stop.wait(1.0)


def _hurry(desk: Desk, stop: threading.Event, ended: threading.Event) -> None:
    stop.wait()
    if not ended.wait(FAREWELL_SECONDS):
        desk.interrupt()


@contextmanager
def _beside(act: Callable[[], None]) -> Iterator[None]:
    threading.Thread(target=act, daemon=True).start()
    yield
