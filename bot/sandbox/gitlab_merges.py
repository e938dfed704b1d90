"""GitLab's REST verbs of merge requests: lists, edits, merges, commits, differences, versions, approvals."""

from __future__ import annotations

from datetime import datetime

from bot.sandbox import gitlab_bodies as bodies
from bot.sandbox.gitlab_rest import Answer, Ask, Route, paged, text_of
from bot.sandbox.pulls import edit_pull, merge, open_pull
from bot.sandbox.reviews import add_review, dismiss
from bot.sandbox.world import Json, MergeMethod, Pull, Repository, Review, User, World, WorldError


def _pull(ask: Ask, repo: Repository) -> Pull:
    return repo.pull(ask.number("iid"))


def list_merge_requests(ask: Ask, repo: Repository) -> Answer:
    args = ask.args
    found = [one for one in repo.pulls() if _fits(one, args.get("state", "all"))]
    for name, field in (("source_branch", "head_ref"), ("target_branch", "base_ref")):
        found = [one for one in found if args.get(name) in (None, getattr(one, field))]
    if "updated_after" in args:
        after = datetime.fromisoformat(args["updated_after"])
        found = [one for one in found if one.updated_at >= after]
    order = "updated_at" if args.get("order_by") == "updated_at" else "created_at"
    found.sort(key=lambda one: (getattr(one, order), one.number), reverse=args.get("sort", "desc") == "desc")
    return paged(ask, found, lambda one: bodies.merge_request(ask.world, repo, one))


def _fits(pull: Pull, state: str) -> bool:
    if state == "merged":
        return pull.merged_at is not None
    return state == "all" or (state == "opened") == (pull.state == "open")


def create_merge_request(ask: Ask, repo: Repository) -> Answer:
    head, base, title = (text_of(ask, name) for name in ("source_branch", "target_branch", "title"))
    held = next((p for p in repo.pulls() if p.state == "open" and (p.head_ref, p.base_ref) == (head, base)), None)
    if held is not None:
        message = f"Another open merge request already exists for this source branch: !{held.number}"
        raise WorldError(409, message)
    body = str(ask.body.get("description") or "")
    pull = open_pull(ask.world, repo, title=title, head=head, base=base, author=ask.user, body=body)
    return Answer(201, bodies.full_merge_request(ask.world, ask.state, repo, pull))


def get_merge_request(ask: Ask, repo: Repository) -> Answer:
    return Answer(200, bodies.full_merge_request(ask.world, ask.state, repo, _pull(ask, repo)))


def put_merge_request(ask: Ask, repo: Repository) -> Answer:
    names = {"title": "title", "description": "body", "target_branch": "base"}
    changes: Json = {ours: ask.body[theirs] for theirs, ours in names.items() if theirs in ask.body}
    if (event := ask.body.get("state_event")) in ("close", "reopen"):
        changes["state"] = "closed" if event == "close" else "open"
    pull = _pull(ask, repo)
    edit_pull(ask.world, repo, pull, ask.user, changes)
    return Answer(200, bodies.full_merge_request(ask.world, ask.state, repo, pull))


def merge_merge_request(ask: Ask, repo: Repository) -> Answer:
    pull, sha = _pull(ask, repo), ask.body.get("sha")
    method: MergeMethod = "squash" if ask.body.get("squash") else "merge"
    merge(ask.world, repo, pull, method, ask.user, sha=sha)
    return Answer(200, bodies.full_merge_request(ask.world, ask.state, repo, pull))


def commits(ask: Ask, repo: Repository) -> Answer:
    pull = _pull(ask, repo)
    views = list(repo.git.log(pull.head_sha, without=pull.landed_before or pull.base_sha, most=250))
    return paged(ask, views, lambda view: bodies.commit(ask.world, repo, view))


def diffs(ask: Ask, repo: Repository) -> Answer:
    return paged(ask, bodies.diffs(bodies.changes_of(repo, _pull(ask, repo))), lambda one: one)


