"""GitHub's webhooks: who is woken, who is turned away, and that no body breaks the door."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.core.event import Denied, Event, Ignored
from bot.forges import FORGES
from bot.forges.github_delivery import parse_delivery
from bot.forges.marker import Marker
from tests.reference import folder, needs

FILES = sorted(folder("github-webhooks").glob("*.json"))
SECRET = "a secret of sixteen characters"

KINDS = {
    "atlantis.githubIssueCommentEvent": "issue_comment",
    "atlantis.githubPullRequestClosedEvent": "pull_request",
    "atlantis.githubPullRequestOpenedEvent": "pull_request",
    "packit.checkrun_rerequested": "check_run",
    "packit.installation_created": "installation",
    "packit.pr": "pull_request",
    "packit.pr_comment_build": "issue_comment",
    "packit.push": "push",
}
EVENTS = {
    "atlantis.githubIssueCommentEvent": Event("pull", "136474117", number=1),
    "atlantis.githubPullRequestClosedEvent": Event("pull", "136474117", number=2),
    "atlantis.githubPullRequestOpenedEvent": Event("pull", "136474117", number=2),
    "check_suite.rerequested": Event("pull", "186853002", number=2),
    "packit.pr": Event("pull", "156365951", number=342),
    "packit.pr_comment_build": Event("pull", "184635124", number=9),
    "pull_request.closed": Event("pull", "186853002", number=2),
    "pull_request.converted_to_draft": Event("pull", "186853002", number=2),
    "pull_request.opened": Event("pull", "186853002", number=2),
    "pull_request.opened.with-null-body": Event("pull", "186853002", number=2),
    "pull_request.opened.with-organization": Event("pull", "186853002", number=2),
    "pull_request.ready_for_review": Event("pull", "186853002", number=2),
    "pull_request.reopened": Event("pull", "186853002", number=2),
    "pull_request.synchronize": Event("pull", "186853002", number=2),
    "push.with-new-branch": Event("push", "186853002"),
}


def signed(body: bytes, kind: str, secret: str = SECRET) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-github-event": kind,
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def read(kind: str, payload: Mapping[str, Any]) -> object:
    body = json.dumps(payload).encode()
    return parse_delivery(signed(body, kind), body, [SECRET])


def pull(**more: object) -> dict[str, Any]:
    return {"action": "opened", "repository": {"id": 7}, "pull_request": {"number": 3}, **more}


@needs("github-webhooks")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_captured_webhook_wakes_exactly_whom_it_concerns(file: Path) -> None:
    kind = KINDS.get(file.stem, file.stem.partition(".")[0])
    body = file.read_bytes()
    delivery = parse_delivery(signed(body, kind), body, [SECRET])
    if file.stem in EVENTS:
        assert delivery == EVENTS[file.stem]
    else:
        assert isinstance(delivery, Ignored)
        assert len(delivery.why) > 10


def test_the_registry_knows_github() -> None:
    assert FORGES["github"] is parse_delivery


def test_a_forged_signature_is_denied_before_the_body_is_read() -> None:
    body = b"{not json"
    assert parse_delivery(signed(body, "ping", "another secret, just as long"), body, [SECRET]) == Denied(
        401, "the signature does not match the webhook's secret"
    )


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "not signed"),
        ({"x-hub-signature": "sha1=" + "0" * 40}, "SHA-1"),
        ({"x-hub-signature-256": "sha1=" + "0" * 40}, "64 hexadecimal"),
        ({"x-hub-signature-256": "sha256=" + "é" * 64}, "64 hexadecimal"),
        ({"x-hub-signature-256": ""}, "64 hexadecimal"),
    ],
)
def test_what_is_not_signed_with_sha256_is_denied(headers: dict[str, str], told: str) -> None:
    delivery = parse_delivery({"x-github-event": "ping", **headers}, b"{}", [SECRET])
    assert isinstance(delivery, Denied)
    assert delivery.status == 401
    assert told in delivery.why


def test_a_sha1_signature_that_is_right_is_denied_all_the_same() -> None:
    body = b"{}"
    sha1 = "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    delivery = parse_delivery({"x-github-event": "ping", "x-hub-signature": sha1}, body, [SECRET])
    assert isinstance(delivery, Denied)
    assert delivery.status == 401


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_genuine(secrets: list[str]) -> None:
    body = b"{}"
    delivery = parse_delivery(signed(body, "ping", ""), body, secrets)
    assert isinstance(delivery, Denied)
    assert delivery.status == 401


def test_two_secrets_are_good_while_one_replaces_the_other() -> None:
    body = json.dumps(pull()).encode()
    for secret in ("the old secret, long", "the new secret, long"):
        delivery = parse_delivery(
            signed(body, "pull_request", secret), body, ["the old secret, long", "the new secret, long"]
        )
        assert delivery == Event("pull", "7", number=3)


def test_one_changed_byte_breaks_the_signature() -> None:
    body = json.dumps(pull()).encode()
    delivery = parse_delivery(signed(body, "pull_request"), body + b" ", [SECRET])
    assert isinstance(delivery, Denied)
    assert delivery.status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 5_000 + b"]" * 5_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
        b"[" + b"[]," * 2_000_000 + b"[]]",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{\x00}\x00",
        b'{"a": NaN}',
        b'{"a": 1} {"a": 2}',
        b"9" * 10_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_genuine_body_that_cannot_be_read_is_denied_and_never_an_exception(body: bytes) -> None:
    delivery = parse_delivery(signed(body, "pull_request"), body, [SECRET])
    assert isinstance(delivery, Denied)
    assert delivery.status == 400


def test_a_form_encoded_webhook_is_told_which_setting_to_change() -> None:
    body = b"payload=%7B%7D"
    headers = signed(body, "ping") | {"content-type": "application/x-www-form-urlencoded"}
    delivery = parse_delivery(headers, body, [SECRET])
    assert isinstance(delivery, Denied)
    assert delivery.status == 400
    assert "application/json" in delivery.why


@pytest.mark.parametrize(
    "payload",
    [
        pull(repository=None),
        pull(repository={"id": "7"}),
        pull(repository={"id": True}),
        pull(repository={"id": 0}),
        pull(repository={"id": 10**19}),
        pull(repository={"id": 7.0}),
        pull(pull_request={"number": -1}),
        pull(pull_request={"number": 10**10}),
        pull(pull_request=[]),
        pull(pull_request={}),
    ],
)
def test_an_event_without_honest_numbers_is_denied(payload: dict[str, Any]) -> None:
    delivery = read("pull_request", payload)
    assert isinstance(delivery, Denied)
    assert delivery.status == 400


def test_a_push_wakes_only_for_the_default_branch() -> None:
    repository = {"id": 7, "default_branch": "trunk"}
    assert read("push", {"ref": "refs/heads/trunk", "repository": repository}) == Event("push", "7")
    for ref in ("refs/heads/main", "refs/tags/trunk", "trunk", "refs/heads/trunk/x", None):
        assert isinstance(read("push", {"ref": ref, "repository": repository}), Ignored)
    assert isinstance(read("push", {"ref": "refs/heads/main", "repository": {"id": 7}}), Denied)


def test_a_merge_group_that_asks_for_checks_wakes_the_queue_by_its_sha() -> None:
    group = {"head_sha": "ab" * 20}
    payload = {"action": "checks_requested", "repository": {"id": 7}, "merge_group": group}
    assert read("merge_group", payload) == Event("queue", "7", sha="ab" * 20)
    assert isinstance(read("merge_group", {**payload, "action": "destroyed"}), Ignored)
    assert isinstance(read("merge_group", {**payload, "merge_group": {"head_sha": "../.."}}), Denied)


def test_a_check_asked_for_again_wakes_the_pull_requests_of_this_repository() -> None:
    def about(*pulls: tuple[int, int]) -> object:
        rows = [{"number": number, "base": {"repo": {"id": repository}}} for number, repository in pulls]
        run = {"pull_requests": rows}
        return read("check_run", {"action": "rerequested", "repository": {"id": 7}, "check_run": run})

    assert about((3, 7)) == Event("pull", "7", number=3)
    assert about((3, 7), (90, 8)) == Event("pull", "7", number=3)
    assert about((4, 7), (3, 7)) == Event("pull", "7", number=3, also=(4,))
    for nobody in ((), ((3, 8),)):
        assert isinstance(about(*nobody), Ignored)


def test_a_check_of_a_fork_names_its_pull_request_by_its_link() -> None:
    """GitHub lists no pull request there."""

    def about(link: object) -> object:
        run = {"pull_requests": [], "details_url": link}
        repository = {"id": 7, "html_url": "https://github.com/acme/platform"}
        return read("check_run", {"action": "rerequested", "repository": repository, "check_run": run})

    assert about("https://github.com/acme/platform/pull/42") == Event("pull", "7", number=42)
    for link in (None, "", "https://evil.example/pull/42", "https://github.com/acme/platform/pull/0", 42):
        assert isinstance(about(link), Ignored)
    assert isinstance(about("https://github.com/acme/platform/pull/42/files"), Ignored)


def test_a_check_of_the_queue_is_asked_for_again_by_its_commit() -> None:
    run = {"pull_requests": [], "head_sha": "ab" * 20, "check_suite": {"head_branch": "gh-readonly-queue/main/pr-3-x"}}
    payload = {"action": "rerequested", "repository": {"id": 7}, "check_run": run}
    assert read("check_run", payload) == Event("queue", "7", sha="ab" * 20)
    run["head_sha"] = "main"
    assert isinstance(read("check_run", payload), Ignored)


def test_a_review_wakes_its_pull_request_and_its_words_do_not() -> None:
    for action in ("submitted", "dismissed"):
        assert read("pull_request_review", pull(action=action)) == Event("pull", "7", number=3)
    assert isinstance(read("pull_request_review", pull(action="edited")), Ignored)
    assert isinstance(read("pull_request_review_comment", pull(action="created")), Ignored)


def test_a_comment_of_the_bots_own_kind_does_not_wake_it_again() -> None:
    def comment(text: str) -> object:
        issue = {"number": 3, "pull_request": {}}
        return read(
            "issue_comment",
            {"action": "created", "repository": {"id": 7}, "issue": issue, "comment": {"body": text}},
        )

    assert comment("/rollback checkout prod") == Event("pull", "7", number=3)
    assert isinstance(comment(Marker("k" * 16, "comment:7:3").sign("A plan", "plan", "ab" * 8)), Ignored)


def test_a_comment_on_an_issue_wakes_only_where_it_may_hold_a_command() -> None:
    def comment(text: str) -> object:
        body = {"action": "created", "repository": {"id": 7}, "issue": {"number": 3}, "comment": {"body": text}}
        return read("issue_comment", body)

    assert comment("Please\n/rollback checkout") == Event("pull", "7", number=3)
    assert isinstance(comment("see /etc/passwd"), Ignored)


GENUINE: Mapping[str, dict[str, Any]] = {
    "pull_request": pull(),
    "push": {"ref": "refs/heads/main", "repository": {"id": 7, "default_branch": "main"}},
    "issue_comment": {
        "action": "created",
        "repository": {"id": 7},
        "issue": {"number": 3, "pull_request": {}},
        "comment": {"body": "hello"},
    },
    "check_run": {
        "action": "rerequested",
        "repository": {"id": 7},
        "check_run": {"pull_requests": [{"number": 3, "base": {"repo": {"id": 7}}}]},
    },
    "pull_request_review": pull(action="submitted"),
    "merge_group": {"action": "checks_requested", "repository": {"id": 7}, "merge_group": {"head_sha": "ab" * 20}},
}
JUNK: tuple[Any, ...] = (None, True, 0, -1, 1.5, 10**30, "", "x", [], [None], [[]], {}, {"id": {}}, {"number": []})


def broken(value: Any) -> Iterator[Any]:
    """`value` with one part at a time replaced by each piece of junk."""
    yield from JUNK
    if isinstance(value, dict):
        for key, part in value.items():
            yield {name: kept for name, kept in value.items() if name != key}
            yield from ({**value, key: worse} for worse in broken(part))
    if isinstance(value, list):
        yield from ([worse] for part in value for worse in broken(part))


@pytest.mark.parametrize("kind", GENUINE)
def test_whatever_part_of_a_payload_is_damaged_there_is_an_answer(kind: str) -> None:
    assert isinstance(read(kind, GENUINE[kind]), Event)
    answers = [read(kind, payload) for payload in broken(GENUINE[kind])]
    assert len(answers) > 40
    assert all(isinstance(answer, Event | Ignored | Denied) for answer in answers)
    assert any(isinstance(answer, Denied) for answer in answers)
