"""What the sandbox forge knows: users, repositories, pull requests, issues, comments, statuses.

It is held in memory, behind one lock. Git itself holds every commit and branch; nothing here repeats what a bare
repository can tell, except `heads`, the branches as they were when the last move was announced.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

from bot.sandbox.repos import GitFolder
from bot.sandbox.urls import Urls

Permission = Literal["admin", "write", "read", "none"]
MergeMethod = Literal["merge", "squash", "rebase", "fast_forward"]
Json = dict[str, Any]
"""The body of one answer or payload; the shapes are GitHub's."""


class WorldError(Exception):
    """The world will not do this. `status` is the HTTP answer that GitHub gives, `errors` its `errors` list."""

    def __init__(self, status: int, message: str, errors: list[Json] | None = None) -> None:
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
    """A pull request within one repository. `base_sha` stops moving when it closes."""

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


Announce = Callable[[Repository, str, Callable[[], Json]], None]
"""(repository, event, payload): the payload is made at once if a webhook listens, and not at all if none does."""


class World:
    """The whole state. Hold `lock` while reading or changing it; `revision` grows with every change."""

    def __init__(self, root: Path, urls: Urls) -> None:
        self.root = root
        self.urls = urls
        self.lock = threading.RLock()
        self.revision = 0
        self.users: dict[str, User] = {}
        self.repositories: dict[int, Repository] = {}
        self.former_names: dict[str, int] = {}
        self.announce: Announce = lambda _repo, _event, _payload: None
        self._ids = count(1001)

    def next_id(self) -> int:
        """A number that nothing else in this world has; every change takes one or calls `touch`."""
        self.revision += 1
        return next(self._ids)

    def now(self) -> datetime:
        """The time. Bodies show whole seconds, lists are sorted by the exact value."""
        self.revision += 1
        return datetime.now(UTC)

    def add_user(self, login: str, kind: Literal["User", "Bot", "Organization"], permission: Permission) -> User:
        """A new user; the one that exists where the login is taken."""
        if login.lower() not in self.users:
            token = f"sandbox_{secrets.token_hex(16)}"
            self.users[login.lower()] = User(self.next_id(), login, token, kind, permission, self.now())
        return self.users[login.lower()]

    def user(self, login: str) -> User:
        """The user with this login, in any case; 404 where there is none."""
        found = self.users.get(login.lower())
        if found is None:
            raise WorldError(404, "Not Found")
        return found

    def user_of_token(self, token: str) -> User | None:
        """Whose token this is."""
        wanted = token.encode()
        return next((u for u in self.users.values() if secrets.compare_digest(u.token.encode(), wanted)), None)

    def user_of_email(self, email: str) -> User | None:
        """Whose commits carry this address."""
        return next((u for u in self.users.values() if u.email == email), None)

    def repository(self, full_name: str) -> Repository:
        """The repository that has this name now; 404 where there is none."""
        wanted = full_name.lower()
        for repo in self.repositories.values():
            if repo.full_name.lower() == wanted:
                return repo
        raise WorldError(404, "Not Found")

    def permission(self, repo: Repository, user: User) -> Permission:
        """What the user may do here."""
        return repo.rights.get(user.id, user.permission)

    def next_number(self, repo: Repository) -> int:
        """The number of the next issue or pull request."""
        return max(repo.issues, default=0) + 1
