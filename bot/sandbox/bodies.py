"""Bodies of users, repositories, commits and contents, in GitHub's shapes.

Held against GitHub's OpenAPI and webhook schemas. The webhook schemas are closed, so what only REST has is added by the
REST functions.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from bot.sandbox.repos import CommitView, FileChange, TreeEntry
from bot.sandbox.world import Json, Reaction, Repository, Status, User, World


def time(at: datetime) -> str:
    """Whole seconds in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, key: object) -> str:
    """GitHub's opaque second id."""
    return base64.b64encode(f"{kind}:{key}".encode()).decode()


def user(world: World, who: User) -> Json:
    api = world.urls.user_api(who.login)
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node_id("User", who.id),
        "avatar_url": f"{world.urls.root}/avatars/{who.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{world.urls.root}/{quote(who.login)}",
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": who.kind,
        "site_admin": False,
    }


def full_user(world: World, who: User, *, private: bool) -> Json:
    """What `/users/{login}` shows, or `/user` where private."""
    at = time(who.created_at)
    body = user(world, who) | dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
    body |= {"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0, "created_at": at, "updated_at": at}
    if private:
        body |= {"collaborators": 0, "disk_usage": 0, "owned_private_repos": 0, "private_gists": 0}
        body |= {"total_private_repos": 0, "two_factor_authentication": True}
    return body


_TEMPLATES = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


def repository(world: World, repo: Repository) -> Json:
    api, page = world.urls.repo_api(repo.full_name), world.urls.page(repo.full_name)
    open_issues = sum(issue.state == "open" for issue in repo.issues.values())
    body: Json = {name: f"{api}/{template}" for name, template in _TEMPLATES.items()}
    body |= {"id": repo.id, "node_id": node_id("Repository", repo.id), "name": repo.name, "full_name": repo.full_name}
    body |= {"owner": user(world, world.user(repo.owner)), "private": True, "visibility": "private"}
    body |= {"html_url": page, "url": api, "clone_url": world.urls.clone(repo.full_name), "svn_url": page}
    body |= {"git_url": f"git://sandbox.example/{repo.full_name}.git"}
    body |= {"ssh_url": f"git@sandbox.example:{repo.full_name}.git"}
    body |= {"created_at": time(repo.created_at), "updated_at": time(repo.pushed_at), "pushed_at": time(repo.pushed_at)}
    body |= {"default_branch": repo.default_branch, "open_issues": open_issues, "open_issues_count": open_issues}
    body |= dict.fromkeys(("description", "homepage", "language", "mirror_url", "license"))
    body |= dict.fromkeys(("size", "stargazers_count", "watchers_count", "watchers", "forks", "forks_count"), 0)
    body |= dict.fromkeys(("has_issues", "has_downloads"), True)
    body |= dict.fromkeys(("has_projects", "has_wiki", "has_pages", "has_discussions"), False)
    body |= dict.fromkeys(("fork", "archived", "disabled", "is_template", "web_commit_signoff_required"), False)
    return body | {"topics": [], "custom_properties": {}}


def full_repository(world: World, repo: Repository, viewer: User) -> Json:
    """What `/repositories/{id}` shows to somebody."""
    may = world.permission(repo, viewer)
    rights = {"admin": may == "admin", "push": may in ("admin", "write"), "pull": True}
    return repository(world, repo) | {"network_count": 0, "subscribers_count": 0, "permissions": rights}


def commit(world: World, repo: Repository, view: CommitView) -> Json:
    """What `/commits/{sha}` shows, without its files."""
    api = world.urls.repo_api(repo.full_name)
    author, committer = (world.user_of_email(who.email) for who in (view.author, view.committer))
    return {
        "sha": view.sha,
        "node_id": node_id("Commit", view.sha),
        "commit": git_part(world, repo, view) | {"comment_count": 0},
        "url": f"{api}/commits/{view.sha}",
        "html_url": world.urls.page(repo.full_name, "commit", view.sha),
        "comments_url": f"{api}/commits/{view.sha}/comments",
        "author": None if author is None else user(world, author),
        "committer": None if committer is None else user(world, committer),
        "parents": [_parent(world, repo, sha) for sha in view.parents],
    }


def git_part(world: World, repo: Repository, view: CommitView) -> Json:
    """The commit as git knows it."""
    api = world.urls.repo_api(repo.full_name)
    return {
        "author": {"name": view.author.name, "email": view.author.email, "date": view.author_date},
        "committer": {"name": view.committer.name, "email": view.committer.email, "date": view.committer_date},
        "message": view.message,
        "tree": {"sha": view.tree, "url": f"{api}/git/trees/{view.tree}"},
        "url": f"{api}/git/commits/{view.sha}",
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


def _parent(world: World, repo: Repository, sha: str) -> Json:
    api = world.urls.repo_api(repo.full_name)
    return {
        "sha": sha,
        "url": f"{api}/commits/{sha}",
        "html_url": world.urls.page(repo.full_name, "commit", sha),
    }


def file_commit(world: World, repo: Repository, view: CommitView) -> Json:
    """The commit part of the answer to a write through contents."""
    own = {"sha": view.sha, "node_id": node_id("Commit", view.sha)}
    own |= {"html_url": world.urls.page(repo.full_name, "commit", view.sha)}
    return own | git_part(world, repo, view) | {"parents": [_parent(world, repo, sha) for sha in view.parents]}


def changed_file(world: World, repo: Repository, sha: str, change: FileChange) -> Json:
    """One file of a pull request or a commit; `patch` is left out for a binary file."""
    path = quote(change.path)
    body: Json = {
        "sha": change.blob,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": world.urls.page(repo.full_name, "blob", sha, change.path),
        "raw_url": world.urls.page(repo.full_name, "raw", sha, change.path),
        "contents_url": f"{world.urls.repo_api(repo.full_name)}/contents/{path}?ref={sha}",
    }
    if change.status == "renamed":
        body["previous_filename"] = change.old_path
    if change.patch:
        body["patch"] = change.patch
    return body


def content(world: World, repo: Repository, ref: str, entry: TreeEntry, data: bytes | None = None) -> Json:
    """A name in a folder; a file with its bytes where `data` is given."""
    api, is_file = world.urls.repo_api(repo.full_name), entry.kind in ("file", "symlink")
    own = f"{api}/contents/{quote(entry.path)}?ref={quote(ref, safe='')}"
    git = f"{api}/git/{'blobs' if is_file else 'trees'}/{entry.sha}"
    page = world.urls.page(repo.full_name, "blob" if is_file else "tree", ref, entry.path)
    body: Json = {
        "name": entry.path.rpartition("/")[2],
        "path": entry.path,
        "sha": entry.sha,
        "size": entry.size,
        "url": own,
        "html_url": page,
        "git_url": git,
        "download_url": world.urls.page(repo.full_name, "raw", ref, entry.path) if is_file else None,
        "type": entry.kind,
        "_links": {"self": own, "git": git, "html": page},
    }
    if data is not None:
        body |= {"content": base64.encodebytes(data).decode(), "encoding": "base64"}
    return body


def reactions(comment_url: str, given: Sequence[Reaction]) -> Json:
    """How often each emoji stands on a comment."""
    names = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")
    counts = {name: sum(r.content == name for r in given) for name in names}
    return {"url": f"{comment_url}/reactions", "total_count": len(given)} | counts


def status(world: World, repo: Repository, found: Status, *, with_creator: bool = True) -> Json:
    body: Json = {
        "url": f"{world.urls.repo_api(repo.full_name)}/statuses/{found.sha}",
        "avatar_url": f"{world.urls.root}/avatars/{found.creator.id}",
        "id": found.id,
        "node_id": node_id("Status", found.id),
        "state": found.state,
        "description": found.description,
        "target_url": found.target_url,
        "context": found.context,
        "created_at": time(found.created_at),
        "updated_at": time(found.created_at),
    }
    return body | {"creator": user(world, found.creator)} if with_creator else body
