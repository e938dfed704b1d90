"""The one comment of a pull request: made once, edited in place, found again, never taken from somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.forges.github import COMMENT_LIMIT
from bot.forges.marker import Marker
from bot.sandbox import Sandbox
from tests.world.test_github import NAME, SECRET, A, B, World

pytestmark = pytest.mark.world


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[World]:
    made = World(sandbox)
    yield made
    made.github.close()


# Comments


def test_a_comment_is_made_once_edited_when_its_digest_differs_and_otherwise_left_alone(world: World) -> None:
    assert world.github.comment_digest(world.number, "plan") is None
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert world.github.ensure_comment(world.number, "plan", A, "words that moved by themselves") is False
    assert world.github.comment_digest(world.number, "plan") == A
    (first,) = world.forge.comments(NAME, world.number)
    assert first.body.startswith("One\n")
    assert world.github.ensure_comment(world.number, "plan", B, "Two") is True
    (second,) = world.forge.comments(NAME, world.number)
    assert (second.id, second.body.splitlines()[0]) == (first.id, "Two")
    assert world.github.comment_digest(world.number, "plan") == B


def test_another_worker_with_the_same_secret_finds_the_same_comment(world: World) -> None:
    world.github.ensure_comment(world.number, "plan", A, "One")
    assert world.adapter().ensure_comment(world.number, "plan", A, "One") is False


def test_each_key_has_its_own_comment(world: World) -> None:
    world.github.ensure_comment(world.number, "plan", A, "A plan")
    world.github.ensure_comment(world.number, "halt", B, "A halt")
    assert len(world.bodies()) == 2
    assert world.github.comment_digest(world.number, "plan") == A


def test_a_planted_marker_counts_for_nothing(world: World) -> None:
    world.github.ensure_comment(world.number, "plan", A, "Ours")
    ours = world.bodies()[0]
    theirs = [
        ours,
        Marker("another secret entirely", f"comment:{world.repository}:{world.number}").sign("x", "plan", B),
        "<!-- causeway:plan -->",
    ]
    for text in theirs:
        world.forge.comment(NAME, world.number, text, "ada")
    # The bot itself made to repeat markers: one of another place, one that is not at the end.
    elsewhere = Marker(SECRET, f"comment:{world.repository}:77").sign("x", "plan", B)
    for text in (elsewhere, f"{ours}\n\nand more"):
        world.forge.comment(NAME, world.number, text, "causeway")
    before = world.bodies()
    assert world.github.ensure_comment(world.number, "plan", A, "Ours") is False
    assert world.github.comment_digest(world.number, "plan") == A
    assert world.bodies() == before


def test_an_older_planted_comment_does_not_take_the_place_of_ours(world: World) -> None:
    planted = Marker("guessed secret, long enough", f"comment:{world.repository}:{world.number}").sign("x", "plan", A)
    world.forge.comment(NAME, world.number, planted, "ada")
    assert world.github.ensure_comment(world.number, "plan", A, "Ours") is True
    assert len(world.bodies()) == 2
    assert world.bodies()[0] == planted


def test_younger_twins_go_and_the_oldest_is_kept(world: World) -> None:
    marker = Marker(SECRET, f"comment:{world.repository}:{world.number}")
    for digest in (A, B, A):
        world.forge.comment(NAME, world.number, marker.sign(f"twin {digest}", "plan", digest), "causeway")
    oldest = world.forge.comments(NAME, world.number)[0].id
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert [one.id for one in world.forge.comments(NAME, world.number)] == [oldest]
    assert world.github.ensure_comment(world.number, "plan", A, "One") is False


def test_ours_is_found_behind_a_hundred_others(world: World) -> None:
    for index in range(101):
        world.forge.comment(NAME, world.number, f"comment {index}", "ada")
    world.github.ensure_comment(world.number, "plan", A, "One")
    assert world.github.ensure_comment(world.number, "plan", A, "One") is False
    assert len(world.bodies()) == 102


def test_workers_that_comment_at_the_same_moment_leave_one_comment(world: World) -> None:
    def look(_: int) -> bool:
        return world.adapter().ensure_comment(world.number, "plan", A, "One")

    with ThreadPoolExecutor(8) as pool:
        assert True in list(pool.map(look, range(8)))
    assert len(world.bodies()) == 1


def test_a_comment_too_long_is_never_sent(world: World) -> None:
    world.calls()
    with pytest.raises(ValueError, match="65536"):
        world.github.ensure_comment(world.number, "plan", A, "x" * (COMMENT_LIMIT - 20))
    assert world.calls() == []
    room = COMMENT_LIMIT - len(Marker(SECRET, "").sign("", "plan", A))
    assert world.github.ensure_comment(world.number, "plan", A, "x" * room) is True


@pytest.mark.parametrize(("key", "digest"), [("Plan", A), ("plan -->", A), ("", A), ("plan", "xyz"), ("plan", "")])
def test_nothing_can_break_out_of_the_marker(world: World, key: str, digest: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        world.github.ensure_comment(world.number, key, digest, "text")
    assert world.bodies() == []
