"""Bodies of issues, pull requests and comments, and the payloads of webhooks, in GitHub's shapes."""

from __future__ import annotations

from bot.sandbox.bodies import node_id, reactions, repository, time, user
from bot.sandbox.repos import ZERO, CommitView, FileChange
from bot.sandbox.world import Comment, Issue, Json, Pull, Repository, User, World

_NO_REACTIONS = dict.fromkeys(
    ("total_count", "+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket"),
    0,
)
PUSH_COMMITS = 2048
"""A push payload lists no more commits than this."""


def association(world: World, repo: Repository, who: User) -> str:
    """How the author stands to the repository."""
    return {"admin": "OWNER", "write": "COLLABORATOR"}.get(world.permission(repo, who), "NONE")


def issue(world: World, repo: Repository, found: Issue) -> Json:
    """An issue; a pull request seen as an issue carries `pull_request`."""
    api = world.urls.repo_api(repo.full_name)
    own = f"{api}/issues/{found.number}"
    page = world.urls.page(repo.full_name, "pull" if isinstance(found, Pull) else "issues", found.number)
    body: Json = {
        "url": own,
        "repository_url": api,
        "labels_url": f"{own}/labels{{/name}}",
        "comments_url": f"{own}/comments",
        "events_url": f"{own}/events",
        "timeline_url": f"{own}/timeline",
        "html_url": page,
        "id": found.id,
        "node_id": node_id("Issue", found.id),
        "number": found.number,
        "title": found.title,
        "user": user(world, found.user),
        "labels": [],
        "state": found.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(repo.comments_of(found.number)),
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "closed_at": None if found.closed_at is None else time(found.closed_at),
        "author_association": association(world, repo, found.user),
        "active_lock_reason": None,
        "body": found.body,
        "reactions": {"url": f"{own}/reactions"} | _NO_REACTIONS,
        "performed_via_github_app": None,
        "state_reason": "completed" if found.state == "closed" else None,
    }
    if isinstance(found, Pull):
        body["draft"] = found.draft
        body["pull_request"] = {
            "url": f"{api}/pulls/{found.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": None if found.merged_at is None else time(found.merged_at),
        }
    return body


def comment(world: World, repo: Repository, found: Comment) -> Json:
    api = world.urls.repo_api(repo.full_name)
    kind = "pull" if isinstance(repo.issues[found.number], Pull) else "issues"
    return {
        "url": f"{api}/issues/comments/{found.id}",
        "html_url": world.urls.page(repo.full_name, kind, found.number) + f"#issuecomment-{found.id}",
        "issue_url": f"{api}/issues/{found.number}",
        "id": found.id,
        "node_id": node_id("IssueComment", found.id),
        "user": user(world, found.user),
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "author_association": association(world, repo, found.user),
        "body": found.body,
        "reactions": reactions(f"{api}/issues/comments/{found.id}", found.reactions),
        "performed_via_github_app": None,
    }


