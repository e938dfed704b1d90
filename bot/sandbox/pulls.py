"""What people do with pull requests: open, edit, merge, revert."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.bodies_pull import pull_payload
from bot.sandbox.moves import GITHUB, close, finish, settle, test_merge
from bot.sandbox.repos import CommitView, ConflictError, GitError, GitFolder, Who
from bot.sandbox.world import Json, MergeMethod, Pull, Repository, User, World, WorldError


def who(user: User) -> Who:
    """How a user appears in commits."""
    return Who(user.login, user.email)


def validation(message: str, resource: str = "PullRequest", **more: object) -> WorldError:
    """GitHub's 422 with one error in it."""
    error: Json = {"resource": resource, "code": "custom", "message": message, **more}
    return WorldError(422, "Validation Failed", [error])


def open_pull(
    world: World,
    repo: Repository,
    *,
    title: str,
    head: str,
    base: str,
    author: User,
    body: str | None = None,
    draft: bool = False,
) -> Pull:
    """A new pull request from branch `head` (`owner:branch` for one in a fork) into branch `base`; 422 where there is
    nothing to pull."""
    source, head = _source(world, repo, head)
    if head not in source.heads or base not in repo.heads:
        field = "base" if head in source.heads else "head"
        raise WorldError(422, "Validation Failed", [{"resource": "PullRequest", "field": field, "code": "invalid"}])
    fork = None if source is repo else source.id
    if any(p.state == "open" and (p.head_repo, p.head_ref, p.base_ref) == (fork, head, base) for p in repo.pulls()):
        raise validation(f"A pull request already exists for {source.owner}:{head}.")
    if not title:
        raise WorldError(422, "Validation Failed", [{"resource": "Issue", "field": "title", "code": "missing_field"}])
    repo.git.take(source.git, source.heads[head])
    if repo.git.is_ancestor(source.heads[head], repo.heads[base]):
        raise validation(f"No commits between {base} and {head}")
    now, number = world.now(), world.next_number(repo)
    pull = Pull(world.next_id(), number, title, body, author, now, now, draft=draft, head_ref=head, base_ref=base)
    pull.head_sha, pull.base_sha, pull.head_repo = source.heads[head], repo.heads[base], fork
    repo.issues[number] = pull
    repo.git.force(f"refs/pull/{number}/head", pull.head_sha)
    # GitLab's name for the same.
    repo.git.run("symbolic-ref", f"refs/merge-requests/{number}/head", f"refs/pull/{number}/head")
    test_merge(repo, pull)
    world.announce(repo, "pull_request", lambda: pull_payload(world, repo, pull, "opened", author))
    return pull


def _source(world: World, repo: Repository, head: str) -> tuple[Repository, str]:
    """The repository that a head lies in, and its branch."""
    owner, _, branch = head.rpartition(":")
    if owner in ("", repo.owner):
        return repo, branch
    forks = (one for one in world.repositories.values() if one.fork_of == repo.id and one.owner == owner)
    return next(forks, repo), branch


def fork(world: World, repo: Repository, by: User) -> Repository:
    """A copy of the repository that belongs to `by`."""
    made_id, now = world.next_id(), world.now()
    git = GitFolder.create(world.root / f"{made_id}.git", repo.default_branch)
    for name, sha in repo.git.heads().items():
        git.take(repo.git, sha)
        git.force(f"refs/heads/{name}", sha)
    made = Repository(made_id, f"{by.login}/{repo.name}", repo.default_branch, git, now, now, fork_of=repo.id)
    made.rights[by.id] = "admin"
    made.heads = git.heads()
    world.repositories[made_id] = made
    return made


def edit_pull(world: World, repo: Repository, pull: Pull, sender: User, changes: Json) -> None:
    """Title, body, base, state or draft. Told as `edited`, `closed`, `reopened`, `ready_for_review`, …"""
    was: Json = {}
    if isinstance(title := changes.get("title"), str) and title != pull.title:
        was["title"], pull.title = {"from": pull.title}, title
    if "body" in changes and changes["body"] != pull.body:
        was["body"], pull.body = {"from": pull.body or ""}, changes["body"]
    if isinstance(base := changes.get("base"), str) and base != pull.base_ref:
        was["base"] = _rebase_onto(repo, pull, base)
    if was:
        pull.updated_at = world.now()
        world.announce(repo, "pull_request", lambda: pull_payload(world, repo, pull, "edited", sender, changes=was))
    if isinstance(draft := changes.get("draft"), bool) and draft != pull.draft:
        pull.draft, pull.updated_at = draft, world.now()
        action = "converted_to_draft" if draft else "ready_for_review"
        world.announce(repo, "pull_request", lambda: pull_payload(world, repo, pull, action, sender))
    if changes.get("state") == "closed" and pull.state == "open":
        close(world, repo, pull, sender)
    if changes.get("state") == "open" and pull.state == "closed":
        _reopen(world, repo, pull, sender)


def _rebase_onto(repo: Repository, pull: Pull, base: str) -> Json:
    if base not in repo.heads:
        raise WorldError(422, "Validation Failed", [{"resource": "PullRequest", "field": "base", "code": "invalid"}])
    was = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
    pull.base_ref, pull.base_sha = base, repo.heads[base]
    test_merge(repo, pull)
    return was


