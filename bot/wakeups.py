"""The bell and the turnstile: names of work in RQ, each queued once, and one worker at a time for each name.

Everything here may be lost or doubled without harm: the sweep rings again what was lost, and what runs twice reads the
world twice. Locks save work; they decide nothing.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import redis
import structlog
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from bot.core.wake import parse_wake
from bot.ports import OutsideWorldError

JOB = "bot.worker.run"
"""The one function that a job may name. Its only argument is the wake's name."""

QUEUES: Sequence[str] = ("causeway-deliver", "causeway-review")
"""In the order a worker takes from them: what is merged goes before what is proposed."""

_QUEUE_OF: Mapping[str, str] = {"deliver": QUEUES[0], "queue": QUEUES[1], "review": QUEUES[1]}
_QUEUED_SECONDS = 60
_FAILED_SECONDS = 600
_COUNTED_MS = 1000
_LATER = "causeway-later"
_BEGUN = "causeway-begun"
_SURE_SECONDS = 5
_REMEMBERED_SECONDS = 24 * 3600

# The server's clock, so that workers whose clocks differ agree on what is due. LT: the earliest time asked for counts.
_RING_LATER = """
local t = redis.call('TIME')
return redis.call('ZADD', KEYS[1], 'LT', 'CH', t[1] + t[2] / 1000000 + ARGV[2], ARGV[1])
"""
_TAKE_DUE = """
local t = redis.call('TIME')
local names = redis.call('ZRANGE', KEYS[1], '-inf', t[1] + t[2] / 1000000, 'BYSCORE', 'LIMIT', 0, 100)
if #names > 0 then redis.call('ZREM', KEYS[1], unpack(names)) end
return names
"""
# GET tells a repeated command that it was itself that set the key. What is swallowed is counted for a moment, so that
# a worker sees whether a burst goes on.
_RING = """
local before = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2], 'GET')
if before and before ~= ARGV[1] then
  redis.call('INCR', KEYS[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return before
"""
_BEGIN = "local t = redis.call('TIME'); return redis.call('ZADD', KEYS[1], t[1], ARGV[1])"
# A name without a holder, some seconds after it was begun: its worker is gone.
_TAKE_LEFT = """
local t = redis.call('TIME')
local left = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', t[1] - ARGV[1], 'BYSCORE', 'LIMIT', 0, 100)) do
  if redis.call('EXISTS', 'held:' .. name) == 0 then
    redis.call('ZREM', KEYS[1], name)
    table.insert(left, name)
  end
end
return left
"""
_KEEP = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) else return 0 end"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end"

log = structlog.get_logger(__name__)


class Hold:
    """A name that is ours for now."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._sure_until = time.monotonic() + seconds
        self._taken = False

    @property
    def lost(self) -> bool:
        """True once another worker may have the name; known at once even by a process that was stopped for long."""
        return self._taken or time.monotonic() > self._sure_until

    def confirmed(self, since: float) -> None:
        """The server kept it, asked at `since` (monotonic seconds)."""
        self._sure_until = since + self._seconds

    def taken(self) -> None:
        """The server says it is another's."""
        self._taken = True


