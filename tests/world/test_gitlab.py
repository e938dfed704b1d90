"""The GitLab adapter against the sandbox: what it reads, what it writes once, and who people are."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator

import pytest

from bot.core.tree import Oid
from bot.forges.gitlab import GitLab
from bot.forges.gitlab_bodies import COMMENT_LIMIT
from bot.forges.marker import Marker
from bot.ports import Forge, GoneError, Opening, OutsideWorldError
from bot.sandbox import Sandbox
from tests.world.gitlab_stage import NAME, READY, SECRET, A, B, Stage

pytestmark = pytest.mark.world


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    made = Stage(sandbox)
    yield made
    made.gitlab.close()


def test_it_is_the_port(stage: Stage) -> None:
    port: Forge = stage.gitlab
    assert port.repository().id == stage.repository


# Reading


def test_a_merge_request_is_read_as_it_stands(stage: Stage) -> None:
    pull = stage.gitlab.pull(stage.number)
    assert (pull.number, pull.state, pull.merged, pull.draft, pull.fork) == (stage.number, "open", False, False, False)
    assert (pull.head_sha, pull.base_ref, pull.title) == (stage.head, "main", "Add a")
    assert pull.author_id == str(stage.ada.id)
    assert pull.landed_sha is None
    assert pull.web_url.endswith(f"/{NAME}/-/merge_requests/{stage.number}")


@pytest.mark.parametrize("method", ["merge", "squash", "fast_forward"])
def test_a_merged_one_names_the_commit_that_it_landed_as(stage: Stage, method: str) -> None:
    landed = stage.forge.merge(NAME, stage.number, method, "ada")  # type: ignore[arg-type]  # one of its words
    after = stage.gitlab.pull(stage.number)
    assert (after.state, after.merged, after.landed_sha) == ("closed", True, landed)
    assert stage.gitlab.pulls_of_commit(Oid(landed)) == (stage.number,)


def test_a_list_and_a_single_look_say_the_same(stage: Stage) -> None:
    assert stage.gitlab.open_pulls() == (stage.gitlab.pull(stage.number),)


def test_a_project_in_a_subgroup_is_found_by_its_id_wherever_it_moves(stage: Stage) -> None:
    for name in ("acme/teams/platform", "other/deep/er/platform"):
        stage.forge.rename_repository(stage.gitlab.repository().full_name, name)
        assert stage.gitlab.repository().full_name == name
    assert stage.gitlab.repository().web_url == f"{stage.forge.url}/other/deep/er/platform/-"


def test_after_its_merge_request_the_project_is_believed_once_and_a_move_is_seen_at_once(stage: Stage) -> None:
    first = stage.gitlab.repository()
    stage.gitlab.pull(stage.number)
    stage.calls()
    assert stage.gitlab.repository() == first
    assert stage.calls() == []
    assert stage.gitlab.repository() == first
    assert len(stage.calls()) == 1
    stage.forge.rename_repository(NAME, "acme/moved")
    stage.gitlab.pull(stage.number)
    assert stage.gitlab.repository().full_name == "acme/moved"


def test_what_does_not_exist_or_is_not_ours_to_see_is_gone(stage: Stage) -> None:
    stranger = stage.forge.create_user("stranger", permission="none")
    for ask in (
        lambda: stage.gitlab.pull(999),
        lambda: stage.adapter("999999").repository(),
        lambda: stage.adapter(token=stranger.token).repository(),
        lambda: stage.gitlab.ensure_comment(999, "plan", A, "text"),
        lambda: stage.gitlab.ensure_status(Oid("0" * 40), READY),
        lambda: stage.gitlab.pulls_of_commit(Oid("0" * 40)),
    ):
        with pytest.raises(GoneError):
            ask()


def test_a_wrong_token_is_refused_in_words_without_the_token(stage: Stage) -> None:
    with pytest.raises(OutsideWorldError, match="401") as refused:
        stage.adapter(token="not-a-token-of-anyone").repository()
    assert "not-a-token" not in str(refused.value)


def test_git_gets_the_head_by_gitlabs_ref_with_the_token_in_a_header(stage: Stage) -> None:
    remote = stage.gitlab.remote()
    assert remote.authorization is not None
    assert base64.b64decode(remote.authorization.removeprefix("Basic ")).decode() == f"oauth2:{stage.bot.token}"
    assert stage.bot.token not in remote.url
    told = subprocess.run(
        ["git", "-c", f"http.extraHeader=Authorization: {remote.authorization}", "ls-remote", remote.url,
         stage.gitlab.pull_ref(stage.number)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split() == [stage.head, f"refs/merge-requests/{stage.number}/head"]


def test_what_changed_is_told_once_and_costs_one_request_where_nothing_did(stage: Stage) -> None:
    first = stage.gitlab.changed_since("")
    assert [one.number for one in first.pulls or ()] == [stage.number]
    stage.calls()
    assert stage.gitlab.changed_since(first.mark).pulls is None
    assert len(stage.calls()) == 1
    stage.forge.commit(NAME, "other", {"b.txt": "1\n"}, "Add b", "ada")
    other = stage.forge.open_pull(NAME, "Add b", "other", "main", "ada")
    second = stage.gitlab.changed_since(first.mark)
    assert other in [one.number for one in second.pulls or ()]


def test_lists_are_read_to_their_end(stage: Stage) -> None:
    for index in range(120):
        stage.forge.comment(NAME, stage.number, f"comment {index}", "ada")
    assert len(stage.gitlab.comments(stage.number)) == 120
    stage.gitlab.ensure_comment(stage.number, "plan", A, "One")
    assert stage.gitlab.ensure_comment(stage.number, "plan", A, "One") is False


# Comments and issues of our own


def test_a_note_is_made_once_edited_when_its_digest_differs_and_otherwise_left_alone(stage: Stage) -> None:
    assert stage.gitlab.comment_digest(stage.number, "plan") is None
    assert stage.gitlab.ensure_comment(stage.number, "plan", A, "One") is True
    assert stage.gitlab.ensure_comment(stage.number, "plan", A, "words that moved by themselves") is False
    (first,) = stage.forge.comments(NAME, stage.number)
    assert stage.gitlab.ensure_comment(stage.number, "plan", B, "Two") is True
    (second,) = stage.forge.comments(NAME, stage.number)
    assert (second.id, second.body.splitlines()[0]) == (first.id, "Two")
    assert stage.gitlab.comment_digest(stage.number, "plan") == B
    assert stage.adapter().ensure_comment(stage.number, "plan", B, "Two") is False


def test_a_planted_marker_counts_for_nothing_and_twins_of_ours_go(stage: Stage) -> None:
    marker = Marker(SECRET, f"comment:{stage.repository}:{stage.number}")
    stage.forge.comment(NAME, stage.number, marker.sign("theirs", "plan", B), "ada")
    for digest in (A, B):
        stage.forge.comment(NAME, stage.number, marker.sign(digest, "plan", digest), stage.bot.login)
    assert stage.gitlab.ensure_comment(stage.number, "plan", A, "One") is True
    assert [body.splitlines()[0] for body in stage.bodies()] == ["theirs", A]


def test_no_note_of_ours_runs_a_quick_action(stage: Stage) -> None:
    bodies = ["/merge", "text\n/close", "  /approve", "- /assign @ada", "> /close", "```\n/close\n```\n/merge",
              "<details>\n/close\n</details>"]  # fmt: skip
    for index, body in enumerate(bodies):
        stage.gitlab.ensure_comment(stage.number, f"key{index}", A, body)
        stage.gitlab.ensure_comment(stage.number, f"key{index}", B, body)
    stage.gitlab.ensure_issue("halt", "Halted", "/close")
    assert stage.forge.gitlab.commands == []
    assert all("&#47;" in body or "```" in body for body in stage.bodies())
    stage.forge.world.user("ada")
    assert len(stage.bodies()) == len(bodies)


def test_a_comment_too_long_is_never_sent(stage: Stage) -> None:
    stage.calls()
    with pytest.raises(ValueError, match="1000000"):
        stage.gitlab.ensure_comment(stage.number, "plan", A, "x" * (COMMENT_LIMIT - 20))
    assert stage.calls() == []
    assert stage.gitlab.ensure_comment(stage.number, "plan", A, "x" * (COMMENT_LIMIT - 200)) is True


def test_one_issue_is_open_while_there_is_something_to_say(stage: Stage) -> None:
    for body in ("Run this.", "Run this.", "Run that."):
        stage.gitlab.ensure_issue("halt", "Delivery halted", body)
    (issue,) = stage.forge.issues(NAME)
    assert (issue.state, (issue.body or "").splitlines()[0]) == ("open", "Run that.")
    stage.gitlab.ensure_issue("halt", "Delivery halted", None)
    stage.gitlab.ensure_issue("halt", "Delivery halted", None)
    assert [one.state for one in stage.forge.issues(NAME)] == ["closed"]


def test_a_pull_request_of_our_own_is_opened_once(stage: Stage) -> None:
    stage.forge.commit(NAME, "causeway/hold-prod", {"h.txt": "1\n"}, "Hold prod", stage.bot.login)
    opening = Opening("causeway/hold-prod", "main", "Hold prod", "Because.\n/merge")
    number = stage.gitlab.open_pull(opening)
    assert stage.gitlab.open_pull(opening) == number
    pull = stage.forge.pull(NAME, number)
    assert (pull.title, pull.user.login) == ("Hold prod", stage.bot.login)
    assert "\n/merge" not in (pull.body or "")


# What it costs


def test_an_unchanged_review_costs_six_requests_at_most(stage: Stage) -> None:
    def review(gitlab: GitLab) -> None:
        pull = gitlab.pull(stage.number)
        gitlab.remote()
        gitlab.comments(stage.number)
        gitlab.ensure_status(pull.head_sha, READY)
        assert gitlab.pull(stage.number).head_sha == pull.head_sha
        gitlab.ensure_comment(stage.number, "plan", A, "One")

    review(stage.gitlab)
    stage.calls()
    review(stage.gitlab)
    asked = stage.calls()
    assert [method for method, _ in asked] == ["GET"] * 5, asked
    assert stage.slept == []


@pytest.mark.parametrize("base", ["/gitlab/api/v4", "/gitlab", "/gitlab/api/v4/"])
def test_an_instance_below_a_path_is_asked_below_it(stage: Stage, base: str) -> None:
    adapter = GitLab(stage.forge.url + base, stage.repository, lambda: "t", SECRET, sleep=stage.slept.append)
    stage.calls()
    with pytest.raises(GoneError):
        adapter.repository()
    assert stage.calls() == [("GET", f"/gitlab/api/v4/projects/{stage.repository}")]
