"""Bodies of reviews, comments beside lines and team memberships, in GitHub's shapes."""

from __future__ import annotations

from bot.sandbox.bodies import node_id, reactions, repository, time, user
from bot.sandbox.bodies_pull import association, simple_pull
from bot.sandbox.world import Json, Repository, Review, ReviewComment, Team, User, World


def review(world: World, repo: Repository, found: Review) -> Json:
    api = f"{world.urls.repo_api(repo.full_name)}/pulls/{found.number}"
    page = f"{world.urls.page(repo.full_name, 'pull', found.number)}#pullrequestreview-{found.id}"
    return {
        "id": found.id,
        "node_id": node_id("PullRequestReview", found.id),
        "user": user(world, found.user),
        "body": found.body,
        "state": found.state,
        "html_url": page,
        "pull_request_url": api,
        "author_association": association(world, repo, found.user),
        "_links": {"html": {"href": page}, "pull_request": {"href": api}},
        "submitted_at": time(found.submitted_at),
        "commit_id": found.commit_id,
    }


def review_payload(world: World, repo: Repository, found: Review, action: str, sender: User) -> Json:
    """Webhook `pull_request_review`; it writes states in small letters."""
    told = review(world, repo, found) | {"state": found.state.lower(), "body": found.body or None}
    return {"action": action, "review": told} | _common(world, repo, found.number, sender)


def review_comment(world: World, repo: Repository, found: ReviewComment) -> Json:
    api, pull = world.urls.repo_api(repo.full_name), f"pulls/{found.number}"
    own = f"{api}/pulls/comments/{found.id}"
    page = f"{world.urls.page(repo.full_name, 'pull', found.number)}#discussion_r{found.id}"
    at = found.line if found.line is not None else found.original_line
    return {
        "url": own,
        "pull_request_review_id": found.review,
        "id": found.id,
        "node_id": node_id("PullRequestReviewComment", found.id),
        "diff_hunk": f"@@ -{at},1 +{at},1 @@",
        "path": found.path,
        "position": None if found.line is None else 1,
        "original_position": 1,
        "commit_id": found.commit_id,
        "original_commit_id": found.original_commit_id,
        "user": user(world, found.user),
        "body": found.body,
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "html_url": page,
        "pull_request_url": f"{api}/{pull}",
        "author_association": association(world, repo, found.user),
        "_links": {"self": {"href": own}, "html": {"href": page}, "pull_request": {"href": f"{api}/{pull}"}},
        "reactions": reactions(own, found.reactions),
        "start_line": None,
        "original_start_line": None,
        "start_side": None,
        "line": found.line,
        "original_line": found.original_line,
        "side": found.side,
        "subject_type": "line",
    }


def review_comment_payload(world: World, repo: Repository, found: ReviewComment, action: str, sender: User) -> Json:
    """Webhook `pull_request_review_comment`."""
    told = review_comment(world, repo, found)
    return {"action": action, "comment": told} | _common(world, repo, found.number, sender)


def _common(world: World, repo: Repository, number: int, sender: User) -> Json:
    pull = simple_pull(world, repo, repo.pull(number))
    return {"pull_request": pull, "repository": repository(world, repo), "sender": user(world, sender)}


def membership(world: World, team: Team, who: User) -> Json:
    """How somebody stands to a team."""
    url = f"{world.urls.api}/organizations/{team.org}/team/{team.id}/memberships/{who.login}"
    return {"url": url, "role": "member", "state": team.members[who.id]}
