"""REST verbs of pull requests."""

from __future__ import annotations

from bot.sandbox import bodies
from bot.sandbox.bodies_pull import full_pull, pull_changes, simple_pull
from bot.sandbox.moves import test_merge
from bot.sandbox.pulls import edit_pull, merge, open_pull
from bot.sandbox.rest import Answer, Ask, Route, field_of, paged
from bot.sandbox.world import MergeMethod, Pull, Repository, World, WorldError

_METHODS: tuple[MergeMethod, ...] = ("merge", "squash", "rebase")


def list_pulls(ask: Ask, repo: Repository) -> Answer:
    state, base, head = ask.args.get("state", "open"), ask.args.get("base"), ask.args.get("head")
    found = [
        pull
        for pull in repo.pulls()
        if (state == "all" or pull.state == state)
        and base in (None, pull.base_ref)
        and head in (None, f"{_head_owner(ask.world, repo, pull)}:{pull.head_ref}")
    ]
    if ask.args.get("sort") == "updated":
        found.sort(key=lambda pull: (pull.updated_at, pull.number))
    else:
        found.sort(key=lambda pull: pull.number)
    newest_first = (
        ask.args.get("direction", "desc" if ask.args.get("sort", "created") == "created" else "asc") == "desc"
    )
    if newest_first:
        found.reverse()
    return paged(ask, found, lambda pull: simple_pull(ask.world, repo, pull))


def _head_owner(world: World, repo: Repository, pull: Pull) -> str:
    return repo.owner if pull.head_repo is None else world.repositories[pull.head_repo].owner


def create_pull(ask: Ask, repo: Repository) -> Answer:
    title, head, base = (field_of(ask, name, "PullRequest") for name in ("title", "head", "base"))
    body, draft = ask.body.get("body"), bool(ask.body.get("draft"))
    pull = open_pull(ask.world, repo, title=title, head=head, base=base, author=ask.user, body=body, draft=draft)
    return Answer(201, full_pull(ask.world, repo, pull))


def get_pull(ask: Ask, repo: Repository, number: int) -> Answer:
    pull = repo.pull(number)
    if pull.state == "open":
        test_merge(repo, pull)
    return Answer(200, full_pull(ask.world, repo, pull))


def patch_pull(ask: Ask, repo: Repository, number: int) -> Answer:
    pull = repo.pull(number)
    # Draft is no field of this verb: GitHub changes it by GraphQL alone.
    edit_pull(ask.world, repo, pull, ask.user, {k: v for k, v in ask.body.items() if k != "draft"})
    return Answer(200, full_pull(ask.world, repo, pull))


def pull_files(ask: Ask, repo: Repository, number: int) -> Answer:
    pull = repo.pull(number)
    changes = pull_changes(repo, pull)
    return paged(ask, changes, lambda change: bodies.changed_file(ask.world, repo, pull.head_sha, change))


def pull_commits(ask: Ask, repo: Repository, number: int) -> Answer:
    pull = repo.pull(number)
    base = pull.landed_before or pull.base_sha
    views = list(repo.git.log(pull.head_sha, without=base, most=250))[::-1]
    return paged(ask, views, lambda view: bodies.commit(ask.world, repo, view))


def is_merged(_ask: Ask, repo: Repository, number: int) -> Answer:
    return Answer(404 if repo.pull(number).merged_at is None else 204)


def merge_pull(ask: Ask, repo: Repository, number: int) -> Answer:
    pull = repo.pull(number)
    wanted = ask.body.get("merge_method", "merge")
    method = next((name for name in _METHODS if name == wanted), None)
    if method is None:
        raise WorldError(
            422, "Validation Failed", [{"resource": "PullRequest", "field": "merge_method", "code": "invalid"}]
        )
    title, message, sha = (ask.body.get(name) for name in ("commit_title", "commit_message", "sha"))
    landed = merge(ask.world, repo, pull, method, ask.user, sha=sha, title=title, message=message)
    return Answer(200, {"sha": landed, "merged": True, "message": "Pull Request successfully merged"})


def pulls_of_commit(ask: Ask, repo: Repository, sha: str) -> Answer:
    """Open pull requests that hold the commit; merged ones that brought it."""
    if not repo.git.has_commit(sha):
        raise WorldError(422, f"No commit found for SHA: {sha}")
    found = [pull for pull in repo.pulls() if brings(repo, pull, sha)]
    return paged(ask, found, lambda pull: simple_pull(ask.world, repo, pull))


def brings(repo: Repository, pull: Pull, sha: str) -> bool:
    """Whether a pull request holds, or brought, this commit."""
    if sha in (pull.landed_sha, pull.head_sha):
        return True
    base = pull.landed_before or pull.base_sha
    own = repo.git.is_ancestor(sha, pull.head_sha) and not repo.git.is_ancestor(sha, base)
    landed = pull.landed_sha is not None and repo.git.is_ancestor(sha, pull.landed_sha)
    return own or (landed and not repo.git.is_ancestor(sha, base))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/pulls", list_pulls),
    Route("POST", "/pulls", create_pull, "write"),
    Route("GET", "/pulls/<int:number>", get_pull),
    Route("PATCH", "/pulls/<int:number>", patch_pull, "write"),
    Route("GET", "/pulls/<int:number>/files", pull_files),
    Route("GET", "/pulls/<int:number>/commits", pull_commits),
    Route("GET", "/pulls/<int:number>/merge", is_merged),
    Route("PUT", "/pulls/<int:number>/merge", merge_pull, "write"),
    Route("GET", "/commits/<sha>/pulls", pulls_of_commit),
)
