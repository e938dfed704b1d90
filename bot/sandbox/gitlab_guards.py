"""GitLab's REST verbs of what guards a branch, and of the token and webhooks that a doctor looks at."""

from __future__ import annotations

from urllib.parse import unquote

from bot.sandbox import bodies as github_bodies
from bot.sandbox.gitlab_bodies import LEVELS
from bot.sandbox.gitlab_rest import Answer, Ask, Route, paged
from bot.sandbox.hooks import Delivery
from bot.sandbox.world import Json, Repository, WorldError


def project_part(ask: Ask, repo: Repository) -> Json:
    """What a project shows of its guards, and of the rights of whoever asks."""
    guard = ask.world.guards.of(repo.id, repo.default_branch)
    level = LEVELS[ask.world.permission(repo, ask.user)]
    return {
        "only_allow_merge_if_pipeline_succeeds": bool(guard.checks),
        "merge_trains_enabled": guard.queue,
        "permissions": {"project_access": {"access_level": level, "notification_level": 3}, "group_access": None},
    }


def own_token(ask: Ask) -> Answer:
    at = github_bodies.time(ask.user.created_at)
    body: Json = {"id": ask.user.id, "name": ask.user.login, "revoked": False, "active": True, "scopes": ["api"]}
    return Answer(200, body | {"user_id": ask.user.id, "created_at": at, "expires_at": None})


def get_branch(ask: Ask, repo: Repository) -> Answer:
    name = unquote(ask.names["branch"])
    sha = repo.git.heads().get(name)
    if sha is None:
        raise WorldError(404, "404 Branch Not Found")
    guard = ask.world.guards.of(repo.id, name)
    level, least = LEVELS[ask.world.permission(repo, ask.user)], 60 if guard.only_pulls else 30
    body: Json = {"name": name, "merged": False, "default": name == repo.default_branch, "commit": {"id": sha}}
    return Answer(200, body | {"protected": guard.only_pulls, "can_push": level >= least})


def protected_branch(ask: Ask, repo: Repository) -> Answer:
    name = unquote(ask.names["branch"])
    if (repo.id, name) not in ask.world.guards.branches:
        raise WorldError(404, "404 Not found")
    level = 0 if ask.world.guards.of(repo.id, name).only_pulls else 40
    pushers = [{"id": 1, "access_level": level, "access_level_description": "No one" if level == 0 else "Maintainers"}]
    return Answer(200, {"id": 1, "name": name, "push_access_levels": pushers, "allow_force_push": False})


def approval_rules(ask: Ask, repo: Repository) -> Answer:
    guard = ask.world.guards.of(repo.id, repo.default_branch)
    return Answer(200, {"approvals_before_merge": 0, "reset_approvals_on_push": guard.approvals_reset})


def hook_events(ask: Ask, repo: Repository) -> Answer:
    own = [one for one in reversed(ask.hooks.deliveries) if one.hook.id == ask.number("hook")]
    if not own and ask.hooks.hooks[ask.number("hook")].repository != repo.id:
        raise WorldError(404, "404 Not found")
    return paged(ask, own, _event)


def _event(one: Delivery) -> Json:
    told = str(one.status) if one.status else "internal error"
    return {"id": one.id, "url": one.hook.url, "trigger": one.event, "response_status": told}


_AT = "/projects/:project"
ROUTES: tuple[Route, ...] = (
    Route("GET", "/personal_access_tokens/self", own_token),
    Route("GET", f"{_AT}/repository/branches/:branch", get_branch),
    Route("GET", f"{_AT}/protected_branches/:branch", protected_branch),
    Route("GET", f"{_AT}/approvals", approval_rules),
    Route("GET", f"{_AT}/hooks/:hook/events", hook_events, "admin"),
)