def versions(ask: Ask, repo: Repository) -> Answer:
    """Every head that it ever had, newest first."""
    pull = _pull(ask, repo)
    heads = heads_of(ask.world, repo, pull)

    def body(one: tuple[str, datetime]) -> Json:
        refs = bodies.diff_refs(repo, pull)
        told: Json = {"id": int(one[1].timestamp() * 1000), "head_commit_sha": one[0], "state": "collected"}
        told |= {"base_commit_sha": refs["base_sha"], "start_commit_sha": refs["start_sha"], "real_size": "1"}
        return told | {"created_at": bodies.time(one[1]), "merge_request_id": pull.id}

    return paged(ask, heads[::-1], body)


def heads_of(world: World, repo: Repository, pull: Pull) -> list[tuple[str, datetime]]:
    """The heads of a pull request and when each became it, oldest first."""
    source = world.repositories[pull.head_repo or repo.id]
    ref = f"refs/heads/{pull.head_ref}"
    pushes = [one for one in source.pushes if one.ref == ref and one.at > pull.created_at]
    pushes = [one for one in pushes if pull.closed_at is None or one.at <= pull.closed_at]
    first = pushes[0].before if pushes else pull.head_sha
    return [(first, pull.created_at), *((one.after, one.at) for one in pushes)]


def standing(repo: Repository, pull: Pull) -> dict[int, Review]:
    """Who approves: user id -> the approval. A push takes none of them away."""
    found: dict[int, Review] = {}
    for review in repo.reviews:
        if review.number == pull.number and review.state in ("APPROVED", "DISMISSED", "CHANGES_REQUESTED"):
            found.pop(review.user.id, None)
            if review.state == "APPROVED":
                found[review.user.id] = review
    return found


def approvals(ask: Ask, repo: Repository) -> Answer:
    return Answer(200, _approvals(ask.world, repo, _pull(ask, repo), ask.user))


def _approvals(world: World, repo: Repository, pull: Pull, asker: User) -> Json:
    held = standing(repo, pull)
    body = {name: bodies.merge_request(world, repo, pull)[name] for name in ("id", "iid", "project_id", "title")}
    body |= {"state": "opened", "approved": bool(held), "approvals_required": 0, "approvals_left": 0}
    body |= {"user_has_approved": asker.id in held, "user_can_approve": True}
    return body | {"approved_by": [{"user": bodies.user(world, one.user)} for one in held.values()]}


def approve(ask: Ask, repo: Repository) -> Answer:
    pull, sha = _pull(ask, repo), ask.body.get("sha")
    if sha not in (None, pull.head_sha):
        raise WorldError(409, "SHA does not match HEAD of source branch")
    if ask.user.id in standing(repo, pull) or ask.user is pull.user:
        raise WorldError(401, "401 Unauthorized")
    add_review(ask.world, repo, pull, ask.user, "APPROVED")
    return Answer(201, _approvals(ask.world, repo, pull, ask.user))


def unapprove(ask: Ask, repo: Repository) -> Answer:
    pull = _pull(ask, repo)
    held = standing(repo, pull).get(ask.user.id)
    if held is None:
        raise WorldError(404, "404 Not Found")
    dismiss(ask.world, repo, held, ask.user)
    return Answer(201, _approvals(ask.world, repo, pull, ask.user))


_AT = "/projects/:project/merge_requests"
ROUTES: tuple[Route, ...] = (
    Route("GET", _AT, list_merge_requests),
    Route("POST", _AT, create_merge_request, "write"),
    Route("GET", f"{_AT}/:iid", get_merge_request),
    Route("PUT", f"{_AT}/:iid", put_merge_request, "write"),
    Route("PUT", f"{_AT}/:iid/merge", merge_merge_request, "write"),
    Route("GET", f"{_AT}/:iid/commits", commits),
    Route("GET", f"{_AT}/:iid/diffs", diffs),
    Route("GET", f"{_AT}/:iid/versions", versions),
    Route("GET", f"{_AT}/:iid/approvals", approvals),
    Route("POST", f"{_AT}/:iid/approve", approve),
    Route("POST", f"{_AT}/:iid/unapprove", unapprove),
)
