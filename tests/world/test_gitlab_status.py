"""Commit statuses at GitLab: on the right project and pipeline, and never stuck in its state machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from bot.core.tree import Oid
from bot.forges.ensure import UnknownOutcomeError
from bot.ports import OutsideWorldError, Status
from bot.sandbox import Fault, Sandbox
from bot.sandbox.gitlab_state import GitLabState
from tests.world.gitlab_stage import BROKEN, NAME, READY, WAITS, Stage

pytestmark = pytest.mark.world
OTHER = Status("causeway", "pending", "Waits for 2 approvals")


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    made = Stage(sandbox)
    yield made
    made.gitlab.close()


def words(stage: Stage, sha: str | None = None) -> list[str]:
    """GitLab's own words for every status of the commit."""
    held = stage.forge.statuses(NAME, sha or stage.head)
    return [stage.forge.gitlab.word(one) for one in held if one.context == "causeway"]


def said(stage: Stage) -> tuple[str, str]:
    found = stage.gitlab.status(stage.head, "causeway")
    assert found is not None
    return found.state, found.description


@pytest.mark.parametrize(
    ("first", "second"), list(product((READY, WAITS, BROKEN), (READY, OTHER, BROKEN))),
    ids=lambda one: one.description[:8],
)  # fmt: skip
def test_every_verdict_can_follow_every_other(stage: Stage, first: Status, second: Status) -> None:
    third = dataclasses.replace(second, description="Once more")
    for status in (first, second, third):
        stage.gitlab.ensure_status(stage.head, status)
        assert said(stage) == (status.state, status.description)
        assert stage.gitlab.ensure_status(stage.head, status) is False


def test_a_pending_status_changes_its_words_by_the_legal_moves_alone(stage: Stage) -> None:
    stage.gitlab.ensure_status(stage.head, WAITS)
    stage.gitlab.ensure_status(stage.head, OTHER)
    assert words(stage) == ["running"]
    stage.gitlab.ensure_status(stage.head, WAITS)
    assert words(stage) == ["canceled", "pending"]
    assert not [one for one in stage.forge.requests if one.status == 400]


def test_a_word_whose_answer_was_lost_is_read_back(stage: Stage) -> None:
    stage.forge.faults.append(Fault("POST", r".*/statuses/.*", after=502, times=3))
    assert stage.gitlab.ensure_status(stage.head, WAITS) is True
    assert words(stage) == ["pending"]


def test_a_move_that_another_worker_made_meanwhile_is_read_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.gitlab.ensure_status(stage.head, WAITS)
    real, first = GitLabState.set_status, iter([True])

    def raced(*args: Any, **named: Any) -> Any:
        if next(first, False):
            real(*args, **named | {"description": "Something else"})
        return real(*args, **named)

    monkeypatch.setattr(GitLabState, "set_status", raced)
    assert stage.gitlab.ensure_status(stage.head, OTHER) is True
    assert said(stage) == (OTHER.state, OTHER.description)
    assert [one.status for one in stage.forge.requests if "/statuses/" in one.path].count(400) == 1


def test_a_refusal_for_another_reason_is_told(stage: Stage) -> None:
    stage.forge.faults.append(Fault("POST", r".*/statuses/.*", before=400))
    with pytest.raises(OutsideWorldError, match="400"):
        stage.gitlab.ensure_status(stage.head, READY)


def test_a_status_that_cannot_be_set_is_given_up_in_our_words(stage: Stage) -> None:
    stage.forge.faults.append(Fault("POST", r".*/statuses/.*", before=502, times=100))
    with pytest.raises(UnknownOutcomeError, match="502"):
        stage.gitlab.ensure_status(stage.head, READY)
    assert sum(stage.slept) < 60


# Where it belongs


def test_it_joins_the_pipeline_of_the_head_and_follows_it_to_a_newer_one(stage: Stage) -> None:
    state, repo = stage.forge.gitlab, stage.forge.world.repository(NAME)
    first = state.add_pipeline(repo, stage.head, "topic", "push")
    stage.gitlab.pull(stage.number)
    stage.gitlab.ensure_status(stage.head, READY)
    newer = state.add_pipeline(
        repo, stage.head, f"refs/merge-requests/{stage.number}/head", "merge_request_event", stage.number
    )
    assert stage.gitlab.ensure_status(stage.head, READY) is False, "nobody looked yet"
    stage.gitlab.pull(stage.number)
    assert stage.gitlab.status(stage.head, "causeway") is None, "the pipeline that decides holds none"
    assert stage.gitlab.ensure_status(stage.head, READY) is True
    assert sorted(state.jobs.values()) == [first.id, newer.id]


