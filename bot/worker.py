"""One wake, one flow: takes names from the queue, one at a time for each name, and never lets an error go unseen."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from uuid import uuid4

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from bot.core.tree import Oid
from bot.core.wake import Wake, parse_wake
from bot.flows.deliver import deliver
from bot.flows.failed import say_failed
from bot.flows.place import Place
from bot.flows.review import review, review_queue
from bot.ports import GoneError, OutsideWorldError
from bot.wakeups import JOB, QUEUES, RqWakeups

log = structlog.get_logger(__name__)

BUSY_SECONDS = 1.0
"""A name that another worker has is rung again after about this long."""

STRIKES = 3
IDLE_SECONDS = 2

LEAST_WAIT = 5.0
"""After a fault outside, unless it said when to come back."""

Places = Callable[[str, str], Place | None]
"""(forge name, repository id) -> the place, None for a repository that is not ours."""


class Desk:
    """What the one job function needs; set once by `work`, in the process that runs jobs."""

    current: Desk | None = None

    def __init__(self, places: Places, wakeups: RqWakeups) -> None:
        self.places = places
        self.wakeups = wakeups
        self.strikes: dict[str, int] = {}


def run(name: str) -> None:
    """The only job there is. Its argument is a name; whatever else the queue holds is dropped."""
    desk = Desk.current
    if desk is None:
        raise RuntimeError("a job ran outside of a worker")
    wake = parse_wake(name)
    if wake is None:
        log.warning("not a wake", name=name[:100])
        return
    perform(wake, desk)


def perform(wake: Wake, desk: Desk) -> None:
    """Runs the flow of one wake under its name's lock."""
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
        _guarded(wake, name, place, desk)


def _guarded(wake: Wake, name: str, place: Place, desk: Desk) -> None:
    bound = log.bind(wake=name)
    try:
        _FLOWS[wake.flow](wake, place, desk)
        desk.strikes.pop(name, None)
        bound.info("done")
    except GoneError as gone:
        bound.info("nothing there any more", why=str(gone))
    except OutsideWorldError as outside:
        wait = outside.retry_after or LEAST_WAIT * random.uniform(1, 2)  # noqa: S311 - jitter
        bound.warning("the world outside failed", why=str(outside), again_in=round(wait, 1))
        desk.wakeups.ring(name, after=wait)
    except Exception:  # noqa: BLE001 - whatever it is, it must reach the pull request and the log
        error_id = uuid4().hex[:12]
        bound.exception("unexpected error", error_id=error_id)
        _struck(wake, name, place, desk, error_id)


def _struck(wake: Wake, name: str, place: Place, desk: Desk, error_id: str) -> None:
    """Says it, and tries again until the third strike; from then on only a new event looks at it again."""
    strikes = desk.strikes[name] = desk.strikes.get(name, 0) + 1
    try:
        say_failed(wake, place, error_id)
    except OutsideWorldError as outside:
        log.warning("could not say that it failed", wake=name, error_id=error_id, why=str(outside))
    if strikes < STRIKES:
        desk.wakeups.ring(name, after=LEAST_WAIT)
    else:
        del desk.strikes[name]


def _review(wake: Wake, place: Place, desk: Desk) -> None:
    review(wake.number, place, desk.wakeups, str(wake))


def _deliver(wake: Wake, place: Place, desk: Desk) -> None:  # noqa: ARG001 - the shape of a flow
    deliver(place, desk.wakeups)


def _queue(wake: Wake, place: Place, desk: Desk) -> None:  # noqa: ARG001 - the shape of a flow
    review_queue(Oid(wake.sha), place)


_FLOWS: Mapping[str, Callable[[Wake, Place, Desk], None]] = {
    "review": _review,
    "deliver": _deliver,
    "queue": _queue,
}


def work(desk: Desk, redis_url: str, stop: threading.Event, burst: bool = False) -> None:
    """Takes work until `stop` is set; with `burst`, until there is none. Runs jobs in this process, so facts stay warm.

    RQ's own scheduler would be one more process; names for later are rung by a thread of ours.
    """
    Desk.current = desk
    connection = Redis.from_url(redis_url, socket_timeout=30.0)
    queues = [Queue(name, connection=connection, serializer=JSONSerializer, job_class=_Job) for name in QUEUES]
    clock = threading.Thread(target=_turn, args=(desk.wakeups, stop), daemon=True)
    clock.start()
    while not stop.is_set():
        worker = _Worker(
            queues,
            connection=connection,
            serializer=JSONSerializer,
            job_class=_Job,
            name=f"causeway-{uuid4().hex[:8]}",
        )
        try:
            worked = worker.work(burst=burst, max_idle_time=None if burst else IDLE_SECONDS, logging_level="ERROR")
        except RedisError as error:
            log.warning("the queue cannot be reached", why=type(error).__name__)
            stop.wait(1.0)
            continue
        if burst and not worked and not desk.wakeups.waiting()["causeway-later"]:
            return


def _turn(wakeups: RqWakeups, stop: threading.Event) -> None:
    while not stop.wait(0.25):
        try:
            wakeups.ring_due()
        except OutsideWorldError as error:
            log.warning("the queue cannot be reached", why=str(error))
            stop.wait(1.0)


class _Worker(SimpleWorker):
    """A worker that may live in any thread: no signal handlers, and job limits by a timer instead of SIGALRM."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        return


_JOBS: Mapping[str, Callable[[str], None]] = {JOB: run}
"""The closed table of what a job may call."""


class RefusedJobError(Exception):
    """The queue held a job that is not in the table."""


class _Job(Job):
    """A job as far as it is ours. RQ would import and call whatever a job names, as its work or as a callback, repeat
    it, and post its outcome to any address; who can write to Redis must not get more than a name's work out of it."""

    def restore(self, raw_data: dict[str, bytes]) -> None:
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        self.repeats_left = self.retries_left = None

    @property
    def func(self) -> Callable[[str], None]:
        """The table's function; RefusedJobError for any other, or for anything beside one name as its argument."""
        found = _JOBS.get(str(self.func_name))
        plain = not self.instance and not self.kwargs and len(self.args) == 1 and isinstance(self.args[0], str)
        if found is None or not plain:
            log.warning("a job that is not ours was refused", job=str(self.id)[:100])
            raise RefusedJobError("only wakes are run")
        return found
