"""Commands where something is in the way: a right that is missing, a fork that waits, the same wish in other words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.core.command import commands
from bot.core.model.command import PlanCommand
from bot.flows.review import review
from bot.ports import OutsideWorldError
from bot.sandbox import Fault, Sandbox
from tests.core.made import PLATFORM, Files, service
from tests.world.faces import FACES, stage_at
from tests.world.stage import BOT, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world

OUTSIDER, WRITER, LEAD, SECOND = "mallory", "wendy", "paula", "pete"


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def staged(face: str, sandbox: Sandbox, root: Path, files: Files | None = None) -> Stage:
    made = stage_at(face, sandbox, root, {**PLATFORM, **service("a"), **(files or {})})
    sandbox.create_user(OUTSIDER, permission="read")
    for login in (WRITER, LEAD, SECOND):
        sandbox.create_user(login, permission="write")
    for login in (LEAD, SECOND):
        sandbox.join("acme/platform", login)
    made.deliver()
    return made


def answer(stage: Stage, number: int, body: str, by: str) -> str:
    """What the bot says to a comment; empty where it says nothing."""
    before = {one.id for one in stage.sandbox.comments(REPO, number)}
    stage.sandbox.comment(REPO, number, body, by)
    review(number, stage.place, stage.bell, "")
    new = [one for one in stage.sandbox.comments(REPO, number) if one.user.login == BOT and one.id not in before]
    return "".join(one.body.partition("<!--")[0].strip() for one in new if not one.body.startswith("###"))


def bots_pulls(stage: Stage) -> list[int]:
    return [one.number for one in stage.sandbox.world.repository(REPO).pulls() if one.user.login == BOT]


def test_a_verdict_waits_for_no_reaction_and_what_cannot_be_marked_is_not_carried_out(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stage = staged(face, sandbox, tmp_path)
    number = stage.open(service("a", image="2.0.0"))
    sandbox.comment(REPO, number, "/hold prod because it burns", LEAD)
    refused = Fault("POST", r".*/(reactions|award_emoji)", before=404, times=1)
    sandbox.faults.append(refused)
    with pytest.raises(OutsideWorldError):
        review(number, stage.place, stage.bell, "")
    status, comment = stage.said(number)
    assert status.startswith("success: Ready")
    assert comment is not None
    assert bots_pulls(stage) == []
    review(number, stage.place, stage.bell, "")
    assert len(bots_pulls(stage)) == 1, "the next look carries it out"


def test_what_the_answer_of_a_waiting_fork_says_to_write_is_understood_when_it_is_copied(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stage, number, head = waiting_fork(face, sandbox, tmp_path)
    said = answer(stage, number, "/plan", WRITER)
    found = re.search(r"/plan [^: `]+", said)
    assert found is not None
    assert commands(found[0]) == (PlanCommand(head[:12]),)


def test_no_command_reads_a_fork_that_waits(face: str, sandbox: Sandbox, tmp_path: Path) -> None:
    stage, number, head = waiting_fork(face, sandbox, tmp_path)
    assert "ghcr.io/acme/a:1.0.0" in answer(stage, number, "/explain a prod image", WRITER)
    assert "No service is changed here" in answer(stage, number, "/waive x until 2099-01-01 because y", WRITER)
    answer(stage, number, f"/plan {head[:12]}", WRITER)
    assert "ghcr.io/acme/a:2.0.0" in answer(stage, number, "/explain a prod image", WRITER)


def test_where_causeway_only_watches_a_fork_that_waits_blocks_nothing(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stage, number, head = waiting_fork(face, sandbox, tmp_path, "mode: observe\n")
    status, comment = stage.review(number)
    assert status == f"success: Observing: waits for a member to comment /plan {head[:12]}: this comes from a fork"
    assert comment is not None
    assert comment.startswith("### 👁 Observing: waits for a member")
    assert "ghcr.io/acme/a:1.0.0" in answer(stage, number, "/explain a prod image", WRITER)


def waiting_fork(face: str, sandbox: Sandbox, root: Path, more: str = "") -> tuple[Stage, int, str]:
    stage = staged(
        face, sandbox, root, {"platform/config.yaml": PLATFORM["platform/config.yaml"] + f"forks: ask\n{more}"}
    )
    theirs = sandbox.fork(REPO, OUTSIDER)
    data = {path: text.encode() for path, text in service("a", image="2.0.0").items()}
    sandbox.commit(theirs, "fix", data, "A fix", OUTSIDER, base="main")
    number = sandbox.open_pull(REPO, "A fix", f"{OUTSIDER}:fix", "main", OUTSIDER)
    return stage, number, sandbox.pull(REPO, number).head_sha


def test_the_same_wish_in_other_words_is_shown_what_is_open_already(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stage = staged(face, sandbox, tmp_path)
    number = stage.open({"README.md": "x"})
    answer(stage, number, "/hold prod because one", LEAD)
    (held,) = bots_pulls(stage)
    assert f"{stage.place.dialect.reference(held)} is open" in answer(stage, number, "/hold prod because two", SECOND)
    assert bots_pulls(stage) == [held]
