"""REST verbs of reviews and of comments beside lines."""

from __future__ import annotations

from bot.sandbox.bodies_review import review, review_comment, review_comment_payload
from bot.sandbox.rest import Answer, Ask, Route, field_of, paged
from bot.sandbox.reviews import add_review, add_review_comment, dismiss
from bot.sandbox.world import Repository, ReviewComment, ReviewState, WorldError

_EVENTS: dict[str, ReviewState] = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
}


def list_reviews(ask: Ask, repo: Repository, number: int) -> Answer:
    """Oldest first, as GitHub tells them; a person's later review stands below the earlier."""
    repo.pull(number)
    return paged(ask, [one for one in repo.reviews if one.number == number], lambda one: review(ask.world, repo, one))


def create_review(ask: Ask, repo: Repository, number: int) -> Answer:
    state = _EVENTS.get(str(ask.body.get("event")))
    if state is None:
        raise WorldError(422, "Validation Failed", ["event is not one of APPROVE, REQUEST_CHANGES, COMMENT"])
    body, sha = str(ask.body.get("body") or ""), ask.body.get("commit_id")
    made = add_review(ask.world, repo, repo.pull(number), ask.user, state, body, sha)
    return Answer(200, review(ask.world, repo, made))


def dismiss_review(ask: Ask, repo: Repository, number: int, review_id: int) -> Answer:
    field_of(ask, "message", "PullRequestReview")
    for found in repo.reviews:
        if (found.number, found.id) == (number, review_id):
            dismiss(ask.world, repo, found, ask.user)
            return Answer(200, review(ask.world, repo, found))
    raise WorldError(404, "Not Found")


def list_review_comments(ask: Ask, repo: Repository, number: int) -> Answer:
    repo.pull(number)
    found = [one for one in repo.review_comments.values() if one.number == number]
    return paged(ask, found, lambda one: review_comment(ask.world, repo, one))


def create_review_comment(ask: Ask, repo: Repository, number: int) -> Answer:
    body, path, sha = (field_of(ask, name, "PullRequestReviewComment") for name in ("body", "path", "commit_id"))
    line = ask.body.get("line")
    if type(line) is not int or ask.body.get("side", "RIGHT") != "RIGHT":
        raise WorldError(
            422, "Validation Failed", [{"resource": "PullRequestReviewComment", "field": "line", "code": "invalid"}]
        )
    made = add_review_comment(ask.world, repo, repo.pull(number), ask.user, body=body, path=path, line=line, sha=sha)
    return Answer(201, review_comment(ask.world, repo, made))


def _own(ask: Ask, repo: Repository, comment_id: int) -> ReviewComment:
    found = repo.review_comments.get(comment_id)
    if found is None:
        raise WorldError(404, "Not Found")
    if found.user is not ask.user and ask.world.permission(repo, ask.user) not in ("write", "admin"):
        raise WorldError(403, "Resource not accessible by personal access token")
    return found


def patch_review_comment(ask: Ask, repo: Repository, comment_id: int) -> Answer:
    found = _own(ask, repo, comment_id)
    found.body, found.updated_at = field_of(ask, "body", "PullRequestReviewComment"), ask.world.now()
    return Answer(200, review_comment(ask.world, repo, found))


def delete_review_comment(ask: Ask, repo: Repository, comment_id: int) -> Answer:
    found = _own(ask, repo, comment_id)
    ask.world.announce(
        repo,
        "pull_request_review_comment",
        lambda: review_comment_payload(ask.world, repo, found, "deleted", ask.user),
    )
    del repo.review_comments[comment_id]
    ask.world.now()
    return Answer(204)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/pulls/<int:number>/reviews", list_reviews),
    Route("POST", "/pulls/<int:number>/reviews", create_review),
    Route("PUT", "/pulls/<int:number>/reviews/<int:review_id>/dismissals", dismiss_review, "write"),
    Route("GET", "/pulls/<int:number>/comments", list_review_comments),
    Route("POST", "/pulls/<int:number>/comments", create_review_comment),
    Route("PATCH", "/pulls/comments/<int:comment_id>", patch_review_comment),
    Route("DELETE", "/pulls/comments/<int:comment_id>", delete_review_comment),
)
