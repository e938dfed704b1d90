"""REST verbs of GitHub Apps and of their check runs."""

from __future__ import annotations

from bot.sandbox import bodies_apps as bodies
from bot.sandbox.apps import LEVELS, App, Installation
from bot.sandbox.rest import Answer, Ask, Route, field_of, paged
from bot.sandbox.world import CheckRun, Json, Repository, User, World, WorldError

MOST_ANNOTATIONS = 50
"""Annotations that one request may bring."""
_CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")


def _app(ask: Ask) -> App:
    if ask.app is None:
        raise WorldError(401, "A JSON web token could not be decoded")
    return ask.app


def own_app(ask: Ask) -> Answer:
    return Answer(200, bodies.app(ask.world, _app(ask)))


def list_installations(ask: Ask) -> Answer:
    app = _app(ask)
    found = [one for one in ask.world.apps.installations.values() if one.app is app]
    return paged(ask, found, lambda one: bodies.installation(ask.world, one))


def _installation(ask: Ask, installation_id: int) -> Installation:
    found = ask.world.apps.installations.get(installation_id)
    if found is None or found.app is not _app(ask):
        raise WorldError(404, "Not Found")
    return found


def get_installation(ask: Ask, installation_id: int) -> Answer:
    return Answer(200, bodies.installation(ask.world, _installation(ask, installation_id)))


def repo_installation(ask: Ask, repo: Repository) -> Answer:
    found = ask.world.apps.of_repository(_app(ask), repo.id)
    if found is None:
        raise WorldError(404, "Not Found")
    return Answer(200, bodies.installation(ask.world, found))


def create_token(ask: Ask, installation_id: int) -> Answer:
    """For some of its repositories, with some of its permissions; 422 for any that it does not have."""
    where = _installation(ask, installation_id)
    if where.suspended_at is not None:
        raise WorldError(403, "This installation has been suspended")
    wanted = frozenset(ask.body.get("repository_ids") or where.repositories)
    if not wanted <= where.repositories:
        raise WorldError(422, "There is at least one repository that does not exist or is not accessible")
    rights: Json = ask.body.get("permissions") or dict(where.app.permissions)
    has = where.app.permissions
    if any(LEVELS.index(level) > LEVELS.index(has.get(area, "none")) for area, level in rights.items()):
        raise WorldError(422, "The permissions requested are not granted to this installation.")
    text, grant = ask.world.apps.mint(where, wanted, rights, ask.world.now())
    return Answer(201, bodies.token(ask.world, text, grant))


def create_check_run(ask: Ask, repo: Repository) -> Answer:
    sha, name = field_of(ask, "head_sha", "CheckRun"), field_of(ask, "name", "CheckRun")
    if ask.grant is None:
        raise WorldError(403, "You must authenticate via a GitHub App.")
    if not repo.git.has_commit(sha):
        raise WorldError(422, f"No commit found for SHA: {sha}")
    now, slug = ask.world.now(), ask.grant.slug
    made = CheckRun(ask.world.next_id(), sha, name, slug, "queued", None, None, None, None, None, "", now)
    _apply(ask, made)
    repo.check_runs[made.id] = made
    _tell(ask, repo, made, "created")
    return Answer(201, bodies.check_run(ask.world, repo, made))


def patch_check_run(ask: Ask, repo: Repository, run_id: int) -> Answer:
    found = _run(repo, run_id)
    if ask.grant is None or ask.grant.slug != found.app:
        raise WorldError(403, "Invalid app_id for check run")
    was = found.status
    _apply(ask, found)
    if was != "completed" and found.status == "completed":
        _tell(ask, repo, found, "completed")
    return Answer(200, bodies.check_run(ask.world, repo, found))


