"""Asking GitHub through PyGithub: its many ways to fail become three, and only reads are repeated."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from github import BadAttributeException, GithubException
from github.Requester import Requester

from bot.forges.ensure import UnknownOutcomeError
from bot.ports import GoneError, OutsideWorldError

T = TypeVar("T")

_READS = 3
_PATIENCE_SECONDS = 5.0
"""A read waits so long by itself; whoever must wait longer is told so, and does something else meanwhile."""
_UNTOLD_SECONDS = 60.0
"""GitHub's advice for a limit that does not say when it ends."""
_SAYABLE = re.compile(r"[ -~]{1,200}")

# What PyGithub raises on an answer of another shape than GitHub promises: half a JSON document, an HTML page with
# status 200, a missing field, a redirect to another host, an address elsewhere.
_SHAPE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, AssertionError, RuntimeError, BadAttributeException)
_ERRORS = (GithubException, requests.RequestException, *_SHAPE_ERRORS)


@dataclass(frozen=True, slots=True)
class Calls:
    """Runs calls to GitHub. What leaves it is the answer, `GoneError`, `UnknownOutcomeError` (writes only) or another
    `OutsideWorldError`; never an exception of PyGithub or requests."""

    sleep: Callable[[float], None] = field(default=time.sleep)

    def read(self, what: str, ask: Callable[[], T]) -> T:
        """Asks up to three times. Waits a little in between, or as long as GitHub says where that is five seconds or
        less; else raises at once with `retry_after`."""
        for attempt in range(1, _READS):
            try:
                return ask()
            except _ERRORS as err:
                failed, passing = _understood(what, err)
                too_long = failed.retry_after is not None and failed.retry_after > _PATIENCE_SECONDS
                if not passing or too_long:
                    raise failed from err
                self.pause(attempt, failed.retry_after)
        try:
            return ask()
        except _ERRORS as err:
            raise _understood(what, err)[0] from err

    def write(self, what: str, do: Callable[[], object]) -> None:
        """Does it once. `UnknownOutcomeError` where it may have happened all the same: read before doing it again."""
        try:
            do()
        except _ERRORS as err:
            failed, passing = _understood(what, err)
            # A limit is told before anything is done; everything else that passes may have come after the effect.
            if passing and failed.retry_after is None:
                raise UnknownOutcomeError(str(failed)) from err
            raise failed from err

    def pause(self, attempt: int, told: float | None = None) -> None:
        """Waits before the next attempt, with jitter, so that workers that failed together do not return together."""
        self.sleep((told or 0.2 * 2**attempt) + random.uniform(0, 0.2))  # noqa: S311


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
    if err.status == 429 or (err.status == 403 and _limited(err, message)):
        return OutsideWorldError(said, _retry_after(err)), True
    return OutsideWorldError(said), err.status >= 500


def _message(err: GithubException) -> str:
    found = err.data.get("message") if isinstance(err.data, dict) else None
    return found if isinstance(found, str) else ""


def _limited(err: GithubException, message: str) -> bool:
    headers = err.headers or {}
    return (
        "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or Requester.isRateLimitError(message)
    )


def _retry_after(err: GithubException) -> float:
    headers = err.headers or {}
    told = headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(1.0, int(reset) - time.time())
    return _UNTOLD_SECONDS
