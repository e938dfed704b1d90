"""A GitHub App's credentials: it signs who it is, and exchanges that for tokens of one repository each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, TypeVar

import jwt

from bot.forges.github_bodies import number, text
from bot.forges.github_calls import UnacceptableError, UnprovenError
from bot.forges.github_line import Line
from bot.forges.github_pace import Pace
from bot.ports import GoneError

T = TypeVar("T")

PLATFORM_RIGHTS: Mapping[str, str] = MappingProxyType(
    {
        "checks": "write",
        "contents": "write",
        "issues": "write",
        "members": "read",
        "metadata": "read",
        "pull_requests": "write",
        "statuses": "write",
    }
)
"""What the bot needs in a platform repository: verdicts, words, branches for commands, and who is in a team."""
GITOPS_RIGHTS: Mapping[str, str] = MappingProxyType({"contents": "write", "metadata": "read"})
"""What it needs where it only delivers."""

_BACK_SECONDS = 60
_AHEAD_SECONDS = 480
"""GitHub takes a JWT for ten minutes at most, from when it says it was issued; that is dated back for slow clocks."""
_LEAST_LEFT_SECONDS = 600.0
_LIFE_SECONDS = 3600.0


class AppCredentials:
    """Gives a token of this App for one repository and no more rights than `permissions`, good for at least ten
    minutes. Calling it costs a request once in fifty minutes. Safe between threads.

    `private_key` is the PEM text. The installation is `installation`, or the one that holds the repository. A clock
    that is wrong by more than a minute is noticed by GitHub's `Date`, and allowed for from then on. Raises ValueError
    where the key is no RSA key, `GoneError` where the App is not installed there.
    """

    def __init__(
        self,
        api_url: str,
        app_id: int | str,
        private_key: str,
        repository: str,
        permissions: Mapping[str, str] = PLATFORM_RIGHTS,
        installation: str | None = None,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.app_id = int(app_id)
        self._key = private_key
        self._repository = int(repository)
        self._permissions = dict(permissions)
        self._installation = int(installation) if installation else None
        self._clock = clock
        self._steady = steady
        self._skew = 0.0
        self._token: tuple[str, float] | None = None
        self._login: str | None = None
        self._guard = threading.RLock()
        self._line = Line(api_url, self._signed, Pace(None, None), sleep)
        try:
            self._signed()
        except (jwt.InvalidKeyError, ValueError, TypeError) as err:
            raise ValueError("the App's private key is not an RSA key in PEM form (-----BEGIN …)") from err

    def __repr__(self) -> str:
        return f"AppCredentials(app_id={self.app_id}, repository={self._repository})"

    def __call__(self) -> str:
        with self._guard:
            if self._token is None or self._token[1] - self._steady() < _LEAST_LEFT_SECONDS:
                self._token = self._asked(self._mint)
            return self._token[0]

    def forget(self) -> bool:
        """GitHub does not believe the token any more: the next one is new. True where there was one."""
        with self._guard:
            had, self._token = self._token is not None, None
            return had

    def login(self) -> str:
        """The login of the bot that the App's comments come from. `GET /user` does not know it."""
        with self._guard:
            if self._login is None:
                slug = self._asked(lambda: self._line.one("asking which App we are", "/app", lambda app: app["slug"]))
                self._login = f"{text(slug)}[bot]"
            return self._login

    def as_app(self) -> Line:
        """The line on which the App speaks for itself: of its webhook and its installations."""
        return self._line

    def close(self) -> None:
        """Closes its connections."""
        self._line.close()

    def _signed(self) -> str:
        now = int(self._clock() + self._skew)
        claims = {"iat": now - _BACK_SECONDS, "exp": now + _AHEAD_SECONDS, "iss": str(self.app_id)}
        return jwt.encode(claims, self._key, algorithm="RS256")

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except UnprovenError:
            if not self._learned_time():
                raise
            return ask()

    def _learned_time(self) -> bool:
        """True where GitHub's clock says something else than ours."""
        try:
            there = parsedate_to_datetime(self._line.date).timestamp()
        except ValueError:
            return False
        skew = there - self._clock()
        if abs(skew - self._skew) < 2:
            return False
        self._skew = skew
        return True

    def _mint(self) -> tuple[str, float]:
        if self._installation is None:
            self._installation = self._found_installation()
        try:
            return self._minted(self._installation)
        except GoneError:
            # Installed anew, under another number.
            self._installation = None
            raise

    def _found_installation(self) -> int:
        what = f"looking for the App's installation for repository {self._repository}"
        path = f"/repositories/{self._repository}/installation"
        try:
            return self._line.one(what, path, lambda found: number(found["id"]))
        except GoneError:
            return self._tried_installations(what)

    def _tried_installations(self, what: str) -> int:
        """By asking each: not every server answers the shorter question by id."""
        for found in self._line.every(what, "/app/installations", lambda one: number(one["id"])):
            try:
                self._minted(found)
            except (GoneError, UnacceptableError):
                continue
            return found
        raise GoneError(f"{what}: the App is not installed there; add the repository to its installation")

    def _minted(self, installation: int) -> tuple[str, float]:
        """The token, and until when it is good by our steady clock: neither side's calendar matters."""
        body = {"repository_ids": [self._repository], "permissions": self._permissions}
        path = f"/app/installations/{installation}/access_tokens"
        asked = self._steady()

        def shape(found: Any) -> tuple[str, float]:
            ends = datetime.fromisoformat(text(found["expires_at"])).astimezone(UTC).timestamp()
            return text(found["token"]), asked + min(_LIFE_SECONDS, ends - self._server_time())

        return self._line.ask("asking for a token of the App", path, body, shape)

    def _server_time(self) -> float:
        try:
            return parsedate_to_datetime(self._line.date).timestamp()
        except ValueError:
            return self._clock() + self._skew
