"""Bodies of Apps, installations, check runs, pushes and merge groups, in GitHub's shapes."""

from __future__ import annotations

from bot.sandbox.apps import App, Grant, Installation
from bot.sandbox.bodies import node_id, repository, time, user
from bot.sandbox.repos import CommitView
from bot.sandbox.world import CheckRun, Json, Pull, Pushing, Repository, User, World


def app(world: World, found: App) -> Json:
    page = f"{world.urls.root}/apps/{found.slug}"
    at = time(found.created_at)
    return {
        "id": found.id,
        "slug": found.slug,
        "node_id": node_id("App", found.id),
        "owner": user(world, world.user(found.owner)),
        "name": found.slug,
        "description": "",
        "external_url": page,
        "html_url": page,
        "created_at": at,
        "updated_at": at,
        "permissions": dict(found.permissions),
        "events": list(found.events),
    }


def installation(world: World, found: Installation) -> Json:
    api, at = f"{world.urls.api}/app/installations/{found.id}", time(found.created_at)
    account = user(world, world.user(found.account))
    return {
        "id": found.id,
        "account": account,
        "repository_selection": "selected",
        "access_tokens_url": f"{api}/access_tokens",
        "repositories_url": f"{world.urls.api}/installation/repositories",
        "html_url": f"{world.urls.root}/organizations/{found.account}/settings/installations/{found.id}",
        "app_id": found.app.id,
        "app_slug": found.app.slug,
        "target_id": account["id"],
        "target_type": account["type"],
        "permissions": dict(found.app.permissions),
        "events": list(found.app.events),
        "created_at": at,
        "updated_at": at,
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None if found.suspended_at is None else time(found.suspended_at),
    }


def token(world: World, text: str, grant: Grant) -> Json:
    repos = [repository(world, world.repositories[one]) for one in sorted(grant.repositories)]
    body: Json = {"token": text, "expires_at": time(grant.expires_at), "permissions": dict(grant.permissions)}
    return body | {"repository_selection": "selected", "repositories": repos}


def check_run(world: World, repo: Repository, found: CheckRun) -> Json:
    api = world.urls.repo_api(repo.full_name)
    own = f"{api}/check-runs/{found.id}"
    page = world.urls.page(repo.full_name, "runs", found.id)
    return {
        "id": found.id,
        "node_id": node_id("CheckRun", found.id),
        "head_sha": found.sha,
        "external_id": found.external_id,
        "url": own,
        "html_url": page,
        "details_url": found.details_url or page,
        "status": found.status,
        "conclusion": found.conclusion,
        "started_at": time(found.started_at),
        "completed_at": None if found.completed_at is None else time(found.completed_at),
        "output": {
            "title": found.title,
            "summary": found.summary,
            "text": found.text,
            "annotations_count": len(found.annotations),
            "annotations_url": f"{own}/annotations",
        },
        "name": found.name,
        "check_suite": {"id": _suite_id(found)},
        "app": app(world, _app(world, found)),
        "pull_requests": [_minimal(world, repo, pull) for pull in pulls_of(repo, found.sha)],
    }


def pulls_of(repo: Repository, sha: str) -> list[Pull]:
    """Open pull requests with this head; those from forks are not told, as at GitHub."""
    return [one for one in repo.pulls() if one.state == "open" and one.head_sha == sha and one.head_repo is None]


def check_run_payload(world: World, repo: Repository, found: CheckRun, action: str, sender: User) -> Json:
    """Webhook `check_run`, which holds its whole suite."""
    told = check_run(world, repo, found)
    api, at = world.urls.repo_api(repo.full_name), time(found.started_at)
    pulls = pulls_of(repo, found.sha)
    told["check_suite"] = {
        "id": _suite_id(found),
        "node_id": node_id("CheckSuite", _suite_id(found)),
        "head_branch": pulls[0].head_ref if pulls else None,
        "head_sha": found.sha,
        "status": found.status,
        "conclusion": found.conclusion,
        "url": f"{api}/check-suites/{_suite_id(found)}",
        "before": None,
        "after": None,
        "pull_requests": told["pull_requests"],
        "app": told["app"],
        "created_at": at,
        "updated_at": at,
    }
    common = {"repository": repository(world, repo), "sender": user(world, sender)}
    return {"action": action, "check_run": told} | common


def _suite_id(found: CheckRun) -> int:
    return int(found.sha[:7], 16) + 1


def _app(world: World, found: CheckRun) -> App:
    return next(one for one in world.apps.apps.values() if one.slug == found.app)


def _minimal(world: World, repo: Repository, pull: Pull) -> Json:
    api = world.urls.repo_api(repo.full_name)
    where = {"id": repo.id, "url": api, "name": repo.name}
    return {
        "id": pull.id,
        "number": pull.number,
        "url": f"{api}/pulls/{pull.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": where},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": where},
    }


def annotation(world: World, repo: Repository, found: CheckRun, one: Json) -> Json:
    body: Json = {name: one.get(name) for name in ("path", "start_line", "end_line", "start_column", "end_column")}
    body |= {name: one.get(name) for name in ("annotation_level", "title", "message", "raw_details")}
    return body | {"blob_href": world.urls.page(repo.full_name, "blob", found.sha, str(one.get("path")))}


def pushing(world: World, one: Pushing) -> Json:
    """A row of `/activity`."""
    return {
        "id": one.id,
        "node_id": node_id("PSH", one.id),
        "before": one.before,
        "after": one.after,
        "ref": one.ref,
        "timestamp": time(one.at),
        "activity_type": "push",
        "actor": user(world, one.by),
    }


def merge_group_payload(
    world: World, repo: Repository, ref: str, base: tuple[str, str], view: CommitView, sender: User
) -> Json:
    """Webhook `merge_group`; `base` is the branch and the commit that the group lands on."""
    who = {"name": view.author.name, "email": view.author.email}
    group = {
        "head_sha": view.sha,
        "head_ref": ref,
        "base_ref": f"refs/heads/{base[0]}",
        "base_sha": base[1],
        "head_commit": {
            "id": view.sha,
            "tree_id": view.tree,
            "message": view.message,
            "timestamp": view.committer_date,
            "author": who,
            "committer": who,
        },
    }
    common = {"repository": repository(world, repo), "sender": user(world, sender)}
    return {"action": "checks_requested", "merge_group": group} | common
