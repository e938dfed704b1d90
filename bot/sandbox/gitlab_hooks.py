"""Webhooks as GitLab sends them, made from what the world announces; and how GitLab proves that it sent them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping

from bot.sandbox import gitlab_bodies as bodies
from bot.sandbox.repos import ZERO
from bot.sandbox.world import Json, Pull, Repository, User, World

_ACTIONS: Mapping[str, str] = {
    "opened": "open",
    "closed": "close",
    "reopened": "reopen",
    "synchronize": "update",
    "edited": "update",
    "ready_for_review": "update",
    "converted_to_draft": "update",
}


def shaped(world: World, repo: Repository, event: str, told: Json) -> tuple[str, Json] | None:
    """The header `X-Gitlab-Event` and the body; None for what GitLab does not tell. `told` is GitHub's payload."""
    make = _EVENTS.get(event)
    return None if make is None else make(world, repo, told)


def proof(secret: str, signing: str, guid: str, at: float, body: bytes) -> dict[str, str]:
    """The headers by which GitLab proves itself: the token, the signature, or both."""
    headers = {"X-Gitlab-Token": secret} if secret else {}
    if signing:
        key = base64.b64decode(signing.removeprefix("whsec_"))
        text = b".".join((guid.encode(), str(int(at)).encode(), body))
        value = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
        headers |= {"webhook-id": guid, "webhook-timestamp": str(int(at)), "webhook-signature": f"v1,{value}"}
    return headers


def _merge_request(world: World, repo: Repository, told: Json) -> tuple[str, Json] | None:
    pull, action = repo.pull(int(told["number"])), _ACTIONS.get(told["action"])
    if action is None:
        return None
    if action == "close" and pull.merged_at is not None:
        action = "merge"
    return "Merge Request Hook", _about_pull(world, repo, pull, action, told)


def _review(world: World, repo: Repository, told: Json) -> tuple[str, Json] | None:
    pull, state = repo.pull(int(told["pull_request"]["number"])), str(told["review"]["state"]).lower()
    action = {"approved": "approved", "dismissed": "unapproved"}.get(state)
    return None if action is None else ("Merge Request Hook", _about_pull(world, repo, pull, action, told))


def _about_pull(world: World, repo: Repository, pull: Pull, action: str, told: Json) -> Json:
    changes: Json = {name: {"previous": was.get("from")} for name, was in told.get("changes", {}).items()}
    attributes = _pull(world, repo, pull) | {
        "action": action,
        "url": bodies.merge_request(world, repo, pull)["web_url"],
    }
    if "before" in told:
        attributes["oldrev"] = told["before"]
    body = _common(world, repo, "merge_request", world.user(told["sender"]["login"]))
    return body | {"object_attributes": attributes, "labels": [], "changes": changes}


def _pull(world: World, repo: Repository, pull: Pull) -> Json:
    """A merge request as the attributes of its own webhook, and as part of others."""
    shown = bodies.merge_request(world, repo, pull)
    names = ["id", "iid", "title", "description", "state", "target_branch", "source_branch", "source_project_id"]
    names += ["target_project_id", "merge_commit_sha", "merge_status", "draft", "work_in_progress"]
    body: Json = {name: shown[name] for name in names}
    body |= {"state_id": {"opened": 1, "closed": 2, "merged": 3}[shown["state"]], "time_estimate": 0}
    body |= {"total_time_spent": 0, "merge_when_pipeline_succeeds": False, "last_edited_at": None}
    body |= {"author_id": pull.user.id, "assignee_id": None, "milestone_id": None, "head_pipeline_id": None}
    body |= {"created_at": _time(shown["created_at"]), "updated_at": _time(shown["updated_at"])}
    source = world.repositories[pull.head_repo or repo.id]
    body |= {"source": _project(world, source), "target": _project(world, repo)}
    return body | {"last_commit": _commit(world, repo, pull.head_sha), "url": shown["web_url"], "assignee_ids": []}


