"""GitHub, as the port `Forge` wants it: one repository, by its numeric id, with as few requests as each verb needs."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.core.model.conversation import Annotation, Remark
from bot.core.tree import Oid
from bot.forges.changes import Page, changed_since
from bot.forges.ensure import UnknownOutcomeError
from bot.forges.github_app import AppCredentials
from bot.forges.github_bodies import number as whole
from bot.forges.github_bodies import pull_of, repository_of
from bot.forges.github_calls import UnacceptableError
from bot.forges.github_line import PAGE, Credentials, Line, Reply
from bot.forges.github_pace import PER_HOUR, PER_MINUTE, Pace
from bot.forges.github_people import Opened, People, opened_of
from bot.forges.github_statuses import STATUS_LIMIT, Checks, Statuses, Verdicts
from bot.forges.github_talk import COMMENT_LIMIT, Talk
from bot.ports import (
    Approving,
    Changed,
    Comment,
    GitRemote,
    Opening,
    OutsideWorldError,
    Permission,
    Pull,
    Reaction,
    Repository,
    Status,
)

__all__ = ["COMMENT_LIMIT", "STATUS_LIMIT", "GitHub"]

_SEEN_SECONDS = 900.0
_JUST_NOW_SECONDS = 15.0
_OPENING_TRIES = 3
_BRANCH = re.compile(r"[A-Za-z0-9._/-]{1,200}")


class GitHub:
    """`ports.Forge` for one repository. Not for use by several threads at once.

    `api_url` is `https://api.github.com` or `https://<host>/api/v3`. Every path is built on the numeric id, so renames
    do not matter and a name that someone else claimed is never followed. With `AppCredentials` the bot is the App: its
    verdicts are check runs; with a plain token they are commit statuses. `pace` is shared by the adapters of one
    installation; without one, each has the budget of GitHub.com, or none at an Enterprise server.
    """

    def __init__(
        self,
        api_url: str,
        repository: str,
        credentials: Credentials,
        marker_secret: str,
        sleep: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
    ) -> None:
        app = credentials if isinstance(credentials, AppCredentials) else None
        self._id = int(repository)
        self._repo = f"/repositories/{self._id}"
        self._credentials = credentials
        self._app = app
        self._line = Line(api_url, credentials, pace or default_pace(api_url), sleep, self._renewed)
        self._people = People(self._line, self._repo)
        self._me: tuple[str, str] | None = None
        self._verdicts: Verdicts = (
            Statuses(self._line, self._repo) if app is None else Checks(self._line, self._repo, app.app_id)
        )
        self._talk = Talk(self._line, self._repo, self._id, self._whoami, marker_secret)
        self._seen: tuple[Repository, float] | None = None
        self._told: tuple[Repository, float] | None = None
        self._beside: dict[int, int] = {}
        self._opened: dict[int, Opened] = {}

    def close(self) -> None:
        """Closes its connections."""
        self._line.close()

    # The repository and its pull requests

    def repository(self) -> Repository:
        # A look begins with its pull request, which told everything about the repository a moment ago. Believed once.
        told, self._told = self._told, None
        if told is not None and time.monotonic() - told[1] < _JUST_NOW_SECONDS:
            return told[0]
        return self._saw(self._line.one("reading the repository", self._repo, repository_of))

    def remote(self) -> GitRemote:
        # Only a rename changes the address, and every pull request that is read tells it too: no request of its own.
        if self._seen is not None and time.monotonic() - self._seen[1] < _SEEN_SECONDS:
            url = self._seen[0].clone_url
        else:
            url = self.repository().clone_url
        basic = base64.b64encode(f"x-access-token:{self._credentials()}".encode()).decode()
        return GitRemote(url, f"Basic {basic}")

    def pull(self, number: int) -> Pull:
        def shape(found: Any) -> tuple[Pull, Repository, int, Opened]:
            base = repository_of(found["base"]["repo"])
            return pull_of(found), base, whole(found["review_comments"]), opened_of(found)

        pull, base, beside, opened = self._line.one(
            f"reading pull request {number}", f"{self._repo}/pulls/{number}", shape
        )
        if base.id == str(self._id):
            self._saw(base)
            self._told = self._seen
        self._beside, self._opened = {number: beside}, {number: opened}
        return pull

    def pull_ref(self, number: int) -> str:
        return f"refs/pull/{number}/head"

    def open_pulls(self) -> tuple[Pull, ...]:
        return tuple(self._line.every("listing open pull requests", f"{self._repo}/pulls", pull_of, state="open"))

    def changed_since(self, mark: str) -> Changed:
        return changed_since(mark, self._changed_page, self.open_pulls)

    def pulls_of_commit(self, sha: Oid) -> tuple[int, ...]:
        def shape(found: Any) -> int:
            here = found["merged_at"] is not None and found["base"]["repo"]["id"] == self._id
            return whole(found["number"]) if here else 0

        what = f"asking for the pull requests of {sha}"
        return tuple(sorted(set(self._line.every(what, f"{self._repo}/commits/{sha}/pulls", shape)) - {0}))

    def open_pull(self, opening: Opening) -> int:
        if _BRANCH.fullmatch(opening.branch) is None or _BRANCH.fullmatch(opening.base) is None:
            raise ValueError(f"{opening.branch!r} and {opening.base!r} are names of branches that the bot never makes")
        owner = self.repository().full_name.partition("/")[0]
        body = {"title": opening.title, "head": opening.branch, "base": opening.base, "body": opening.body}
        what = f"opening a pull request from {opening.branch}"
        query = {"state": "open", "head": f"{owner}:{opening.branch}", "base": opening.base}
        refused: OutsideWorldError | None = None
        for attempt in range(_OPENING_TRIES + 1):
            found = self._line.every(what, f"{self._repo}/pulls", lambda one: whole(one["number"]), **query)
            if found:
                return min(found)
            if refused is not None:
                raise refused
            try:
                self._line.write(what, "POST", f"{self._repo}/pulls", body)
            except UnknownOutcomeError:
                self._line.calls.pause(attempt + 1)
            except UnacceptableError as err:
                # There is one already and the list lags, or there is nothing to pull.
                refused = err
                self._line.calls.pause(attempt + 1)
        raise OutsideWorldError(f"{what}: it is not listed")

    # Statuses

    def status(self, sha: Oid, context: str) -> Status | None:
        return self._verdicts.read(sha, context)

    def ensure_status(self, sha: Oid, status: Status, annotations: Sequence[Annotation] = ()) -> bool:
        if len(status.description) > STATUS_LIMIT:
            raise ValueError(f"a status has at most {STATUS_LIMIT} characters, this one {len(status.description)}")
        return self._verdicts.ensure(sha, status, annotations)

    # Comments, remarks and issues

    def ensure_comment(self, number: int, key: str, digest: str, body: str, urgent: bool = False) -> bool:
        return self._talk.ensure_comment(number, key, digest, body, "failing" if urgent else "passing")

    def comment_digest(self, number: int, key: str) -> str | None:
        return self._talk.digest(number, key)

    def ensure_remarks(self, number: int, sha: Oid, key: str, remarks: Sequence[Remark]) -> bool:
        # The pull request itself told how many there are: nothing to say and nothing there is no request.
        if not remarks and self._beside.get(number) == 0:
            return False
        self._beside.clear()
        return self._talk.ensure_remarks(number, sha, key, remarks)

    def comments(self, number: int) -> tuple[Comment, ...]:
        return self._talk.comments(number)

    def react(self, number: int, comment: str, reaction: Reaction) -> None:  # noqa: ARG002 - comments have ids of their own
        self._talk.react(comment, reaction)

    def ensure_issue(self, key: str, title: str, body: str | None) -> None:
        self._talk.ensure_issue(key, title, body)

    # People

    def approvals(self, number: int, sha: Oid) -> tuple[Approving, ...]:
        return self._people.approvals(number, sha)

    def authors(self, number: int) -> frozenset[str]:
        return self._people.authors(number, self._opened.get(number))

    def member_of(self, team: str, user_id: str) -> bool:
        return self._people.member_of(team, user_id)

    def permission(self, user_id: str) -> Permission:
        return self._people.permission(user_id)

    def _whoami(self) -> tuple[str, str]:
        if self._me is None:
            self._me = self._people.account(None if self._app is None else self._app.login())
        return self._me

    def _renewed(self) -> bool:
        return self._app is not None and self._app.forget()

    def _saw(self, repository: Repository) -> Repository:
        self._seen = (repository, time.monotonic())
        return repository

    def _changed_page(self, number: int, etag: str) -> Page | None:
        query = {"state": "all", "sort": "updated", "direction": "desc", "per_page": PAGE, "page": number}
        path = f"{self._repo}/pulls?{urlencode(query)}"
        return self._line.conditional("listing changed pull requests", path, etag, _page)


def _page(reply: Reply) -> Page:
    return Page(tuple(pull_of(one) for one in json.loads(reply.text)), bool(reply.following), reply.etag)


def default_pace(api_url: str, writers: int = 1) -> Pace:
    """GitHub.com's budget there, or one of `writers` equal parts of it; none at an Enterprise server, which says by
    itself when it has enough."""
    if urlsplit(api_url).hostname != "api.github.com":
        return Pace(None, None)
    return Pace(max(1, PER_MINUTE // writers), max(1, PER_HOUR // writers))
