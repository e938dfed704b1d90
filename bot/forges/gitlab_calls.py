"""Asking GitLab through python-gitlab: its ways to fail become four, and only reads are repeated.

Only the library's transport is used, with paths and bodies of our own: what a request costs and sends is seen here, and
no object of the library fetches itself again behind our back.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import gitlab
import requests
from gitlab.exceptions import GitlabError
from requests.auth import AuthBase

from bot.forges.ensure import UnknownOutcomeError
from bot.ports import GoneError, OutsideWorldError

Credentials = Callable[[], str]
"""Gives a token that is good for at least ten minutes more."""
Json = dict[str, Any]
Query = Mapping[str, str | int]
T = TypeVar("T")

PAGE = 100
"""The most that GitLab gives in one page."""

_TIMEOUT_SECONDS = 10
_READS = 3
_PATIENCE_SECONDS = 5.0
"""A read waits so long by itself; whoever must wait longer is told so, and does something else meanwhile."""
_UNTOLD_SECONDS = 60.0
"""A limit that does not say how long is waited out for so long, and twice as long each time until GitLab answers."""
_LONGEST_SECONDS = 3600.0
_MOST_PAGES = 200
_SAYABLE = re.compile(r"[ -~]{1,200}")
_ROOT = re.compile(r"/api/v4/?\Z")

# What an answer of another shape than GitLab promises leads to: half a JSON document, an HTML page with status 200.
_SHAPE_ERRORS = (ValueError, TypeError, KeyError, AttributeError)
_ERRORS = (GitlabError, requests.RequestException, *_SHAPE_ERRORS)


class RefusedError(OutsideWorldError):
    """GitLab understood and said no (400, 409, 422). `said` is its own message."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(what)
        self.said = said


class ForbiddenError(OutsideWorldError):
    """GitLab knows who asks, and this is not theirs to see or do (403)."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A page as it came. `value` is None where nothing changed since `etag`."""

    value: Any
    etag: str
    more: bool


