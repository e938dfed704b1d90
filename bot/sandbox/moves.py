"""What follows when branches move, by whoever: pushes announced, heads of pull requests moved, landed ones closed.

`settle` compares the branches with those last announced, so a push by git, a merge and an edit are told alike.
"""

from __future__ import annotations

from bot.sandbox.bodies_pull import pull_payload, push_payload
from bot.sandbox.repos import ZERO, ConflictError, Who
from bot.sandbox.reviews import outdate
from bot.sandbox.world import Pull, Pushing, Repository, User, World

GITHUB = Who("Sandbox", "noreply@sandbox.example")
"""Committer of what the forge itself writes."""


def settle(world: World, repo: Repository, sender: User) -> None:
    """Tells what moved since the last call. Call it after every move, holding the lock."""
    old, new = repo.heads, repo.git.heads()
    if old == new:
        return
    repo.pushed_at = world.now()
    moved = {name: (old.get(name, ZERO), new.get(name, ZERO)) for name in sorted(old.keys() | new.keys())}
    moved = {name: pair for name, pair in moved.items() if pair[0] != pair[1]}
    for name, (before, after) in moved.items():
        _tell_push(world, repo, f"refs/heads/{name}", before, after, sender)
    repo.heads = new
    for pull in [pull for pull in repo.pulls() if pull.state == "open"]:
        _follow(world, repo, pull, moved, sender)
    parent = world.repositories.get(repo.fork_of or 0)
    for pull in [] if parent is None else [one for one in parent.pulls() if one.state == "open"]:
        if parent is not None and pull.head_repo == repo.id and pull.head_ref in moved:
            parent.git.take(repo.git, moved[pull.head_ref][1])
            _advance(world, parent, pull, moved[pull.head_ref][1], sender)


def _tell_push(world: World, repo: Repository, ref: str, before: str, after: str, sender: User) -> None:
    repo.pushes.append(Pushing(world.next_id(), ref, before, after, sender, world.now()))
    world.announce(repo, "push", lambda: push_payload(world, repo, ref, before, after, sender))


def _follow(world: World, repo: Repository, pull: Pull, moved: dict[str, tuple[str, str]], sender: User) -> None:
    base_before = pull.base_sha
    if pull.base_ref in moved and moved[pull.base_ref][1] != ZERO:
        pull.base_sha = moved[pull.base_ref][1]
    head = moved.get(pull.head_ref, ("", ""))[1] if pull.head_repo is None else ""
    if ZERO in (moved.get(pull.base_ref, ("", ""))[1], head):
        close(world, repo, pull, sender)
        return
    if head:
        _advance(world, repo, pull, head, sender)
    if pull.base_ref in moved and repo.git.is_ancestor(pull.head_sha, pull.base_sha):
        landed = _landing(repo, pull, base_before)
        before = base_before if landed == pull.head_sha else repo.git.commit(landed).parents[0]
        finish(world, repo, pull, landed, before, sender)


def _advance(world: World, repo: Repository, pull: Pull, after: str, sender: User) -> None:
    before, pull.head_sha = pull.head_sha, after
    pull.updated_at = world.now()
    repo.git.force(f"refs/pull/{pull.number}/head", pull.head_sha)
    test_merge(repo, pull)
    outdate(repo, pull)
    world.announce(
        repo,
        "pull_request",
        lambda: pull_payload(world, repo, pull, "synchronize", sender, before=before, after=after),
    )


def _landing(repo: Repository, pull: Pull, base_before: str) -> str:
    """The first commit of the base's own line that contains the pull request's head."""
    line = repo.git.run("rev-list", "--first-parent", "--reverse", pull.base_sha, f"^{base_before}").split()
    return next((sha for sha in line if repo.git.is_ancestor(pull.head_sha, sha)), pull.base_sha)


def finish(world: World, repo: Repository, pull: Pull, landed: str, before: str, sender: User) -> None:
    """Marks a pull request as merged and tells it."""
    pull.merged_at = world.now()
    pull.merged_by, pull.landed_sha, pull.landed_before = sender, landed, before
    close(world, repo, pull, sender)


def close(world: World, repo: Repository, pull: Pull, sender: User) -> None:
    """Closes a pull request and tells it."""
    pull.state = "closed"
    pull.closed_at = pull.updated_at = world.now()
    world.announce(repo, "pull_request", lambda: pull_payload(world, repo, pull, "closed", sender))


def test_merge(repo: Repository, pull: Pull) -> bool:
    """Whether the pull request merges as base and head stand; `refs/pull/N/merge` follows, and goes on a conflict."""
    base, head = repo.heads.get(pull.base_ref, pull.base_sha), pull.head_sha
    if pull.mergeable is not None and pull.mergeable[:2] == (base, head):
        return pull.mergeable[2]
    ref = f"refs/pull/{pull.number}/merge"
    try:
        tree = repo.git.merged_tree(base, head)
    except ConflictError:
        pull.test_merge = None
        repo.git.run("update-ref", "-d", ref)
    else:
        pull.test_merge = repo.git.write_commit(tree, (base, head), f"Merge {head} into {base}", (GITHUB, GITHUB))
        repo.git.force(ref, pull.test_merge)
    pull.mergeable = (base, head, pull.test_merge is not None)
    return pull.mergeable[2]
