"""From webhook to comment and commit: the door, the queue, the worker and the forge together."""

from __future__ import annotations

import random
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from bot.flows.sweep import Marks, sweep_all
from bot.sandbox import Sandbox
from bot.sandbox.faults import Request
from bot.valkey import Valkey, start_valkey
from tests.world.street import GITOPS, HELLO, PLATFORM, SECRET, Street, manifest, until

pytestmark = pytest.mark.world

PLAN_CALLS = 14
"""REST requests of a first look: the pull request, who we are, its comments, the GitOps repository; who wrote it (its
commits, pushes to its branch) and who is in the owning team; the open pull requests, since it claims a name; its
statuses and a new one, the head once more, its comments again, a new one, and whether that is the only one. Git's own
are not counted."""


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = start_valkey()
    yield server
    server.stop()


@pytest.fixture
def raw(valkey: Valkey) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def street(sandbox: Sandbox, tmp_path: Path, valkey: Valkey, raw: redis.Redis) -> Street:
    assert raw.dbsize() == 0
    return Street(sandbox, tmp_path, valkey)


def rest(requests: list[Request]) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in requests if one.path.startswith("/api/")]


def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - our own door
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_the_whole_story_by_webhooks_alone(street: Street) -> None:
    with street.door() as url, street.worker():
        street.sandbox.create_webhook(PLATFORM, url, SECRET)
        street.sandbox.commit(PLATFORM, "main", {"README.md": b"Ours.\n"}, "Begin", "dana")
        assert until(lambda: street.delivered("hello"))
        started = time.monotonic()
        number = street.open(manifest("checkout"))
        assert until(lambda: street.status(number))
        status_after = time.monotonic() - started
        assert until(lambda: street.comments(number))
        comment_after = time.monotonic() - started
        print(f"\nwebhook to status {status_after:.2f} s, to comment {comment_after:.2f} s")  # noqa: T201
        assert "checkout" in street.comments(number)[0]
        assert street.status(number).startswith("success: ")
        started = time.monotonic()
        street.merge(number)
        assert until(lambda: street.delivered("checkout"))
        print(f"merge to commit {time.monotonic() - started:.2f} s")  # noqa: T201
        assert until(lambda: "Delivered" in street.status(number))
        assert len(street.comments(number)) == 1
        undo = street.sandbox.revert(PLATFORM, number, by="dana")
        assert until(lambda: street.comments(undo))
        street.merge(undo)
        assert until(lambda: not street.delivered("checkout"))
        assert until(lambda: "Delivered" in street.status(undo))
    assert street.breaches() == ()
    assert comment_after < 5


