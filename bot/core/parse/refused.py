"""The words for what a file may not hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.core.model.values import Pos
from bot.core.parse.source import Source
from bot.core.problem import Problem
from bot.core.text import visible

_PLAIN_DATA = "a file here is plain data that reads the same everywhere, line by line"
_CONSTRUCTS: Mapping[str, tuple[str, str, str]] = {
    "anchor": ("an anchor (`&name`) is not allowed", _PLAIN_DATA, "remove it; if the text begins with `&`, quote it"),
    "alias": (
        "an alias (`*name`) is not allowed",
        "it repeats text from elsewhere, so a line no longer says what it means",
        "write the value again; if the text begins with `*`, quote it",
    ),
    "tag": (
        "a tag (`!name`) is not allowed",
        _PLAIN_DATA,
        "remove it; quotes make text; if the text begins with `!`, quote it",
    ),
    "merge key": ("a merge key (`<<`) is not allowed", _PLAIN_DATA, "write the keys themselves"),
    "question mark": (
        "a `?` right before a key is not allowed",
        "some readers take it as part of the key, some drop it",
        "remove it; if the key begins with `?`, quote it",
    ),
    "directive": ("a directive (`%YAML`, `%TAG`) is not allowed", _PLAIN_DATA, "remove the line"),
}


def not_allowed(path: str, pos: Pos, construct: str) -> Problem:
    """A YAML construct that is refused."""
    return Problem(path, pos.line, pos.column, "CW0107", *_CONSTRUCTS[construct])


def second_document(path: str, pos: Pos) -> Problem:
    """A `---` after the first document."""
    return Problem(
        path,
        pos.line,
        pos.column,
        "CW0108",
        "a second document begins here",
        "one file holds one document, so that its path names it",
        "move what follows `---` into a file of its own, or remove it",
    )


def empty_file(path: str) -> Problem:
    """Nothing, or only comments."""
    return Problem(
        path, 1, 1, "CW0109", "the file is empty", "nothing is said in it", "write its content, or delete the file"
    )


def too_much(path: str, pos: Pos, most: str) -> Problem:
    """A cap on events or depth is passed."""
    return Problem(
        path,
        pos.line,
        pos.column,
        "CW0103",
        f"the file has more than {most}",
        "every review reads it, so its cost is bounded",
        "make it smaller or flatter",
    )


def duplicate_key(path: str, pos: Pos, key: str, first: Pos) -> Problem:
    """The same key twice in one map."""
    return Problem(
        path,
        pos.line,
        pos.column,
        "CW0105",
        f"the key `{_shown(key)}` stands twice: at {first.line}:{first.column} and here",
        "one of the two would be lost without a word",
        "keep one, or put both contents under one key",
    )


def key_not_text(path: str, pos: Pos, text: str) -> Problem:
    """A key that YAML reads as a number, a boolean, nothing, or a collection."""
    if text == "a list or a map":
        message, fix = "a list or a map cannot be a key", 'write a word before the colon; quote a `{` or `[`: "{x}"'
    elif text == "":
        message, fix = "the key before this colon is missing", "write the key, or remove the line"
    else:
        message, fix = f"the key `{_shown(text)}` is not text", f'quote it: "{_shown(text)}"'
    return Problem(path, pos.line, pos.column, "CW0106", message, "keys are names, and JSON has no others", fix)


def number_out_of_range(path: str, pos: Pos, text: str, why: str) -> Problem:
    """A number that cannot be kept exactly."""
    return Problem(
        path,
        pos.line,
        pos.column,
        "CW0110",
        f"`{_shown(text)}` is a number that cannot be kept: {why}",
        "programs that read it later would see another number, or fail",
        "write a smaller number, or quote it if it is text",
    )


def unreadable(source: Source, error: Exception) -> Problem:
    """The library failed in its own way."""
    return Problem(
        source.path,
        1,
        1,
        "CW0101",
        f"the file cannot be read as YAML ({type(error).__name__})",
        "the reader gave up on it",
        "write it in plain block style: one `key: value` a line, lists with `- `",
    )


# What the parser says -> what a person can do about it. The first row that matches counts.
_SYNTAX: tuple[tuple[str, str, str], ...] = (
    (
        r"mapping values are not allowed",
        "a `key:` stands where none can begin",
        "quote the text if the colon belongs to it; else give the line the indentation of its neighbours",
    ),
    (
        r"unexpected end of stream",
        "a quote is opened and never closed",
        'close it; inside single quotes a quote is written twice, inside double quotes as `\\"`',
    ),
    (
        r"unexpected document indicator",
        "a quote is opened and not closed before `---`",
        "close the quote",
    ),
    (
        r"unknown escape character|did not find expected hexdecimal|invalid Unicode character escape",
        "a backslash in double quotes stands before something that is no escape",
        "write two backslashes, or use single quotes",
    ),
    (
        r"character that cannot start any token",
        "a value cannot begin with this character",
        'quote the whole value: "@name"',
    ),
    (r"expected ',' or '\]'", "a list in brackets is not closed or lacks a comma", "close it with `]`, part with `,`"),
    (r"expected ',' or '\}'", "a map in braces is not closed or lacks a comma", "close it with `}`, part with `,`"),
    (
        r"expected '-' indicator",
        "a list ends here, but the line is indented like its items",
        "begin the line with `- `, or indent it like the key above the list",
    ),
    (
        r"expected key|expected <block end>",
        "this line does not fit the lines above it",
        "indent it like its neighbours, by two spaces a level; quote a value that holds quotes",
    ),
    (
        r"could not find expected ':'",
        "a key without its colon, or text that goes on at the wrong indentation",
        "write `key: value`; indent further lines of a text deeper than its key",
    ),
    (
        r"block sequence entries are not allowed|block collection",
        "a `- ` stands where no list can begin",
        "put the list on the lines below its key",
    ),
    (
        r"expected node content",
        "a value or a key is wanted here",
        "write it, and quote it if it begins with a sign; `...` and `---` need something before and after them",
    ),
    (r"undefined alias|undefined tag|tag|anchor|alias", "a tag, anchor or alias is not written right", "remove it"),
    (r"directive|%", "a line that begins with `%` is a directive", "quote the text, or remove the line"),
)


def not_yaml(source: Source, error: Any) -> Problem:
    """A syntax error, at the place the parser names, in words."""
    said = f"{getattr(error, 'problem', None) or ''} {getattr(error, 'context', None) or ''}".strip()
    mark = getattr(error, "problem_mark", None)
    pos = Pos(mark.line + 1, mark.column + 1) if mark is not None else Pos(1, 1)
    lines = source.text.split("\n")
    pos = _inside(lines, pos)
    tab = _tab_near(lines, pos.line)
    if tab is not None:
        return Problem(
            source.path,
            tab.line,
            tab.column,
            "CW0101",
            "a tab is used as indentation",
            "YAML indents with spaces only: a tab has no agreed width",
            "replace it by spaces, two a level",
        )
    start = getattr(error, "context_mark", None)
    opened = f"; it begins at {start.line + 1}:{start.column + 1}" if start is not None and "quoted" in said else ""
    for pattern, message, fix in _SYNTAX:
        if re.search(pattern, said):
            return Problem(source.path, pos.line, pos.column, "CW0101", message + opened, f"YAML: {said}", fix)
    return Problem(
        source.path,
        pos.line,
        pos.column,
        "CW0101",
        "the file is not YAML from here on",
        f"YAML: {said or 'unreadable'}",
        "write one `key: value` a line, lists with `- `, and quote text with special signs",
    )


def _inside(lines: list[str], pos: Pos) -> Pos:
    """The parser may point behind the last line; a person wants the last line that says something."""
    if pos.line <= len(lines) and (lines[pos.line - 1].strip() or pos.line < len(lines)):
        return pos
    last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)
    return Pos(last, len(lines[last - 1].rstrip()) + 1)


def _tab_near(lines: list[str], line: int) -> Pos | None:
    for number in (line, line - 1):
        if 1 <= number <= len(lines):
            found = re.match(r" *\t", lines[number - 1])
            if found:
                return Pos(number, found.end())
    return None


def _shown(text: str) -> str:
    # No backtick, so that those of a sentence always pair.
    text = " ".join(visible(text).replace("`", "'").split())
    return text if len(text) <= 60 else text[:57] + "..."