class RqWakeups:
    """`ports.Wakeups` on Redis or Valkey from version 7. Every method raises OutsideWorldError where it is away."""

    def __init__(self, redis_url: str, job_seconds: int = 900) -> None:
        self._id = secrets.token_hex(8)
        # Retries heal the connections that a restarted server has cut. Each command below may be repeated safely.
        self._redis = redis.Redis.from_url(
            redis_url,
            socket_timeout=3.0,
            socket_connect_timeout=1.0,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        )
        self._queues = {
            name: Queue(name, connection=self._redis, default_timeout=job_seconds, serializer=JSONSerializer)
            for name in QUEUES
        }

    def ring(self, name: str, after: float = 0.0) -> bool:
        """Work of this name runs once more, after so many seconds; False where it was queued already.

        One round trip where it is queued already, two where it is not. Between them a crash leaves the name silent for
        up to a minute; the sweep ends that. ValueError for what is not a wake's name.
        """
        wake = parse_wake(name)
        if wake is None:
            raise ValueError(f"{name!r} is not the name of a wake")
        with _reaching():
            if after > 0:
                return bool(self._redis.eval(_RING_LATER, 1, _LATER, name, repr(after)))
            # A job id of its own each time: a second job under the id of one that runs would vanish with it.
            job = f"{name}-{secrets.token_hex(8)}"
            before = self._redis.eval(_RING, 2, _queued(name), _swallowed(name), job, _QUEUED_SECONDS, _COUNTED_MS)
            if before is not None and before != job.encode():
                return False
            with self._redis.pipeline() as pipe:
                self._queues[_QUEUE_OF[wake.flow]].enqueue_call(
                    JOB, args=(name,), job_id=job, result_ttl=0, failure_ttl=_FAILED_SECONDS, pipeline=pipe
                )
                pipe.execute()
            return True

    def ring_due(self) -> int:
        """Rings what was asked for later and is due now; how many. A worker calls it every second or so.

        RQ's own scheduler would be one more process with a lock of its own, which nobody takes over for a minute after
        a kill; this is a sorted set that any worker may turn. A name is taken out before it is rung, so two workers
        never ring it twice, and a crash between loses it to the sweep.
        """
        with _reaching():
            names = self._redis.eval(_TAKE_DUE, 1, _LATER)
        known = [name for name in (item.decode(errors="replace") for item in names) if parse_wake(name) is not None]
        for name in known:
            self.ring(name)
        return len(known)

    def ring_left(self) -> int:
        """Rings what a worker began and did not end, because it was killed or stopped; how many. Any worker calls it
        now and then; it is found when the dead worker's hold has run out."""
        with _reaching():
            names = self._redis.eval(_TAKE_LEFT, 1, _BEGUN, str(_SURE_SECONDS))
        known = [name for name in (item.decode(errors="replace") for item in names) if parse_wake(name) is not None]
        for name in known:
            self.ring(name)
        return len(known)

    @contextmanager
    def begun(self, name: str) -> Iterator[None]:
        """While the block runs, the name counts as begun and not ended. For the holder of the name only."""
        with _reaching():
            self._redis.eval(_BEGIN, 1, _BEGUN, name)
        yield
        with _reaching():
            self._redis.zrem(_BEGUN, name)

    def emptied(self) -> bool:
        """True where the queue has lost what it held since this was asked before, or it was never asked."""
        with _reaching():
            before = self._redis.set(f"seen:{self._id}", "1", ex=_REMEMBERED_SECONDS, get=True)
        return before is None

    def swallowed(self, name: str) -> int:
        """How many rings of the last second found the name queued already."""
        with _reaching():
            found = self._redis.get(_swallowed(name))
        return int(found) if found is not None and found.isdigit() else 0

    def started(self, name: str) -> None:
        """To be called before the first read of a piece of work: what happens from now on rings again."""
        with _reaching():
            self._redis.delete(_queued(name))

    @contextmanager
    def held(self, name: str, seconds: float = 30.0) -> Iterator[Hold | None]:
        """The name is ours while the block runs, or None where another worker has it. A heartbeat keeps it; when this
        process dies it is free after `seconds`. Where it is another's, the job that asked has ended without working, so
        its name counts as queued no more: else the ring for later that it leaves behind would be taken for a second one
        and swallowed."""
        key, token = f"held:{name}", secrets.token_hex(16)
        hold = Hold(seconds)
        with _reaching():
            before = self._redis.set(key, token, nx=True, px=int(seconds * 1000), get=True)
        if before is not None and before != token.encode():
            self.started(name)
            yield None
            return
        done = threading.Event()
        heart = threading.Thread(target=self._beat, args=(key, token, seconds, hold, done), daemon=True)
        heart.start()
        try:
            yield hold
        finally:
            done.set()
            heart.join()
            self._release(key, token)

    def waiting(self) -> Mapping[str, int]:
        """How many jobs wait in each queue, and how many names for a later time."""
        with _reaching():
            counts = {name: queue.count for name, queue in self._queues.items()}
            return {**counts, _LATER: int(self._redis.zcard(_LATER))}

    def reasons_not_ready(self) -> list[str]:
        """Empty where the queue can be reached; else why not, in a sentence without address or password."""
        try:
            with _reaching():
                self._redis.ping()
        except OutsideWorldError as err:
            return [str(err)]
        return []

    def close(self) -> None:
        """Closes every connection."""
        self._redis.close()

    def _beat(self, key: str, token: str, seconds: float, hold: Hold, done: threading.Event) -> None:
        while not done.wait(seconds / 3):
            asked = time.monotonic()
            try:
                kept = self._redis.eval(_KEEP, 1, key, token, str(int(seconds * 1000)))
            except redis.RedisError:
                # Perhaps only this once: until the time runs out the name is still ours.
                if hold.lost:
                    return
                continue
            if kept != 1:
                hold.taken()
                return
            hold.confirmed(asked)

    def _release(self, key: str, token: str) -> None:
        try:
            self._redis.eval(_RELEASE, 1, key, token)
        except redis.RedisError as err:
            # What the block raised matters more than this; the key runs out by itself.
            log.warning("name not released, it runs out by itself", key=key, error=type(err).__name__)


def _queued(name: str) -> str:
    return f"queued:{name}"


def _swallowed(name: str) -> str:
    return f"swallowed:{name}"


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as err:
        raise OutsideWorldError(f"the queue cannot be reached ({type(err).__name__})") from err
