"""The whole bot at GitLab: verdicts, approvals, commands and delivery by the same flows, within six requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.model.conversation import Dialect
from bot.flows.place import Place
from bot.flows.review import review
from bot.forges.gitlab import GitLab
from bot.ports import Core
from bot.sandbox import Sandbox
from tests.core.made import DB, ENVIRONMENTS, PLATFORM, service
from tests.world.stage import BOT, DEVELOPER, MARKER, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world
OWNER, OTHER = "olive", "oscar"


class GitLabStage(Stage):
    """The stage, and a bot that takes its forge for a GitLab."""

    def worker(self, root: Path, core: Core) -> Place:
        return replace(super().worker(root, core), dialect=Dialect("gitlab"))

    def _forge(self, repository: str) -> GitLab:  # type: ignore[override]  # another forge of the same port
        token = self.sandbox.token_for(BOT)
        return GitLab(self.sandbox.gitlab_url, repository, lambda: token, MARKER, sleep=lambda _: None)


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Stage:
    environments = {"platform/environments.yaml": ENVIRONMENTS.replace("  prod:\n", "  prod:\n    approvals: 1\n")}
    made = GitLabStage(sandbox, tmp_path, {**PLATFORM, **service("a", DB), **environments})
    for login in (OWNER, OTHER):
        sandbox.create_user(login)
        sandbox.join("acme/payments", login)
    made.deliver()
    return made


def asked(stage: Stage) -> list[tuple[str, str]]:
    """Requests to the API since the last time."""
    found = [(one.method, one.path) for one in stage.sandbox.requests if one.path.startswith("/api/")]
    stage.sandbox.requests.clear()
    return found


def test_a_change_waits_for_its_approval_lands_and_is_told_with_the_law_kept(stage: Stage) -> None:
    number = stage.open(service("a", DB, "tier: 2"))
    status, comment = stage.review(number)
    assert status.startswith("pending: Waits for 1 approval of @acme/payments")
    assert comment is not None
    assert f"{stage.sandbox.url}/{REPO}/-/blob/" in comment
    stage.sandbox.review(REPO, number, OWNER)
    assert stage.review(number)[0].startswith("success: Ready")
    stage.merge(number)
    status, comment = stage.said(number)
    assert comment is not None
    assert "/-/commit/" in comment
    assert stage.breaches() == ()
    assert stage.sandbox.gitlab.commands == []


def test_an_approval_that_gitlab_keeps_after_a_push_is_asked_for_again(stage: Stage) -> None:
    number = stage.open(service("a", DB, "tier: 2"), branch="topic")
    stage.sandbox.review(REPO, number, OWNER)
    assert stage.review(number)[0].startswith("success")
    stage.sandbox.commit(REPO, "topic", {p: t or "" for p, t in service("a", DB, "tier: 1").items()}, "More", DEVELOPER)
    assert stage.review(number)[0].startswith("pending")


def test_an_unchanged_plan_costs_at_most_six_requests_and_writes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = GitLabStage(sandbox, tmp_path, {**PLATFORM, **service("a")})
    stage.deliver()
    number = stage.open(service("a", "tier: 2"))
    for _ in range(2):
        assert stage.review(number)[0].startswith("success")
    asked(stage)
    stage.review(number)
    seen = asked(stage)
    assert len(seen) <= 6, seen
    assert {method for method, _ in seen} == {"GET"}


def test_a_command_is_answered_once_with_a_reaction_first(stage: Stage) -> None:
    number = stage.open(service("a", DB, "tier: 2"))
    stage.review(number)
    said = stage.sandbox.comment(REPO, number, "/help", OWNER)
    quoted = stage.sandbox.comment(REPO, number, "> /help", OWNER)
    for _ in range(3):
        flow(stage, number)
    assert [one.content for one in said.reactions] == ["eyes", "+1"]
    assert quoted.reactions == []
    answers = [one.body for one in stage.sandbox.comments(REPO, number) if one.user.login == BOT]
    assert len(answers) == 2, "the plan and one answer"
    assert stage.sandbox.gitlab.commands == [], "what the answer teaches is no quick action"


def flow(stage: Stage, number: int) -> None:
    """One more look."""
    review(number, stage.place, stage.bell, f"review-gitlab-{stage.platform_id}-{number}")
