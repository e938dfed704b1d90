"""What the bot says at a forge: once, edited in place, known again, and never taken from somebody else."""

from __future__ import annotations

import pytest

from bot.core.model.conversation import Annotation, Remark
from bot.ports import Status
from tests.world.contract.faces import CONTEXT, FILE, NAME, Face

pytestmark = pytest.mark.world
A, B = "aa" * 8, "bb" * 8
READY = Status(CONTEXT, "success", "Ready: 1 service", "https://causeway.example.com/1")
WRONG = Status(CONTEXT, "failure", "1 problem in services/shop/platform.yaml")
NOTED = Annotation(FILE, 4, 8, "failure", "CW0710", "`latest` changes under you.")


def fix(line: int = 4, body: str = "Write a version.\n```suggestion\nimage: ghcr.io/acme/shop:1.0.0\n```") -> Remark:
    return Remark(FILE, line, body)


# Verdicts


def test_a_verdict_is_written_once_and_again_only_when_it_differs(face: Face) -> None:
    assert face.forge.status(face.head, CONTEXT) is None
    assert face.forge.ensure_status(face.head, READY) is True
    assert face.forge.ensure_status(face.head, READY) is False
    assert face.make().ensure_status(face.head, READY) is False
    assert face.forge.status(face.head, CONTEXT) == READY
    assert face.verdicts(face.head) == ["success: Ready: 1 service"]


def test_the_newest_verdict_stands_however_it_turns(face: Face) -> None:
    for status in (Status(CONTEXT, "pending", "Looks"), WRONG, READY, Status(CONTEXT, "pending", "Waits"), READY):
        assert face.forge.ensure_status(face.head, status) is True
        told = face.forge.status(face.head, CONTEXT)
        assert told is not None
        assert (told.state, told.description) == (status.state, status.description)
        assert face.verdicts(face.head)[-1] == f"{status.state}: {status.description}"


def test_an_unchanged_verdict_with_annotations_writes_nothing(face: Face) -> None:
    assert face.forge.ensure_status(face.head, WRONG, (NOTED,)) is True
    face.asked()
    assert face.forge.ensure_status(face.head, WRONG, (NOTED,)) is False
    assert {method for method, _ in face.asked()} == {"GET"}


# Comments


def test_one_comment_is_made_edited_in_place_and_left_alone(face: Face) -> None:
    assert face.forge.comment_digest(face.number, "plan") is None
    assert face.forge.ensure_comment(face.number, "plan", A, "One") is True
    assert face.forge.ensure_comment(face.number, "plan", A, "Other words for the same") is False
    assert face.forge.comment_digest(face.number, "plan") == A
    assert face.make().ensure_comment(face.number, "plan", B, "Two", urgent=True) is True
    assert face.said() == ["Two"]


def test_a_marker_that_somebody_copied_counts_for_nothing(face: Face) -> None:
    face.forge.ensure_comment(face.number, "plan", A, "Ours")
    copied = next(one.body for one in face.sandbox.comments(NAME, face.number) if one.user.login == face.bot)
    face.sandbox.comment(NAME, face.number, copied, "eve")
    assert face.forge.ensure_comment(face.number, "plan", B, "Ours again") is True
    assert face.said() == ["Ours again"]
    assert copied in [one.body for one in face.sandbox.comments(NAME, face.number) if one.user.login == "eve"]


def test_answers_to_commands_stand_beside_the_plan(face: Face) -> None:
    face.forge.ensure_comment(face.number, "plan", A, "A plan")
    face.forge.ensure_comment(face.number, "command-17", B, "Done.")
    assert face.said() == ["A plan", "Done."]


# What people say


def test_comments_of_people_are_told_and_our_own_are_not(face: Face) -> None:
    face.forge.ensure_comment(face.number, "plan", A, "A plan")
    first = face.sandbox.comment(NAME, face.number, "/plan", "bob")
    face.sandbox.create_user("robot", kind="Bot")
    face.sandbox.comment(NAME, face.number, "beep", "robot")
    told = face.forge.comments(face.number)
    assert [(one.body, one.author_id, one.is_bot, one.edited) for one in told] == [
        ("/plan", face.id("bob"), False, False),
        ("beep", face.id("robot"), True, False),
    ]
    assert told[0].id == str(first.id)
    assert told[0].reactions == frozenset()


def test_our_reaction_marks_what_is_done_and_others_do_not(face: Face) -> None:
    said = face.sandbox.comment(NAME, face.number, "/plan", "bob")
    for _ in range(2):
        face.forge.react(face.number, str(said.id), "seen")
    assert [one.reactions for one in face.forge.comments(face.number)] == [{"seen"}]
    face.forge.react(face.number, str(said.id), "done")
    assert [one.reactions for one in face.make().comments(face.number)] == [{"seen", "done"}]
    assert len(said.reactions) == 2
    other = face.sandbox.comment(NAME, face.number, "/plan", "bob")
    face.forge.react(face.number, str(other.id), "refused")
    assert [one.reactions for one in face.forge.comments(face.number)][1] == {"refused"}


# Remarks


def test_remarks_are_placed_once_and_go_when_they_are_no_longer_meant(face: Face) -> None:
    assert face.forge.ensure_remarks(face.number, face.head, "fix", (fix(), fix(1, "Name it."))) is True
    assert face.beside() == [(FILE, 4, "Write a version."), (FILE, 1, "Name it.")]
    assert face.forge.ensure_remarks(face.number, face.head, "fix", (fix(), fix(1, "Name it."))) is False
    assert face.make().ensure_remarks(face.number, face.head, "fix", (fix(1, "Name it."),)) is True
    assert face.beside() == [(FILE, 1, "Name it.")]
    face.forge.pull(face.number)
    assert face.forge.ensure_remarks(face.number, face.head, "fix", ()) is True
    assert face.beside() == []


def test_a_line_that_the_pull_request_does_not_show_gets_no_remark(face: Face) -> None:
    elsewhere = (fix(99), Remark("README.md", 1, "Not changed here."), Remark("none.txt", 1, "No such file."))
    assert face.forge.ensure_remarks(face.number, face.head, "fix", elsewhere) is False
    assert face.beside() == []


def test_remarks_go_though_the_pull_request_was_read_before_they_came(face: Face) -> None:
    face.forge.pull(face.number)
    face.forge.ensure_remarks(face.number, face.head, "fix", (fix(),))
    assert face.forge.ensure_remarks(face.number, face.head, "fix", ()) is True
    assert face.beside() == []


def test_remarks_of_others_stay(face: Face) -> None:
    face.forge.ensure_remarks(face.number, face.head, "fix", (fix(),))
    ours = next(iter(face.sandbox.world.repository(NAME).review_comments.values()))
    ours.user = face.sandbox.world.user("eve")
    face.forge.pull(face.number)
    assert face.forge.ensure_remarks(face.number, face.head, "fix", ()) is False
    assert len(face.sandbox.world.repository(NAME).review_comments) == 1


def test_no_remark_and_none_there_costs_no_request(face: Face) -> None:
    face.forge.pull(face.number)
    face.asked()
    assert face.forge.ensure_remarks(face.number, face.head, "fix", ()) is False
    assert len(face.asked()) <= 1
