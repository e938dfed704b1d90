"""Bodies in GitLab's shapes: users, projects, merge requests, notes, statuses. Held against captured ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from bot.sandbox.gitlab_state import GitLabState, Pipeline
from bot.sandbox.repos import CommitView, FileChange
from bot.sandbox.world import Issue, Json, Pull, Reaction, Repository, Status, User, World

LEVELS = {"admin": 40, "write": 30, "read": 20, "none": 0}
EMOJI = {"thumbsup": "+1", "thumbsdown": "-1", "tada": "hooray", "smile": "laugh"}
"""GitLab's name of an emoji -> the world's, where they differ."""


def time(at: datetime) -> str:
    """Milliseconds in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def optional(at: datetime | None) -> str | None:
    return None if at is None else time(at)


def username(who: User) -> str:
    """GitLab names its bots itself, after the project whose token they are."""
    return f"project_{who.id}_bot" if who.kind == "Bot" and "_bot" not in who.login else who.login


def user(world: World, who: User) -> Json:
    return {
        "id": who.id,
        "username": username(who),
        "name": who.login,
        "state": "active",
        "locked": False,
        "avatar_url": f"{world.urls.root}/avatars/{who.id}",
        "web_url": f"{world.urls.root}/{quote(who.login)}",
    }


def full_user(world: World, who: User) -> Json:
    more = {"created_at": time(who.created_at), "bot": who.kind == "Bot", "email": who.email, "bio": ""}
    return user(world, who) | more | {"organization": "", "location": "", "website_url": "", "external": False}


def member(world: World, who: User, level: int, state: str = "active") -> Json:
    body = user(world, who) | {"state": state, "membership_state": state, "access_level": level}
    return body | {"created_at": time(who.created_at), "expires_at": None}


def namespace(world: World, repo: Repository) -> Json:
    group = repo.full_name.rpartition("/")[0]
    path = group.rpartition("/")[2]
    body: Json = {"id": repo.id + 1_000_000, "name": path, "path": path, "kind": "group", "full_path": group}
    return body | {"parent_id": None, "avatar_url": None, "web_url": f"{world.urls.root}/groups/{group}"}


def project(world: World, repo: Repository) -> Json:
    web, path = world.urls.page(repo.full_name).rstrip("/"), repo.full_name.rpartition("/")[2]
    return {
        "id": repo.id,
        "description": "",
        "default_branch": repo.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@sandbox.example:{repo.full_name}.git",
        "http_url_to_repo": world.urls.clone(repo.full_name),
        "web_url": web,
        "readme_url": f"{web}/-/blob/{repo.default_branch}/README.md",
        "name": path,
        "name_with_namespace": repo.full_name.replace("/", " / "),
        "path": path,
        "path_with_namespace": repo.full_name,
        "avatar_url": None,
        "star_count": 0,
        "forks_count": 0,
        "created_at": time(repo.created_at),
        "last_activity_at": time(repo.pushed_at),
        "archived": False,
        "visibility": "private",
        "issues_enabled": True,
        "merge_requests_enabled": True,
        "wiki_enabled": False,
        "jobs_enabled": True,
        "snippets_enabled": False,
        "creator_id": repo.id,
        "namespace": namespace(world, repo),
        "open_issues_count": sum(not isinstance(one, Pull) and one.state == "open" for one in repo.issues.values()),
        "merge_method": "merge",
        "only_allow_merge_if_pipeline_succeeds": False,
        "only_allow_merge_if_all_discussions_are_resolved": False,
        "approvals_before_merge": 0,
        "permissions": {"project_access": None, "group_access": None},
    }


def merge_request(world: World, repo: Repository, pull: Pull) -> Json:
    """As lists show it."""
    state = "opened" if pull.state == "open" else "closed" if pull.merged_at is None else "merged"
    many = pull.landed_sha is not None and len(repo.git.commit(pull.landed_sha).parents) > 1
    squashed = pull.landed_sha is not None and not many and pull.landed_sha != pull.head_sha
    return _written(world, repo, pull) | {
        "state": state,
        "merged_at": optional(pull.merged_at),
        "merged_by": None if pull.merged_by is None else user(world, pull.merged_by),
        "target_branch": pull.base_ref,
        "source_branch": pull.head_ref,
        "source_project_id": pull.head_repo or repo.id,
        "target_project_id": repo.id,
        "reviewers": [],
        "draft": pull.draft,
        "work_in_progress": pull.draft,
        "merge_when_pipeline_succeeds": False,
        "merge_status": "can_be_merged",
        "detailed_merge_status": "mergeable" if pull.state == "open" else "not_open",
        "sha": pull.head_sha,
        "merge_commit_sha": pull.landed_sha if many else None,
        "squash_commit_sha": pull.landed_sha if squashed else None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": None,
        "reference": f"!{pull.number}",
        "references": {"short": f"!{pull.number}", "full": f"{repo.full_name}!{pull.number}"},
        "web_url": world.urls.page(repo.full_name, "-", "merge_requests", pull.number),
        "squash": False,
        "has_conflicts": False,
        "approvals_before_merge": None,
        "blocking_discussions_resolved": True,
    }


