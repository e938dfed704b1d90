"""GitLab's REST verbs of projects, people, commits, statuses, pushes, issues and webhooks."""

from __future__ import annotations

from bot.sandbox import gitlab_bodies as bodies
from bot.sandbox.gitlab_guards import project_part
from bot.sandbox.gitlab_rest import Answer, Ask, Route, paged, text_of
from bot.sandbox.hooks import Hook
from bot.sandbox.repos import ZERO
from bot.sandbox.rest_issues import add_issue
from bot.sandbox.rest_pulls import brings
from bot.sandbox.world import Json, Pull, Pushing, Repository, Status, WorldError

_FLAGS = {
    "push_events": "push",
    "merge_requests_events": "pull_request",
    "note_events": "issue_comment",
    "pipeline_events": "pipeline",
    "issues_events": "issues",
}
"""GitLab's switch of a webhook -> what the world calls it."""


def get_project(ask: Ask, repo: Repository) -> Answer:
    return Answer(200, bodies.project(ask.world, repo) | project_part(ask, repo))


# People


def own_user(ask: Ask) -> Answer:
    return Answer(200, bodies.full_user(ask.world, ask.user))


def get_user(ask: Ask) -> Answer:
    return Answer(200, bodies.full_user(ask.world, ask.world.user_by_id(ask.number("user"))))


def project_member(ask: Ask, repo: Repository) -> Answer:
    user = ask.world.user_by_id(ask.number("user"))
    level = bodies.LEVELS[ask.world.permission(repo, user)]
    if level == 0:
        raise WorldError(404, "404 Not found")
    return Answer(200, bodies.member(ask.world, user, level))


def group_member(ask: Ask) -> Answer:
    team, user = ask.world.teams.get(ask.names["group"].lower()), ask.world.user_by_id(ask.number("user"))
    if team is None or user.id not in team.members:
        raise WorldError(404, "404 Not found")
    state = "active" if team.members[user.id] == "active" else "awaiting"
    return Answer(200, bodies.member(ask.world, user, 30, state))


# Commits


def _sha(ask: Ask, repo: Repository) -> str:
    found = repo.git.resolve(ask.names["sha"])
    if found is None:
        raise WorldError(404, "404 Commit Not Found")
    return found


def get_commit(ask: Ask, repo: Repository) -> Answer:
    return Answer(200, bodies.commit(ask.world, repo, repo.git.commit(_sha(ask, repo))))


def merge_requests_of_commit(ask: Ask, repo: Repository) -> Answer:
    sha = _sha(ask, repo)
    found = [pull for pull in repo.pulls() if brings(repo, pull, sha)]
    return paged(ask, found, lambda one: bodies.merge_request(ask.world, repo, one))


def list_statuses(ask: Ask, repo: Repository) -> Answer:
    args, held = ask.args, repo.statuses.get(_sha(ask, repo), [])
    held = [one for one in held if args.get("name") in (None, one.context)]
    if "pipeline_id" in args:
        held = [one for one in held if str(ask.state.jobs.get(one.id)) == args["pipeline_id"]]
    if args.get("all") != "true":
        latest: dict[tuple[str, int | None], Status] = {(one.context, ask.state.jobs.get(one.id)): one for one in held}
        held = sorted(latest.values(), key=lambda one: one.id)
    if args.get("sort") == "desc":
        held = held[::-1]
    return paged(ask, held, lambda one: bodies.status(ask.world, ask.state, one))


def create_status(ask: Ask, repo: Repository) -> Answer:
    given, pipeline = ask.body, ask.body.get("pipeline_id")
    made = ask.state.set_status(
        repo,
        _sha(ask, repo),
        ask.user,
        word=text_of(ask, "state"),
        name=str(given.get("name") or given.get("context") or "default"),
        description=given.get("description"),
        url=given.get("target_url"),
        ref=given.get("ref"),
        pipeline_id=None if pipeline is None else int(pipeline),
    )
    return Answer(201, bodies.status(ask.world, ask.state, made))


def events(ask: Ask, repo: Repository) -> Answer:
    """Pushes, latest first."""
    return paged(ask, repo.pushes[::-1], lambda one: _event(ask, repo, one))


