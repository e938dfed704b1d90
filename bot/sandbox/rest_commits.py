"""REST verbs of commits and their statuses."""

from __future__ import annotations

from collections.abc import Iterable

from bot.sandbox import bodies
from bot.sandbox.bodies_apps import pushing
from bot.sandbox.rest import Answer, Ask, Route, paged
from bot.sandbox.world import Repository, Status, User, World, WorldError

STATUS_LIMIT = 1000
"""Statuses for one commit and context."""
DESCRIPTION_LIMIT = 140
_STATES = ("error", "failure", "pending", "success")


def add_status(
    world: World,
    repo: Repository,
    sha: str,
    by: User,
    *,
    state: str,
    context: str = "default",
    description: str | None = None,
    target_url: str | None = None,
) -> Status:
    """A new status of a commit; 422 for an unknown one, an unknown state, or above GitHub's limits."""
    if not repo.git.has_commit(sha):
        raise WorldError(422, f"No commit found for SHA: {sha}")
    if state not in _STATES:
        raise _invalid("state", "state is not included in the list")
    if len(description or "") > DESCRIPTION_LIMIT:
        raise _invalid("description", f"description is too long (maximum is {DESCRIPTION_LIMIT} characters)")
    held = repo.statuses.setdefault(sha, [])
    if sum(one.context == context for one in held) >= STATUS_LIMIT:
        raise _invalid("base", "This SHA and context has reached the maximum number of statuses.")
    made = Status(world.next_id(), sha, context, state, description, target_url, by, world.now())
    held.append(made)
    return made


def _invalid(name: str, message: str) -> WorldError:
    error = {"resource": "Status", "code": "custom", "field": name, "message": message}
    return WorldError(422, "Validation Failed", [error])


def newest(statuses: Iterable[Status]) -> list[Status]:
    """The newest status of each context, newest first."""
    found: dict[str, Status] = {}
    for one in statuses:
        found[one.context] = one
    return sorted(found.values(), key=lambda one: -one.id)


def combined(statuses: Iterable[Status]) -> str:
    """What the newest statuses come to together."""
    states = {one.state for one in statuses}
    if states & {"failure", "error"}:
        return "failure"
    return "pending" if not states or "pending" in states else "success"


def _commit(repo: Repository, ref: str) -> str:
    found = repo.git.resolve(ref)
    if found is None:
        raise WorldError(422, f"No commit found for SHA: {ref}")
    return found


def create_status(ask: Ask, repo: Repository, sha: str) -> Answer:
    made = add_status(
        ask.world,
        repo,
        sha,
        ask.user,
        state=str(ask.body.get("state")),
        context=ask.body.get("context") or "default",
        description=ask.body.get("description"),
        target_url=ask.body.get("target_url"),
    )
    return Answer(201, bodies.status(ask.world, repo, made))


def list_statuses(ask: Ask, repo: Repository, ref: str) -> Answer:
    held = repo.statuses.get(_commit(repo, ref), [])[::-1]
    return paged(ask, held, lambda one: bodies.status(ask.world, repo, one))


def combined_status(ask: Ask, repo: Repository, ref: str) -> Answer:
    sha = _commit(repo, ref)
    held, api = newest(repo.statuses.get(sha, [])), ask.world.urls.repo_api(repo.full_name)
    page = paged(ask, held, lambda one: bodies.status(ask.world, repo, one, with_creator=False))
    return Answer(
        200,
        {
            "state": combined(held),
            "statuses": page.body,
            "sha": sha,
            "total_count": len(held),
            "repository": bodies.repository(ask.world, repo),
            "commit_url": f"{api}/commits/{sha}",
            "url": f"{api}/commits/{sha}/status",
        },
        page.headers,
    )


def list_commits(ask: Ask, repo: Repository) -> Answer:
    tip = repo.git.resolve(ask.args.get("sha") or repo.default_branch)
    if tip is None:
        raise WorldError(404, "Not Found")
    views = list(repo.git.log(tip, most=1000, path=ask.args.get("path", "")))
    return paged(ask, views, lambda view: bodies.commit(ask.world, repo, view))


def get_commit(ask: Ask, repo: Repository, ref: str) -> Answer:
    view = repo.git.commit(_commit(repo, ref))
    changes = repo.git.changes(view.parents[0] if view.parents else None, view.sha)
    additions, deletions = (sum(getattr(c, kind) for c in changes) for kind in ("additions", "deletions"))
    body = bodies.commit(ask.world, repo, view)
    body["stats"] = {"additions": additions, "deletions": deletions, "total": additions + deletions}
    body["files"] = [bodies.changed_file(ask.world, repo, view.sha, change) for change in changes]
    return Answer(200, body)


def compare(ask: Ask, repo: Repository, basehead: str) -> Answer:
    """What the head has and the base has not, oldest first, page by page."""
    base, head = (repo.git.resolve(name) for name in basehead.split("...", 1)) if "..." in basehead else (None, None)
    if base is None or head is None:
        raise WorldError(404, "Not Found")
    ahead = list(repo.git.log(head, without=base, most=10_000))[::-1]
    behind = sum(1 for _ in repo.git.log(base, without=head, most=10_000))
    page = paged(ask, ahead, lambda view: bodies.commit(ask.world, repo, view))
    api, web = (
        f"{ask.world.urls.repo_api(repo.full_name)}/compare/{basehead}",
        ask.world.urls.page(repo.full_name, "compare", basehead),
    )
    common = repo.git.merge_base(base, head) or base
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    return Answer(
        200,
        {
            "url": api,
            "html_url": web,
            "permalink_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
            "base_commit": bodies.commit(ask.world, repo, repo.git.commit(base)),
            "merge_base_commit": bodies.commit(ask.world, repo, repo.git.commit(common)),
            "status": status.get((bool(ahead), bool(behind)), "diverged"),
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "commits": page.body,
        },
        page.headers,
    )


def activity(ask: Ask, repo: Repository) -> Answer:
    """Who moved which branch, newest first."""
    ref = ask.args.get("ref")
    found = [one for one in reversed(repo.pushes) if ref in (None, one.ref)]
    return paged(ask, found, lambda one: pushing(ask.world, one))


ROUTES: tuple[Route, ...] = (
    Route("POST", "/statuses/<sha>", create_status, "write"),
    Route("GET", "/commits", list_commits),
    Route("GET", "/compare/<path:basehead>", compare),
    Route("GET", "/activity", activity),
    Route("GET", "/commits/<path:ref>/status", combined_status),
    Route("GET", "/commits/<path:ref>/statuses", list_statuses),
    Route("GET", "/commits/<path:ref>", get_commit),
)
