"""GitLab's answers, read into ours. Whatever has another shape is a ValueError, TypeError or KeyError."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bot.core.tree import Oid
from bot.forges.changes import TIME
from bot.forges.gitlab_calls import Json
from bot.forges.marker import Marker
from bot.ports import Comment, Pull, Reaction, Repository, Status

COMMENT_LIMIT = 1_000_000
"""Characters that GitLab takes in a note, an issue or a merge request."""
AWARDS: Mapping[Reaction, str] = {"seen": "eyes", "done": "thumbsup", "refused": "confused"}
"""What the bot leaves on a command -> the name of GitLab's emoji."""
WRITES, MAINTAINS = 30, 40
"""Access levels: Developer, Maintainer."""

# Tokens of projects and groups, service accounts, and the users that GitLab itself is.
_BOT = re.compile(
    r"(project|group)_\d+_bot(_[0-9a-z]+)?|service_account(_.*)?|(support|alert|security|automation)-bot\d*|ghost\d*"
)
_RESULT = re.compile(r"refs/merge-requests/[0-9]+/(merge|train)")
_SHA = re.compile(r"[0-9a-f]{40}")
_STATES: Mapping[str, Literal["success", "failure", "pending"]] = {
    "success": "success",
    "failed": "failure",
    "canceled": "failure",
    "canceling": "failure",
    "skipped": "failure",
}


@dataclass(frozen=True, slots=True)
class Where:
    """Where the status of a head belongs: the project and commit of the pipeline that decides, or, without one, the
    branch that a pipeline would be made for."""

    project: int
    sha: str
    pipeline: int | None
    ref: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A commit status as GitLab holds it. `word` is GitLab's own state."""

    word: str
    status: Status


def project_of(found: Json) -> Repository:
    """A project."""
    branch = found.get("default_branch")
    return Repository(
        id=str(_number(found["id"])),
        full_name=_text(found["path_with_namespace"]),
        default_branch="" if branch is None else _text(branch),
        # What pages of files and commits begin with: `<project>/-/blob/…`.
        web_url=f"{_text(found['web_url'])}/-",
        clone_url=_text(found["http_url_to_repo"]),
    )


def pull_of(found: Json) -> Pull:
    """A merge request, from its own answer or a list."""
    merged = found["state"] == "merged"
    # A fast-forward leaves neither a merge commit nor a squashed one: the head itself landed.
    landed = (found.get("merge_commit_sha") or found.get("squash_commit_sha") or found["sha"]) if merged else None
    return Pull(
        number=_number(found["iid"]),
        # GitLab locks one while it merges it.
        state="open" if found["state"] in ("opened", "locked") else "closed",
        merged=merged,
        draft=bool(found["draft"] if "draft" in found else found.get("work_in_progress", False)),
        head_sha=_sha(found["sha"]),
        base_ref=_text(found["target_branch"]),
        title=_text(found["title"]),
        author_id=str(_number(found["author"]["id"])),
        web_url=_text(found["web_url"]),
        landed_sha=None if landed is None else _sha(landed),
        updated_at=moment(found["updated_at"]).strftime(TIME),
        # The source is null once the fork is gone.
        fork=found.get("source_project_id") != found["target_project_id"],
    )


def where_of(found: Json, brings: Callable[[str], bool]) -> Where:
    """Where the status of this merge request's head belongs.

    GitLab names the newest pipeline, which after a push is still the one of the head before. It counts where it runs
    on this head, or on a merged result or a train that holds it: `brings(commit)` says whether the head is a parent.
    """
    project, head = _number(found.get("source_project_id") or found["target_project_id"]), _sha(found["sha"])
    pipeline = found.get("head_pipeline")
    if isinstance(pipeline, dict):
        sha, ref = _sha(pipeline["sha"]), _text(pipeline.get("ref") or "")
        if sha == head or (_RESULT.fullmatch(ref) is not None and brings(sha)):
            return Where(_number(pipeline.get("project_id") or project), sha, _number(pipeline["id"]), ref)
    return Where(project, head, None, _text(found["source_branch"]))


def placed_of(found: Json) -> Placed:
    """A commit status. What runs, waits or is being made counts as pending."""
    word = _text(found["status"])
    state = _STATES.get(word, "pending")
    return Placed(
        word, Status(_text(found["name"]), state, found.get("description") or "", found.get("target_url") or "")
    )


def own(listed: Iterable[Json], me: int, marker: Marker, key: str, field: str) -> list[tuple[Json, str]]:
    """Ours with their digests, oldest first. Both must hold: written by us, and marked by us in `field`."""
    ours = []
    for one in listed:
        digest = marker.digest(one.get(field) or "", key)
        if digest is not None and one["author"]["id"] == me:
            ours.append((one, digest))
    return sorted(ours, key=lambda pair: _number(pair[0]["id"]))


def comment_of(note: Json, awarded: Mapping[str, datetime]) -> Comment:
    """A person's note. `awarded`: the bot's own emoji there, and when it gave them."""
    author, created = note["author"], moment(note["created_at"])
    # An emoji given moves `updated_at` too, so only what came after the bot's own can be an edit.
    excused = max([created, *awarded.values()])
    return Comment(
        id=str(_number(note["id"])),
        author_id=str(_number(author["id"])),
        is_bot=_BOT.fullmatch(_text(author["username"])) is not None,
        body=_text(note["body"]),
        created_at=created.strftime(TIME),
        edited=(moment(note["updated_at"]) - excused).total_seconds() > 1,
        reactions=frozenset(word for word, name in AWARDS.items() if name in awarded),
        author=_text(author["username"]),
    )


def within_limit(text: str) -> str:
    """The text; ValueError where GitLab would not take it."""
    if len(text) > COMMENT_LIMIT:
        raise ValueError(f"GitLab takes {COMMENT_LIMIT} characters, this text has {len(text)}")
    return text


def moment(text: object) -> datetime:
    """A time with its zone."""
    found = datetime.fromisoformat(_text(text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _number(found: Any) -> int:
    if type(found) is not int or found < 1:
        raise ValueError("not a number")
    return found


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("not a text")
    return found


def _sha(found: Any) -> Oid:
    if _SHA.fullmatch(_text(found)) is None:
        raise ValueError("not a commit id")
    return Oid(found)