def _push(world: World, repo: Repository, told: Json) -> tuple[str, Json] | None:
    sender = world.user(told["sender"]["login"])
    commits = [
        {name: one[name] for name in ("id", "message", "timestamp", "url", "author", "added", "modified", "removed")}
        | {"title": one["message"].partition("\n")[0]}
        for one in told["commits"]
    ]
    body: Json = {"object_kind": "push", "event_name": "push", "before": told["before"], "after": told["after"]}
    body |= {"ref": told["ref"], "checkout_sha": None if told["after"] == ZERO else told["after"], "message": None}
    body |= {"user_id": sender.id, "user_name": sender.login, "user_username": sender.login, "user_email": ""}
    about = _project(world, repo)
    body |= {"user_avatar": "", "project_id": repo.id, "project": about, "commits": commits[-20:]}
    return "Push Hook", body | {
        "total_commits_count": len(commits),
        "push_options": {},
        "repository": _repository(world, repo)
        | {name: about[name] for name in ("git_http_url", "git_ssh_url")}
        | {"visibility_level": 0},
    }


def _note(world: World, repo: Repository, told: Json) -> tuple[str, Json] | None:
    found = repo.comments.get(int(told["comment"]["id"]))
    if found is None or told["action"] == "deleted":
        return None
    on = repo.issues[found.number]
    at = _time(bodies.time(found.created_at))
    attributes: Json = {"id": found.id, "note": found.body, "noteable_id": on.id, "author_id": found.user.id}
    attributes |= {"noteable_type": "MergeRequest" if isinstance(on, Pull) else "Issue", "project_id": repo.id}
    attributes |= {"created_at": at, "updated_at": at, "attachment": None, "line_code": None, "commit_id": None}
    attributes |= {"system": False, "st_diff": None, "type": None, "description": found.body}
    attributes |= {"action": "create" if told["action"] == "created" else "update"}
    attributes["url"] = world.urls.page(repo.full_name, "-", "merge_requests", f"{found.number}#note_{found.id}")
    body = _common(world, repo, "note", world.user(told["sender"]["login"]))
    body |= {"project_id": repo.id, "object_attributes": attributes}
    if isinstance(on, Pull):
        return "Note Hook", body | {"merge_request": _pull(world, repo, on)}
    return "Note Hook", body | {"issue": bodies.issue(world, repo, on)}


def _common(world: World, repo: Repository, kind: str, sender: User) -> Json:
    body: Json = {"object_kind": kind, "event_type": kind, "user": _user(world, sender)}
    return body | {"project": _project(world, repo), "repository": _repository(world, repo)}


def _user(world: World, who: User) -> Json:
    shown = bodies.user(world, who)
    return {name: shown[name] for name in ("id", "name", "username", "avatar_url")} | {"email": "[REDACTED]"}


def _project(world: World, repo: Repository) -> Json:
    shown = bodies.project(world, repo)
    body: Json = {name: shown[name] for name in ("id", "name", "description", "web_url", "avatar_url")}
    body |= {"git_ssh_url": shown["ssh_url_to_repo"], "git_http_url": shown["http_url_to_repo"]}
    body |= {"namespace": shown["namespace"]["name"], "visibility_level": 0, "ci_config_path": None}
    body |= {"path_with_namespace": repo.full_name, "default_branch": repo.default_branch}
    body |= {"homepage": shown["web_url"], "url": shown["ssh_url_to_repo"], "ssh_url": shown["ssh_url_to_repo"]}
    return body | {"http_url": shown["http_url_to_repo"]}


def _repository(world: World, repo: Repository) -> Json:
    shown = _project(world, repo)
    return {name: shown[name] for name in ("name", "url", "description", "homepage")}


def _commit(world: World, repo: Repository, sha: str) -> Json:
    view = repo.git.commit(sha)
    body: Json = {"id": sha, "message": view.message, "title": view.message.partition("\n")[0]}
    body |= {"timestamp": view.committer_date, "url": world.urls.page(repo.full_name, "-", "commit", sha)}
    return body | {"author": {"name": view.author.name, "email": view.author.email}}


def _time(text: str) -> str:
    """Webhooks write times as `2026-11-21 14:02:03 UTC`."""
    return f"{text[:10]} {text[11:19]} UTC"


_EVENTS: Mapping[str, Callable[[World, Repository, Json], tuple[str, Json] | None]] = {
    "pull_request": _merge_request,
    "pull_request_review": _review,
    "push": _push,
    "issue_comment": _note,
}
