"""Asking GitHub through PyGithub: its many ways to fail become few, and only reads are repeated."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests
from github import BadAttributeException, GithubException
from github.Requester import Requester

from bot.forges.ensure import UnknownOutcomeError
from bot.forges.github_pace import Pace, Urgency
from bot.ports import GoneError, OutsideWorldError

T = TypeVar("T")

_READS = 3
_PATIENCE_SECONDS = 5.0
"""A read waits so long by itself; whoever must wait longer is told so, and does something else meanwhile."""
_HASTY = "was submitted too quickly"
"""In a 422 about one comment too many: a limit in the clothes of a mistake."""
_SAYABLE = re.compile(r"[ -~]{1,200}")

# What PyGithub raises on an answer of another shape than GitHub promises: half a JSON document, an HTML page with
# status 200, a missing field, a redirect to another host, an address elsewhere.
_SHAPE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, AssertionError, RuntimeError, BadAttributeException)
_ERRORS = (GithubException, requests.RequestException, *_SHAPE_ERRORS)


class UnprovenError(OutsideWorldError):
    """401: GitHub does not believe who we are."""


class UnacceptableError(OutsideWorldError):
    """422: GitHub understood, and will not; asking again changes nothing."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Runs calls to GitHub. What leaves it is the answer, `GoneError`, `UnknownOutcomeError` (writes only) or another
    `OutsideWorldError`; never an exception of PyGithub or requests.

    `renew` is asked once where a token is not believed; True where there is a new one to try.
    """

    pace: Pace
    sleep: Callable[[float], None] = field(default=time.sleep)
    renew: Callable[[], bool] = field(default=lambda: False)

    def read(self, what: str, ask: Callable[[], T]) -> T:
        """Asks up to three times. Waits a little in between, or as long as GitHub says where that is five seconds or
        less; else raises at once with `retry_after`."""
        renewed = False
        for attempt in range(1, _READS + 1):
            self.pace.admit(what)
            try:
                return self._answered(ask())
            except _ERRORS as err:
                failed, passing = _understood(what, err)
                if isinstance(failed, UnprovenError) and not renewed and self.renew():
                    renewed = True
                    continue
                if isinstance(failed, _LimitedError):
                    failed = self._limited(failed)
                    passing = failed.retry_after is not None and failed.retry_after <= _PATIENCE_SECONDS
                if not passing or attempt == _READS:
                    raise failed from err
                self.pause(attempt, failed.retry_after)
        raise _unbelieved(what)

    def write(self, what: str, do: Callable[[], T], urgency: Urgency = "required") -> T:
        """Does it once. `UnknownOutcomeError` where it may have happened all the same: read before doing it again."""
        for renewed in (False, True):
            self.pace.spend(what, urgency)
            try:
                return self._answered(do())
            except _ERRORS as err:
                failed, passing = _understood(what, err)
                # A token that is not believed and a limit are told before anything is done; everything else that
                # passes may have come after the effect.
                if isinstance(failed, UnprovenError) and not renewed and self.renew():
                    continue
                if isinstance(failed, _LimitedError):
                    raise self._limited(failed, always=True) from err
                if passing:
                    raise UnknownOutcomeError(str(failed)) from err
                raise failed from err
        raise _unbelieved(what)

    def pause(self, attempt: int, told: float | None = None) -> None:
        """Waits before the next attempt, with jitter, so that workers that failed together do not return together."""
        self.sleep((told or 0.2 * 2**attempt) + random.uniform(0, 0.2))  # noqa: S311

    def _answered(self, answer: T) -> T:
        self.pace.answered()
        return answer

    def _limited(self, failed: _LimitedError, *, always: bool = False) -> OutsideWorldError:
        """A short pause is waited out by the read that met it; a longer one holds for everybody."""
        told = failed.retry_after
        if told is None or told > _PATIENCE_SECONDS or always:
            told = self.pace.limited(told)
        return OutsideWorldError(str(failed), told)


class _LimitedError(OutsideWorldError):
    """403 or 429 for a while. `retry_after` None: it was not said for how long."""


def _unbelieved(what: str) -> OutsideWorldError:
    return OutsideWorldError(f"{what}: GitHub does not believe our token")


def _understood(what: str, err: Exception) -> tuple[OutsideWorldError, bool]:
    """The error in our words, and whether it may pass by itself soon."""
    if isinstance(err, requests.RequestException):
        return OutsideWorldError(f"{what}: GitHub did not answer ({type(err).__name__})"), True
    if not isinstance(err, GithubException):
        return OutsideWorldError(f"{what}: GitHub's answer could not be read ({type(err).__name__})"), True
    message = _message(err)
    said = f"{what}: GitHub answered {err.status}" + (f" ({message})" if _SAYABLE.fullmatch(message) else "")
    if err.status in (404, 410) or (err.status == 422 and message.startswith("No commit found")):
        return GoneError(said), False
    if err.status == 429 or (err.status == 403 and _limited(err, message)) or _HASTY in str(err.data):
        return _LimitedError(said, _retry_after(err)), True
    if err.status == 401:
        return UnprovenError(said), False
    if err.status == 422:
        return UnacceptableError(said), False
    return OutsideWorldError(said), err.status >= 500


def _message(err: GithubException) -> str:
    found = err.data.get("message") if isinstance(err.data, dict) else None
    return found if isinstance(found, str) else ""


def _limited(err: GithubException, message: str) -> bool:
    headers = err.headers or {}
    return (
        "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or Requester.isRateLimitError(message)
    )


def _retry_after(err: GithubException) -> float | None:
    headers = err.headers or {}
    told = headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(1.0, int(reset) - _server_time(headers.get("date", "")))
    return None


def _server_time(date: str) -> float:
    """GitHub tells the end of a limit by its own clock, which is not ours."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return time.time()
