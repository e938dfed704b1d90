"""Markdown blocks made of lines. Each is whole in itself, so blocks can be left out but never cut."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.core import text
from bot.core.words.inline import Line, Piece, line, markdown

# Quick actions of a forge are looked for at line starts, in fences too; a line of a diff never starts like one.
_DIFF_LINE = re.compile(r"^(?![ +\-@\\])", re.MULTILINE)


def heading(words: Line) -> str:
    """The one heading of a comment."""
    return f"### {markdown(words)}"


def paragraph(*lines: Line) -> str:
    """Lines that follow one another in one paragraph; a forge shows a line break as one, so there is none inside."""
    return " ".join(markdown(words) for words in lines if words)


def bullets(lines: Sequence[Line]) -> str:
    """A list. A line must start with words, never with a list mark of its own."""
    return "\n".join(f"- {markdown(words)}" for words in lines)


def table(head: Sequence[Line], rows: Sequence[Sequence[Line]]) -> str:
    """A table; every row has as many cells as the head."""
    body = ["| " + " | ".join(markdown(cell) for cell in row) + " |" for row in [head, *rows]]
    return "\n".join([body[0], "|" + "---|" * len(head), *body[1:]])


def opened(summary: Line) -> str:
    """The start of a fold; everything up to `CLOSED` is hidden behind the summary."""
    return f"<details><summary>{''.join(map(_html, summary))}</summary>"


CLOSED = "</details>"


def fold(summary: Line, *body: str) -> str:
    """A fold with its blocks inside."""
    return "\n\n".join([opened(summary), *(block for block in body if block), CLOSED])


def diff(unified: str, most: int = 12_000) -> str:
    """A unified diff in a fence, cut at a line end where it is long."""
    shown = unified
    if len(unified) > most:
        shown = unified[:most].rpartition("\n")[0] + "\n@@ cut here: the rest is in the repository @@"
    return text.markdown_fence(_DIFF_LINE.sub(" ", shown.rstrip("\n")), "diff")


def _html(piece: Piece) -> str:
    """Inside raw HTML Markdown is not read; the text encoder's entities are."""
    inner = piece.text if piece.kind == "own" else text.markdown(piece.text)
    if piece.kind == "code":
        inner = f"<code>{inner}</code>"
    return f"<b>{inner}</b>" if piece.bold else inner


def counts(numbers: Mapping[str, int]) -> Line:
    """`3 created, 2 changed`, without the zeros."""
    return line(", ".join(f"{number:,} {words}" for words, number in numbers.items() if number))
