"""What people think of a pull request: reviews, and comments beside its lines."""

from __future__ import annotations

import re
from typing import Literal

from bot.sandbox.bodies_pull import pull_changes
from bot.sandbox.bodies_review import review_comment_payload, review_payload
from bot.sandbox.repos import FileChange
from bot.sandbox.world import Pull, Repository, Review, ReviewComment, ReviewState, User, World, WorldError

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def add_review(
    world: World, repo: Repository, pull: Pull, by: User, state: ReviewState, body: str = "", sha: str | None = None
) -> Review:
    """A submitted review of the head, or of an older commit. Nobody approves what they opened."""
    if state != "COMMENTED" and pull.user is by:
        what = "approve" if state == "APPROVED" else "request changes on"
        raise WorldError(422, "Unprocessable Entity", [f"Can not {what} your own pull request"])
    if sha is not None and not repo.git.has_commit(sha):
        raise WorldError(422, "Validation Failed", ["Commit is not part of the pull request"])
    made = Review(world.next_id(), pull.number, by, state, body, sha or pull.head_sha, world.now())
    repo.reviews.append(made)
    pull.updated_at = made.submitted_at
    world.announce(repo, "pull_request_review", lambda: review_payload(world, repo, made, "submitted", by))
    return made


def dismiss(world: World, repo: Repository, found: Review, by: User) -> None:
    """A review that counts no longer."""
    found.state = "DISMISSED"
    repo.pull(found.number).updated_at = world.now()
    world.announce(repo, "pull_request_review", lambda: review_payload(world, repo, found, "dismissed", by))


def add_review_comment(
    world: World, repo: Repository, pull: Pull, by: User, *, body: str, path: str, line: int, sha: str
) -> ReviewComment:
    """A comment beside a line of the head's side; 422 where the difference does not show that line."""
    if not repo.git.has_commit(sha) or line not in shown_lines(repo, pull, path):
        error = {"resource": "PullRequestReviewComment", "code": "custom", "field": "pull_request_review_thread.line"}
        raise WorldError(422, "Validation Failed", [error | {"message": "must be part of the diff"}])
    now, around = world.now(), Review(world.next_id(), pull.number, by, "COMMENTED", "", sha, world.now())
    repo.reviews.append(around)
    side: Literal["RIGHT"] = "RIGHT"
    made = ReviewComment(world.next_id(), pull.number, by, body, path, line, side, sha, sha, line, now, now, around.id)
    repo.review_comments[made.id] = made
    pull.updated_at = now
    world.announce(
        repo, "pull_request_review_comment", lambda: review_comment_payload(world, repo, made, "created", by)
    )
    return made


def outdate(repo: Repository, pull: Pull) -> None:
    """After a push: comments beside lines that the difference no longer shows lose their line."""
    for one in repo.review_comments.values():
        if one.number == pull.number:
            kept = one.line is not None and one.line in shown_lines(repo, pull, one.path)
            one.line = one.line if kept else None
            one.commit_id = pull.head_sha if kept else one.commit_id


def shown_lines(repo: Repository, pull: Pull, path: str) -> frozenset[int]:
    """Lines of the head's side that a file's difference shows."""
    found = next((change for change in pull_changes(repo, pull) if change.path == path), None)
    return frozenset() if found is None else _right_side(found)


def _right_side(change: FileChange) -> frozenset[int]:
    lines, at = set(), 0
    for text in (change.patch or "").split("\n"):
        hunk = _HUNK.match(text)
        if hunk is not None:
            at = int(hunk[1])
        elif text[:1] in ("+", " "):
            lines.add(at)
            at += 1
    return frozenset(lines)
