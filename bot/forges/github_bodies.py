"""PyGithub's objects, read into ours without asking GitHub for more.

PyGithub fetches an object again when a field is read that its answer left out. Only fields that GitHub's lists hold are
read here, so that a list of a hundred stays one request.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, TypeVar

from github.CommitStatus import CommitStatus
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest
from github.Repository import Repository as GithubRepository

from bot.core.tree import Oid
from bot.forges.github_changes import TIME
from bot.forges.marker import Marker
from bot.ports import Pull, Repository, Status

Text = TypeVar("Text", IssueComment, Issue)


def repository_of(found: GithubRepository) -> Repository:
    """As it stands in its own answer, or as the base of a pull request."""
    return Repository(str(found.id), found.full_name, found.default_branch, found.html_url, found.clone_url)


def pull_of(found: PullRequest) -> Pull:
    """From its own answer or a list."""
    # Lists leave `merged` out.
    merged = found.merged_at is not None
    return Pull(
        number=found.number,
        state="open" if found.state == "open" else "closed",
        merged=merged,
        draft=bool(found.draft),
        head_sha=Oid(found.head.sha),
        base_ref=found.base.ref,
        title=found.title,
        author_id="" if found.user is None else str(found.user.id),
        web_url=found.html_url,
        landed_sha=Oid(found.merge_commit_sha) if merged and found.merge_commit_sha else None,
        updated_at=_time(found.updated_at),
    )


def status_of(found: CommitStatus) -> Status:
    """In our three states."""
    return Status(found.context, _state(found.state), found.description or "", found.target_url or "")


def own(listed: Iterable[Text], me: int, marker: Marker, key: str) -> list[tuple[Text, str]]:
    """Ours with their digests, oldest first. Both must hold: written by us, and marked by us."""
    ours = []
    for one in listed:
        digest = marker.digest(one.body or "", key)
        if digest is not None and one.user is not None and one.user.id == me:
            ours.append((one, digest))
    return sorted(ours, key=lambda pair: pair[0].id)


def _time(moment: datetime | None) -> str:
    if moment is None:
        raise ValueError("a pull request without a time")
    return moment.astimezone(UTC).strftime(TIME)


def _state(word: str) -> Literal["success", "failure", "pending"]:
    match word:
        case "success" | "failure" | "pending":
            return word
        case "error":
            # What GitHub calls a check that broke; to people it is a failure.
            return "failure"
    raise ValueError(f"{word!r} is no state of a status")