def _reopen(world: World, repo: Repository, pull: Pull, sender: User) -> None:
    source = repo if pull.head_repo is None else world.repositories[pull.head_repo]
    if pull.merged_at is not None or pull.head_ref not in source.heads or pull.base_ref not in repo.heads:
        raise validation("state cannot be changed. The pull request cannot be reopened.", field="state")
    pull.state, pull.closed_at, pull.updated_at = "open", None, world.now()
    pull.head_sha, pull.base_sha = source.heads[pull.head_ref], repo.heads[pull.base_ref]
    repo.git.take(source.git, pull.head_sha)
    repo.git.force(f"refs/pull/{pull.number}/head", pull.head_sha)
    test_merge(repo, pull)
    world.announce(repo, "pull_request", lambda: pull_payload(world, repo, pull, "reopened", sender))


def merge(
    world: World,
    repo: Repository,
    pull: Pull,
    method: MergeMethod,
    by: User,
    *,
    sha: str | None = None,
    title: str | None = None,
    message: str | None = None,
) -> str:
    """Lands a pull request and returns the commit it landed as. 405 where it cannot be merged, 409 where `sha` is not
    its head or the base moved meanwhile."""
    if pull.state == "closed" or pull.draft:
        raise WorldError(405, "Pull Request is still a draft" if pull.draft else "Pull Request is not mergeable")
    if sha is not None and sha != pull.head_sha:
        raise WorldError(409, "Head branch was modified. Review and try the merge again.")
    base = repo.heads[pull.base_ref]
    try:
        landed = _LAND[method](repo, pull, base, by, title, message)
    except ConflictError as conflict:
        raise WorldError(405, "Pull Request is not mergeable") from conflict
    if not repo.git.move(f"refs/heads/{pull.base_ref}", landed, base):
        raise WorldError(409, "Base branch was modified. Review and try the merge again.")
    finish(world, repo, pull, landed, base, by)
    settle(world, repo, by)
    return landed


def _merge_commit(repo: Repository, pull: Pull, base: str, by: User, title: str | None, message: str | None) -> str:
    subject = title or f"Merge pull request #{pull.number} from {repo.owner}/{pull.head_ref}"
    text = f"{subject}\n\n{pull.title if message is None else message}\n"
    tree = repo.git.merged_tree(base, pull.head_sha)
    return repo.git.write_commit(tree, (base, pull.head_sha), text, (who(by), GITHUB))


def _squash(repo: Repository, pull: Pull, base: str, _by: User, title: str | None, message: str | None) -> str:
    text = f"{title or f'{pull.title} (#{pull.number})'}\n\n{message or ''}".rstrip() + "\n"
    tree = repo.git.merged_tree(base, pull.head_sha)
    return repo.git.write_commit(tree, (base,), text, (who(pull.user), GITHUB))


def _rebase(repo: Repository, pull: Pull, base: str, by: User, _title: str | None, _message: str | None) -> str:
    commits = list(repo.git.log(pull.head_sha, without=base, most=1000))[::-1]
    return _replay(repo, base, [commit for commit in commits if len(commit.parents) == 1], by)


def _replay(repo: Repository, onto: str, commits: Sequence[CommitView], by: User) -> str:
    tip = onto
    for commit in commits:
        tree = repo.git.three_way(commit.parents[0], tip, commit.sha)
        if tree != repo.git.commit(tip).tree:
            tip = repo.git.write_commit(tree, (tip,), commit.message + "\n", (commit.author, who(by)))
    return tip


def _fast_forward(repo: Repository, pull: Pull, base: str, _by: User, _title: str | None, _message: str | None) -> str:
    if not repo.git.is_ancestor(base, pull.head_sha):
        raise ConflictError([pull.base_ref])
    return pull.head_sha


_LAND = {"merge": _merge_commit, "squash": _squash, "rebase": _rebase, "fast_forward": _fast_forward}


def revert(world: World, repo: Repository, pull: Pull, by: User) -> Pull:
    """Opens the pull request that takes a landed one back, as `git revert` does (`-m 1` for a merge). 422 where what it
    changed was changed again since."""
    if pull.landed_sha is None or pull.landed_before is None:
        raise validation("Only a merged pull request can be reverted.")
    base = repo.heads[pull.base_ref]
    try:
        tree = repo.git.three_way(pull.landed_sha, base, pull.landed_before)
    except (ConflictError, GitError) as refused:
        raise validation("This pull request cannot be reverted automatically.") from refused
    title = f'Revert "{pull.title}"'
    message = f"{title}\n\nThis reverts commit {pull.landed_sha}.\n"
    branch = free_branch(repo, f"revert-{pull.number}-{pull.head_ref}")
    made = repo.git.write_commit(tree, (base,), message, (who(by), GITHUB))
    repo.git.move(f"refs/heads/{branch}", made, None)
    settle(world, repo, by)
    body = f"Reverts {repo.full_name}#{pull.number}"
    return open_pull(world, repo, title=title, head=branch, base=pull.base_ref, author=by, body=body)


def free_branch(repo: Repository, wanted: str) -> str:
    """This name, or the first with a number behind it that no branch has."""
    names = [wanted, *(f"{wanted}-{n}" for n in range(1, 1000))]
    return next(name for name in names if name not in repo.heads)
