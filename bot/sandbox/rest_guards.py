"""REST verbs of branch rules and of an App's own webhook."""

from __future__ import annotations

from bot.sandbox.rest import Answer, Ask, Route, paged
from bot.sandbox.rest_people import delivery
from bot.sandbox.world import Json, Repository, WorldError


def branch_rules(ask: Ask, repo: Repository, branch: str) -> Answer:
    """Those that hold for a branch, wherever they were made."""
    guard = ask.world.guards.of(repo.id, branch)
    made: Json = {"ruleset_source_type": "Repository", "ruleset_source": repo.full_name, "ruleset_id": repo.id}
    found: list[Json] = []
    if guard.only_pulls:
        counts = dict.fromkeys(
            ("dismiss_stale_reviews_on_push", "require_code_owner_review", "require_last_push_approval"), False
        )
        counts["required_review_thread_resolution"] = False
        found.append({"type": "pull_request", "parameters": {**counts, "required_approving_review_count": 0}} | made)
    if guard.checks:
        checks = [
            {"context": name} | ({} if app is None else {"integration_id": app}) for name, app in guard.checks.items()
        ]
        parameters = {"required_status_checks": checks, "strict_required_status_checks_policy": False}
        found.append({"type": "required_status_checks", "parameters": parameters} | made)
    if guard.queue:
        parameters = {"merge_method": "MERGE", "grouping_strategy": "ALLGREEN"}
        parameters |= {"check_response_timeout_minutes": 60, "max_entries_to_build": 5, "max_entries_to_merge": 5}
        parameters |= {"min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5}
        found.append({"type": "merge_queue", "parameters": parameters} | made)
    return paged(ask, found, lambda one: one)


def app_hook(ask: Ask) -> Answer:
    url, secret = _app_hook(ask)
    config = {"content_type": "json", "insecure_ssl": "0", "url": url}
    return Answer(200, config | ({"secret": "********"} if secret else {}))


def _app_hook(ask: Ask) -> tuple[str, str]:
    found = None if ask.app is None else ask.world.guards.app_hooks.get(ask.app.id)
    if found is None:
        raise WorldError(404, "Not Found")
    return found


def app_deliveries(ask: Ask) -> Answer:
    where = {one.id for one in ask.world.apps.installations.values() if one.app is ask.app}
    own = [one for one in reversed(ask.hooks.deliveries) if one.hook.installation in where]
    return paged(ask, own, lambda one: delivery(one) | {"installation_id": one.hook.installation})


ROUTES: tuple[Route, ...] = (Route("GET", "/rules/branches/<path:branch>", branch_rules),)
ROOT_ROUTES: tuple[Route, ...] = (
    Route("GET", "/app/hook/config", app_hook, proof="app"),
    Route("GET", "/app/hook/deliveries", app_deliveries, proof="app"),
)
