"""GitHub's webhooks, read: signature first, then only the names of what to look at. Pure, and without PyGithub."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import from_json

from bot.core.event import Delivery, Denied, Event, Ignored
from bot.forges.marker import HINT

_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_SHA = re.compile(r"[0-9a-f]{40}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_QUEUE = "gh-readonly-queue/"
_MOST_PULLS = 20
_MOST_VALUES = 2_000_000
"""GitHub's largest real payloads (a push of 2,048 commits) stay below; `[[],[],…` of 25 MiB would cost gigabytes."""

_PULL_ACTIONS = frozenset(
    {"opened", "reopened", "synchronize", "edited", "ready_for_review", "converted_to_draft", "closed"}
)


class _UnreadableError(Exception):
    """A field that GitHub promises is missing or has another type."""


def parse_delivery(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: float = 0.0,  # noqa: ARG001 - GitHub's signatures do not age
) -> Delivery:
    """What a delivery says. `Denied` 401 where no `X-Hub-Signature-256` over exactly these bytes matches one of
    `secrets` (several while a secret is being replaced), 400 where a genuine body cannot be read."""
    denied = _signature_problem(headers, body, secrets)
    if denied is not None:
        return denied
    if not headers.get("content-type", "").lower().startswith("application/json"):
        return Denied(400, "the body is not JSON; set the webhook's content type to application/json")
    if body.count(b",") + body.count(b"[") + body.count(b"{") > _MOST_VALUES:
        return Denied(400, f"the body holds more than {_MOST_VALUES} values")
    try:
        # Rust's reader: it stops at a depth of 200 whatever the interpreter's own stack allows, and is twice as fast.
        payload = from_json(body, allow_inf_nan=False)
    except ValueError as err:
        return Denied(400, f"the body is not JSON that can be read ({err})")
    if not isinstance(payload, dict):
        return Denied(400, "the body is not a JSON object")
    reader = _READERS.get(headers.get("x-github-event", ""))
    if reader is None:
        return Ignored("nothing in Causeway depends on this kind of event")
    try:
        delivery = reader(payload)
        # Only a GitHub App's deliveries name one; a repository's own webhook has none.
        if isinstance(delivery, Event) and "installation" in payload:
            return replace(delivery, installation=str(_count(payload["installation"], "id")))
    except _UnreadableError as err:
        return Denied(400, str(err))
    return delivery


def _signature_problem(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Denied | None:
    given = headers.get("x-hub-signature-256")
    if given is None:
        if "x-hub-signature" in headers:
            return Denied(401, "signed with SHA-1 only; X-Hub-Signature-256 is required")
        return Denied(401, "not signed; set the webhook's secret")
    found = _SIGNATURE.fullmatch(given)
    if found is None:
        return Denied(401, "X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits")
    signature = bytes.fromhex(found[1])
    # An empty secret would make every signature forgeable, so it proves nothing. Every secret is tried, without an
    # early end: how long it takes does not tell which one matched.
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode(), body, "sha256"), signature) for secret in secrets if secret
    ]
    return None if any(matches) else Denied(401, "the signature does not match the webhook's secret")


def _pull_request(payload: Mapping[str, Any]) -> Delivery:
    if _action(payload) not in _PULL_ACTIONS:
        return Ignored("this action on a pull request changes nothing that is reviewed")
    return Event("pull", _repository(payload), number=_count(_object(payload, "pull_request"), "number"))


def _push(payload: Mapping[str, Any]) -> Delivery:
    branch = _object(payload, "repository").get("default_branch")
    if not isinstance(branch, str) or not branch:
        raise _UnreadableError("repository.default_branch is not a name")
    if payload.get("ref") != f"refs/heads/{branch}":
        return Ignored("not a push to the default branch")
    return Event("push", _repository(payload))


def _issue_comment(payload: Mapping[str, Any]) -> Delivery:
    if _action(payload) != "created":
        return Ignored("only new comments are read; edits and deletions never command")
    issue = _object(payload, "issue")
    text = _object(payload, "comment").get("body")
    if not isinstance(issue.get("pull_request"), dict) and not (isinstance(text, str) and _COMMAND.search(text)):
        return Ignored("a comment on an issue, not on a pull request, and no command")
    # Spares a second look after each comment of our own. Whoever plants the marker only makes us slower to see it.
    if isinstance(text, str) and HINT in text:
        return Ignored("a comment that carries the bot's marker")
    return Event("pull", _repository(payload), number=_count(issue, "number"))


