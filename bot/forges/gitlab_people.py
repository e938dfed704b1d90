"""Who people are at GitLab, live: approvals of exactly one head, authors, members of groups, rights in the project."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from urllib.parse import quote

from bot.core.tree import Oid
from bot.forges.gitlab_bodies import MAINTAINS, WRITES, moment
from bot.forges.gitlab_calls import Calls, ForbiddenError, Json
from bot.ports import Approving, GoneError, Permission

_GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_APPROVED, _UNAPPROVED = "approved this merge request", "unapproved this merge request"
# Beside an id, these are the only addresses that GitLab itself gives out for one person: `<id>-<name>@users.noreply.…`.
_NOREPLY = re.compile(r"(?:.*<)?([1-9][0-9]{0,18})[-+][^@<>]*@users\.noreply\..+", re.IGNORECASE)
_MOST_PUSH_PAGES = 3


def approvals(calls: Calls, path: str, sha: Oid, notes: Callable[[], list[Json]]) -> tuple[Approving, ...]:
    """Who approves exactly this head now. `path` is the merge request's; `notes` gives all its notes.

    GitLab's approvals name no commit. By a setting of the project a push takes them away; without it they stay. So an
    approval counts only where it was given after GitLab took notice of this head, and where its time is not told at
    all it does not count.
    """
    listed = calls.get(f"{path}/approvals")["approved_by"]
    if not listed:
        return ()
    since = _since(calls.all(f"{path}/versions"), sha)
    if since is None:
        return ()
    given = {int(one["user"]["id"]): one.get("approved_at") for one in listed}
    times = {user: moment(at) for user, at in given.items() if at is not None}
    if len(times) < len(given):
        noted = _noted(notes())
        times |= {user: noted[user] for user in given.keys() - times.keys() if user in noted}
    return tuple(Approving(str(user), sha) for user, at in sorted(times.items()) if at > since)


def _since(versions: list[Json], sha: Oid) -> datetime | None:
    """When GitLab first had this head as the newest; None where it is not the newest. Versions come newest first; a
    new one may hold the same head, onto another base."""
    since = None
    for one in versions:
        if one["head_commit_sha"] != sha:
            break
        since = moment(one["created_at"])
    return since


def _noted(notes: list[Json]) -> dict[int, datetime]:
    """When each user approved last, from GitLab's own notes; whoever took it back since is not named."""
    found: dict[int, datetime] = {}
    for note in sorted((one for one in notes if one.get("system") is True), key=lambda one: moment(one["created_at"])):
        author = int(note["author"]["id"])
        if note["body"] == _APPROVED:
            found[author] = moment(note["created_at"])
        elif note["body"] == _UNAPPROVED:
            found.pop(author, None)
    return found


def authors(calls: Calls, path: str, target: int) -> frozenset[str]:
    """Who opened the merge request or pushed to its branch, as the events of the project tell, and whose commits carry
    the private address that GitLab gives out. Commits under other addresses name nobody for certain: anyone can write
    any address into a commit."""
    found = calls.read("reading the merge request", partial(calls.get, path))
    people = {str(int(found["author"]["id"]))}
    people |= _pushers(calls, found.get("source_project_id") or target, str(found["source_branch"]))
    for commit in calls.read("listing commits", partial(calls.all, f"{path}/commits")):
        for address in (commit.get("author_email"), commit.get("committer_email")):
            if (known := _NOREPLY.fullmatch(address or "")) is not None:
                people.add(known[1])
    return frozenset(people)


def _pushers(calls: Calls, project: int, branch: str) -> set[str]:
    """Who pushed to a branch of this name, among the latest three hundred pushes; a fork's may not be ours to see."""
    people: set[str] = set()
    for number in range(1, _MOST_PUSH_PAGES + 1):
        ask = partial(calls.page, f"/projects/{project}/events", number, {"action": "pushed"})
        try:
            page = calls.read("listing pushes", ask)
        except (GoneError, ForbiddenError):
            break
        pushes = [one for one in page.value if (one.get("push_data") or {}).get("ref") == branch]
        people |= {str(int(one["author_id"])) for one in pushes}
        if not page.more:
            break
    return people


def member_of(calls: Calls, group: str, user_id: str) -> bool:
    """Whether the user is an active member, directly or by a group above, with at least the Developer role: everybody
    else at a company is often a Guest of its topmost group, and that makes nobody the owner of a service."""
    if _GROUP.fullmatch(group) is None or not user_id.isdigit():
        return False
    return _level(calls, f"/groups/{quote(group, safe='')}", user_id) >= WRITES


def permission(calls: Calls, project: int, user_id: str) -> Permission:
    """What the user may do in the project."""
    level = _level(calls, f"/projects/{project}", user_id) if user_id.isdigit() else 0
    return "admin" if level >= MAINTAINS else "write" if level >= WRITES else "read" if level > 0 else "none"


def _level(calls: Calls, place: str, user_id: str) -> int:
    def ask() -> int:
        found = calls.get(f"{place}/members/all/{user_id}")
        active = found["state"] == "active" and found.get("membership_state", "active") == "active"
        return int(found["access_level"]) if active else 0

    try:
        return calls.read(f"asking for user {user_id} in {place}", ask)
    except (GoneError, ForbiddenError):
        return 0