def _event(ask: Ask, repo: Repository, one: Pushing) -> Json:
    action = "created" if one.before == ZERO else "removed" if one.after == ZERO else "pushed"
    push = {"commit_count": 1, "action": action, "ref_type": "branch", "ref": one.ref.removeprefix("refs/heads/")}
    push |= {"commit_from": None if one.before == ZERO else one.before, "commit_to": one.after, "commit_title": ""}
    body: Json = {"id": one.id, "project_id": repo.id, "action_name": "pushed to", "author_id": one.by.id}
    body |= {"author_username": one.by.login, "author": bodies.user(ask.world, one.by), "push_data": push}
    return body | {"created_at": bodies.time(one.at), "target_type": None, "target_id": None, "target_title": None}


# Issues


def list_issues(ask: Ask, repo: Repository) -> Answer:
    found = [one for one in repo.issues.values() if not isinstance(one, Pull)]
    wanted, author = ask.args.get("state", "all"), ask.args.get("author_id")
    found = [one for one in found if wanted == "all" or (wanted == "opened") == (one.state == "open")]
    found = [one for one in found if author in (None, str(one.user.id))]
    return paged(ask, found[::-1], lambda one: bodies.issue(ask.world, repo, one))


def create_issue(ask: Ask, repo: Repository) -> Answer:
    made = add_issue(ask.world, repo, ask.user, text_of(ask, "title"), ask.body.get("description"))
    return Answer(201, bodies.issue(ask.world, repo, made))


def put_issue(ask: Ask, repo: Repository) -> Answer:
    found = repo.issue(ask.number("iid"))
    if isinstance(found, Pull):
        raise WorldError(404, "404 Not Found")
    found.title, found.body = ask.body.get("title") or found.title, ask.body.get("description", found.body)
    found.updated_at = ask.world.now()
    if (event := ask.body.get("state_event")) in ("close", "reopen"):
        found.state = "closed" if event == "close" else "open"
        found.closed_at = found.updated_at if event == "close" else None
    return Answer(200, bodies.issue(ask.world, repo, found))


# Webhooks


def _hook(hook: Hook) -> Json:
    body: Json = {"id": hook.id, "url": hook.url, "project_id": hook.repository}
    body |= {flag: event in hook.events for flag, event in _FLAGS.items()}
    body |= {"tag_push_events": False, "job_events": False, "wiki_page_events": False}
    body |= {"enable_ssl_verification": True, "alert_status": "executable", "disabled_until": None}
    body |= {"token_present": bool(hook.secret), "signing_token_present": bool(hook.signing)}
    return body | {"created_at": bodies.time(hook.created_at)}


def list_hooks(ask: Ask, repo: Repository) -> Answer:
    own = [one for one in ask.hooks.hooks.values() if one.repository == repo.id and one.face == "gitlab"]
    return paged(ask, own, _hook)


def create_hook(ask: Ask, repo: Repository) -> Answer:
    events = tuple(event for flag, event in _FLAGS.items() if ask.body.get(flag, flag == "push_events"))
    events += ("pull_request_review",) if "pull_request" in events else ()
    made = ask.hooks.add_gitlab(
        repo, text_of(ask, "url"), str(ask.body.get("token") or ""), events, str(ask.body.get("signing_token") or "")
    )
    return Answer(201, _hook(made))


def delete_hook(ask: Ask, repo: Repository) -> Answer:
    found = ask.hooks.hooks.get(ask.number("hook"))
    if found is None or found.repository != repo.id:
        raise WorldError(404, "404 Not found")
    del ask.hooks.hooks[found.id]
    return Answer(204)


_AT = "/projects/:project"
ROUTES: tuple[Route, ...] = (
    Route("GET", "/user", own_user),
    Route("GET", "/users/:user", get_user),
    Route("GET", "/groups/:group/members/all/:user", group_member),
    Route("GET", _AT, get_project),
    Route("GET", f"{_AT}/members/all/:user", project_member),
    Route("GET", f"{_AT}/repository/commits/:sha", get_commit),
    Route("GET", f"{_AT}/repository/commits/:sha/merge_requests", merge_requests_of_commit),
    Route("GET", f"{_AT}/repository/commits/:sha/statuses", list_statuses),
    Route("POST", f"{_AT}/statuses/:sha", create_status, "write"),
    Route("GET", f"{_AT}/events", events),
    Route("GET", f"{_AT}/issues", list_issues),
    Route("POST", f"{_AT}/issues", create_issue),
    Route("PUT", f"{_AT}/issues/:iid", put_issue, "write"),
    Route("GET", f"{_AT}/hooks", list_hooks, "admin"),
    Route("POST", f"{_AT}/hooks", create_hook, "admin"),
    Route("DELETE", f"{_AT}/hooks/:hook", delete_hook, "admin"),
)