def full_merge_request(world: World, state: GitLabState, repo: Repository, pull: Pull) -> Json:
    """As its own address shows it."""
    pipeline = state.head_pipeline(repo, pull)
    return merge_request(world, repo, pull) | {
        "subscribed": False,
        "changes_count": str(len(changes_of(repo, pull))),
        "diff_refs": diff_refs(repo, pull),
        "pipeline": None,
        "head_pipeline": None if pipeline is None else pipeline_body(world, pipeline),
        "merge_error": None,
        "user": {"can_merge": True},
    }


def diff_refs(repo: Repository, pull: Pull) -> Json:
    base = repo.git.merge_base(pull.landed_before or pull.base_sha, pull.head_sha)
    return {"base_sha": base, "start_sha": pull.landed_before or pull.base_sha, "head_sha": pull.head_sha}


def changes_of(repo: Repository, pull: Pull) -> list[FileChange]:
    return repo.git.changes(diff_refs(repo, pull)["base_sha"], pull.head_sha)


def pipeline_body(world: World, found: Pipeline) -> Json:
    web = f"{world.urls.root}/-/pipelines/{found.id}"
    body: Json = {"id": found.id, "iid": found.id, "project_id": found.repository, "sha": found.sha, "ref": found.ref}
    return body | {"status": "running", "source": found.source, "web_url": web}


def issue(world: World, repo: Repository, found: Issue) -> Json:
    return _written(world, repo, found) | {
        "state": "opened" if found.state == "open" else "closed",
        "confidential": False,
        "due_date": None,
        "web_url": world.urls.page(repo.full_name, "-", "issues", found.number),
    }


def _written(world: World, repo: Repository, found: Issue) -> Json:
    """What issues and merge requests have in common."""
    return {
        "id": found.id,
        "iid": found.number,
        "project_id": repo.id,
        "title": found.title,
        "description": found.body or "",
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "closed_at": optional(found.closed_at),
        "author": user(world, found.user),
        "assignees": [],
        "assignee": None,
        "labels": [],
        "milestone": None,
        "upvotes": 0,
        "downvotes": 0,
        "user_notes_count": len(repo.comments_of(found.number)),
        "discussion_locked": None,
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
    }


def status(world: World, state: GitLabState, found: Status) -> Json:
    pipeline = next((one for one in state.pipelines if one.id == state.jobs.get(found.id)), None)
    return {
        "id": found.id,
        "sha": found.sha,
        "ref": None if pipeline is None else pipeline.ref,
        "status": state.word(found),
        "name": found.context,
        "target_url": found.target_url,
        "description": found.description,
        "created_at": time(found.created_at),
        "started_at": None,
        "finished_at": None,
        "allow_failure": False,
        "coverage": None,
        "pipeline_id": None if pipeline is None else pipeline.id,
        "author": user(world, found.creator),
    }


def commit(world: World, repo: Repository, view: CommitView) -> Json:
    return {
        "id": view.sha,
        "short_id": view.sha[:8],
        "created_at": view.committer_date,
        "parent_ids": list(view.parents),
        "title": view.message.partition("\n")[0],
        "message": view.message,
        "author_name": view.author.name,
        "author_email": view.author.email,
        "authored_date": view.author_date,
        "committer_name": view.committer.name,
        "committer_email": view.committer.email,
        "committed_date": view.committer_date,
        "trailers": {},
        "status": None,
        "web_url": world.urls.page(repo.full_name, "-", "commit", view.sha),
    }


def award(world: World, found: Reaction, note_id: int) -> Json:
    names = {theirs: name for name, theirs in EMOJI.items()}
    at = time(found.created_at)
    body: Json = {"id": found.id, "name": names.get(found.content, found.content), "user": user(world, found.user)}
    return body | {"created_at": at, "updated_at": at, "awardable_id": note_id, "awardable_type": "Note", "url": None}


def thread_id(key: int) -> str:
    """A discussion's id."""
    return hashlib.sha1(f"discussion:{key}".encode(), usedforsecurity=False).hexdigest()


def diffs(changes: Iterable[FileChange]) -> list[Json]:
    """Files of a difference."""
    return [
        {
            "old_path": one.old_path,
            "new_path": one.path,
            "a_mode": "100644",
            "b_mode": "100644",
            "new_file": one.status == "added",
            "renamed_file": one.status == "renamed",
            "deleted_file": one.status == "removed",
            "generated_file": None,
            "diff": f"{one.patch}\n" if one.patch else "",
        }
        for one in changes
    ]