def simple_pull(world: World, repo: Repository, pull: Pull) -> Json:
    """A pull request as lists show it."""
    api, page = world.urls.repo_api(repo.full_name), world.urls.page(repo.full_name, "pull", pull.number)
    own = f"{api}/pulls/{pull.number}"
    links = {
        "self": own,
        "html": page,
        "issue": f"{api}/issues/{pull.number}",
        "comments": f"{api}/issues/{pull.number}/comments",
        "review_comments": f"{own}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{own}/commits",
        "statuses": f"{api}/statuses/{pull.head_sha}",
    }
    body: Json = {f"{name}_url": url for name, url in links.items() if name not in ("self", "html")}
    return body | {
        "url": own,
        "html_url": page,
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user(world, pull.user),
        "body": pull.body,
        "created_at": time(pull.created_at),
        "updated_at": time(pull.updated_at),
        "closed_at": None if pull.closed_at is None else time(pull.closed_at),
        "merged_at": None if pull.merged_at is None else time(pull.merged_at),
        "merge_commit_sha": pull.landed_sha or pull.test_merge,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "draft": pull.draft,
        "head": _side(world, _head_repo(world, repo, pull), pull.head_ref, pull.head_sha),
        "base": _side(world, repo, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": url} for name, url in links.items()},
        "author_association": association(world, repo, pull.user),
        "auto_merge": None,
        "active_lock_reason": None,
    }


def _head_repo(world: World, repo: Repository, pull: Pull) -> Repository:
    return repo if pull.head_repo is None else world.repositories[pull.head_repo]


def _side(world: World, repo: Repository, ref: str, sha: str) -> Json:
    owner = user(world, world.user(repo.owner))
    return {
        "label": f"{repo.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": owner,
        "repo": repository(world, repo),
    }


def full_pull(world: World, repo: Repository, pull: Pull) -> Json:
    """A pull request by its number. `mergeable` is None until somebody asked for it."""
    base = pull.landed_before or pull.base_sha
    changes = pull_changes(repo, pull)
    answer = pull.mergeable[2] if pull.mergeable and pull.state == "open" else None
    states = {None: "unknown", True: "draft" if pull.draft else "clean", False: "dirty"}
    return simple_pull(world, repo, pull) | {
        "merged": pull.merged_at is not None,
        "mergeable": answer,
        "rebaseable": answer,
        "mergeable_state": states[answer],
        "merged_by": None if pull.merged_by is None else user(world, pull.merged_by),
        "comments": len(repo.comments_of(pull.number)),
        "review_comments": sum(one.number == pull.number for one in repo.review_comments.values()),
        "maintainer_can_modify": False,
        "commits": sum(1 for _ in repo.git.log(pull.head_sha, without=base, most=250)),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def pull_changes(repo: Repository, pull: Pull) -> list[FileChange]:
    """What the pull request changes since it left its base."""
    return repo.git.changes(repo.git.merge_base(pull.landed_before or pull.base_sha, pull.head_sha), pull.head_sha)


def pull_payload(world: World, repo: Repository, pull: Pull, action: str, sender: User, **more: object) -> Json:
    """Webhook `pull_request`."""
    body: Json = {"action": action, "number": pull.number, "pull_request": full_pull(world, repo, pull), **more}
    return body | _common(world, repo, sender)


def issue_payload(world: World, repo: Repository, found: Issue, action: str, sender: User) -> Json:
    """Webhook `issues`."""
    return {"action": action, "issue": issue(world, repo, found)} | _common(world, repo, sender)


def comment_payload(world: World, repo: Repository, found: Comment, action: str, sender: User, **more: object) -> Json:
    """Webhook `issue_comment`."""
    body: Json = {"action": action, "issue": issue(world, repo, repo.issues[found.number]), **more}
    return body | {"comment": comment(world, repo, found)} | _common(world, repo, sender)


def push_payload(world: World, repo: Repository, ref: str, old: str, new: str, sender: User) -> Json:
    """Webhook `push`. `old` or `new` is all zeros where the branch is created or deleted."""
    views: list[CommitView] = []
    if new != ZERO:
        known = repo.heads.get(repo.default_branch) if old == ZERO else old
        views = list(repo.git.log(new, without=known, most=PUSH_COMMITS))[::-1]
    head = None if new == ZERO else _pushed(world, repo, repo.git.commit(new))
    return {
        "ref": ref,
        "before": old,
        "after": new,
        "created": old == ZERO,
        "deleted": new == ZERO,
        "forced": ZERO not in (old, new) and not repo.git.is_ancestor(old, new),
        "base_ref": None,
        "compare": world.urls.page(repo.full_name, "compare", f"{old[:12]}...{new[:12]}"),
        "commits": [_pushed(world, repo, view) for view in views],
        "head_commit": head,
        "pusher": {"name": sender.login, "email": sender.email},
    } | _common(world, repo, sender)


def _pushed(world: World, repo: Repository, view: CommitView) -> Json:
    changes = repo.git.changes(view.parents[0] if view.parents else None, view.sha)
    names = {kind: [c.path for c in changes if c.status == kind] for kind in ("added", "removed", "modified")}
    names["added"] += [c.path for c in changes if c.status == "renamed"]
    names["removed"] += [c.old_path for c in changes if c.status == "renamed"]
    return {
        "id": view.sha,
        "tree_id": view.tree,
        "distinct": True,
        "message": view.message,
        "timestamp": view.committer_date,
        "url": world.urls.page(repo.full_name, "commit", view.sha),
        "author": {"name": view.author.name, "email": view.author.email},
        "committer": {"name": view.committer.name, "email": view.committer.email},
        **names,
    }


def _common(world: World, repo: Repository, sender: User) -> Json:
    return {"repository": repository(world, repo), "sender": user(world, sender)}
