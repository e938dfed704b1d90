"""What is written at GitHub: the bot's own comments, issues and remarks, and what people said to it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bot.core.model.conversation import Remark
from bot.forges.ensure import Found, UnknownOutcomeError, ensure_one
from bot.forges.github_bodies import Text, author_of, number, own, text
from bot.forges.github_calls import UnacceptableError
from bot.forges.github_line import Json, Line
from bot.forges.github_pace import Urgency
from bot.forges.github_people import Whoami
from bot.forges.marker import Marker
from bot.ports import Comment, GoneError, Reaction

COMMENT_LIMIT = 65_536
"""Characters that GitHub takes in a comment or an issue."""
REMARKS = 20
"""Each is a write of its own; whoever has more to mend than this reads the comment."""

_EMOJI: Mapping[Reaction, str] = {"seen": "eyes", "done": "+1", "refused": "confused"}
_MEANING: Mapping[str, Reaction] = {"eyes": "seen", "+1": "done", "confused": "refused", "-1": "refused"}
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_MOST_KNOWN = 1000


class Talk:
    """Texts of one repository. Ours are known by author and keyed marker, both."""

    def __init__(self, line: Line, repo: str, repo_id: int, whoami: Whoami, secret: str) -> None:
        self._line = line
        self._repo = repo
        self._id = repo_id
        self._whoami = whoami
        self._secret = secret
        self._heard: dict[int, list[Text]] = {}
        self._reacted: dict[tuple[int, str], frozenset[str]] = {}

    def comments(self, pull: int) -> tuple[Comment, ...]:
        """Everybody's but ours. Whose reactions they carry takes a request of its own for each comment that has any,
        asked again only when their number changes."""
        me = self._whoami()[0]
        what, path = f"listing comments of pull request {pull}", f"{self._repo}/issues/{pull}/comments"
        shape = partial(_text, f"{self._repo}/issues/comments", "id")
        listed = self._line.every(what, path, lambda one: (*_comment(one), shape(one)))
        self._heard = {pull: [ours for one, _, ours in listed if one.author_id == me]}
        found = [(one, counts) for one, counts, _ in listed if one.author_id != me]
        return tuple(self._with_reactions(one, counts, me) for one, counts in found)

    def digest(self, pull: int, key: str) -> str | None:
        """Of our own comment: the list of comments that was just read has it. Believed once."""
        heard = self._heard.pop(pull, None)
        me, marker = self._whoami()[0], self._comment_marker(pull)
        found = self.own_comments(pull, key) if heard is None else own(heard, me, marker, key)
        return None if not found else found[0][1] if len(found) == 1 else ""

    def react(self, comment: str, reaction: Reaction) -> None:
        """GitHub keeps one of a kind for each user, so this may be repeated."""
        path, what = f"{self._repo}/issues/comments/{int(comment)}/reactions", f"reacting to comment {comment}"
        self._line.calls.pace.spend(what, "failing")
        self._line.ask(what, path, {"content": _EMOJI[reaction]}, lambda one: one["id"])

    def ensure_comment(self, pull: int, key: str, digest: str, body: str, urgency: Urgency) -> bool:
        path = f"{self._repo}/issues/{pull}/comments"
        sent = {"body": _within_limit(self._comment_marker(pull).sign(body, key, digest))}
        return self._ensure(
            f"our comment on pull request {pull}",
            digest,
            urgency,
            listed=partial(self.own_comments, pull, key),
            create=("POST", path, sent),
            edit=sent,
        )

    def own_comments(self, pull: int, key: str) -> list[tuple[Text, str]]:
        """Ours of this key with their digests, oldest first."""
        what, path = f"listing comments of pull request {pull}", f"{self._repo}/issues/{pull}/comments"
        listed = self._line.every(what, path, partial(_text, f"{self._repo}/issues/comments", "id"))
        return own(listed, self._whoami()[0], self._comment_marker(pull), key)

    def ensure_issue(self, key: str, title: str, body: str | None) -> None:
        listed = partial(self._own_issues, key)
        if body is None:
            for one, _ in listed():
                self._line.write("closing our issue", "PATCH", one.path, {"state": "closed"})
            return
        digest = hashlib.sha256(f"{title}\n{body}".encode()).hexdigest()[:32]
        signed = Marker(self._secret, f"issue:{self._id}:0").sign(body, key, digest)
        sent = {"title": title, "body": _within_limit(signed)}
        create = ("POST", f"{self._repo}/issues", sent)
        self._ensure(
            "our issue", digest, "required", listed=listed, create=create, edit=sent, remove={"state": "closed"}
        )

    def _own_issues(self, key: str) -> list[tuple[Text, str]]:
        me, login = self._whoami()
        path, marker = f"{self._repo}/issues", Marker(self._secret, f"issue:{self._id}:0")
        shape = partial(_text, path, "number")
        return own(self._line.every("listing our issues", path, shape, state="open", creator=login), me, marker, key)

    def ensure_remarks(self, pull: int, sha: str, key: str, remarks: Sequence[Remark]) -> bool:
        """Each remark is known by the digest of its place and text. One that GitHub calls outdated is made anew where
        its line is still shown."""
        marker = Marker(self._secret, f"remark:{self._id}:{pull}")
        path = f"{self._repo}/pulls/{pull}/comments"
        what = f"our remarks on pull request {pull}"
        wanted = {_digest(one): one for one in remarks}
        placed = {(digest, one.line) for digest, one in wanted.items()}
        lines: Mapping[str, frozenset[int]] | None = None
        wrote = False
        there: set[str] = set()
        listed = self._line.every(f"listing {what}", path, lambda one: (_text("", "id", one), one["line"]))
        shown = {one.id: line for one, line in listed}
        for one, digest in own([one for one, _ in listed], self._whoami()[0], marker, key):
            if digest in there or (digest, shown[one.id]) not in placed:
                self._remove(what, f"{self._repo}/pulls/comments/{one.id}")
                wrote = True
            else:
                there.add(digest)
        for digest, remark in list(wanted.items())[:REMARKS]:
            if digest in there:
                continue
            lines = self._shown_lines(pull) if lines is None else lines
            if remark.line not in lines.get(remark.path, frozenset()):
                continue
            body: Json = {"body": _within_limit(marker.sign(remark.body, key, digest)), "commit_id": sha}
            body |= {"path": remark.path, "line": remark.line, "side": "RIGHT"}
            wrote = self._place(what, path, body, marker, key, digest) or wrote
        return wrote

    def _place(self, what: str, path: str, body: Json, marker: Marker, key: str, digest: str) -> bool:
        """False where GitHub does not take it: the line is not in the difference after all, or the commit is gone."""
        for attempt in (1, 2, 3):
            try:
                self._line.write(f"writing {what}", "POST", path, body, "passing")
            except UnacceptableError:
                return False
            except UnknownOutcomeError:
                if attempt == 3:
                    raise
                self._line.calls.pause(attempt)
                ours = own(
                    self._line.every(f"listing {what}", path, partial(_text, "", "id")), self._whoami()[0], marker, key
                )
                if any(seen == digest for _, seen in ours):
                    return True
            else:
                return True
        return False

    def _remove(self, what: str, path: str) -> None:
        """Deleting twice does no harm."""
        for attempt in (1, 2, 3):
            try:
                self._line.write(f"removing one of {what}", "DELETE", path)
            except GoneError:
                return
            except UnknownOutcomeError:
                if attempt == 3:
                    raise
                self._line.calls.pause(attempt)
            else:
                return

    def _shown_lines(self, pull: int) -> Mapping[str, frozenset[int]]:
        """By file, the lines of the new side that the pull request shows."""

        def shape(one: Any) -> tuple[str, frozenset[int]]:
            return text(one["filename"]), shown_lines(one.get("patch") or "")

        return dict(
            self._line.every(f"listing files of pull request {pull}", f"{self._repo}/pulls/{pull}/files", shape)
        )

    def _with_reactions(self, one: Comment, counts: str, me: str) -> Comment:
        if not counts:
            return one
        known = (int(one.id), counts)
        if known not in self._reacted:
            path = f"{self._repo}/issues/comments/{one.id}/reactions"
            given = self._line.every(
                f"listing reactions to comment {one.id}", path, lambda it: (author_of(it), text(it["content"]))
            )
            while len(self._reacted) >= _MOST_KNOWN:
                self._reacted.pop(next(iter(self._reacted)))
            self._reacted[known] = frozenset(_MEANING[c] for who, c in given if who == me and c in _MEANING)
        return replace(one, reactions=self._reacted[known])

    def _ensure(
        self,
        what: str,
        digest: str,
        urgency: Urgency,
        *,
        listed: Callable[[], list[tuple[Text, str]]],
        create: tuple[str, str, dict[str, str]],
        edit: dict[str, str],
        remove: dict[str, str] | None = None,
    ) -> bool:
        write = self._line.write

        def found() -> list[Found]:
            return [
                Found(
                    seen,
                    edit=partial(write, f"editing {what}", "PATCH", one.path, edit, urgency),
                    remove=partial(
                        write, f"removing a twin of {what}", "PATCH" if remove else "DELETE", one.path, remove
                    ),
                )
                for one, seen in listed()
            ]

        method, path, sent = create
        return ensure_one(
            found, partial(write, f"writing {what}", method, path, sent, urgency), digest, self._line.calls.pause
        )

    def _comment_marker(self, pull: int) -> Marker:
        return Marker(self._secret, f"comment:{self._id}:{pull}")


def shown_lines(patch: str) -> frozenset[int]:
    """Lines of the new side that a file's patch shows: only these take a remark."""
    lines, at = set(), 0
    for row in patch.split("\n"):
        hunk = _HUNK.match(row)
        if hunk is not None:
            at = int(hunk[1])
        elif row[:1] in ("+", " "):
            lines.add(at)
            at += 1
    return frozenset(lines)


