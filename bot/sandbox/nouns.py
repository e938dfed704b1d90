"""What the sandbox forge's world is made of: users, repositories, pull requests, reviews, statuses, checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.sandbox.repos import GitFolder

Permission = Literal["admin", "write", "read", "none"]
MergeMethod = Literal["merge", "squash", "rebase", "fast_forward"]
Json = dict[str, Any]
"""The body of one answer or payload; the shapes are GitHub's."""


class WorldError(Exception):
    """The world will not do this. `status` is the HTTP answer that GitHub gives, `errors` its `errors` list."""

    def __init__(self, status: int, message: str, errors: list[Json] | list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


@dataclass(slots=True, eq=False)
class User:
    """A person, a bot or an organisation. `permission` is what they may do where no right of their own is noted."""

    id: int
    login: str
    token: str
    kind: Literal["User", "Bot", "Organization"]
    permission: Permission
    created_at: datetime

    @property
    def email(self) -> str:
        """The address under which commits are known to be theirs."""
        return f"{self.id}+{self.login}@users.noreply.sandbox.example"


@dataclass(slots=True, eq=False)
class Reaction:
    """One emoji on one comment."""

    id: int
    user: User
    content: str
    created_at: datetime


@dataclass(slots=True, eq=False)
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    number: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Status:
    """What somebody says about a commit."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: User
    created_at: datetime


ReviewState = Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"]


@dataclass(slots=True, eq=False)
class Review:
    """What somebody thinks of a pull request as it stood at `commit_id`."""

    id: int
    number: int
    user: User
    state: ReviewState
    body: str
    commit_id: str
    submitted_at: datetime


@dataclass(slots=True, eq=False)
class ReviewComment:
    """A comment beside a line of a pull request. `line` is None once the line is no longer in the difference."""

    id: int
    number: int
    user: User
    body: str
    path: str
    line: int | None
    side: Literal["LEFT", "RIGHT"]
    commit_id: str
    original_commit_id: str
    original_line: int
    created_at: datetime
    updated_at: datetime
    review: int
    """Every such comment belongs to a review; one of its own makes one."""
    resolved: bool = False
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CheckRun:
    """What an App says about a commit, with annotations at lines. `app` is the App's slug."""

    id: int
    sha: str
    name: str
    app: str
    status: Literal["queued", "in_progress", "completed"]
    conclusion: str | None
    title: str | None
    summary: str | None
    text: str | None
    details_url: str | None
    external_id: str
    started_at: datetime
    completed_at: datetime | None = None
    annotations: list[Json] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Team:
    """A team of an organisation. `members`: user id -> whether they took the invitation up."""

    id: int
    org: str
    slug: str
    members: dict[int, Literal["active", "pending"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pushing:
    """Who moved a branch, and where to."""

    id: int
    ref: str
    before: str
    after: str
    by: User
    at: datetime


@dataclass(slots=True, eq=False)
class Issue:
    """An issue. Pull requests are issues too and share their numbers."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    state: Literal["open", "closed"] = "open"


@dataclass(slots=True, eq=False)
class Pull(Issue):
    """A pull request. `base_sha` stops moving when it closes. `head_repo` is set where the head lies in a fork."""

    head_ref: str = ""
    head_sha: str = ""
    base_ref: str = ""
    base_sha: str = ""
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: User | None = None
    landed_sha: str | None = None
    landed_before: str | None = None
    """The base's tip just before it landed: a revert brings its content back."""
    mergeable: tuple[str, str, bool] | None = None
    """(base, head) for which the answer was computed, and the answer."""
    test_merge: str | None = None
    """The commit at `refs/pull/N/merge`."""
    head_repo: int | None = None


@dataclass(slots=True, eq=False)
class Repository:
    """A repository. The numeric id never changes; the name may."""

    id: int
    full_name: str
    default_branch: str
    git: GitFolder
    created_at: datetime
    pushed_at: datetime
    rights: dict[int, Permission] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    heads: dict[str, str] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: dict[str, list[Status]] = field(default_factory=dict)
    reviews: list[Review] = field(default_factory=list)
    review_comments: dict[int, ReviewComment] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    pushes: list[Pushing] = field(default_factory=list)
    fork_of: int | None = None

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]

    def pulls(self) -> Iterator[Pull]:
        """Every pull request, oldest first."""
        return (issue for issue in self.issues.values() if isinstance(issue, Pull))

    def pull(self, number: int) -> Pull:
        """The pull request; 404 where there is none."""
        found = self.issues.get(number)
        if not isinstance(found, Pull):
            raise WorldError(404, "Not Found")
        return found

    def issue(self, number: int) -> Issue:
        """The issue or pull request; 404 where there is none."""
        if number not in self.issues:
            raise WorldError(404, "Not Found")
        return self.issues[number]

    def comments_of(self, number: int) -> list[Comment]:
        """Comments of one issue or pull request, oldest first."""
        return [comment for comment in self.comments.values() if comment.number == number]