def _apply(ask: Ask, run: CheckRun) -> None:
    output = ask.body.get("output") or {}
    added = output.get("annotations") or []
    conclusion = ask.body.get("conclusion")
    if len(added) > MOST_ANNOTATIONS:
        raise WorldError(422, f"No more than {MOST_ANNOTATIONS} annotations in a request")
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise WorldError(422, "conclusion is not included in the list")
    if output and not (output.get("title") and output.get("summary")):
        raise WorldError(422, "title and summary are required in output")
    run.title, run.summary = output.get("title", run.title), output.get("summary", run.summary)
    run.text = output.get("text", run.text)
    # Never replaced: each request only adds to them.
    run.annotations += added
    run.external_id = ask.body.get("external_id", run.external_id)
    run.details_url = ask.body.get("details_url", run.details_url)
    if conclusion is not None:
        run.status = "completed"
    elif ask.body.get("status") in ("queued", "in_progress"):
        run.status = ask.body["status"]
    run.conclusion = conclusion if run.status == "completed" else None
    run.completed_at = ask.world.now() if run.status == "completed" else None


def _tell(ask: Ask, repo: Repository, run: CheckRun, action: str) -> None:
    by = ask.user
    ask.world.announce(repo, "check_run", lambda: bodies.check_run_payload(ask.world, repo, run, action, by))


def _run(repo: Repository, run_id: int) -> CheckRun:
    if run_id not in repo.check_runs:
        raise WorldError(404, "Not Found")
    return repo.check_runs[run_id]


def get_check_run(ask: Ask, repo: Repository, run_id: int) -> Answer:
    return Answer(200, bodies.check_run(ask.world, repo, _run(repo, run_id)))


def list_annotations(ask: Ask, repo: Repository, run_id: int) -> Answer:
    run = _run(repo, run_id)
    return paged(ask, run.annotations, lambda one: bodies.annotation(ask.world, repo, run, one))


def list_check_runs(ask: Ask, repo: Repository, ref: str) -> Answer:
    """`filter=latest`, the default: of one name and App only the newest."""
    sha = repo.git.resolve(ref)
    if sha is None:
        raise WorldError(422, f"No commit found for SHA: {ref}")
    name, app_id = ask.args.get("check_name"), ask.args.get("app_id")
    apps = {app.slug: str(app.id) for app in ask.world.apps.apps.values()}
    found = [
        one
        for one in repo.check_runs.values()
        if one.sha == sha and name in (None, one.name) and app_id in (None, apps[one.app])
    ]
    if ask.args.get("filter", "latest") == "latest":
        found = list({(one.app, one.name): one for one in found}.values())
    page = paged(ask, found[::-1], lambda one: bodies.check_run(ask.world, repo, one))
    return Answer(200, {"total_count": len(found), "check_runs": page.body}, page.headers)


def rerequest(ask: Ask, repo: Repository, run_id: int) -> Answer:
    ask_again(ask.world, repo, _run(repo, run_id), ask.user)
    return Answer(201, {})


def ask_again(world: World, repo: Repository, run: CheckRun, by: User) -> None:
    """The button "Re-run". Told first, then reset: the payload shows the run as it was completed."""
    world.announce(repo, "check_run", lambda: bodies.check_run_payload(world, repo, run, "rerequested", by))
    run.status, run.conclusion, run.completed_at = "queued", None, None
    world.now()


ROUTES: tuple[Route, ...] = (
    Route("GET", "/installation", repo_installation, proof="app"),
    Route("POST", "/check-runs", create_check_run),
    Route("GET", "/check-runs/<int:run_id>", get_check_run),
    Route("PATCH", "/check-runs/<int:run_id>", patch_check_run),
    Route("GET", "/check-runs/<int:run_id>/annotations", list_annotations),
    Route("POST", "/check-runs/<int:run_id>/rerequest", rerequest),
    Route("GET", "/commits/<path:ref>/check-runs", list_check_runs),
)
ROOT_ROUTES: tuple[Route, ...] = (
    Route("GET", "/app", own_app, proof="app"),
    Route("GET", "/app/installations", list_installations, proof="app"),
    Route("GET", "/app/installations/<int:installation_id>", get_installation, proof="app"),
    Route("POST", "/app/installations/<int:installation_id>/access_tokens", create_token, proof="app"),
)
