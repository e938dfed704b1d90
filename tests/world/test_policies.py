"""Policies on the forge: judged by the base's, whatever the pull request does to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.core.made import PLATFORM, Files, service
from tests.core.test_policies import POLICY, RULE
from tests.world.stage import PLATFORM as REPO
from tests.world.stage import Stage

pytestmark = pytest.mark.world
BROKEN = RULE.replace("object.spec.scale.max <= 2", "nonsense(object) <= 2")


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Stage:
    made = Stage(sandbox, tmp_path, {**PLATFORM, **service("a", "scale: 1"), POLICY: RULE})
    made.deliver()
    return made


def said(stage: Stage, branch: str, files: Files, gone: tuple[str, ...] = ()) -> tuple[str, str]:
    edits: dict[str, str | None] = {**files, **dict.fromkeys(gone)}
    status, comment = stage.review(stage.open(edits, branch=branch))
    return status, comment or ""


def test_taking_a_policy_away_weakening_or_breaking_it_in_the_same_pull_request_never_turns_it_green(
    stage: Stage,
) -> None:
    large = service("a", "scale: 3")
    moves: dict[str, tuple[Files, tuple[str, ...]]] = {
        "as-it-is": ({}, ()),
        "gone": ({}, (POLICY,)),
        "weak": ({POLICY: RULE.replace("<= 2", "<= 99")}, ()),
        "unbound": ({POLICY: RULE.partition("---")[0]}, ()),
        "audit": ({POLICY: RULE.replace("[Deny]", "[Audit]")}, ()),
        "broken": ({POLICY: BROKEN}, ()),
        "bent": ({POLICY: RULE.replace("resources: [workloads]", "resources: [pods]")}, ()),
    }
    for branch, (files, gone) in moves.items():
        status, comment = said(stage, branch, {**large, **files}, gone)
        assert status.startswith("failure: "), (branch, status)
        assert POLICY in comment if branch == "broken" else "t most 2, not 3" in comment, branch


def test_a_base_whose_policies_cannot_be_read_is_judged_by_the_last_ones_that_could(stage: Stage) -> None:
    stage.push({POLICY: BROKEN}, "Straight in")
    status, comment = said(stage, "mend", {**service("a", "scale: 3"), POLICY: RULE})
    assert status.startswith("failure: ")
    assert "t most 2, not 3" in comment
    stage.sandbox.create_user("mallory", permission="write")
    mended = {POLICY: RULE.replace("<= 2", "<= 4").encode()}
    stage.sandbox.commit(REPO, "only-mend", mended, "Mend it", "mallory", base="main")
    status, _ = stage.review(stage.sandbox.open_pull(REPO, "Mend it", "only-mend", "main", "mallory"))
    assert status == "pending: Waits for 1 approval of @acme/platform"


def test_policies_that_cannot_be_read_are_not_delivered_and_what_ran_goes_on(stage: Stage) -> None:
    before = stage.owned_files()
    stage.push({POLICY: BROKEN}, "Straight in")
    stage.deliver()
    assert stage.owned_files() == before
