"""REST verbs of users, rights, the rate limit and webhooks."""

from __future__ import annotations

from bot.sandbox import bodies
from bot.sandbox.bodies_review import membership
from bot.sandbox.hooks import Delivery, Hook
from bot.sandbox.rest import HOURLY, Answer, Ask, Route, paged, rate_headers
from bot.sandbox.world import Json, Repository, WorldError


def own_user(ask: Ask) -> Answer:
    return Answer(200, bodies.full_user(ask.world, ask.user, private=True))


def get_user(ask: Ask, login: str) -> Answer:
    return Answer(200, bodies.full_user(ask.world, ask.world.user(login), private=False))


def user_by_id(ask: Ask, user_id: int) -> Answer:
    return Answer(200, bodies.full_user(ask.world, ask.world.user_by_id(user_id), private=False))


def org_member(ask: Ask, org: str, login: str) -> Answer:
    """204 for who may write in one of the organisation's repositories; 404 for the rest."""
    user = ask.world.user(login)
    for repo in ask.world.repositories.values():
        if repo.owner.lower() == org.lower() and ask.world.permission(repo, user) in ("write", "admin"):
            return Answer(204)
    raise WorldError(404, "Not Found")


def list_teams(ask: Ask, org: str) -> Answer:
    """The organisation's teams."""
    found = [team for team in ask.world.teams.values() if team.org.lower() == org.lower()]
    return paged(ask, found, lambda team: {"id": team.id, "slug": team.slug, "name": team.slug, "parent": None})


def team_membership(ask: Ask, org: str, slug: str, login: str) -> Answer:
    """200 for a member and for who was invited; 404 for the rest, and where there is no such team."""
    user, team = ask.world.user(login), ask.world.teams.get(f"{org}/{slug}".lower())
    if team is None or user.id not in team.members:
        raise WorldError(404, "Not Found")
    return Answer(200, membership(ask.world, team, user))


def team_members(ask: Ask, org: str, slug: str) -> Answer:
    """Who is in the team; who was only invited is not listed."""
    team = ask.world.teams.get(f"{org}/{slug}".lower())
    if team is None:
        raise WorldError(404, "Not Found")
    active = sorted(who for who, state in team.members.items() if state == "active")
    return paged(ask, active, lambda who: bodies.user(ask.world, ask.world.user_by_id(who)))


def rate_limit(_ask: Ask) -> Answer:
    """Asking is free, and the sandbox never runs out; a fault can say that it did."""
    reset = int(rate_headers(0)["X-RateLimit-Reset"])
    rate: Json = {"limit": HOURLY, "used": 0, "remaining": HOURLY, "reset": reset}
    return Answer(200, {"resources": {"core": rate, "search": rate}, "rate": rate})


def is_collaborator(ask: Ask, repo: Repository, login: str) -> Answer:
    if ask.world.permission(repo, ask.world.user(login)) == "none":
        raise WorldError(404, "Not Found")
    return Answer(204)


def permission(ask: Ask, repo: Repository, login: str) -> Answer:
    user = ask.world.user(login)
    may = ask.world.permission(repo, user)
    body = bodies.user(ask.world, user) | {"role_name": may}
    return Answer(200, {"permission": may, "role_name": may, "user": body})


def _hook(ask: Ask, hook: Hook) -> Json:
    return ask.hooks.ping_part(hook)


def _hook_of(ask: Ask, repo: Repository, hook_id: int) -> Hook:
    hook = ask.hooks.hooks.get(hook_id)
    if hook is None or hook.repository != repo.id:
        raise WorldError(404, "Not Found")
    return hook


def list_hooks(ask: Ask, repo: Repository) -> Answer:
    own = [hook for hook in ask.hooks.hooks.values() if hook.repository == repo.id]
    return paged(ask, own, lambda hook: _hook(ask, hook))


def create_hook(ask: Ask, repo: Repository) -> Answer:
    given = ask.body.get("config")
    config: Json = given if isinstance(given, dict) else {}
    url = config.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise WorldError(422, "Validation Failed", [{"resource": "Hook", "field": "url", "code": "missing_field"}])
    events = tuple(ask.body.get("events") or ("push",))
    hook = ask.hooks.add(repo, url, str(config.get("secret") or ""), events, ask.user)
    return Answer(201, _hook(ask, hook))


def get_hook(ask: Ask, repo: Repository, hook_id: int) -> Answer:
    return Answer(200, _hook(ask, _hook_of(ask, repo, hook_id)))


def list_deliveries(ask: Ask, repo: Repository, hook_id: int) -> Answer:
    hook = _hook_of(ask, repo, hook_id)
    own = [one for one in reversed(ask.hooks.deliveries) if one.hook is hook]
    return paged(ask, own, delivery)


def delivery(one: Delivery) -> Json:
    """One attempt, as lists show it."""
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": bodies.time(one.delivered_at),
        "redelivery": one.redelivery,
        "duration": round(one.seconds, 3),
        "status": "OK" if 200 <= one.status < 300 else f"Answer {one.status}",
        "status_code": one.status,
        "event": one.event,
        "action": one.action,
        "installation_id": None,
        "repository_id": one.hook.repository,
    }


def redeliver(ask: Ask, repo: Repository, hook_id: int, delivery_id: int) -> Answer:
    hook = _hook_of(ask, repo, hook_id)
    for one in ask.hooks.deliveries:
        if one.hook is hook and one.id == delivery_id:
            ask.hooks.redeliver(one.guid)
            return Answer(202, {})
    raise WorldError(404, "Not Found")


ROUTES: tuple[Route, ...] = (
    Route("GET", "/collaborators/<login>", is_collaborator),
    Route("GET", "/collaborators/<login>/permission", permission),
    Route("GET", "/hooks", list_hooks, "admin"),
    Route("POST", "/hooks", create_hook, "admin"),
    Route("GET", "/hooks/<int:hook_id>", get_hook, "admin"),
    Route("GET", "/hooks/<int:hook_id>/deliveries", list_deliveries, "admin"),
    Route("POST", "/hooks/<int:hook_id>/deliveries/<int:delivery_id>/attempts", redeliver, "admin"),
)
ROOT_ROUTES: tuple[Route, ...] = (
    Route("GET", "/user", own_user),
    Route("GET", "/user/<int:user_id>", user_by_id),
    Route("GET", "/users/<login>", get_user),
    Route("GET", "/orgs/<org>/members/<login>", org_member),
    Route("GET", "/orgs/<org>/teams", list_teams),
    Route("GET", "/orgs/<org>/teams/<slug>/members", team_members),
    Route("GET", "/orgs/<org>/teams/<slug>/memberships/<login>", team_membership),
    Route("GET", "/rate_limit", rate_limit),
)