def _check(key: str) -> Callable[[Mapping[str, Any]], Delivery]:
    def read(payload: Mapping[str, Any]) -> Delivery:
        if _action(payload) != "rerequested":
            return Ignored("only a check that someone asks for again is looked at")
        repository = _repository(payload)
        pulls = _object(payload, key).get("pull_requests")
        if not isinstance(pulls, list):
            raise _UnreadableError(f"{key}.pull_requests is not a list")
        # GitHub lists pull requests of forks too, numbered in the fork; only those whose base is here are meant. One
        # that comes from a fork is not listed at all, but its page is what our own check links to.
        numbers = {_count(pull, "number") for pull in pulls if _base_repository(pull) == repository}
        numbers |= _linked(payload, key)
        if not numbers:
            return _queued(payload, key, repository)
        first, *others = sorted(numbers)
        return Event("pull", repository, number=first, also=tuple(others[:_MOST_PULLS]))

    return read


def _linked(payload: Mapping[str, Any], key: str) -> set[int]:
    page, link = _object(payload, "repository").get("html_url"), _object(payload, key).get("details_url")
    if not isinstance(page, str) or not isinstance(link, str) or not link.startswith(f"{page}/pull/"):
        return set()
    found = _NUMBER.fullmatch(link.removeprefix(f"{page}/pull/"))
    return set() if found is None else {int(found[0])}


def _queued(payload: Mapping[str, Any], key: str, repository: str) -> Delivery:
    """A check of a merge queue's own commit belongs to no pull request."""
    check = _object(payload, key)
    suite = check.get("check_suite") if key == "check_run" else check
    branch = suite.get("head_branch") if isinstance(suite, dict) else None
    sha = check.get("head_sha")
    if isinstance(branch, str) and branch.startswith(_QUEUE) and isinstance(sha, str) and _SHA.fullmatch(sha):
        return Event("queue", repository, sha=sha)
    return Ignored("names no pull request of this repository")


def _pull_request_review(payload: Mapping[str, Any]) -> Delivery:
    if _action(payload) not in ("submitted", "dismissed"):
        return Ignored("editing a review's words changes no approval")
    return Event("pull", _repository(payload), number=_count(_object(payload, "pull_request"), "number"))


def _said_beside(_: Mapping[str, Any]) -> Delivery:
    return Ignored("comments beside lines never command; write one under the conversation")


def _installation(_: Mapping[str, Any]) -> Delivery:
    return Ignored("installations are looked at by the doctor; who is served is said in the settings")


def _merge_group(payload: Mapping[str, Any]) -> Delivery:
    if _action(payload) != "checks_requested":
        return Ignored("the merge queue asks for nothing")
    sha = _object(payload, "merge_group").get("head_sha")
    if not isinstance(sha, str) or _SHA.fullmatch(sha) is None:
        raise _UnreadableError("merge_group.head_sha is not a commit id")
    return Event("queue", _repository(payload), sha=sha)


def _ping(_: Mapping[str, Any]) -> Delivery:
    return Ignored("the forge only tests the webhook")


def _action(payload: Mapping[str, Any]) -> str:
    found = payload.get("action")
    if not isinstance(found, str):
        raise _UnreadableError("action is not a word")
    return found


def _object(parent: Any, key: str) -> Mapping[str, Any]:
    found = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(found, dict):
        raise _UnreadableError(f"{key} is not an object")
    return found


def _count(parent: Any, key: str) -> int:
    found = parent.get(key) if isinstance(parent, dict) else None
    if type(found) is not int or not 0 < found < 10**10:
        raise _UnreadableError(f"{key} is not a positive number")
    return found


def _repository(payload: Mapping[str, Any]) -> str:
    found = _object(payload, "repository").get("id")
    if type(found) is not int or not 0 < found < 10**19:
        raise _UnreadableError("repository.id is not a positive number")
    return str(found)


def _base_repository(pull: Any) -> str:
    return _repository({"repository": _object(_object(pull, "base"), "repo")})


_COMMAND = re.compile(r"^ {0,3}/[a-z]", re.MULTILINE)
"""What may be a command. Whether it is one is read later, where the comment is."""

_READERS: Mapping[str, Callable[[Mapping[str, Any]], Delivery]] = {
    "pull_request": _pull_request,
    "push": _push,
    "issue_comment": _issue_comment,
    "check_run": _check("check_run"),
    "check_suite": _check("check_suite"),
    "merge_group": _merge_group,
    "pull_request_review": _pull_request_review,
    "pull_request_review_comment": _said_beside,
    "installation": _installation,
    "installation_repositories": _installation,
    "ping": _ping,
}
