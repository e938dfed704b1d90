"""GitHub Apps: who they are, where they are installed, which tokens they hold and what those allow."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt

TOKEN_LIFE = timedelta(hours=1)
JWT_LIFE = 600
"""Seconds that GitHub lets a JWT live at most."""
LEVELS = ("none", "read", "write", "admin")


@dataclass(slots=True, eq=False)
class App:
    """An App. `permissions` is the most that an installation gives it; only the public half of its key is kept."""

    id: int
    slug: str
    owner: str
    public_key: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    created_at: datetime


@dataclass(slots=True, eq=False)
class Installation:
    """An App in an organisation, for some of its repositories."""

    id: int
    app: App
    account: str
    repositories: set[int]
    created_at: datetime
    suspended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What one installation token allows."""

    slug: str
    installation: int
    repositories: frozenset[int]
    permissions: Mapping[str, str]
    expires_at: datetime

    def allows(self, area: str, level: str) -> bool:
        """True where it may do as much in that area."""
        return LEVELS.index(self.permissions.get(area, "none")) >= LEVELS.index(level)


class RefusedJwtError(Exception):
    """A JWT that GitHub would not take, and why."""


@dataclass(slots=True)
class Apps:
    """Every App, installation and token of a world."""

    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)

    def of_jwt(self, token: str, now: datetime) -> App:
        """The App that signed this JWT. Its times are judged by the forge's clock, as GitHub does."""
        try:
            claimed = jwt.decode(token, options={"verify_signature": False})
            app = self.apps.get(int(claimed.get("iss", 0)))
        except (jwt.InvalidTokenError, ValueError, TypeError) as broken:
            raise RefusedJwtError("A JSON web token could not be decoded") from broken
        if app is None:
            raise RefusedJwtError("Integration not found")
        try:
            jwt.decode(
                token,
                app.public_key,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError as broken:
            raise RefusedJwtError("A JSON web token could not be decoded") from broken
        _in_time(claimed, now.timestamp())
        return app

    def mint(
        self, where: Installation, repositories: frozenset[int], permissions: Mapping[str, str], now: datetime
    ) -> tuple[str, Grant]:
        """A new token."""
        token = f"ghs_{secrets.token_hex(18)}"
        self.grants[token] = Grant(where.app.slug, where.id, repositories, dict(permissions), now + TOKEN_LIFE)
        return token, self.grants[token]

    def grant(self, token: str, now: datetime) -> Grant | None:
        """What a token allows now; None for an unknown, expired or suspended one."""
        found = self.grants.get(token)
        if found is None or found.expires_at <= now:
            return None
        where = self.installations.get(found.installation)
        return None if where is None or where.suspended_at is not None else found

    def of_repository(self, app: App, repository: int) -> Installation | None:
        """Where the App is installed for a repository."""
        here = (one for one in self.installations.values() if one.app is app and repository in one.repositories)
        return next(here, None)


def _in_time(claimed: Mapping[str, object], now: float) -> None:
    issued, ends = claimed.get("iat"), claimed.get("exp")
    if not isinstance(issued, int) or not isinstance(ends, int):
        raise RefusedJwtError("Missing 'issued at' claim ('iat') or expiration ('exp')")
    if issued > now:
        raise RefusedJwtError("'Issued at' claim ('iat') must be an Integer representing the time in the past")
    if ends <= now:
        raise RefusedJwtError("'Expiration time' claim ('exp') must be a numeric value representing the future time")
    if ends > now + JWT_LIFE:
        raise RefusedJwtError("'Expiration time' claim ('exp') is too far in the future")
