"""What a person is told while it takes long, where Causeway only watches, and where delivery halts: on both forges."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.core import words
from bot.core.model.ask import ReviewAsk
from bot.core.model.conversation import Said
from bot.sandbox import Sandbox
from bot.thinking import Thinking
from tests.core.made import BROKEN, service
from tests.core.made import PLATFORM as BASE
from tests.world.faces import FACES, beside, stage_at
from tests.world.stage import GITOPS, PLATFORM

pytestmark = [pytest.mark.world, pytest.mark.parametrize("face", FACES)]
FILES = {**BASE, **service("a"), **service("b")}
OBSERVING = {**FILES, "platform/config.yaml": BASE["platform/config.yaml"] + "mode: observe\n"}


class Slow(Thinking):
    """Takes its time over reviews, and notes what the pull request is told meanwhile."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.meanwhile: list[str] = []

    def review(self, ask: ReviewAsk) -> Said:
        time.sleep(1.0)
        told = self.sandbox.newest_statuses(PLATFORM, ask.head_sha)
        self.meanwhile += [f"{one.state}: {one.description}" for one in told.values()]
        return super().review(ask)


def test_a_look_that_takes_long_is_pending_first(
    face: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.flows.looking.SLOW_SECONDS", 0.3)
    core = Slow(sandbox)
    on = stage_at(face, sandbox, tmp_path, FILES, core)
    number = on.open(dict(service("a", image="2")))
    said, _ = on.review(number)
    assert core.meanwhile == [f"pending: {words.LOOKING}"]
    assert said.startswith("success: Ready")


def test_observe_comments_on_everything_blocks_nothing_and_pushes_nothing(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    on = stage_at(face, sandbox, tmp_path, OBSERVING)
    before = sandbox.head(GITOPS)
    on.deliver()
    changes = (service("a", image="2"), service("a", BROKEN), {"platform/teams.yaml": "teams: [\n"})
    for at, edits in enumerate(changes):
        number = on.open(dict(edits), branch=f"change-{at}")
        status, comment = on.review(number)
        assert status.startswith("success: Observing")
        assert comment is not None
        assert "Nothing is blocked and nothing is pushed" in comment
    on.merge(1)
    assert sandbox.head(GITOPS) == before
    assert on.said(1)[0].startswith("success: Observing")
    assert on.issues() == []


def test_a_delivery_that_halts_without_a_pull_request_keeps_one_issue_until_it_goes_on(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    on = stage_at(face, sandbox, tmp_path, FILES)
    on.deliver()
    on.push({"platform/teams.yaml": "teams: [\n"})
    for _ in range(3):
        on.deliver()
    (issue,) = on.issues()
    assert "platform/teams.yaml" in issue
    assert "closes by itself" in issue
    on.push({"platform/teams.yaml": BASE["platform/teams.yaml"]})
    on.deliver()
    assert on.issues() == []


def test_a_red_verdict_of_ours_is_never_a_reason_for_the_next_one(face: str, sandbox: Sandbox, tmp_path: Path) -> None:
    on = stage_at(face, sandbox, tmp_path, FILES)
    number = on.open(dict(service("a", BROKEN)), branch="topic")
    assert on.review(number)[0].startswith("failure: ")
    assert on.review(number)[0].startswith("failure: ")
    mended = {path: text.encode() for path, text in service("a", image="3").items()}
    sandbox.commit(PLATFORM, "topic", mended, "Mend", "dana")
    assert on.review(number)[0].startswith("success: Ready")
    assert beside(on, number) == []