def _comment(found: Any) -> tuple[Comment, str]:
    """The comment without whose its reactions are, and how many of ours there could be, empty where none."""
    # Older Enterprise servers leave them out.
    given = found.get("reactions") or {}
    counts = {name: number(given.get(name, 0)) for name in _MEANING}
    return Comment(
        id=str(number(found["id"])),
        author_id=author_of(found),
        is_bot=found["user"] is None or found["user"]["type"] != "User",
        body=found["body"] or "",
        created_at=text(found["created_at"]),
        edited=found["updated_at"] != found["created_at"],
        reactions=frozenset(),
        author="" if found["user"] is None else text(found["user"]["login"]),
    ), " ".join(str(count) for count in counts.values()) if any(counts.values()) else ""


def _text(path: str, key: str, found: Any) -> Text:
    return Text(number(found["id"]), f"{path}/{number(found[key])}", author_of(found), found["body"] or "")


def _digest(remark: Remark) -> str:
    return hashlib.sha256(f"{remark.path}\n{remark.line}\n{remark.body}".encode()).hexdigest()[:32]


def _within_limit(body: str) -> str:
    if len(body) > COMMENT_LIMIT:
        raise ValueError(f"GitHub takes {COMMENT_LIMIT} characters, this text has {len(body)}")
    return body