class Calls:
    """One connection to one GitLab. What leaves it is the answer, `GoneError`, `RefusedError`, `UnknownOutcomeError`
    (writes only) or another `OutsideWorldError`; never an exception of python-gitlab or requests."""

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._untold = 0
        self._last: requests.Response | None = None
        self._closed_until = 0.0
        session = requests.Session()
        # The one place for the token: asked for each time, given to nobody but this host, never taken from .netrc.
        session.auth = _Bearer(credentials)
        # Paths are built on numeric ids, which GitLab answers in place; a redirect leads somewhere else.
        session.max_redirects = 0
        # python-gitlab's errors carry no headers, and without them nobody knows how long to wait.
        session.hooks["response"].append(self._keep)
        self._client = gitlab.Gitlab(
            _ROOT.sub("", api_url.rstrip("/")) or None,
            session=session,
            timeout=_TIMEOUT_SECONDS,
            user_agent="causeway",
            keep_base_url=True,
        )

    def close(self) -> None:
        """Closes its connections."""
        self._client.session.close()

    @property
    def date(self) -> str:
        """The `Date` of the latest answer, whatever it was; empty before the first."""
        return "" if self._last is None else self._last.headers.get("Date", "")

    # Reads

    def get(self, path: str) -> Any:
        """One answer, unguarded: for use inside `read`."""
        return self.page(path, 0, {}).value

    def page(self, path: str, number: int, query: Query, etag: str = "") -> Answered:
        """One page of a list (0: no list), unguarded: for use inside `read`."""
        paging = {"per_page": PAGE, "page": number} if number else {}
        try:
            answer = self._request(
                "get", path, query={**query, **paging}, headers={"If-None-Match": etag} if etag else {}
            )
        except GitlabError as err:
            if etag and err.response_code == 304:
                return Answered(None, etag, False)
            raise
        more = bool(answer.headers.get("X-Next-Page")) or "next" in answer.links
        return Answered(answer.json(), answer.headers.get("ETag", ""), more)

    def all(self, path: str, **query: str | int) -> list[Json]:
        """Every item of a list, all pages by number on this host, unguarded: for use inside `read`."""
        found: list[Json] = []
        for number in range(1, _MOST_PAGES):
            answer = self.page(path, number, query)
            if not isinstance(answer.value, list):
                raise TypeError("not a list")
            found += answer.value
            if not answer.more:
                return found
        raise ValueError("a list without an end")

    def read(self, what: str, ask: Callable[[], T]) -> T:
        """Asks up to three times. Waits a little in between, or as long as GitLab says where that is five seconds or
        less; else raises at once with `retry_after`."""
        attempt = 1
        while True:
            self._admit(what)
            try:
                found = ask()
                self._untold = 0
                return found
            except _ERRORS as err:
                failed, passing = self._understood(what, err)
                too_long = failed.retry_after is not None and failed.retry_after > _PATIENCE_SECONDS
                if too_long:
                    self._closed_until = self._clock() + (failed.retry_after or 0)
                if not passing or too_long or attempt == _READS:
                    raise failed from err
                self.pause(attempt, failed.retry_after)
                attempt += 1

    # Writes

    def write(self, what: str, method: str, path: str, **body: object) -> None:
        """Does it once. `UnknownOutcomeError` where it may have happened all the same: read before doing it again."""
        self._admit(what)
        try:
            answer = self._request(method, path, body=body)
            if method != "delete":
                # Half an answer says as little as none.
                answer.json()
        except _ERRORS as err:
            failed, passing = self._understood(what, err)
            # A limit is told before anything is done; everything else that passes may have come after the effect.
            if passing and failed.retry_after is None:
                raise UnknownOutcomeError(str(failed)) from err
            if failed.retry_after is not None:
                self._closed_until = self._clock() + failed.retry_after
            raise failed from err

    def _admit(self, what: str) -> None:
        """While GitLab wants to be left alone, nothing is sent: asking all the same makes it longer."""
        left = self._closed_until - self._clock()
        if left > 0:
            raise OutsideWorldError(f"{what}: GitLab wants no requests for another {left:.0f} seconds", left)

    def pause(self, attempt: int, told: float | None = None) -> None:
        """Waits before the next attempt, with jitter, so that workers that failed together do not return together."""
        self._sleep((told or 0.2 * 2**attempt) + random.uniform(0, 0.2))  # noqa: S311

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self._last = None
        # The library's own patience is off: it would sleep for minutes and repeat writes that took effect.
        return self._client.http_request(
            method,
            path,
            query_data=dict(query or {}),
            post_data=dict(body) if body else None,
            obey_rate_limit=False,
            retry_transient_errors=False,
            max_retries=0,
            extra_headers=dict(headers or {}),
        )

    def _keep(self, response: requests.Response, *_: object, **__: object) -> None:
        self._last = response

    def _understood(self, what: str, err: Exception) -> tuple[OutsideWorldError, bool]:
        """The error in our words, and whether it may pass by itself soon."""
        if isinstance(err, requests.TooManyRedirects):
            return OutsideWorldError(
                f"{what}: GitLab redirects elsewhere; api_url is its root, for example https://gitlab.acme.com/api/v4"
            ), False
        if isinstance(err, requests.RequestException):
            return OutsideWorldError(f"{what}: GitLab did not answer ({type(err).__name__})"), True
        if not isinstance(err, GitlabError) or err.response_code is None:
            return OutsideWorldError(f"{what}: GitLab's answer could not be read ({type(err).__name__})"), True
        message = _message(err)
        said = f"{what}: GitLab answered {err.response_code}" + (f" ({message})" if _SAYABLE.fullmatch(message) else "")
        if err.response_code in (404, 410):
            return GoneError(said), False
        if err.response_code == 403:
            return ForbiddenError(said), False
        if err.response_code == 429:
            return OutsideWorldError(said, self._retry_after()), True
        if err.response_code in (400, 409, 422):
            return RefusedError(said, message), False
        return OutsideWorldError(said), err.response_code >= 500

    def _retry_after(self) -> float:
        headers: Mapping[str, str] = {} if self._last is None else self._last.headers
        told, reset = headers.get("Retry-After", ""), headers.get("RateLimit-Reset", "")
        if told.isdigit():
            return float(told)
        if reset.isdigit():
            return max(1.0, int(reset) - self._server_time())
        wait: float = min(_UNTOLD_SECONDS * 2**self._untold, _LONGEST_SECONDS)
        self._untold += 1
        return wait

    def _server_time(self) -> float:
        """GitLab tells the end of a limit by its own clock, which is not ours."""
        try:
            return parsedate_to_datetime(self.date).timestamp()
        except ValueError:
            return time.time()


class _Bearer(AuthBase):
    """Every kind of token (personal, project, group, OAuth) is taken in this header, and requests drops it on its way
    to another host, which it would not do with PRIVATE-TOKEN."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._credentials()}"
        return request


def _message(err: GitlabError) -> str:
    # Typed as text, but it is whatever stood in the body: `{"note": ["is too long"]}`, a list, or raw bytes.
    message: object = err.error_message
    if isinstance(message, dict):
        return "; ".join(f"{key} {value}" for key, value in message.items())
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