def test_the_same_delivery_twenty_times_at_once_gives_one_comment_and_the_calls_of_one_plan(
    street: Street, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine's cold child may need more than five seconds, and that would be said.
    monkeypatch.setattr("bot.flows.looking.SLOW_SECONDS", 60.0)
    street.sweep()
    street.drain()
    with street.door() as url:
        sandbox.create_webhook(PLATFORM, url, SECRET)
        alone, crowd = street.open(manifest("alone")), street.open(manifest("crowd"))
        assert sandbox.wait_for_webhooks()
        sandbox.webhooks_on = False
        delivery = [one for one in sandbox.deliveries if one.action == "opened"][-1]
        redis.Redis.from_url(street.valkey.url).flushall()
        with street.worker() as wiring:
            before = len(sandbox.requests)
            wiring.wakeups.ring(f"review-github-{street.platform}-{alone}")
            assert until(lambda: street.comments(alone))
            assert until(lambda: not any(wiring.wakeups.waiting().values()))
            time.sleep(0.5)
            single = rest(sandbox.requests[before:])
        with street.worker() as wiring:
            before = len(sandbox.requests)
            with ThreadPoolExecutor(20) as pool:
                answers = list(pool.map(lambda _: post(url, delivery.headers, delivery.payload), range(20)))
            assert answers == [202] * 20
            assert until(lambda: street.comments(crowd))
            assert until(lambda: not any(wiring.wakeups.waiting().values()))
            time.sleep(0.5)
            crowded = rest(sandbox.requests[before:])
    assert len(street.comments(crowd)) == 1
    assert len(sandbox.statuses(PLATFORM, sandbox.pull(PLATFORM, crowd).head_sha)) == 1
    assert [method for method, _ in crowded] == [method for method, _ in single]
    assert len(crowded) == PLAN_CALLS, crowded


def test_an_unchanged_review_writes_nothing_and_asks_six_times(street: Street, sandbox: Sandbox) -> None:
    street.sweep()
    street.drain()
    number = street.open(manifest("checkout"))
    with street.worker() as wiring:
        name = f"review-github-{street.platform}-{number}"
        wiring.wakeups.ring(name)
        assert until(lambda: street.comments(number))
        place = wiring.place("github", street.platform)
        assert place is not None
        child = place.core.pid  # type: ignore[attr-defined]  # it is an IsolatedCore
        time.sleep(0.3)
        before, started = len(sandbox.requests), time.monotonic()
        wiring.wakeups.ring(name)
        assert until(lambda: len(rest(sandbox.requests[before:])) >= 6)
        print(f"\nunchanged review {time.monotonic() - started:.2f} s")  # noqa: T201
        time.sleep(0.3)
        calls = rest(sandbox.requests[before:])
        assert [method for method, _ in calls] == ["GET"] * 6, calls
        assert place.core.pid == child, "facts stay warm in the same child"  # type: ignore[attr-defined]


def test_without_any_webhook_the_sweep_does_it_all(street: Street) -> None:
    marks: dict[str, Marks] = {}
    with street.worker(), street.wired() as sweeper:

        def seen_by_sweeps(true: Callable[[], bool]) -> bool:
            def round_() -> bool:
                sweep_all(sweeper.places(), sweeper.wakeups, marks)
                return true()

            return until(round_)

        assert seen_by_sweeps(lambda: street.delivered("hello"))
        number = street.open(manifest("checkout"))
        assert seen_by_sweeps(lambda: len(street.comments(number)) == 1)
        street.merge(number)
        assert seen_by_sweeps(lambda: street.delivered("checkout"))
        assert seen_by_sweeps(lambda: "Delivered" in street.status(number))
    assert street.breaches() == ()
    assert len(street.comments(number)) == 1


@pytest.mark.parametrize("turns", [pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(600)])], ids=["long"])
def test_a_worker_killed_at_random_moments_costs_only_time(street: Street, sandbox: Sandbox, turns: int) -> None:
    seed = random.randrange(10**6)
    print(f"\nseed {seed}")  # noqa: T201
    dice = random.Random(seed)
    numbers = []
    with street.door() as url:
        sandbox.create_webhook(PLATFORM, url, SECRET)
        sandbox.commit(PLATFORM, "main", {"README.md": b"Ours.\n"}, "Begin", "dana")
        for turn in range(turns):
            worker = street.process()
            try:
                number = street.open(manifest(f"service-{turn}"))
                numbers.append(number)
                time.sleep(dice.uniform(0.6, 1.8))
                street.merge(number)
                time.sleep(dice.uniform(0.0, 0.8))
            finally:
                worker.kill()
                worker.wait()
    settle(street)
    street.sweep()
    street.drain()
    assert street.breaches() == ()
    assert all(street.delivered(f"service-{turn}") for turn in range(turns))
    for number in numbers:
        assert len(street.comments(number)) == 1, number
        assert "Delivered" in street.status(number), number


def settle(street: Street) -> None:
    """The holds and claims that killed workers left run out by themselves; here time is made to pass."""
    raw = redis.Redis.from_url(street.valkey.url)
    for pattern in ("held:*", "queued:*"):
        for key in raw.scan_iter(pattern):
            raw.delete(key)


