"""Comments to commands, by a closed grammar.

Only a line that begins with `/word`, in a paragraph that stands by itself, is a command: what is quoted, in a list, in
code, in HTML, or inside emphasis or a link is talk about one. Markdown is read as CommonMark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core.model.command import (
    Command,
    ExplainCommand,
    HelpCommand,
    HoldCommand,
    MalformedCommand,
    PlanCommand,
    RollbackCommand,
    UnholdCommand,
    UnknownCommand,
    WaiveCommand,
)
from bot.core.text import flaw_in

MOST = 20_000
"""Characters of a comment that is looked at: nobody writes a command into a book."""
_PARAGRAPH = 2_000
_LINE = 600
_REMARK = re.compile(r"<!--(?:(?!-->).)*-->", re.DOTALL)
_TAG = re.compile(r"<[A-Za-z/!?]")
_START = re.compile(r"^ {0,3}/[a-z]", re.MULTILINE)
_COMMAND = re.compile(r"/(?P<word>[a-z][a-z-]{0,19})(?:[ \t]+(?P<rest>\S.*))?", re.ASCII)
_MARK = "\uf8ff"
"""Stands for the slash of a line that may be a command while the paragraph is read; private, so nobody writes it."""

_NAME = r"[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?"
_WHERE = r"[A-Za-z0-9_./:\[\]~-]{1,200}"
_PLAN = re.compile(r"(?P<sha>[0-9a-f]{7,40})?")
_EXPLAIN = re.compile(rf"(?P<service>{_NAME}) (?P<environment>{_NAME})(?: (?P<path>{_WHERE}))?")
_ROLLBACK = re.compile(rf"(?P<service>{_NAME})(?: (?!to )(?P<environment>{_NAME}))?(?: to (?P<to>[0-9a-f]{{7,40}}))?")
_WAIVE = re.compile(
    rf"(?P<policy>[a-z0-9](?:[-a-z0-9.]{{0,98}}[a-z0-9])?)(?: for (?P<service>{_NAME}))?"
    r" until (?P<until>[0-9]{4}-[0-9]{2}-[0-9]{2}) because (?P<reason>\S.*)"
)
_HOLD = re.compile(rf"(?P<environment>{_NAME}) because (?P<reason>\S.*)")
_UNHOLD = re.compile(rf"(?P<environment>{_NAME})")
_NOTHING = re.compile(r"")

_Given = Mapping[str, str]
_GRAMMAR: Mapping[str, tuple[re.Pattern[str], Callable[[_Given], Command]]] = {
    "plan": (_PLAN, lambda given: PlanCommand(given["sha"])),
    "explain": (_EXPLAIN, lambda given: ExplainCommand(given["service"], given["environment"], given["path"])),
    "rollback": (_ROLLBACK, lambda given: RollbackCommand(given["service"], given["environment"], given["to"])),
    "waive": (_WAIVE, lambda given: WaiveCommand(given["policy"], given["until"], given["reason"], given["service"])),
    "hold": (_HOLD, lambda given: HoldCommand(given["environment"], given["reason"])),
    "unhold": (_UNHOLD, lambda given: UnholdCommand(given["environment"])),
    "help": (_NOTHING, lambda _: HelpCommand()),
}
"""Word -> what follows it, and what that means."""

WORDS = tuple(_GRAMMAR)

_PARSER = MarkdownIt("commonmark")


def commands(comment: str) -> tuple[Command, ...]:
    """Every command of a comment, in order. Never raises, whatever stands there."""
    if len(comment) > MOST or _MARK in comment or not _START.search(comment):
        return ()
    found: list[Command] = []
    for before, token in pairwise(_PARSER.parse(comment.replace("\r\n", "\n"))):
        if _opens(before):
            break  # what it opens may go on around all that follows
        if before.type == "paragraph_open" and before.level == 0 and len(token.content) <= _PARAGRAPH:
            found += [command for line in _lines(token.content) if (command := read(line)) is not None]
    return tuple(found)


def _opens(token: Token) -> bool:
    """HTML stands here, and not only a remark."""
    if token.type == "html_block":
        return _REMARK.fullmatch(token.content.strip()) is None
    if token.type != "inline" or not _TAG.search(token.content):
        return False
    inner = _PARSER.parseInline(token.content)[0].children if len(token.content) <= _PARAGRAPH else None
    return inner is None or any(child.type == "html_inline" for child in inner)


def read(line: str) -> Command | None:
    """One line that stands by itself; None where it does not begin like a command."""
    match = _COMMAND.fullmatch(line.strip(" \t")[: _LINE + 1])
    if match is None:
        return None
    word, rest = match["word"], " ".join(re.split("[ \t]+", match["rest"] or ""))
    if word not in _GRAMMAR:
        return UnknownCommand(word)
    shape, made = _GRAMMAR[word]
    fits = shape.fullmatch(rest)
    given = {name: value or "" for name, value in fits.groupdict().items()} if fits is not None else {}
    if fits is None or len(line) > _LINE or not _sound(given):
        return MalformedCommand(word)
    return made(given)


def _sound(given: _Given) -> bool:
    """A day that the calendar has, and a reason that may stand in a file."""
    try:
        date.fromisoformat(given.get("until", "2000-01-01"))
    except ValueError:
        return False
    reason = given.get("reason", "x")
    return len(reason) <= 400 and flaw_in(reason, one_line=True) is None


def _lines(paragraph: str) -> list[str]:
    """Lines of a paragraph that begin with a slash and are plain text where they begin."""
    lines = paragraph.split("\n")
    starts = [at for at, line in enumerate(lines) if re.match(r"[ \t]*/[a-z]", line)]
    if not starts:
        return []
    marked = [f"{_MARK}{at}{_MARK}{line.lstrip()[1:]}" if at in starts else line for at, line in enumerate(lines)]
    plain: set[int] = set()
    for token in _PARSER.parseInline("\n".join(marked)):
        plain |= _plain(token.children or [])
    return [lines[at] for at in starts if at in plain]


def _plain(children: list[Token]) -> set[int]:
    found: set[int] = set()
    fresh = True
    for child in children:
        if child.type == "html_inline":
            break
        if fresh and child.type == "text" and child.level == 0 and child.content.startswith(_MARK):
            found.add(int(child.content.split(_MARK)[1]))
        fresh = child.type in ("softbreak", "hardbreak")
    return found
