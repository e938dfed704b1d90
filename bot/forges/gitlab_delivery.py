"""GitLab's webhooks, read: token or signature first, then only the names of what to look at. Pure, without a client.

GitLab proves a delivery in one of two ways, and one secret serves for one of them. A secret `whsec_<base64>` is a
signing token: the delivery must carry `webhook-signature` (`v1,<base64>` of an HMAC-SHA256 over id, time and body) and
be no older than five minutes. Any other secret is the token that GitLab sends along in `X-Gitlab-Token`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.core.event import Delivery, Denied, Event, Ignored
from bot.forges.marker import HINT
from bot.forges.payload import UnreadableError, number_at, object_at, read_object, word_at

TOLERANCE_SECONDS = 300
"""How far the time of a signed delivery may be from ours, either way: what is older may be replayed."""

_SIGNING = "whsec_"
_TIME = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 8
# Of an update, keys of `changes` that alter nothing of what is reviewed or of how the answer is shown.
_IDLE_CHANGES = frozenset(
    {
        "assignees", "assignee_id", "head_pipeline_id", "human_total_time_spent", "human_time_change",
        "human_time_estimate", "labels", "last_edited_at", "last_edited_by_id", "merge_status", "milestone_id",
        "reviewers", "time_change", "time_estimate", "total_time_spent", "updated_at", "updated_by_id",
    }
)  # fmt: skip
_ENDED = frozenset({"success", "failed", "canceled", "canceling", "skipped", "manual", "scheduled"})


def parse_delivery(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> Delivery:
    """What a delivery says. `Denied` 401 where neither the token nor a signature over exactly these bytes matches one
    of `secrets` (several while a secret is being replaced), 400 where a genuine body cannot be read. `now` is in
    seconds since 1970."""
    denied = _proof_problem(headers, body, secrets, now)
    if denied is not None:
        return denied
    if not headers.get("content-type", "").lower().startswith("application/json"):
        return Denied(400, "the body is not JSON")
    try:
        payload = read_object(body)
        # The body's own word: a group's or the whole instance's webhooks call every event by another header.
        reader = _READERS.get(str(payload.get("object_kind", "")))
        return Ignored("nothing in Causeway depends on this kind of event") if reader is None else reader(payload)
    except UnreadableError as err:
        return Denied(400, str(err))


def _proof_problem(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> Denied | None:
    # An empty secret proves nothing. Every secret is tried, without an early end: time does not tell which one matched.
    keys = [key for secret in secrets if secret.startswith(_SIGNING) and (key := _key(secret))]
    tokens = [secret.encode() for secret in secrets if secret and not secret.startswith(_SIGNING)]
    token, signature = headers.get("x-gitlab-token"), headers.get("webhook-signature")
    if token is not None:
        matches = [hmac.compare_digest(token.encode("utf-8", "surrogatepass"), one) for one in tokens]
        if any(matches):
            return None
    if signature is not None and keys:
        return _signature_problem(headers, body, signature, keys, now)
    if token is None and signature is None:
        return Denied(401, "neither X-Gitlab-Token nor webhook-signature; set the webhook's secret or signing token")
    return Denied(401, "the token does not match the webhook's secret")


def _signature_problem(
    headers: Mapping[str, str], body: bytes, signature: str, keys: Sequence[bytes], now: float
) -> Denied | None:
    sent, guid = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if _TIME.fullmatch(sent) is None or not guid:
        return Denied(401, "signed without webhook-id or webhook-timestamp")
    signed = b".".join((guid.encode("utf-8", "surrogatepass"), sent.encode(), body))
    wanted = [hmac.digest(key, signed, "sha256") for key in keys]
    given = [found for one in signature.split(" ")[:_MOST_SIGNATURES] if (found := _v1(one)) is not None]
    matches = [hmac.compare_digest(one, other) for one in wanted for other in given]
    if not any(matches):
        return Denied(401, "the signature does not match the webhook's signing token")
    if abs(now - int(sent)) > TOLERANCE_SECONDS:
        return Denied(
            401, "signed more than five minutes from now; an old delivery again, or one of the clocks is wrong"
        )
    return None


def _key(secret: str) -> bytes:
    """The key in a signing token; empty where there is none."""
    try:
        return base64.b64decode(secret.removeprefix(_SIGNING), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _v1(signature: str) -> bytes | None:
    version, _, value = signature.partition(",")
    try:
        return base64.b64decode(value, validate=True) if version == "v1" else None
    except (binascii.Error, ValueError):
        return None


def _merge_request(payload: Mapping[str, Any]) -> Delivery:
    found, changes = object_at(payload, "object_attributes"), payload.get("changes")
    if found.get("action") == "update" and "oldrev" not in found and isinstance(changes, dict) and changes:
        idle = changes.keys() <= _IDLE_CHANGES
        if idle and changes.keys() - {"total_time_spent"}:
            return Ignored("this change to a merge request alters nothing that is reviewed")
    return _pull(found)


def _push(payload: Mapping[str, Any]) -> Delivery:
    project = object_at(payload, "project")
    if payload.get("ref") != f"refs/heads/{word_at(project, 'default_branch')}":
        return Ignored("not a push to the default branch")
    return Event("push", str(number_at(project, "id", 10**19)))


def _note(payload: Mapping[str, Any]) -> Delivery:
    note = object_at(payload, "object_attributes")
    if note.get("noteable_type") != "MergeRequest":
        return Ignored("a comment, but not on a merge request")
    if note.get("system") is True:
        return Ignored("GitLab's own note")
    if note.get("action") == "update":
        return Ignored("only new comments are read; edits never command")
    text = note.get("note")
    # Spares a second look after each comment of our own. Whoever plants the marker only makes us slower to see it.
    if isinstance(text, str) and HINT in text:
        return Ignored("a comment that carries the bot's marker")
    return _pull(object_at(payload, "merge_request"))


def _pipeline(payload: Mapping[str, Any]) -> Delivery:
    """A new pipeline of a merge request becomes the place that its status belongs to."""
    pipeline = object_at(payload, "object_attributes")
    if not isinstance(payload.get("merge_request"), dict):
        return Ignored("a pipeline that names no merge request; the sweep looks at them")
    if pipeline.get("source") == "external" or str(pipeline.get("status")) in _ENDED:
        return Ignored("a pipeline that ended, or that statuses alone make up; nothing moves by it")
    return _pull(object_at(payload, "merge_request"))


def _emoji(_: Mapping[str, Any]) -> Delivery:
    return Ignored("reactions decide nothing")


def _pull(merge_request: Mapping[str, Any]) -> Delivery:
    # The target's id, since the source may be a fork. The iid is what people and addresses call the number.
    repository = number_at(merge_request, "target_project_id", 10**19)
    return Event("pull", str(repository), number=number_at(merge_request, "iid", 10**10))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Delivery]] = {
    "merge_request": _merge_request,
    "push": _push,
    "note": _note,
    "pipeline": _pipeline,
    "emoji": _emoji,
}
