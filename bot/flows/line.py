"""What landed on the default branch, and in which pieces it is delivered."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.model.ask import Link
from bot.core.model.delivery import Landed
from bot.core.tree import Oid
from bot.ports import Commit, Git

LONG = 50
"""Landed changes. A longer backlog becomes one range commit."""

PARTS = ("services", "platform")


def touches(git: Git, commit: Commit) -> bool:
    """True where a commit changes `services/` or `platform/` against its first parent."""
    tree = git.tree(commit.tree)
    parent = git.tree(commit.parents[0]) if commit.parents else None
    return any(tree.get(part) != (parent.get(part) if parent is not None else None) for part in PARTS)


def undelivered(git: Git, cursor: Oid, tip: Oid) -> tuple[Commit, ...]:
    """First-parent commits after the cursor that Causeway reads; empty where the cursor is not on the line."""
    try:
        commits = git.first_parents(cursor, tip) or ()
    except KeyError:
        return ()
    return tuple(commit for commit in commits if touches(git, commit))


def links(git: Git, cursor: Oid, tip: Oid, landed: Callable[[Commit], Landed]) -> tuple[Link, ...]:
    """One link a landed pull request or direct commit, oldest first; one range link where the line is long or left.

    `landed` asks the forge how a commit came; commits of one pull request (a rebase) are one link. The cursor must be
    an ancestor of `tip`.
    """
    line = git.first_parents(cursor, tip)
    commits = undelivered(git, cursor, tip)
    if line is None or len(commits) > LONG:
        return (Link(cursor, landed(git.commit(tip))),)
    found: list[Link] = []
    for commit in commits:
        came = landed(commit)
        before = commit.parents[0] if commit.parents else None
        if found and came.number and found[-1].landed.number == came.number:
            before = found.pop().before
        found.append(Link(before, came))
    return tuple(found)
