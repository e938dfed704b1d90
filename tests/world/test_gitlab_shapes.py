"""The sandbox's GitLab face says what GitLab says: keys and types held against captured answers and webhooks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.core.event import Event, Ignored
from bot.forges.gitlab_delivery import parse_delivery
from bot.sandbox import Sandbox
from bot.sandbox.gitlab_notes import actions_in
from tests.reference import folder, needs
from tests.world.gitlab_stage import NAME, READY, Stage
from tests.world.sandbox_fixture import Mailbox

pytestmark = pytest.mark.world
SIGNING = "whsec_" + base64.b64encode(bytes(range(32))).decode()

# Keys of captured answers that the sandbox leaves out: nothing of ours reads them, and nobody is misled without.
UNUSED = {
    "_links", "bio", "can_create_group", "can_create_project", "ci_config_path", "color_scheme_id", "confirmed_at",
    "container_registry_enabled", "current_sign_in_at", "identities", "import_status", "last_activity_on",
    "last_sign_in_at", "lfs_enabled", "linkedin", "projects_limit", "public_jobs", "request_access_enabled",
    "resolve_outdated_diff_discussions", "shared_runners_enabled", "shared_with_groups", "skype", "theme_id", "twitter",
    "two_factor_enabled", "printing_merge_request_link_enabled", "stats", "last_pipeline", "email", "created_at",
    "merged_by", "merge_params", "st_diff",
}  # fmt: skip


# Of webhooks, what was said of editing, time tracking and assignees: in none of them does the bot read it.
UNTOLD = (
    "_time", "time_", ".assignee.", ".changes.", "commit_sha", "discussion_id", "human_", "last_edited", "merge_error",
    "merge_user", "merge_when_pipeline_succeeds", "oauth", "position", "resolved", "updated_by",
)  # fmt: skip


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    made = Stage(sandbox)
    yield made
    made.gitlab.close()


def differs(ours: Any, theirs: Any, at: str = "") -> Iterator[str]:
    """Keys that are missing, and values of another kind. An empty one of either side says nothing about its inside."""
    if theirs is None or ours is None:
        return
    if isinstance(theirs, bool) or isinstance(ours, bool) or not isinstance(ours, type(theirs)):
        if type(ours) is not type(theirs):
            yield f"{at}: {type(ours).__name__}, not {type(theirs).__name__}"
    elif isinstance(theirs, dict):
        for key, value in theirs.items():
            if key in ours:
                yield from differs(ours[key], value, f"{at}.{key}")
            elif key not in UNUSED:
                yield f"{at}.{key} is missing"
    elif isinstance(theirs, list) and theirs and ours:
        yield from differs(ours[0], theirs[0], f"{at}[]")


def answer(stage: Stage, path: str) -> Any:
    told = requests.get(stage.forge.gitlab_url + path, headers={"PRIVATE-TOKEN": stage.bot.token}, timeout=5)
    assert told.status_code == 200, told.text
    return told.json()


@needs("gitlab-api-bodies")
@pytest.mark.parametrize(
    ("path", "captured"),
    [
        ("/projects/{id}", "repo"),
        ("/projects/{id}", "subgroup"),
        ("/projects/acme%2Fplatform", "repo"),
        ("/projects/{id}/merge_requests/{iid}", "merge"),
        ("/projects/{id}/merge_requests/{iid}", "merge_with_diffrefs"),
        ("/projects/{id}/merge_requests", "merges"),
        ("/projects/{id}/merge_requests/{iid}/notes", "merge_notes"),
        ("/projects/{id}/merge_requests/{iid}/notes/{note}/award_emoji", "award_emoji[]"),
        ("/projects/{id}/merge_requests/{iid}/discussions", "merge_discussion[]"),
        ("/projects/{id}/repository/commits/{sha}", "commit"),
        ("/projects/{id}/merge_requests/{iid}/commits", "commits"),
        ("/projects/{id}/repository/commits/{sha}/statuses", "statuses"),
        ("/projects/{id}/issues", "issues"),
        ("/projects/{id}/hooks", "hooks"),
        ("/user", "user"),
    ],
)
def test_answers_have_the_keys_and_kinds_of_captured_ones(stage: Stage, path: str, captured: str) -> None:
    note = stage.forge.comment(NAME, stage.number, "/plan", "ada")
    stage.gitlab.react(stage.number, str(note.id), "seen")
    stage.gitlab.ensure_status(stage.head, READY)
    stage.gitlab.ensure_issue("halt", "Halted", "Why")
    stage.forge.create_gitlab_webhook(NAME, "http://127.0.0.1:9/x", "token")
    stage.forge.grant(NAME, stage.bot.login, "admin")
    names = {"id": stage.repository, "iid": stage.number, "note": note.id, "sha": stage.head}
    found = json.loads((folder("gitlab-api-bodies") / f"{captured.removesuffix('[]')}.json").read_text())
    theirs = [found] if captured.endswith("[]") else found
    assert list(differs(answer(stage, path.format(**names)), theirs)) == []


@needs("gitlab-webhooks")
@pytest.mark.parametrize(
    ("kind", "captured"),
    [
        ("Merge Request Hook", "atlantis.gitlab-merge-request-event"),
        ("Note Hook", "packit.mr_comment"),
        ("Push Hook", "packit.push_with_one_commit"),
    ],
)
def test_webhooks_have_the_keys_and_kinds_of_captured_ones(
    stage: Stage, mailbox: Mailbox, kind: str, captured: str
) -> None:
    happen(stage, mailbox)
    theirs = json.loads((folder("gitlab-webhooks") / f"{captured}.json").read_text())
    ours = next(json.loads(body) for headers, body in mailbox.received if headers["x-gitlab-event"] == kind)
    assert [one for one in differs(ours, theirs) if not any(word in one for word in UNTOLD)] == []


def happen(stage: Stage, mailbox: Mailbox) -> None:
    stage.forge.create_gitlab_webhook(NAME, mailbox.url, "a token of sixteen", SIGNING)
    stage.forge.commit(NAME, "main", {"b.txt": "1\n"}, "Add b", "ada")
    stage.forge.commit(NAME, "other", {"c.txt": "1\n"}, "Add c", "ada")
    number = stage.forge.open_pull(NAME, "Add c", "other", "main", "ada")
    stage.forge.commit(NAME, "other", {"c.txt": "2\n"}, "Change c", "ada")
    stage.forge.create_user("bob")
    stage.forge.comment(NAME, number, "/plan", "bob")
    stage.forge.review(NAME, number, "bob")
    stage.forge.merge(NAME, number)
    assert stage.forge.wait_for_webhooks()


def test_what_it_posts_wakes_whom_it_concerns_by_either_proof(stage: Stage, mailbox: Mailbox) -> None:
    happen(stage, mailbox)
    assert mailbox.received
    for secret in ("a token of sixteen", SIGNING):
        woken, ignored = [], 0
        for headers, body in mailbox.received:
            now = float(headers["webhook-timestamp"])
            told = parse_delivery(headers, body, [secret], now)
            if isinstance(told, Event):
                woken.append((told.kind, told.repository, told.number))
            else:
                assert isinstance(told, Ignored)
                ignored += 1
        repository, number = stage.repository, stage.number + 1
        assert set(woken) == {("push", repository, 0), ("pull", repository, number)}
        # The default branch moved twice; opened, pushed to, commented, approved, merged.
        assert (woken.count(("push", repository, 0)), woken.count(("pull", repository, number)), ignored) == (2, 5, 2)


def test_quick_actions_outside_code_are_run_and_taken_away() -> None:
    assert actions_in("text\n/close\nmore `/merge`\n```\n/approve\n```\n") == (
        ["/close"],
        "text\nmore `/merge`\n```\n/approve\n```\n",
    )
    assert actions_in("  /merge\n&#47;merge\n/unknown\n/usr/bin/env") == (
        ["/merge"],
        "&#47;merge\n/unknown\n/usr/bin/env",
    )
