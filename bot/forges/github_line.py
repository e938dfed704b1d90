"""The line to GitHub's REST API: plain JSON through PyGithub's requester, every read conditional, no foreign host."""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlencode, urlsplit

from github import Auth, Github

from bot.forges.github_calls import Calls
from bot.forges.github_pace import Pace, Urgency
from bot.ports import OutsideWorldError

T = TypeVar("T")
Credentials = Callable[[], str]
"""Gives a token that is good for at least ten minutes more."""
Json = dict[str, Any]

PAGE = 100
_TIMEOUT_SECONDS = 10
_KNOWN_ANSWERS = 200
_KNOWN_BYTES = 512 * 1024
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="next"')


@dataclass(frozen=True, slots=True)
class Reply:
    """What a read answered: its text, and the path of the next page, empty where it is the last."""

    etag: str
    text: str
    following: str


class Line:
    """One account's or App's connection to one GitHub. Not for use by several threads at once.

    Answers are remembered by address, a bounded number of them, and asked for again with their ETag: what did not
    change costs a request, and nothing of GitHub's rate limit.
    """

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        pace: Pace,
        sleep: Callable[[float], None] = time.sleep,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        self.calls = Calls(pace, sleep, renew)
        self.date = ""
        """The `Date` of the latest answer, whatever it was."""
        # PyGithub's own throttles would sleep a second between writes, and its retries repeat a POST whose effect took
        # place: two lost answers gave three comments.
        self._client = Github(
            auth=_Fresh(credentials),
            base_url=api_url,
            timeout=_TIMEOUT_SECONDS,
            per_page=PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="causeway",
            lazy=True,
        )
        self._root = urlsplit(api_url.rstrip("/"))
        self._known: OrderedDict[str, Reply] = OrderedDict()

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def one(self, what: str, path: str, shape: Callable[[Any], T]) -> T:
        """A single thing; `shape` reads it and may raise on another shape than GitHub promises."""
        return self.calls.read(what, lambda: shape(json.loads(self._reply(path).text)))

    def every(self, what: str, path: str, shape: Callable[[Any], T], **query: str) -> list[T]:
        """A whole list, all pages."""
        return [item for page in self.pages(what, path, shape, **query) for item in page]

    def pages(self, what: str, path: str, shape: Callable[[Any], T], **query: str) -> Iterator[list[T]]:
        """A list page by page, so that whoever has found what they want can stop."""
        following = f"{path}?{urlencode({**query, 'per_page': PAGE})}"
        while following:
            found, following = self.calls.read(what, lambda at=following: self._page(at, shape))  # type: ignore[misc]
            yield found

    def ask(self, what: str, path: str, body: Json, shape: Callable[[Any], T]) -> T:
        """A POST that may be repeated as often as one likes, and its answer."""
        return self.calls.read(what, lambda: shape(json.loads(self._send("POST", path, body=body)[1])))

    def write(self, what: str, method: str, path: str, body: Json | None = None, urgency: Urgency = "required") -> Any:
        """Does it once and gives the answer's JSON; see `Calls.write`."""
        return self.calls.write(what, lambda: json.loads(self._send(method, path, body=body)[1] or "null"), urgency)

    def conditional(self, what: str, path: str, etag: str, shape: Callable[[Reply], T]) -> T | None:
        """The answer with its ETag; None where `etag` still holds. Nothing is remembered."""

        def ask() -> T | None:
            reply = self._ask(path, etag)
            return None if reply is None else shape(reply)

        return self.calls.read(what, ask)

    def _page(self, path: str, shape: Callable[[Any], T]) -> tuple[list[T], str]:
        reply = self._reply(path)
        items = json.loads(reply.text)
        if not isinstance(items, list):
            raise TypeError("not a list")
        if len(items) >= PAGE and not reply.following:
            # What comes after a full page changes its links and not its text, so its ETag proves nothing.
            self._known.pop(path, None)
        return [shape(item) for item in items], reply.following

    def _reply(self, path: str) -> Reply:
        known = self._known.get(path)
        reply = self._ask(path, known.etag if known is not None else "")
        if reply is None:
            if known is None:
                raise ValueError("not modified, but nothing was known")
            self._known.move_to_end(path)
            return known
        # Read before it is kept: half an answer would be believed for as long as its ETag holds.
        json.loads(reply.text)
        if reply.etag and len(reply.text) <= _KNOWN_BYTES:
            self._known[path] = reply
            self._known.move_to_end(path)
            while len(self._known) > _KNOWN_ANSWERS:
                self._known.popitem(last=False)
        return reply

    def _ask(self, path: str, etag: str) -> Reply | None:
        headers, text = self._send("GET", path, etag=etag)
        if headers is None:
            return None
        return Reply(headers.get("etag", ""), text, self._following(headers.get("link", "")))

    def _send(
        self, method: str, path: str, *, body: Json | None = None, etag: str = ""
    ) -> tuple[dict[str, str] | None, str]:
        """Headers and text; None for headers where the ETag still holds."""
        requester = self._client.requester
        status, headers, text = requester.requestJson(
            method, path, headers={"If-None-Match": etag} if etag else {}, input=body
        )
        self.date = headers.get("date", "")
        if status == 304:
            return None, ""
        if status >= 400:
            raise requester.createException(status, headers, _explanation(text))
        if status >= 300:
            raise ValueError(f"GitHub answered {status} where no other place is expected")
        return headers, text

    def _following(self, link: str) -> str:
        found = _NEXT.search(link)
        if found is None:
            return ""
        there = urlsplit(found[1])
        if _site(there) != _site(self._root) or not there.path.startswith(f"{self._root.path}/"):
            # Our token would go there.
            raise OutsideWorldError("GitHub named another host for the next page; it is not followed")
        return there.path.removeprefix(self._root.path) + (f"?{there.query}" if there.query else "")


def _site(url: SplitResult) -> tuple[str, str]:
    """Scheme and host; a default port may be told or not."""
    return url.scheme, url.netloc.lower().removesuffix({"https": ":443", "http": ":80"}.get(url.scheme, ""))


def _explanation(text: str) -> Json:
    """What an error says; a gateway's says it in HTML."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class _Fresh(Auth.Auth):
    """Asks for the token each time, so that one that runs out in an hour can be replaced beneath."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        return self._credentials()
