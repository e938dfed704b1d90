"""Who at GitHub: we ourselves, who wrote a pull request, who approves it, who belongs to a team, who may do what.

People are known by their numeric ids. Logins change hands; each answer asks for the login that an id bears now.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.core.tree import Oid
from bot.forges.github_bodies import author_of, number, text
from bot.forges.github_line import PAGE, Line
from bot.ports import Approving, GoneError, Permission

_TEAM = re.compile(r"@?(?P<org>[A-Za-z0-9-]{1,39})/(?P<team>[A-Za-z0-9._-]{1,100})")
_LISTED_COMMITS = 250
"""A pull request's own list of commits ends here."""
_PUSH_PAGES = 5

Whoami = Callable[[], tuple[str, str]]
"""Gives the numeric id and the login that our own comments carry."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Who opened a pull request, and from which branch; None where that lies in another repository."""

    by: str
    branch: str | None


class People:
    """Live answers; nothing about rights is remembered."""

    def __init__(self, line: Line, repo: str) -> None:
        self._line = line
        self._repo = repo

    def account(self, login: str | None) -> tuple[str, str]:
        """Whose token ours is; an App's belongs to no account, so its bot's `login` must be known."""
        path = "/user" if login is None else f"/users/{quote(login, safe='')}"
        return self._line.one("asking who we are", path, lambda me: (str(number(me["id"])), text(me["login"])))

    def approvals(self, pull: int, sha: Oid) -> tuple[Approving, ...]:
        """Each person's latest word counts. A mere comment takes nothing back."""

        def shape(one: Any) -> tuple[str, str, str]:
            return author_of(one), text(one["state"]), one["commit_id"] or ""

        what = f"listing the reviews of pull request {pull}"
        words: dict[str, tuple[str, str]] = {}
        for user, state, commit in self._line.every(what, f"{self._repo}/pulls/{pull}/reviews", shape):
            if state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
                words[user] = (state, commit)
        return tuple(
            Approving(user, sha)
            for user, (state, commit) in sorted(words.items())
            if user and state == "APPROVED" and commit == sha
        )

    def authors(self, pull: int, opened: Opened | None) -> frozenset[str]:
        """The opener, authors and committers of the commits that GitHub knows as users, and who pushed its branch.
        `opened` is what an earlier look told: neither the opener nor the branch ever changes."""
        what = f"asking who wrote pull request {pull}"
        opened = opened or self._line.one(what, f"{self._repo}/pulls/{pull}", opened_of)
        listed = self._line.every(what, f"{self._repo}/pulls/{pull}/commits", _wrote)
        wrote = {opened.by}.union(*listed)
        if len(listed) >= _LISTED_COMMITS:
            wrote |= self._all_who_wrote(what, pull)
        if opened.branch is not None:
            wrote |= self._who_pushed(what, opened.branch)
        return frozenset(wrote) - {""}

    def _all_who_wrote(self, what: str, pull: int) -> set[str]:
        """By the comparison, which lists every commit: else whoever brings many enough could approve their own."""
        wrote: set[str] = set()
        base, head = self._line.one(what, f"{self._repo}/pulls/{pull}", _ends)
        page = 1
        while True:
            path = f"{self._repo}/compare/{base}...{head}?per_page=100&page={page}"
            found = self._line.one(what, path, lambda answer: [_wrote(one) for one in answer["commits"]])
            wrote = wrote.union(*found)
            if len(found) < 100:
                return wrote
            page += 1

    def _who_pushed(self, what: str, branch: str) -> set[str]:
        """Who moved the branch, whatever names its commits carry. Older Enterprise servers do not tell."""
        actors: set[str] = set()

        def shape(one: Any) -> str:
            return "" if one["actor"] is None else str(number(one["actor"]["id"]))

        try:
            listed = self._line.pages(what, f"{self._repo}/activity", shape, ref=f"refs/heads/{branch}")
            for index, page in enumerate(listed):
                actors.update(page)
                if index + 1 == _PUSH_PAGES:
                    break
        except GoneError:
            return set()
        return actors

    def member_of(self, team: str, user_id: str) -> bool:
        """False too where there is no such team or user, or the name is not `organisation/team`.

        A team's list of active members holds ids and costs one request; who is not on the first page of a large team
        is asked for by the login that the id bears now.
        """
        named = _TEAM.fullmatch(team)
        if named is None:
            return False
        path, what = f"/orgs/{named['org']}/teams/{named['team']}", f"asking for members of {named['org']}"
        try:
            first = next(self._line.pages(what, f"{path}/members", lambda one: str(number(one["id"]))))
            if user_id in first or len(first) < PAGE:
                return user_id in first
            login = self._login(user_id)
            if login is None:
                return False
            return self._line.one(what, f"{path}/memberships/{login}", lambda one: text(one["state"])) == "active"
        except GoneError:
            return False

    def permission(self, user_id: str) -> Permission:
        """What the user may do in the repository; `none` where there is no such user."""
        login = self._login(user_id)
        if login is None:
            return "none"
        path = f"{self._repo}/collaborators/{login}/permission"
        try:
            return self._line.one("asking for a permission", path, _permission)
        except GoneError:
            return "none"

    def _login(self, user_id: str) -> str | None:
        if not user_id.isascii() or not user_id.isdigit():
            return None
        try:
            found = self._line.one(f"asking for user {user_id}", f"/user/{user_id}", lambda one: text(one["login"]))
        except GoneError:
            return None
        # A bot's ends with `[bot]`.
        return quote(found, safe="")


def opened_of(found: Any) -> Opened:
    """From a pull request's own answer or a list."""
    head = found["head"]
    here = head["repo"] is not None and head["repo"]["id"] == found["base"]["repo"]["id"]
    return Opened(author_of(found), text(head["ref"]) if here else None)


def _ends(found: Any) -> tuple[str, str]:
    return text(found["base"]["sha"]), text(found["head"]["sha"])


def _wrote(commit: Any) -> set[str]:
    """`author` and `committer` are null where GitHub knows no user by that address, and empty objects at times."""
    people = (commit["author"], commit["committer"])
    return {str(number(one["id"])) for one in people if one}


def _permission(found: Any) -> Permission:
    match found["permission"]:
        case "admin":
            return "admin"
        case "write":
            return "write"
        case "read":
            return "read"
        case "none":
            return "none"
    raise ValueError("no such permission")
