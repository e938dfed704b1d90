"""GitLab, as the port `Forge` wants it: one project, by its numeric id, with as few requests as each verb needs.

A merge request is a pull request, its `iid` the number; a note is a comment. What people call GitLab's name for a thing
stands in messages, ours in the code.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from typing import Any

from bot.core.model.conversation import Annotation, Remark
from bot.core.text import without_quick_actions
from bot.core.tree import Oid
from bot.forges import gitlab_lines, gitlab_opening, gitlab_people, gitlab_status
from bot.forges.changes import Page, changed_since
from bot.forges.ensure import Found, ensure_one
from bot.forges.gitlab_bodies import Where, own, project_of, pull_of, where_of, within_limit
from bot.forges.gitlab_calls import Calls, Credentials, Json
from bot.forges.gitlab_heard import Heard
from bot.forges.marker import HINT, Marker
from bot.ports import (
    Approving,
    Changed,
    Comment,
    GitRemote,
    GoneError,
    Opening,
    Permission,
    Pull,
    Reaction,
    Repository,
    Status,
)

_SEEN_SECONDS = 900.0
_JUST_NOW_SECONDS = 30.0
_TRIES = 3
_REMEMBERED = 1000


class GitLab:
    """`ports.Forge` for one project. Not for use by several threads at once.

    `api_url` is `https://gitlab.com/api/v4`, or that of an instance of one's own, below a path too. Every path is built
    on the numeric id, so renames and moves between groups do not matter and a name that someone else claimed is never
    followed. The token may be a person's, a project's or a group's, with the scope `api` and the role Developer, or
    Maintainer where the default branch is protected against Developers. GitLab 15.7 or newer.
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
        self._path = f"/projects/{self._id}"
        self._credentials = credentials
        self._marker_secret = marker_secret
        self._calls = Calls(api_url, credentials, sleep)
        self._me: int | None = None
        self._seen: tuple[Repository, float] | None = None
        self._told: tuple[Repository, float] | None = None
        self._places: dict[Oid, Where] = {}
        self._beside: dict[int, list[Json]] = {}
        self._unplaced: dict[tuple[int, Oid], frozenset[str]] = {}
        self._parents: dict[tuple[Oid, str], bool] = {}
        self._heard = Heard(self._calls)
        self._noted: dict[int, list[Json]] = {}

    def close(self) -> None:
        """Closes its connections."""
        self._calls.close()

    # The repository and its pull requests

    def repository(self) -> Repository:
        # A look begins with its merge request, whose address showed a moment ago that the project is where it was.
        # Believed once.
        told, self._told = self._told, None
        if told is not None and time.monotonic() - told[1] < _JUST_NOW_SECONDS:
            return told[0]

        def ask() -> Repository:
            found = project_of(self._calls.get(self._path))
            self._seen = (found, time.monotonic())
            return found

        return self._calls.read("reading the project", ask)

    def remote(self) -> GitRemote:
        # Only a rename changes the address, and GitLab redirects git from the old one for long.
        if self._seen is None or time.monotonic() - self._seen[1] >= _SEEN_SECONDS:
            self.repository()
        url = self._seen[0].clone_url if self._seen is not None else ""
        basic = base64.b64encode(f"oauth2:{self._credentials()}".encode()).decode()
        return GitRemote(url, f"Basic {basic}")

    def pull(self, number: int) -> Pull:
        def ask() -> Pull:
            found = self._calls.get(self._mr(number))
            pull = pull_of(found)
            self._remember(pull, where_of(found, partial(self._brings, pull.head_sha)))
            return pull

        pull = self._calls.read(f"reading merge request {number}", ask)
        seen = self._seen
        if seen is not None and time.monotonic() - seen[1] < _SEEN_SECONDS:
            same = pull.web_url == f"{seen[0].web_url}/merge_requests/{number}"
            self._told = (seen[0], time.monotonic()) if same else None
        return pull

    def open_pulls(self) -> tuple[Pull, ...]:
        return self._calls.read(
            "listing open merge requests",
            lambda: _pulls(self._calls.all(f"{self._path}/merge_requests", state="opened", scope="all")),
        )

    def changed_since(self, mark: str) -> Changed:
        def page(number: int, etag: str) -> Page | None:
            query = {"state": "all", "scope": "all", "order_by": "updated_at", "sort": "desc"}
            answer = self._calls.page(f"{self._path}/merge_requests", number, query, etag)
            return None if answer.value is None else Page(_pulls(answer.value), answer.more, answer.etag)

        def pages(number: int, etag: str) -> Page | None:
            return self._calls.read("listing changed merge requests", lambda: page(number, etag))

        return changed_since(mark, pages, self.open_pulls)

    def pulls_of_commit(self, sha: Oid) -> tuple[int, ...]:
        def ask() -> tuple[int, ...]:
            found = self._calls.all(f"{self._path}/repository/commits/{sha}/merge_requests")
            merged = (one for one in found if one["state"] == "merged" and one["target_project_id"] == self._id)
            return tuple(sorted(int(one["iid"]) for one in merged))

        return self._calls.read(f"asking for the merge requests of {sha}", ask)

    def pull_ref(self, number: int) -> str:
        return f"refs/merge-requests/{number}/head"

    def open_pull(self, opening: Opening) -> int:
        return gitlab_opening.open_pull(self._calls, self._id, opening)

    # Statuses and remarks

    def status(self, sha: Oid, context: str) -> Status | None:
        found = self._calls.read(
            f"reading the statuses of {sha}", lambda: gitlab_status.newest(self._calls, self._place(sha), context)
        )
        return None if found is None else found.status

    def ensure_status(self, sha: Oid, status: Status, annotations: Sequence[Annotation] = ()) -> bool:  # noqa: ARG002
        # GitLab has no place for annotations beside a status; remarks stand at their lines.
        return gitlab_status.ensure_status(self._calls, self._place(sha), status)

    def ensure_remarks(self, number: int, sha: Oid, key: str, remarks: Sequence[Remark]) -> bool:
        ours = gitlab_lines.Ours(self._whoami, self._marker(f"remark:{self._id}:{number}"))
        # Believed once: the comment on the plan was ensured a moment ago, and all notes were listed for it.
        beside, unplaced = self._beside.pop(number, None), self._unplaced.get((number, sha), frozenset())
        if beside is not None and gitlab_lines.stand(beside, key, remarks, unplaced, ours):
            return False
        wrote, unplaced = gitlab_lines.ensure_remarks(self._calls, self._mr(number), sha, key, remarks, ours)
        self._unplaced[number, sha] = unplaced
        _forget(self._unplaced)
        return wrote

    # Comments and issues of our own

    def ensure_comment(self, number: int, key: str, digest: str, body: str, urgent: bool = False) -> bool:  # noqa: ARG002
        # GitLab counts notes by the minute, and says when it has had enough: nothing is kept back beforehand.
        path = f"{self._mr(number)}/notes"
        text = self._signed(f"comment:{self._id}:{number}", body, key, digest)
        what = f"our comment on merge request {number}"
        write = self._calls.write
        return self._ensure(
            digest,
            listed=partial(self._own_notes, number, key),
            create=partial(write, f"writing {what}", "post", path, body=text),
            edit=lambda one: write(f"editing {what}", "put", f"{path}/{one['id']}", body=text),
            remove=lambda one: write(f"removing a twin of {what}", "delete", f"{path}/{one['id']}"),
        )

    def comment_digest(self, number: int, key: str) -> str | None:
        # The list of notes that was just read has it. Believed once.
        heard = self._noted.pop(number, None)
        marker = self._marker(f"comment:{self._id}:{number}")
        found = self._own_notes(number, key) if heard is None else own(heard, self._whoami(), marker, key, "body")
        return None if not found else found[0][1] if len(found) == 1 else ""

    def ensure_issue(self, key: str, title: str, body: str | None) -> None:
        path, write = f"{self._path}/issues", self._calls.write

        def close(one: Json) -> None:
            write("closing our issue", "put", f"{path}/{one['iid']}", state_event="close")

        if body is None:
            for one, _ in self._own_issues(key):
                close(one)
            return
        digest = hashlib.sha256(f"{title}\n{body}".encode()).hexdigest()[:32]
        content = {"title": title, "description": self._signed(f"issue:{self._id}:0", body, key, digest)}
        self._ensure(
            digest,
            listed=partial(self._own_issues, key),
            create=partial(write, "opening our issue", "post", path, **content),
            edit=lambda one: write("editing our issue", "put", f"{path}/{one['iid']}", **content),
            remove=close,
        )

    def _ensure(
        self,
        digest: str,
        *,
        listed: Callable[[], list[tuple[Json, str]]],
        create: Callable[[], None],
        edit: Callable[[Json], None],
        remove: Callable[[Json], None],
    ) -> bool:
        def found() -> list[Found]:
            return [Found(seen, edit=partial(edit, one), remove=partial(remove, one)) for one, seen in listed()]

        return ensure_one(found, create, digest, self._calls.pause)

    def _own_notes(self, number: int, key: str) -> list[tuple[Json, str]]:
        me, marker = self._whoami(), self._marker(f"comment:{self._id}:{number}")
        return self._calls.read(
            f"listing comments of merge request {number}", lambda: own(self._notes(number), me, marker, key, "body")
        )

    def _own_issues(self, key: str) -> list[tuple[Json, str]]:
        me, marker = self._whoami(), self._marker(f"issue:{self._id}:0")
        return self._calls.read(
            "listing our issues",
            lambda: own(
                self._calls.all(f"{self._path}/issues", state="opened", author_id=me, scope="all"),
                me,
                marker,
                key,
                "description",
            ),
        )

    # People

    def comments(self, number: int) -> tuple[Comment, ...]:
        def notes() -> list[Json]:
            self._noted = {number: self._notes(number)}
            return self._noted[number]

        return self._heard.comments(self._mr(number), self._whoami(), notes)

    def react(self, number: int, comment: str, reaction: Reaction) -> None:
        self._heard.react(self._mr(number), self._whoami(), comment, reaction)

    def approvals(self, number: int, sha: Oid) -> tuple[Approving, ...]:
        return self._calls.read(
            f"reading the approvals of merge request {number}",
            lambda: gitlab_people.approvals(self._calls, self._mr(number), sha, partial(self._notes, number)),
        )

    def authors(self, number: int) -> frozenset[str]:
        return gitlab_people.authors(self._calls, self._mr(number), self._id)

    def member_of(self, team: str, user_id: str) -> bool:
        return gitlab_people.member_of(self._calls, team, user_id)

    def permission(self, user_id: str) -> Permission:
        return gitlab_people.permission(self._calls, self._id, user_id)

    def _notes(self, number: int) -> list[Json]:
        found = self._calls.all(f"{self._mr(number)}/notes", sort="asc", order_by="created_at")
        self._beside[number] = [one for one in found if one.get("type") == "DiffNote" and HINT in (one["body"] or "")]
        _forget(self._beside)
        return found

    def _mr(self, number: int) -> str:
        return f"{self._path}/merge_requests/{number}"

    def _remember(self, pull: Pull, where: Where) -> None:
        """The pipeline that a head's status belongs to is told by its merge request alone."""
        if where.project != self._id:
            # A fork's pipelines are not ours to write to. Here, its commits lie on no branch but on this ref.
            where = Where(self._id, pull.head_sha, None, self.pull_ref(pull.number))
        self._places[pull.head_sha] = where
        _forget(self._places)

    def _brings(self, head: Oid, commit: str) -> bool:
        """Whether the head is a parent of the commit; asked once for each pair."""
        if (head, commit) not in self._parents:
            ask = partial(self._calls.get, f"{self._path}/repository/commits/{commit}")
            try:
                found = self._calls.read(f"reading commit {commit}", ask)
            except GoneError:
                # A merged result is swept away once a newer one is there.
                return False
            self._parents[head, commit] = head in found["parent_ids"]
            _forget(self._parents)
        return self._parents[head, commit]

    def _place(self, sha: Oid) -> Where:
        return self._places.get(sha) or Where(self._id, sha, None, "")

    def _signed(self, place: str, body: str, key: str, digest: str) -> str:
        return within_limit(without_quick_actions(self._marker(place).sign(body, key, digest)))

    def _marker(self, place: str) -> Marker:
        return Marker(self._marker_secret, place)

    def _whoami(self) -> int:
        if self._me is None:
            self._me = self._calls.read("asking who we are", lambda: int(self._calls.get("/user")["id"]))
        return self._me


def _pulls(listed: Sequence[Json]) -> tuple[Pull, ...]:
    # One that was opened from an empty branch has no head yet, and nothing to look at.
    return tuple(pull_of(one) for one in listed if one["sha"] is not None)


def _forget(held: MutableMapping[Any, Any]) -> None:
    """The oldest of what is remembered, where that is too much."""
    while len(held) > _REMEMBERED:
        del held[next(iter(held))]
