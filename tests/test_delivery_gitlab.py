"""GitLab's webhooks: who is woken, who is turned away, and that no body breaks the door."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.event import Denied, Event, Ignored
from bot.forges import FORGES
from bot.forges.gitlab_delivery import TOLERANCE_SECONDS, parse_delivery
from bot.forges.marker import Marker
from tests.reference import folder, needs

FILES = sorted(folder("gitlab-webhooks").glob("*.json"))
SECRET = "a secret of sixteen characters"
KEY = bytes(range(32))
SIGNING = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1_800_000_000.0

EVENTS = {
    "atlantis.gitlab-merge-request-comment-event": Event("pull", "5", number=1),
    "atlantis.gitlab-merge-request-comment-event-subgroup": Event("pull", "7804027", number=2),
    "atlantis.gitlab-merge-request-event": Event("pull", "4580910", number=12),
    "atlantis.gitlab-merge-request-event-subgroup": Event("pull", "7804027", number=2),
    "atlantis.gitlabMergeCommentEvent_notAllowlisted": Event("pull", "5", number=1),
    "atlantis.gitlabMergeCommentEvent_shouldIgnore": Event("pull", "5", number=1),
    "packit.mr_closed": Event("pull", "19258958", number=19),
    "packit.mr_comment": Event("pull", "18032222", number=2),
    "packit.mr_event": Event("pull", "18032222", number=1),
    "packit.mr_update_event": Event("pull", "18032222", number=2),
}
REASONS = {
    "atlantis.gitlab-get-merge-request": "nothing in Causeway depends",
    "atlantis.gitlab-get-merge-request-subgroup": "nothing in Causeway depends",
    "packit.commit_comment": "not on a merge request",
    "packit.issue_comment": "not on a merge request",
    "packit.mr_pipeline": "a pipeline that ended",
    "packit.push_branch": "not a push to the default branch",
    "packit.push_with_one_commit": "not a push to the default branch",
    "packit.release": "nothing in Causeway depends",
    "packit.tag_push": "nothing in Causeway depends",
}
EVENTS["packit.push_with_many_commits"] = Event("push", "28084873")


def tokened(token: str = SECRET) -> dict[str, str]:
    return {"content-type": "application/json", "x-gitlab-token": token}


def signed(body: bytes, key: bytes = KEY, at: float = NOW, guid: str = "f5e5f430") -> dict[str, str]:
    text = f"{guid}.{int(at)}.".encode() + body
    value = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    return {
        "content-type": "application/json",
        "webhook-id": guid,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1,{value}",
    }


def read(payload: Mapping[str, Any]) -> object:
    return parse_delivery(tokened(), json.dumps(payload).encode(), [SECRET], NOW)


def merge_request(**more: object) -> dict[str, Any]:
    return {"object_kind": "merge_request", "object_attributes": {"iid": 3, "target_project_id": 7, **more}}


@needs("gitlab-webhooks")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_captured_webhook_wakes_exactly_whom_it_concerns(file: Path) -> None:
    delivery = parse_delivery(tokened(), file.read_bytes(), [SECRET], NOW)
    if file.stem in EVENTS:
        assert delivery == EVENTS[file.stem]
    else:
        assert isinstance(delivery, Ignored)
        assert REASONS[file.stem] in delivery.why


def test_the_registry_knows_gitlab() -> None:
    assert FORGES["gitlab"] is parse_delivery


# Who may knock


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({}, [SECRET]),
        ({"x-gitlab-token": ""}, [SECRET]),
        ({"x-gitlab-token": ""}, [""]),
        ({"x-gitlab-token": SECRET[:-1]}, [SECRET]),
        ({"x-gitlab-token": SECRET + "x"}, [SECRET, SECRET + "y"]),
        ({"x-gitlab-token": SECRET}, []),
        ({"x-gitlab-token": "\udcff\N{SNOWMAN}".encode("utf-8", "replace").decode()}, [SECRET]),
        ({"x-gitlab-token": SIGNING}, [SIGNING]),
        ({"x-gitlab-token": ""}, ["whsec_not base64"]),
        ({**signed(b"{"), "webhook-signature": "v1,"}, [SIGNING]),
        ({**signed(b"{"), "webhook-signature": "v1"}, ["whsec_"]),
        (signed(b"{", key=b""), ["whsec_"]),
        (signed(b"{", key=b"other"), [SIGNING]),
        (signed(b"{", key=SECRET.encode()), [SECRET]),
        (signed(b"{ "), [SIGNING]),
        ({**signed(b"{"), "webhook-id": "another"}, [SIGNING]),
        ({**signed(b"{"), "webhook-timestamp": str(int(NOW) + 1)}, [SIGNING]),
        ({name: value for name, value in signed(b"{").items() if name != "webhook-id"}, [SIGNING]),
        ({name: value for name, value in signed(b"{").items() if name != "webhook-timestamp"}, [SIGNING]),
        ({**signed(b"{"), "webhook-signature": signed(b"{")["webhook-signature"].replace("v1", "v2")}, [SIGNING]),
        (signed(b"{", at=NOW - TOLERANCE_SECONDS - 1), [SIGNING]),
        (signed(b"{", at=NOW + TOLERANCE_SECONDS + 1), [SIGNING]),
    ],
)
def test_what_is_not_proven_is_denied_before_the_body_is_read(headers: dict[str, str], secrets: list[str]) -> None:
    delivery = parse_delivery({"content-type": "application/json", **headers}, b"{", secrets, NOW)
    assert isinstance(delivery, Denied)
    assert delivery.status == 401
    assert not any(secret and secret in delivery.why for secret in secrets)


def test_a_signed_delivery_is_taken_within_five_minutes_and_never_again() -> None:
    body = json.dumps(merge_request()).encode()
    stamp = int(NOW)
    headers = signed(body, at=stamp)
    for late in (0, TOLERANCE_SECONDS, -TOLERANCE_SECONDS):
        assert parse_delivery(headers, body, [SIGNING], stamp + late) == Event("pull", "7", number=3)
    for late in (TOLERANCE_SECONDS + 1, 86_400, -TOLERANCE_SECONDS - 1):
        delivery = parse_delivery(headers, body, [SIGNING], stamp + late)
        assert isinstance(delivery, Denied)
        assert "five minutes" in delivery.why


def test_either_proof_opens_the_door_while_a_secret_is_replaced() -> None:
    body = json.dumps(merge_request()).encode()
    both = [SECRET, SIGNING, "another secret, just as long"]
    for headers in (tokened(), tokened(both[2]), signed(body), signed(body, at=NOW - 299), signed(body, at=NOW + 299)):
        assert parse_delivery(headers, body, both, NOW) == Event("pull", "7", number=3)
    rolled = signed(body) | {"webhook-signature": f"v1,AAAA v2,BBBB {signed(body)['webhook-signature']}"}
    assert parse_delivery(rolled, body, both, NOW) == Event("pull", "7", number=3)


# Who is woken


def test_approvals_and_pushes_to_a_merge_request_wake_it_and_labels_do_not() -> None:
    woken = Event("pull", "7", number=3)
    for action in ("open", "close", "reopen", "merge", "approved", "unapproved", "approval", "unapproval"):
        assert read(merge_request(action=action)) == woken
    several: tuple[dict[str, Any], ...] = (
        {"title": {}},
        {"draft": {}, "labels": {}},
        {"target_branch": {}},
        {"anything new": {}},
        {},
    )
    for changes in several:
        assert read({**merge_request(action="update"), "changes": changes}) == woken
    labelled: dict[str, Any] = {"changes": {"labels": {}, "updated_at": {}}}
    assert isinstance(read({**merge_request(action="update"), **labelled}), Ignored)
    assert read({**merge_request(action="update", oldrev="ab" * 20), **labelled}) == woken


def test_a_push_wakes_only_for_the_default_branch() -> None:
    project = {"id": 7, "default_branch": "trunk"}
    assert read({"object_kind": "push", "ref": "refs/heads/trunk", "project": project}) == Event("push", "7")
    for ref in ("refs/heads/main", "refs/tags/trunk", "trunk", "refs/heads/trunk/x", None):
        assert isinstance(read({"object_kind": "push", "ref": ref, "project": project}), Ignored)
    assert isinstance(read({"object_kind": "push", "ref": "refs/heads/main", "project": {"id": 7}}), Denied)


def test_only_new_notes_of_people_wake() -> None:
    def note(text: str = "/help", **more: object) -> object:
        about = {"note": text, "noteable_type": "MergeRequest", "system": False, **more}
        place = {"merge_request": {"iid": 3, "target_project_id": 7}}
        return read({"object_kind": "note", "object_attributes": about, **place})

    assert note() == note(action="create") == Event("pull", "7", number=3)
    assert isinstance(note(action="update"), Ignored)
    assert isinstance(note(system=True), Ignored)
    assert isinstance(note(noteable_type="Snippet"), Ignored)
    assert isinstance(note(Marker("k" * 16, "comment:7:3").sign("A plan", "plan", "ab" * 8)), Ignored)


def test_a_new_pipeline_of_a_merge_request_wakes_it_and_one_of_statuses_alone_does_not() -> None:
    def pipeline(**about: object) -> object:
        place = {"merge_request": {"iid": 3, "target_project_id": 7}}
        return read({"object_kind": "pipeline", "object_attributes": about, **place})

    assert pipeline(status="pending", source="merge_request_event") == Event("pull", "7", number=3)
    assert isinstance(pipeline(status="success", source="merge_request_event"), Ignored)
    assert isinstance(pipeline(status="pending", source="external"), Ignored)
    assert isinstance(
        read({"object_kind": "pipeline", "object_attributes": {"status": "pending"}, "merge_request": None}), Ignored
    )


# What cannot be read


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"[]," * 3_000_000 + b"[]]", b"{not json", b"", b"null", b"[]",
     b"\xff\xfe{\x00}\x00", b'{"a": NaN}', b"9" * 10_000],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_a_genuine_body_that_cannot_be_read_is_denied_and_never_an_exception(body: bytes) -> None:
    delivery = parse_delivery(tokened(), body, [SECRET], NOW)
    assert isinstance(delivery, Denied)
    assert delivery.status == 400


@pytest.mark.parametrize(
    "more",
    [{"iid": 0}, {"iid": "3"}, {"iid": True}, {"iid": 10**10}, {"target_project_id": None},
     {"target_project_id": 10**19}, {"target_project_id": 7.0}],
)  # fmt: skip
def test_an_event_without_honest_numbers_is_denied(more: dict[str, Any]) -> None:
    delivery = read(merge_request(**more))
    assert isinstance(delivery, Denied)
    assert delivery.status == 400


GENUINE: tuple[dict[str, Any], ...] = (
    {**merge_request(action="update"), "changes": {"labels": {}}},
    {"object_kind": "push", "ref": "refs/heads/main", "project": {"id": 7, "default_branch": "main"}},
    {"object_kind": "note", "object_attributes": {"note": "x", "noteable_type": "MergeRequest", "action": "create"},
     "merge_request": {"iid": 3, "target_project_id": 7}},
    {"object_kind": "pipeline", "object_attributes": {"status": "pending", "source": "push"},
     "merge_request": {"iid": 3, "target_project_id": 7}},
)  # fmt: skip
JUNK: tuple[Any, ...] = (None, True, 0, -1, 1.5, 10**30, "", "x", [], [None], [[]], {}, {"id": {}}, {"iid": []})


def broken(value: Any) -> Iterator[Any]:
    """`value` with one part at a time replaced by each piece of junk."""
    yield from JUNK
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: other} for other in broken(part))
            yield {name: other for name, other in value.items() if name != key}


@pytest.mark.parametrize("payload", GENUINE, ids=lambda one: str(one["object_kind"]))
def test_whatever_part_of_a_body_is_junk_the_answer_is_one_of_three(payload: dict[str, Any]) -> None:
    for other in broken(payload):
        assert isinstance(read(other), Event | Ignored | Denied)


@given(
    st.dictionaries(
        st.sampled_from(["content-type", "x-gitlab-token", "webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text(max_size=40),
    ),
    st.binary(max_size=60),
)
def test_whatever_stands_in_the_headers_an_unproven_delivery_is_denied(headers: dict[str, str], body: bytes) -> None:
    delivery = parse_delivery(headers, body, [SECRET, SIGNING], NOW)
    assert isinstance(delivery, Denied)
    assert delivery.status == 401
