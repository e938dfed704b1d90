"""Three of ten requests go wrong, before or after their effect: everything is said once all the same."""

from __future__ import annotations

import pytest

from bot.core.tree import Oid
from bot.ports import OutsideWorldError
from tests.world.contract.faces import NAME, Face
from tests.world.contract.storms import ROUNDS, digest, through

pytestmark = pytest.mark.world


@pytest.mark.parametrize("stale", [False, True], ids=["lossy", "lossy-and-stale"])
def test_whatever_goes_wrong_everything_stands_there_once(face: Face, stale: bool) -> None:
    through(face, 20261121, stale=stale)
    holds(face)


@pytest.mark.long
@pytest.mark.parametrize("stale", [False, True], ids=["lossy", "lossy-and-stale"])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wrong_in_many_storms_everything_stands_there_once(face: Face, seed: int, stale: bool) -> None:
    through(face, seed, stale=stale)
    holds(face)


def holds(face: Face) -> None:
    """One of each."""
    assert sorted(face.said()) == sorted([f"Round {ROUNDS}", "Opened it."])
    assert face.forge.comment_digest(face.number, "plan") == digest(ROUNDS)
    assert face.verdicts(face.head)[-1].endswith(f": Round {ROUNDS}")
    assert len(face.beside()) == 2
    assert [one.state for one in face.sandbox.issues(NAME)].count("open") == 1
    assert len(face.forge.open_pulls()) == 2
    (command,) = face.forge.comments(face.number)
    assert command.reactions == {"seen"}
    reacted = next(one for one in face.sandbox.comments(NAME, face.number) if one.body == "/waive").reactions
    assert len(reacted) == 1


def test_what_a_storm_lets_through_is_true(face: Face) -> None:
    """An answer that comes is the answer: reads fail whole, or tell what is."""
    face.sandbox.review(NAME, face.number, "bob")
    face.sandbox.join("acme/payments", "bob")
    face.sandbox.storm(7, 0.4, stale=False)
    head, told = face.head, 0
    for _ in range(6):
        forge = face.make()
        try:
            assert forge.pull(face.number).head_sha == head
            assert [one.user_id for one in forge.approvals(face.number, head)] == [face.id("bob")]
            assert forge.authors(face.number) == {face.id("ada")}
            assert forge.member_of("acme/payments", face.id("bob")) is True
            assert forge.member_of("acme/payments", face.id("eve")) is False
            assert forge.permission(face.id("bob")) == "write"
            assert forge.pulls_of_commit(Oid(head)) == ()
        except OutsideWorldError:
            continue
        told += 1
    assert told > 0