def test_a_flushed_queue_is_seen_by_the_next_round_of_the_sweep(street: Street, raw: redis.Redis) -> None:
    marks: dict[str, Marks] = {}
    with street.wired() as sweeper:
        sweep_all(sweeper.places(), sweeper.wakeups, marks, sweeper.wakeups.emptied)
        number = street.open(manifest("checkout"))
        assert sweep_all(sweeper.places(), sweeper.wakeups, marks, sweeper.wakeups.emptied) > 0
        raw.flushall()
        assert sweep_all(sweeper.places(), sweeper.wakeups, marks, sweeper.wakeups.emptied) > 0
    street.drain()
    assert street.delivered("hello")
    assert len(street.comments(number)) == 1


def test_nothing_of_a_payload_is_ever_in_redis(street: Street, sandbox: Sandbox, raw: redis.Redis) -> None:
    mark = "zanzibar-7351"
    with street.door() as url:
        sandbox.create_webhook(PLATFORM, url, SECRET)
        street.open(manifest("checkout"), f"A title with {mark}")
        assert sandbox.wait_for_webhooks()
        assert any(mark.encode() in one.payload and one.status == 202 for one in sandbox.deliveries)
        seen = everything(raw)
        assert f"review-github-{street.platform}".encode() in seen
        assert mark.encode() not in seen
        street.drain()
        assert mark.encode() not in everything(raw)


def everything(raw: redis.Redis) -> bytes:
    """Every key and value, RQ's compressed ones opened."""
    found: list[object] = []
    for key in raw.scan_iter():
        match raw.type(key):
            case b"hash":
                items = raw.hgetall(key)
                found += [*items.keys(), *items.values()]
                data = raw.hget(key, "data")
                found.append(zlib.decompress(data) if isinstance(data, bytes) else None)
            case b"list":
                found += raw.lrange(key, 0, -1)
            case b"set":
                found += raw.smembers(key)
            case b"zset":
                found += raw.zrange(key, 0, -1)
            case _:
                found.append(raw.get(key))
        found.append(key)
    return b"\n".join(one for one in found if isinstance(one, bytes))


def test_forged_and_foreign_deliveries_wake_nobody(street: Street, sandbox: Sandbox, raw: redis.Redis) -> None:
    with street.door() as url:
        sandbox.create_webhook(PLATFORM, url, SECRET, ("*",))
        street.open(manifest("checkout"))
        assert sandbox.wait_for_webhooks()
        opened = next(one for one in sandbox.deliveries if one.action == "opened")
        ping = next(one for one in sandbox.deliveries if one.event == "ping")
        assert ping.status == 204
        raw.flushall()
        before = len(sandbox.requests)
        forged = {**opened.headers, "X-Hub-Signature-256": "sha256=" + "0" * 64}
        unsigned = {name: value for name, value in opened.headers.items() if not name.startswith("X-Hub")}
        foreign = {**opened.headers, "X-GitHub-Event": "star"}
        assert post(url, forged, opened.payload) == 401
        assert post(url, unsigned, opened.payload) == 401
        assert post(url, opened.headers, opened.payload + b" ") == 401
        assert post(url, foreign, opened.payload) == 204
        assert raw.dbsize() == 0
        assert len(sandbox.requests) == before, "the door calls no forge"
        assert post(url, opened.headers, opened.payload) == 202


def test_a_revert_by_direct_push_is_delivered_too(street: Street, sandbox: Sandbox) -> None:
    with street.door() as url, street.worker():
        sandbox.create_webhook(PLATFORM, url, SECRET)
        sandbox.commit(PLATFORM, "main", dict(manifest("checkout")), "Add", "dana")
        assert until(lambda: street.delivered("checkout"))
        newer = {"services/hello/platform.yaml": HELLO.replace("1.0.0", "1.1.0")}
        sandbox.commit(PLATFORM, "main", {**newer, "services/checkout/platform.yaml": None}, "Remove", "dana")
        assert until(lambda: not street.delivered("checkout"))
    assert street.breaches() == ()
    assert any(b"hello:1.1.0" in data for data in sandbox.files(GITOPS).values())
