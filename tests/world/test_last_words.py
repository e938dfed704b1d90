"""What is said once a pull request has landed or was closed, and what of the GitOps repo is told beside a plan."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.core.made import DB, PLATFORM, SECRET, service
from tests.world.stage import DEVELOPER, GITOPS, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world

FILES = {**PLATFORM, **service("a"), **service("b")}
DEPLOYMENT = "environments/prod/payments/a/kubernetes/deployment-a.yaml"


def _stage(sandbox: Sandbox, tmp_path: Path, files: dict[str, str] | None = None) -> Stage:
    stage = Stage(sandbox, tmp_path, FILES if files is None else files)
    stage.deliver()
    return stage


def test_a_rollback_that_landed_and_waits_is_no_failure(sandbox: Sandbox, tmp_path: Path) -> None:
    """It passed newer rules because it ran lately; that is as true between the merge and the delivery."""
    stage = _stage(sandbox, tmp_path, {**FILES, **service("a", SECRET)})
    stage.merge(stage.open(dict(service("a", image="2"))))
    back = stage.revert(1)
    assert stage.review(back)[0].startswith("success: ")
    sandbox.merge(REPO, back, "merge", by=DEVELOPER)
    assert stage.review(back)[0].startswith("success: ")
    stage.deliver()
    assert stage.said(back)[0].startswith("success: Delivered")


def test_data_that_was_taken_up_again_is_told_so_after_the_delivery_too(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = _stage(sandbox, tmp_path)
    stage.merge(stage.open(dict(service("a", DB))))
    stage.merge(stage.revert(1))
    again = stage.open(dict(service("a", DB)))
    _, before = stage.review(again)
    stage.merge(again)
    _, after = stage.said(again)
    assert before is not None
    assert "taken up again" in before
    assert after is not None
    assert "taken up again" in after


def test_a_halt_that_a_direct_revert_mends_closes_its_issue(sandbox: Sandbox, tmp_path: Path) -> None:
    """There is nothing to push then, and still something to say."""
    stage = _stage(sandbox, tmp_path)
    stage.push({"platform/teams.yaml": "teams: [\n"})
    stage.deliver()
    assert len(stage.issues()) == 1
    stage.push({"platform/teams.yaml": FILES["platform/teams.yaml"]})
    stage.deliver()
    assert stage.issues() == []


def test_a_closed_pull_request_promises_nothing_any_more(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = _stage(sandbox, tmp_path)
    number = stage.open(dict(service("a", image="2")))
    stage.review(number)
    sandbox.close(REPO, number, by=DEVELOPER)
    _, comment = stage.review(number)
    assert comment is not None
    assert "Closed without merging" in comment
    assert "Ready" not in comment


def test_a_closed_pull_request_that_was_never_commented_on_stays_so(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = _stage(sandbox, tmp_path)
    number = stage.open({"README.md": "hello"})
    stage.review(number)
    sandbox.close(REPO, number, by=DEVELOPER)
    assert stage.review(number)[1] is None


def test_a_foreign_edit_is_told_beside_an_open_plan_until_it_is_restored(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = _stage(sandbox, tmp_path)
    stage.foreign({DEPLOYMENT: b"kind: Other\n"})
    number = stage.open(dict(service("b", image="2")))
    _, comment = stage.review(number)
    assert comment is not None
    assert "Drift" in comment
    assert "environments/prod/payments/a" in comment
    stage.deliver()
    _, comment = stage.review(number)
    assert comment is not None
    assert "Drift" not in comment


def test_a_change_to_two_targets_is_delivered_when_both_have_it(sandbox: Sandbox, tmp_path: Path) -> None:
    environments = FILES["platform/environments.yaml"].replace(
        "  dev:\n    kind: development\n",
        f"  dev:\n    kind: development\n    gitops: {{repo: {GITOPS}, branch: dev}}\n",
    )
    stage = _stage(sandbox, tmp_path, {**FILES, "platform/environments.yaml": environments})
    number = stage.open(dict(service("a", image="2")))
    stage.review(number)
    stage.merge(number)
    status, comment = stage.said(number)
    heads = [sandbox.head(GITOPS, branch)[:7] for branch in ("main", "dev")]
    assert status.startswith("success: Delivered as ")
    assert all(head in status for head in heads)
    assert status.endswith("to dev, prod")
    assert comment is not None
    assert all(head in comment for head in heads)


def test_a_service_that_landed_broken_is_not_called_delivered(sandbox: Sandbox, tmp_path: Path) -> None:
    """An administrator can merge past a red status; what keeps its old version is named."""
    stage = _stage(sandbox, tmp_path)
    number = stage.open({**service("a", SECRET, image="2"), **service("b", image="2")})
    stage.review(number)
    stage.merge(number)
    status, comment = stage.said(number)
    assert status == f"failure: Not whole: delivered as {sandbox.head(GITOPS)[:7]}, but a is not"
    assert comment is not None
    assert "keeps what ran before" in comment


def test_a_hold_that_landed_long_ago_is_no_lag(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It moves no cursor, for nothing that is rendered reads it."""
    stage = Stage(sandbox, tmp_path, {**PLATFORM, **service("a")})
    stage.deliver()
    stage.push({"platform/holds.yaml": "holds:\n  dev: {reason: a sale, by: olive}\n"}, "Hold dev")
    stage.deliver()
    number = stage.open(service("b"))
    later = time.time() + 3600
    monkeypatch.setattr("bot.flows.review.time.time", lambda: later)
    _, comment = stage.review(number)
    assert comment is not None
    assert "Late" not in comment
    stage.push(service("c"), "Nobody delivers this")
    _, comment = stage.review(number)
    assert comment is not None
    assert "Late" in comment
