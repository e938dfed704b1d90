"""GitHub, as the port `Forge` wants it: one repository, by its numeric id, with as few requests as each verb needs."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from functools import partial

from github import Auth, Github
from github.Commit import Commit as GithubCommit
from github.CommitStatus import CommitStatus
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.PaginatedList import PaginatedList
from github.PullRequest import PullRequest
from github.Repository import Repository as GithubRepository

from bot.core.tree import Oid
from bot.forges.ensure import Found, UnknownOutcomeError, ensure_one
from bot.forges.github_bodies import Text, own, pull_of, repository_of, status_of
from bot.forges.github_calls import Calls
from bot.forges.github_changes import Page, changed_since
from bot.forges.marker import Marker
from bot.ports import Changed, GitRemote, Pull, Repository, Status

Credentials = Callable[[], str]
"""Gives a token that is good for at least ten minutes more."""

COMMENT_LIMIT = 65_536
"""Characters that GitHub takes in a comment or an issue."""
STATUS_LIMIT = 140
"""Characters of a status' description."""

_TIMEOUT_SECONDS = 10
_PAGE = 100
_SEEN_SECONDS = 900.0
_STATUS_TRIES = 3


class GitHub:
    """`ports.Forge` for one repository. Not for use by several threads at once.

    `api_url` is `https://api.github.com` or `https://<host>/api/v3`. Every path is built on the numeric id, so renames
    do not matter and a name that someone else claimed is never followed.
    """

    def __init__(
        self,
        api_url: str,
        repository: str,
        credentials: Credentials,
        marker_secret: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._id = int(repository)
        self._credentials = credentials
        self._marker_secret = marker_secret
        self._calls = Calls(sleep)
        # PyGithub's own throttles would sleep a second between writes, and its retries repeat a POST whose effect took
        # place: two lost answers gave three comments.
        self._client = Github(
            auth=_Fresh(credentials),
            base_url=api_url,
            timeout=_TIMEOUT_SECONDS,
            per_page=_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="causeway",
            lazy=True,
        )
        self._repo = self._client.get_repo(self._id)
        self._me: tuple[int, str] | None = None
        self._seen: tuple[Repository, float] | None = None

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    # The repository and its pull requests

    def repository(self) -> Repository:
        return self._calls.read("reading the repository", lambda: self._saw(self._client.get_repo(self._id).complete()))

    def remote(self) -> GitRemote:
        # Only a rename changes the address, and every pull request that is read tells it too: no request of its own.
        if self._seen is not None and time.monotonic() - self._seen[1] < _SEEN_SECONDS:
            url = self._seen[0].clone_url
        else:
            url = self.repository().clone_url
        basic = base64.b64encode(f"x-access-token:{self._credentials()}".encode()).decode()
        return GitRemote(url, f"Basic {basic}")

    def pull(self, number: int) -> Pull:
        def ask() -> Pull:
            found = self._repo.get_pull(number).complete()
            if found.base.repo.id == self._id:
                self._saw(found.base.repo)
            return pull_of(found)

        return self._calls.read(f"reading pull request {number}", ask)

    def open_pulls(self) -> tuple[Pull, ...]:
        return self._calls.read(
            "listing open pull requests", lambda: tuple(pull_of(one) for one in self._repo.get_pulls(state="open"))
        )

    def changed_since(self, mark: str) -> Changed:
        def pages(number: int, etag: str) -> Page | None:
            return self._calls.read("listing changed pull requests", lambda: self._changed_page(number, etag))

        return changed_since(mark, pages, self.open_pulls)

    def pulls_of_commit(self, sha: Oid) -> tuple[int, ...]:
        def ask() -> tuple[int, ...]:
            pulls = self._repo.get_commit(sha).get_pulls()
            here = (one.number for one in pulls if one.merged_at is not None and one.base.repo.id == self._id)
            return tuple(sorted(here))

        return self._calls.read(f"asking for the pull requests of {sha}", ask)

    # Statuses

    def status(self, sha: Oid, context: str) -> Status | None:
        def ask() -> Status | None:
            found = self._newest_status(sha, context)
            return None if found is None else status_of(found)

        return self._calls.read(f"reading the statuses of {sha}", ask)

    def ensure_status(self, sha: Oid, status: Status) -> bool:
        if len(status.description) > STATUS_LIMIT:
            raise ValueError(f"a status has at most {STATUS_LIMIT} characters, this one {len(status.description)}")

        def is_there() -> bool:
            found = self._newest_status(sha, status.context)
            # The raw word: GitHub's `error` is not our failure.
            return found is not None and found.state == status.state and status_of(found) == status

        for attempt in range(1, _STATUS_TRIES):
            if self._calls.read(f"reading the statuses of {sha}", is_there):
                return attempt > 1
            try:
                self._calls.write(f"setting the status of {sha}", partial(self._create_status, sha, status))
            except UnknownOutcomeError:
                self._calls.pause(attempt)
            else:
                return True
        if not self._calls.read(f"reading the statuses of {sha}", is_there):
            self._calls.write(f"setting the status of {sha}", partial(self._create_status, sha, status))
        return True

    def _newest_status(self, sha: Oid, context: str) -> CommitStatus | None:
        # Newest first, as GitHub promises; one page is enough unless a hundred others are newer.
        listed = PaginatedList(CommitStatus, self._client.requester, f"{self._repo.url}/commits/{sha}/statuses")
        return next((one for one in listed if one.context == context), None)

    def _create_status(self, sha: Oid, status: Status) -> None:
        # A commit that knows its sha already: else PyGithub would fetch it first.
        address = {"url": f"{self._repo.url}/commits/{sha}", "sha": sha}
        commit = GithubCommit(self._client.requester, {}, address, completed=True)
        url = {"target_url": status.url} if status.url else {}
        commit.create_status(state=status.state, description=status.description, context=status.context, **url)

    # Comments and issues of our own

    def ensure_comment(self, number: int, key: str, digest: str, body: str) -> bool:
        text = _within_limit(self._comment_marker(number).sign(body, key, digest))
        return self._ensure(
            f"our comment on pull request {number}",
            digest,
            listed=partial(self._own_comments, number, key),
            create=lambda: self._repo.get_issue(number).create_comment(text),
            edit=lambda one: one.edit(text),
            remove=lambda one: one.delete(),
        )

    def comment_digest(self, number: int, key: str) -> str | None:
        found = self._own_comments(number, key)
        return found[0][1] if found else None

    def ensure_issue(self, key: str, title: str, body: str | None) -> None:
        if body is None:
            for one, _ in self._own_issues(key):
                self._calls.write("closing our issue", partial(one.edit, state="closed"))
            return
        digest = hashlib.sha256(f"{title}\n{body}".encode()).hexdigest()[:32]
        text = _within_limit(self._issue_marker().sign(body, key, digest))
        self._ensure(
            "our issue",
            digest,
            listed=partial(self._own_issues, key),
            create=lambda: self._repo.create_issue(title, text),
            edit=lambda one: one.edit(title, text),
            remove=lambda one: one.edit(state="closed"),
        )

    def _ensure(
        self,
        what: str,
        digest: str,
        *,
        listed: Callable[[], list[tuple[Text, str]]],
        create: Callable[[], object],
        edit: Callable[[Text], None],
        remove: Callable[[Text], None],
    ) -> bool:
        write = self._calls.write

        def found() -> list[Found]:
            return [
                Found(
                    seen,
                    edit=partial(write, f"editing {what}", partial(edit, one)),
                    remove=partial(write, f"removing a twin of {what}", partial(remove, one)),
                )
                for one, seen in listed()
            ]

        return ensure_one(found, partial(write, f"writing {what}", create), digest, self._calls.pause)

    def _own_comments(self, number: int, key: str) -> list[tuple[IssueComment, str]]:
        me, marker = self._whoami()[0], self._comment_marker(number)
        return self._calls.read(
            f"listing comments of pull request {number}",
            lambda: own(self._repo.get_issue(number).get_comments(), me, marker, key),
        )

    def _own_issues(self, key: str) -> list[tuple[Issue, str]]:
        (me, login), marker = self._whoami(), self._issue_marker()
        # Asked for by hand: PyGithub types the creator as a user, whom it would have to fetch.
        return self._calls.read(
            "listing our issues",
            lambda: own(
                PaginatedList(
                    Issue, self._client.requester, f"{self._repo.url}/issues", {"state": "open", "creator": login}
                ),
                me,
                marker,
                key,
            ),
        )

    def _comment_marker(self, number: int) -> Marker:
        return Marker(self._marker_secret, f"comment:{self._id}:{number}")

    def _issue_marker(self) -> Marker:
        return Marker(self._marker_secret, f"issue:{self._id}:0")

    def _whoami(self) -> tuple[int, str]:
        def ask() -> tuple[int, str]:
            me = self._client.get_user()
            return me.id, me.login

        if self._me is None:
            self._me = self._calls.read("asking who we are", ask)
        return self._me

    def _saw(self, found: GithubRepository) -> Repository:
        repository = repository_of(found)
        self._seen = (repository, time.monotonic())
        return repository

    def _changed_page(self, number: int, etag: str) -> Page | None:
        # PyGithub's lists know no conditional requests, so this one is asked in its requester's own words.
        requester = self._client.requester
        status, headers, text = requester.requestJson(
            "GET",
            f"{self._repo.url}/pulls",
            parameters={"state": "all", "sort": "updated", "direction": "desc", "per_page": _PAGE, "page": number},
            headers={"If-None-Match": etag} if etag else {},
        )
        if status == 304:
            return None
        data = json.loads(text)
        if status >= 400:
            raise requester.createException(status, headers, data)
        pulls = tuple(pull_of(PullRequest(requester, headers, item)) for item in data)
        return Page(pulls, 'rel="next"' in headers.get("link", ""), headers.get("etag", ""))


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


def _within_limit(text: str) -> str:
    if len(text) > COMMENT_LIMIT:
        raise ValueError(f"GitHub takes {COMMENT_LIMIT} characters, this text has {len(text)}")
    return text
