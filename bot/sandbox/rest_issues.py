"""REST verbs of issues, comments and reactions."""

from __future__ import annotations

from bot.sandbox import bodies
from bot.sandbox.bodies_pull import comment, comment_payload, issue, issue_payload
from bot.sandbox.pulls import edit_pull
from bot.sandbox.rest import Answer, Ask, Route, field_of, paged
from bot.sandbox.world import Comment, Issue, Json, Pull, Reaction, Repository, User, World, WorldError

COMMENT_LIMIT = 65_536
"""Characters in a comment or an issue's body."""
_EMOJI = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def add_issue(world: World, repo: Repository, by: User, title: str, body: str | None) -> Issue:
    """A new issue."""
    _within_limit(body or "", "Issue")
    now, number = world.now(), world.next_number(repo)
    made = Issue(world.next_id(), number, title, body, by, now, now)
    repo.issues[number] = made
    world.announce(repo, "issues", lambda: issue_payload(world, repo, made, "opened", by))
    return made


def add_comment(world: World, repo: Repository, number: int, by: User, body: str) -> Comment:
    """A new comment; 422 above GitHub's limit."""
    on = repo.issue(number)
    _within_limit(body, "IssueComment")
    now = world.now()
    made = Comment(world.next_id(), number, by, body, now, now)
    repo.comments[made.id] = made
    on.updated_at = now
    world.announce(repo, "issue_comment", lambda: comment_payload(world, repo, made, "created", by))
    return made


def _within_limit(body: str, resource: str) -> None:
    if len(body) > COMMENT_LIMIT:
        message = f"body is too long (maximum is {COMMENT_LIMIT} characters)"
        raise WorldError(
            422,
            "Validation Failed",
            [{"resource": resource, "field": "body", "code": "custom", "message": message}],
        )


def list_issues(ask: Ask, repo: Repository) -> Answer:
    """Pull requests are issues too."""
    state, creator, sort = ask.args.get("state", "open"), ask.args.get("creator"), ask.args.get("sort", "created")
    found = [
        one
        for one in repo.issues.values()
        if state in ("all", one.state) and (creator is None or one.user.login.lower() == creator.lower())
    ]
    found.sort(key=lambda one: (one.updated_at if sort == "updated" else one.created_at, one.number))
    if ask.args.get("direction", "desc") == "desc":
        found.reverse()
    return paged(ask, found, lambda one: issue(ask.world, repo, one))


def create_issue(ask: Ask, repo: Repository) -> Answer:
    made = add_issue(ask.world, repo, ask.user, field_of(ask, "title", "Issue"), ask.body.get("body"))
    return Answer(201, issue(ask.world, repo, made))


def get_issue(ask: Ask, repo: Repository, number: int) -> Answer:
    return Answer(200, issue(ask.world, repo, repo.issue(number)))


def patch_issue(ask: Ask, repo: Repository, number: int) -> Answer:
    found = repo.issue(number)
    if isinstance(found, Pull):
        edit_pull(
            ask.world, repo, found, ask.user, {k: v for k, v in ask.body.items() if k in ("title", "body", "state")}
        )
    else:
        _edit_issue(ask, repo, found)
    return Answer(200, issue(ask.world, repo, found))


def _edit_issue(ask: Ask, repo: Repository, found: Issue) -> None:
    body = ask.body.get("body", found.body)
    _within_limit(body or "", "Issue")
    found.title, found.body = ask.body.get("title") or found.title, body
    found.updated_at = ask.world.now()
    state = ask.body.get("state")
    if state in ("open", "closed") and state != found.state:
        found.state = state
        found.closed_at = found.updated_at if state == "closed" else None
        action = "closed" if state == "closed" else "reopened"
        ask.world.announce(repo, "issues", lambda: issue_payload(ask.world, repo, found, action, ask.user))


def list_comments(ask: Ask, repo: Repository, number: int) -> Answer:
    repo.issue(number)
    return paged(ask, repo.comments_of(number), lambda one: comment(ask.world, repo, one))


def create_comment(ask: Ask, repo: Repository, number: int) -> Answer:
    made = add_comment(ask.world, repo, number, ask.user, field_of(ask, "body", "IssueComment"))
    return Answer(201, comment(ask.world, repo, made))


def _comment(repo: Repository, comment_id: int) -> Comment:
    if comment_id not in repo.comments:
        raise WorldError(404, "Not Found")
    return repo.comments[comment_id]


def _own(ask: Ask, repo: Repository, comment_id: int) -> Comment:
    """Whoever may write may also edit the comments of others, as at GitHub."""
    found = _comment(repo, comment_id)
    if found.user is not ask.user and ask.world.permission(repo, ask.user) not in ("write", "admin"):
        raise WorldError(403, "Resource not accessible by personal access token")
    return found


def get_comment(ask: Ask, repo: Repository, comment_id: int) -> Answer:
    return Answer(200, comment(ask.world, repo, _comment(repo, comment_id)))


def patch_comment(ask: Ask, repo: Repository, comment_id: int) -> Answer:
    found, body = _own(ask, repo, comment_id), field_of(ask, "body", "IssueComment")
    _within_limit(body, "IssueComment")
    was: Json = {"body": {"from": found.body}}
    found.body, found.updated_at = body, ask.world.now()
    ask.world.announce(
        repo, "issue_comment", lambda: comment_payload(ask.world, repo, found, "edited", ask.user, changes=was)
    )
    return Answer(200, comment(ask.world, repo, found))


def delete_comment(ask: Ask, repo: Repository, comment_id: int) -> Answer:
    found = _own(ask, repo, comment_id)
    ask.world.announce(repo, "issue_comment", lambda: comment_payload(ask.world, repo, found, "deleted", ask.user))
    del repo.comments[comment_id]
    ask.world.now()
    return Answer(204)


def _reaction(ask: Ask, found: Reaction) -> Json:
    body: Json = {"id": found.id, "node_id": bodies.node_id("Reaction", found.id)}
    body |= {"user": bodies.user(ask.world, found.user), "content": found.content}
    return body | {"created_at": bodies.time(found.created_at)}


def list_reactions(ask: Ask, repo: Repository, comment_id: int) -> Answer:
    return paged(ask, _comment(repo, comment_id).reactions, lambda one: _reaction(ask, one))


def create_reaction(ask: Ask, repo: Repository, comment_id: int) -> Answer:
    on, content = _comment(repo, comment_id), ask.body.get("content")
    if content not in _EMOJI:
        raise WorldError(422, "Validation Failed", [{"resource": "Reaction", "field": "content", "code": "invalid"}])
    for found in on.reactions:
        if found.user is ask.user and found.content == content:
            return Answer(200, _reaction(ask, found))
    made = Reaction(ask.world.next_id(), ask.user, content, ask.world.now())
    on.reactions.append(made)
    return Answer(201, _reaction(ask, made))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/issues", list_issues),
    Route("POST", "/issues", create_issue),
    Route("GET", "/issues/<int:number>", get_issue),
    Route("PATCH", "/issues/<int:number>", patch_issue, "write"),
    Route("GET", "/issues/<int:number>/comments", list_comments),
    Route("POST", "/issues/<int:number>/comments", create_comment),
    Route("GET", "/issues/comments/<int:comment_id>", get_comment),
    Route("PATCH", "/issues/comments/<int:comment_id>", patch_comment),
    Route("DELETE", "/issues/comments/<int:comment_id>", delete_comment),
    Route("GET", "/issues/comments/<int:comment_id>/reactions", list_reactions),
    Route("POST", "/issues/comments/<int:comment_id>/reactions", create_reaction),
)