def test_without_a_pipeline_it_makes_one_on_the_branch_of_the_merge_request(stage: Stage) -> None:
    stage.forge.set_branch(NAME, "another-branch-of-the-same-commit", stage.head, "ada")
    stage.gitlab.pull(stage.number)
    stage.gitlab.ensure_status(stage.head, READY)
    (made,) = stage.forge.gitlab.pipelines
    assert (made.ref, made.source, made.sha) == ("topic", "external", stage.head)


def test_of_merged_results_it_stands_at_the_commit_that_the_pipeline_runs_on(stage: Stage) -> None:
    repo = stage.forge.world.repository(NAME)
    merged = stage.forge.commit(NAME, "merged-result", {"m.txt": "1\n"}, "Merged", "ada", base="topic")
    ref = f"refs/merge-requests/{stage.number}/merge"
    pipeline = stage.forge.gitlab.add_pipeline(repo, merged, ref, "merge_request_event", stage.number)
    pull = stage.gitlab.pull(stage.number)
    assert stage.gitlab.ensure_status(pull.head_sha, READY) is True
    assert words(stage, merged) == ["success"]
    assert list(stage.forge.gitlab.jobs.values()) == [pipeline.id]
    assert stage.gitlab.status(pull.head_sha, "causeway") == READY


def test_a_pipeline_of_the_head_before_is_no_place_for_the_verdict_on_this_one(stage: Stage) -> None:
    state, repo, old = stage.forge.gitlab, stage.forge.world.repository(NAME), stage.head
    result = stage.forge.commit(NAME, "merged-result", {"m.txt": "1\n"}, "Merged", "ada", base="topic")
    ref = f"refs/merge-requests/{stage.number}"
    state.add_pipeline(repo, old, f"{ref}/head", "merge_request_event", stage.number)
    head = Oid(stage.forge.commit(NAME, "topic", {"a.txt": "2\n"}, "More", "ada"))
    for number, sha in enumerate((old, result), 1):
        # What GitLab still names as the head's pipeline, until it has made the new one.
        kind = "head" if sha == old else "merge"
        state.add_pipeline(repo, sha, f"{ref}/{kind}", "merge_request_event", stage.number)
        assert stage.gitlab.pull(stage.number).head_sha == head
        stage.gitlab.ensure_status(head, dataclasses.replace(BROKEN, description=f"{number} problems"))
    assert words(stage, old) == words(stage, result) == []
    assert words(stage, head) == ["failed", "failed"]


def test_a_merged_result_that_is_gone_leaves_the_branch(stage: Stage) -> None:
    state, repo = stage.forge.gitlab, stage.forge.world.repository(NAME)
    ref = f"refs/merge-requests/{stage.number}/merge"
    state.add_pipeline(repo, "ab" * 20, ref, "merge_request_event", stage.number)
    assert stage.gitlab.pull(stage.number).head_sha == stage.head
    assert stage.gitlab.ensure_status(stage.head, READY) is True
    assert words(stage) == ["success"]


def test_a_fork_gets_its_status_here_where_the_bot_may_write(stage: Stage) -> None:
    fork = stage.forge.fork(NAME, "ada")
    stage.forge.commit(fork, "theirs", {"b.txt": "1\n"}, "Add b", "ada")
    number = stage.forge.open_pull(NAME, "From a fork", "ada:theirs", "main", "ada")
    stage.forge.grant(fork, stage.bot.login, "none")
    pull = stage.gitlab.pull(number)
    assert pull.fork
    assert stage.gitlab.ensure_status(pull.head_sha, READY) is True
    assert stage.gitlab.status(pull.head_sha, "causeway") == READY
    (made,) = stage.forge.gitlab.pipelines
    assert (made.ref, made.repository) == (f"refs/merge-requests/{number}/head", int(stage.repository))


# What fits


def test_a_description_too_long_is_never_sent_and_a_long_address_is_left_out(stage: Stage) -> None:
    stage.calls()
    with pytest.raises(ValueError, match="255"):
        stage.gitlab.ensure_status(stage.head, Status("causeway", "success", "x" * 256))
    assert stage.calls() == []
    long = Status("causeway", "success", "x" * 255, "https://causeway.example.com/" + "y" * 255)
    assert stage.gitlab.ensure_status(stage.head, long) is True
    assert stage.gitlab.ensure_status(stage.head, long) is False


def test_statuses_of_others_are_no_answer(stage: Stage) -> None:
    for name in ("ci", "causeway-other"):
        stage.forge.gitlab.set_status(
            stage.forge.world.repository(NAME), stage.head, stage.ada, word="success", name=name, description="theirs",
            url=None, ref=None, pipeline_id=None,
        )  # fmt: skip
    assert stage.gitlab.status(stage.head, "causeway") is None
    assert stage.gitlab.ensure_status(Oid(stage.head), READY) is True
