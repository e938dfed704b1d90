"""GitLab's REST verbs of notes, threads and emoji. Quick actions in a note are found and noted, and never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox import gitlab_bodies as bodies
from bot.sandbox.bodies_pull import comment_payload
from bot.sandbox.gitlab_rest import Answer, Ask, Route, paged, text_of
from bot.sandbox.reviews import add_review_comment
from bot.sandbox.world import Comment, Json, Pull, Reaction, Repository, ReviewComment, User, WorldError

NOTE_LIMIT = 1_000_000
_CODE = re.compile(r"^```.+?\n```$|^>>>\n.+?\n>>>$|^<[^>]+?>\n.+?\n</[^>]+?>$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_ACTION = re.compile(
    r"^[ \t]*/(?:close|reopen|merge|approve|unapprove|assign\w*|unassign|label|unlabel|relabel|title|draft|ready|done"
    r"|todo|rebase|target_branch|milestone|lock|unlock|react|award|submit_review|board_move|copy_metadata|estimate"
    r"|spend\w*|subscribe|unsubscribe|wip|request_review|due|epic|weight|shrug|tableflip|cc|create_merge_request"
    r"|duplicate|move|clone|confidential|severity|invite_email)\b[^\n]*\n?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Note:
    """A comment, one beside a line, or what GitLab itself says, as notes show them all alike."""

    id: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    beside: ReviewComment | None = None
    system: bool = False


def actions_in(body: str) -> tuple[list[str], str]:
    """Quick actions outside code and quotes, and the body without them."""
    bare = _CODE.sub(lambda found: re.sub(r"[^\n]", "x", found[0]), body)
    spans = [(found.start(), found.end()) for found in _ACTION.finditer(bare)]
    kept = body
    for start, end in reversed(spans):
        kept = kept[:start] + kept[end:]
    return [body[start:end].strip() for start, end in spans], kept


def _notes(repo: Repository, number: int) -> list[Note]:
    found = [Note(c.id, c.user, c.body, c.created_at, _touched(c)) for c in repo.comments_of(number)]
    beside = (one for one in repo.review_comments.values() if one.number == number)
    found += [Note(one.id, one.user, one.body, one.created_at, one.updated_at, one) for one in beside]
    said = (one for one in repo.reviews if one.number == number and one.state in ("APPROVED", "DISMISSED"))
    text = "approved this merge request"
    found += [Note(one.id, one.user, text, one.submitted_at, one.submitted_at, system=True) for one in said]
    return sorted(found, key=lambda one: (one.created_at, one.id))


def _touched(one: Comment) -> datetime:
    """An emoji moves `updated_at` too."""
    return max([one.updated_at, *(given.created_at for given in one.reactions)])


def _body(ask: Ask, repo: Repository, on: int, note: Note) -> Json:
    target = repo.issue(on)
    told: Json = {
        "id": note.id,
        "type": None if note.beside is None else "DiffNote",
        "body": note.body,
        "attachment": None,
        "author": bodies.user(ask.world, note.user),
        "created_at": bodies.time(note.created_at),
        "updated_at": bodies.time(note.updated_at),
        "system": note.system,
        "noteable_id": target.id,
        "noteable_type": "MergeRequest" if isinstance(target, Pull) else "Issue",
        "project_id": repo.id,
        "noteable_iid": on,
        "resolvable": note.beside is not None,
        "confidential": False,
        "internal": False,
    }
    if note.beside is not None:
        told["resolved"] = note.beside.resolved
        told["position"] = {"new_path": note.beside.path, "new_line": note.beside.original_line}
    return told


def list_notes(ask: Ask, repo: Repository) -> Answer:
    on = ask.number("iid")
    repo.issue(on)
    found = _notes(repo, on)
    if ask.args.get("sort", "desc") == "desc":
        found.reverse()
    return paged(ask, found, lambda one: _body(ask, repo, on, one))


def create_note(ask: Ask, repo: Repository) -> Answer:
    on, body = ask.number("iid"), _body_given(ask)
    target = repo.issue(on)
    if not body.strip():
        return Answer(202, {"commands_changes": {}, "summary": ["Commands applied"]})
    now = ask.world.now()
    made = Comment(ask.world.next_id(), on, ask.user, body, now, now)
    repo.comments[made.id] = made
    target.updated_at = now
    ask.world.announce(repo, "issue_comment", lambda: comment_payload(ask.world, repo, made, "created", ask.user))
    return Answer(201, _body(ask, repo, on, Note(made.id, made.user, made.body, now, now)))


def _body_given(ask: Ask) -> str:
    body = text_of(ask, "body")
    if len(body) > NOTE_LIMIT:
        raise WorldError(400, f'400 Bad request - Note {{:note=>["is too long (maximum is {NOTE_LIMIT} characters)"]}}')
    ran, kept = actions_in(body)
    ask.state.commands.extend(ran)
    return kept


def _comment(ask: Ask, repo: Repository) -> Comment:
    found = repo.comments.get(ask.number("note"))
    if found is None or found.number != ask.number("iid"):
        raise WorldError(404, "404 Note Not Found")
    return found


def put_note(ask: Ask, repo: Repository) -> Answer:
    found = _comment(ask, repo)
    _owned(ask, repo, found.user)
    was: Json = {"body": {"from": found.body}}
    found.body, found.updated_at = _body_given(ask), ask.world.now()
    ask.world.announce(
        repo, "issue_comment", lambda: comment_payload(ask.world, repo, found, "edited", ask.user, changes=was)
    )
    return Answer(200, _body(ask, repo, found.number, _note(found)))


def delete_note(ask: Ask, repo: Repository) -> Answer:
    number = ask.number("note")
    if number in repo.review_comments:
        _owned(ask, repo, repo.review_comments[number].user)
        del repo.review_comments[number]
    else:
        found = _comment(ask, repo)
        _owned(ask, repo, found.user)
        del repo.comments[found.id]
    ask.world.now()
    return Answer(204)


def _owned(ask: Ask, repo: Repository, user: User) -> None:
    if user is not ask.user and ask.world.permission(repo, ask.user) != "admin":
        raise WorldError(403, "403 Forbidden")


def _note(found: Comment) -> Note:
    return Note(found.id, found.user, found.body, found.created_at, _touched(found))


# Emoji


def list_awards(ask: Ask, repo: Repository) -> Answer:
    found = _comment(ask, repo)
    return paged(ask, found.reactions, lambda one: bodies.award(ask.world, one, found.id))


def create_award(ask: Ask, repo: Repository) -> Answer:
    found, name = _comment(ask, repo), text_of(ask, "name")
    content = bodies.EMOJI.get(name, name)
    if any(one.user is ask.user and one.content == content for one in found.reactions):
        raise WorldError(404, "404 Award Emoji Name has already been taken Not Found")
    made = Reaction(ask.world.next_id(), ask.user, content, ask.world.now())
    found.reactions.append(made)
    return Answer(201, bodies.award(ask.world, made, found.id))


# Threads


def list_threads(ask: Ask, repo: Repository) -> Answer:
    on = ask.number("iid")
    repo.pull(on)
    return paged(ask, [one for one in _notes(repo, on) if not one.system], lambda one: _thread(ask, repo, on, one))


def _thread(ask: Ask, repo: Repository, on: int, note: Note) -> Json:
    alone = note.beside is None
    return {"id": bodies.thread_id(note.id), "individual_note": alone, "notes": [_body(ask, repo, on, note)]}


def create_thread(ask: Ask, repo: Repository) -> Answer:
    pull, body, position = repo.pull(ask.number("iid")), _body_given(ask), ask.body.get("position")
    if not isinstance(position, dict):
        raise WorldError(400, "position is missing")
    refs = bodies.diff_refs(repo, pull)
    if any(position.get(name) != value for name, value in refs.items()):
        raise WorldError(400, '400 Bad request - Note {:position=>["is incomplete"]}')
    path, line = str(position.get("new_path")), position.get("new_line")
    if (position.get("old_path"), position.get("old_line"), line) not in set(_lines(repo, pull, path)):
        raise WorldError(400, '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}')
    made = add_review_comment(
        ask.world, repo, pull, ask.user, body=body, path=path, line=int(str(line)), sha=pull.head_sha
    )
    note = Note(made.id, made.user, made.body, made.created_at, made.updated_at, made)
    return Answer(201, _thread(ask, repo, pull.number, note))


def _lines(repo: Repository, pull: Pull, path: str) -> Iterator[tuple[str, int | None, int]]:
    """(old path, old line, new line) of every line of the new side that a file's difference shows. A line that was
    added has no old one, and GitLab takes none for it."""
    for change in bodies.changes_of(repo, pull):
        old = new = 0
        for text in (change.patch or "").split("\n") if change.path == path else ():
            if text.startswith("@@"):
                first, second = text.split(" ")[1:3]
                old, new = int(first[1:].split(",")[0]), int(second[1:].split(",")[0])
            elif text.startswith("+"):
                yield change.old_path, None, new
                new += 1
            elif text.startswith(" "):
                yield change.old_path, old, new
                old, new = old + 1, new + 1
            elif text.startswith("-"):
                old += 1


def put_thread(ask: Ask, repo: Repository) -> Answer:
    on = ask.number("iid")
    for one in repo.review_comments.values():
        if one.number == on and bodies.thread_id(one.id) == ask.names["thread"]:
            one.resolved = bool(ask.body.get("resolved"))
            now = ask.world.now()
            return Answer(200, _thread(ask, repo, on, Note(one.id, one.user, one.body, one.created_at, now, one)))
    raise WorldError(404, "404 Discussion Not Found")


_AT = "/projects/:project/merge_requests/:iid"
ROUTES: tuple[Route, ...] = (
    Route("GET", f"{_AT}/notes", list_notes),
    Route("POST", f"{_AT}/notes", create_note),
    Route("PUT", f"{_AT}/notes/:note", put_note),
    Route("DELETE", f"{_AT}/notes/:note", delete_note),
    Route("GET", f"{_AT}/notes/:note/award_emoji", list_awards),
    Route("POST", f"{_AT}/notes/:note/award_emoji", create_award),
    Route("GET", f"{_AT}/discussions", list_threads),
    Route("POST", f"{_AT}/discussions", create_thread),
    Route("PUT", f"{_AT}/discussions/:thread", put_thread),
    Route("GET", "/projects/:project/issues/:iid/notes", list_notes),
)
