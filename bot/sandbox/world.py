"""What the sandbox forge knows: users, repositories, pull requests, issues, comments, statuses.

It is held in memory, behind one lock. Git itself holds every commit and branch; nothing here repeats what a bare
repository can tell, except `heads`, the branches as they were when the last move was announced.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Literal

from bot.sandbox.apps import Apps
from bot.sandbox.guards import Guards
from bot.sandbox.nouns import (
    CheckRun,
    Comment,
    Issue,
    Json,
    MergeMethod,
    Permission,
    Pull,
    Pushing,
    Reaction,
    Repository,
    Review,
    ReviewComment,
    ReviewState,
    Status,
    Team,
    User,
    WorldError,
)
from bot.sandbox.urls import Urls

__all__ = [
    "Announce",
    "CheckRun",
    "Comment",
    "Issue",
    "Json",
    "MergeMethod",
    "Permission",
    "Pull",
    "Pushing",
    "Reaction",
    "Repository",
    "Review",
    "ReviewComment",
    "ReviewState",
    "Status",
    "Team",
    "User",
    "World",
    "WorldError",
]

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
        self.teams: dict[str, Team] = {}
        self.apps = Apps()
        self.guards = Guards()
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

    def add_team(self, name: str) -> Team:
        """The team `org/slug`, made where it does not exist."""
        org, _, slug = name.lower().partition("/")
        if name.lower() not in self.teams:
            self.teams[name.lower()] = Team(self.next_id(), org, slug)
        return self.teams[name.lower()]

    def user_of_token(self, token: str) -> User | None:
        """Whose token this is; an App's token is its bot's."""
        grant = self.apps.grant(token, datetime.now(UTC))
        if grant is not None:
            return self.users[f"{grant.slug}[bot]"]
        wanted = token.encode()
        return next((u for u in self.users.values() if secrets.compare_digest(u.token.encode(), wanted)), None)

    def user_by_id(self, user_id: int) -> User:
        """The user with this id; 404 where there is none."""
        for found in self.users.values():
            if found.id == user_id:
                return found
        raise WorldError(404, "Not Found")

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
