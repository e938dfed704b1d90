"""GitHub's JSON, read into ours. Only fields that GitHub's lists hold too are read, so a list stays one request.

Each function raises KeyError, TypeError or ValueError on another shape than GitHub promises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from bot.core.tree import Oid
from bot.forges.marker import Marker
from bot.ports import Pull, Repository, Status


@dataclass(frozen=True, slots=True)
class Text:
    """A comment, issue or remark as GitHub holds it. `path` is its address in the API."""

    id: int
    path: str
    author: str
    """Numeric id of who wrote it; empty where that account is gone."""
    body: str


def repository_of(found: Any) -> Repository:
    """As it stands in its own answer, or as the base of a pull request."""
    return Repository(
        str(number(found["id"])), found["full_name"], found["default_branch"], found["html_url"], found["clone_url"]
    )


def pull_of(found: Any) -> Pull:
    """From its own answer or a list."""
    # Lists leave `merged` out.
    merged = found["merged_at"] is not None
    landed, head = found["merge_commit_sha"], found["head"]
    return Pull(
        number=number(found["number"]),
        state="open" if found["state"] == "open" else "closed",
        merged=merged,
        draft=bool(found["draft"]),
        head_sha=Oid(text(head["sha"])),
        base_ref=text(found["base"]["ref"]),
        title=text(found["title"]),
        author_id=author_of(found),
        web_url=text(found["html_url"]),
        landed_sha=Oid(landed) if merged and landed else None,
        updated_at=text(found["updated_at"]),
        # A fork that was deleted meanwhile leaves no repository.
        fork=head["repo"] is None or number(head["repo"]["id"]) != number(found["base"]["repo"]["id"]),
    )


def status_of(found: Any) -> Status:
    """In our three states."""
    return Status(text(found["context"]), _state(found["state"]), found["description"] or "", found["target_url"] or "")


def author_of(found: Any) -> str:
    """The numeric id of `user`; empty where that account is gone."""
    return "" if found["user"] is None else str(number(found["user"]["id"]))


def own(listed: Iterable[Text], me: str, marker: Marker, key: str) -> list[tuple[Text, str]]:
    """Ours with their digests, oldest first. Both must hold: written by us, and marked by us."""
    ours = []
    for one in listed:
        digest = marker.digest(one.body, key)
        if digest is not None and one.author == me:
            ours.append((one, digest))
    return sorted(ours, key=lambda pair: pair[0].id)


def number(found: Any) -> int:
    """A whole number, not a boolean."""
    if type(found) is not int:
        raise TypeError("not a number")
    return found


def text(found: Any) -> str:
    """A text."""
    if not isinstance(found, str):
        raise TypeError("not a text")
    return found


def _state(word: Any) -> Literal["success", "failure", "pending"]:
    match word:
        case "success" | "failure" | "pending":
            return word  # type: ignore[no-any-return]
        case "error":
            # What GitHub calls a check that broke; to people it is a failure.
            return "failure"
    raise ValueError(f"{word!r} is no state of a status")
