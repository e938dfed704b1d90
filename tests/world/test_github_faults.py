"""The adapter while things break, and what each look costs: never a second comment, never a lost word."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from bot.forges.ensure import UnknownOutcomeError
from bot.forges.github import GitHub
from bot.forges.marker import Marker
from bot.ports import OutsideWorldError
from bot.sandbox import Fault, Sandbox
from tests.world.test_github import NAME, READY, SECRET, A, B, World

pytestmark = pytest.mark.world


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[World]:
    made = World(sandbox)
    yield made
    made.github.close()


# What it costs


def test_an_unchanged_review_costs_five_requests(world: World) -> None:
    def review() -> None:
        pull = world.github.pull(world.number)
        world.github.remote()
        world.github.ensure_status(pull.head_sha, READY)
        assert world.github.pull(world.number).head_sha == pull.head_sha
        world.github.ensure_comment(world.number, "plan", A, "One")

    review()
    world.calls()
    review()
    asked = world.calls()
    assert [method for method, _ in asked] == ["GET"] * 4
    world.github = world.adapter()
    review()
    assert len(world.calls()) == 5
    assert world.slept == []


# While things break


def named(fault: Fault) -> str:
    told = {name: getattr(fault, name) for name in ("before", "after", "drop", "truncate", "skip")}
    how = ", ".join(f"{name} {value}" for name, value in told.items() if value)
    return f"{fault.times} {fault.method} {how}"


COMMENTS = r"/api/v3/repositories/\d+/issues/\d+/comments"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", COMMENTS, after=502),
        Fault("POST", COMMENTS, after=502, times=2),
        Fault("POST", COMMENTS, before=502),
        Fault("POST", COMMENTS, before=500, times=2),
        Fault("POST", COMMENTS, drop="before"),
        Fault("POST", COMMENTS, drop="after"),
        Fault("POST", COMMENTS, truncate=True),
        Fault("GET", COMMENTS, before=502, times=2),
        Fault("GET", COMMENTS, truncate=True),
        Fault("GET", COMMENTS, drop="before", skip=1),
    ],
    ids=named,
)
def test_whatever_fails_around_a_new_comment_there_is_one(world: World, fault: Fault) -> None:
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert [body.splitlines()[0] for body in world.bodies()] == ["One"]
    world.forge.faults.clear()
    assert world.github.ensure_comment(world.number, "plan", A, "One") is False


@pytest.mark.parametrize(
    "fault", [Fault("PATCH", after=502), Fault("PATCH", before=502), Fault("PATCH", drop="after")], ids=named
)
def test_whatever_fails_around_an_edit_the_comment_shows_the_newest(world: World, fault: Fault) -> None:
    world.github.ensure_comment(world.number, "plan", A, "One")
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_comment(world.number, "plan", B, "Two") is True
    assert [body.splitlines()[0] for body in world.bodies()] == ["Two"]


@pytest.mark.parametrize(
    "fault", [Fault("DELETE", after=502), Fault("DELETE", before=502), Fault("DELETE", before=404)], ids=named
)
def test_whatever_fails_around_a_twin_it_goes(world: World, fault: Fault) -> None:
    marker = Marker(SECRET, f"comment:{world.repository}:{world.number}")
    for _ in range(2):
        world.forge.comment(NAME, world.number, marker.sign("One", "plan", A), "causeway")
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert len(world.bodies()) == 1


STATUSES = r"/api/v3/repositories/\d+/statuses/.*"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", STATUSES, after=502),
        Fault("POST", STATUSES, before=502),
        Fault("POST", STATUSES, drop="after"),
        Fault("POST", STATUSES, truncate=True),
    ],
    ids=named,
)
def test_whatever_fails_around_a_status_there_is_one(world: World, fault: Fault) -> None:
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_status(world.head, READY) is True
    assert len(world.forge.statuses(NAME, world.head)) == 1


@pytest.mark.parametrize(
    "fault", [Fault("POST", after=502), Fault("POST", drop="after"), Fault("POST", before=502)], ids=named
)
def test_whatever_fails_around_an_issue_there_is_one(world: World, fault: Fault) -> None:
    world.forge.faults.append(dataclasses.replace(fault))
    world.github.ensure_issue("halt", "Delivery halted", "Run this.")
    assert len(world.forge.issues(NAME)) == 1


def test_a_forge_that_stays_broken_is_given_up_in_our_words(world: World) -> None:
    for method in ("GET", "POST"):
        world.forge.faults.append(Fault(method, before=502, times=1000))
    for ask in (
        lambda: world.github.pull(world.number),
        lambda: world.github.ensure_status(world.head, READY),
        lambda: world.github.ensure_comment(world.number, "plan", A, "One"),
        lambda: world.github.changed_since(""),
        world.github.open_pulls,
        world.github.repository,
    ):
        world.calls()
        with pytest.raises(OutsideWorldError, match="502"):
            ask()
        assert len(world.calls()) == 3
    world.forge.faults[:] = [Fault("POST", before=502, times=1000)]
    with pytest.raises(UnknownOutcomeError):
        world.github.ensure_comment(world.number, "plan", A, "One")
    with pytest.raises(UnknownOutcomeError):
        world.github.ensure_status(world.head, READY)
    assert sum(world.slept) < 60


def test_a_forge_that_cannot_be_reached_is_the_outside_world(world: World) -> None:
    unreachable = GitHub("http://127.0.0.1:9/api/v3", "1", lambda: "t", SECRET, sleep=world.slept.append)
    with pytest.raises(OutsideWorldError, match="did not answer"):
        unreachable.repository()


@pytest.mark.parametrize("status", [403, 429])
def test_a_short_limit_is_waited_out_and_a_long_one_is_told(world: World, status: int) -> None:
    world.forge.faults.append(Fault("GET", before=status, headers={"Retry-After": "3"}))
    assert world.github.pull(world.number).number == world.number
    assert 3 <= world.slept[0] < 4
    world.forge.faults.append(Fault("GET", before=status, headers={"Retry-After": "600"}))
    with pytest.raises(OutsideWorldError) as refused:
        world.github.pull(world.number)
    assert refused.value.retry_after == 600
    world.github = world.adapter()
    world.forge.faults.append(Fault("GET", before=status))
    with pytest.raises(OutsideWorldError) as untold:
        world.github.pull(world.number)
    assert untold.value.retry_after == 60


def test_a_limited_write_is_told_and_not_repeated(world: World) -> None:
    world.github.comment_digest(world.number, "plan")
    world.forge.faults.append(Fault("POST", before=403, times=9, headers={"Retry-After": "2"}))
    world.calls()
    with pytest.raises(OutsideWorldError) as refused:
        world.github.ensure_comment(world.number, "plan", A, "One")
    assert refused.value.retry_after == 2
    assert [method for method, _ in world.calls()] == ["GET", "POST"]
    assert world.bodies() == []


def test_a_write_that_is_forbidden_is_no_limit(world: World) -> None:
    reader = world.forge.create_user("reader", permission="read")
    with pytest.raises(OutsideWorldError, match="not accessible") as refused:
        world.adapter(token=reader.token).ensure_status(world.head, READY)
    assert refused.value.retry_after is None


def test_a_slow_answer_is_not_waited_for_but_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.forges.github_line._TIMEOUT_SECONDS", 1)
    impatient = world.adapter()
    world.forge.faults.append(Fault("GET", delay=1.5))
    assert impatient.pull(world.number).number == world.number
    assert len(world.slept) == 1
