"""One line of words, made of pieces that remember who wrote them: the one place where words meet an encoder.

A piece is our own wording (`own`), or somebody's text. Somebody's text is only ever shown through `core/text.py`, so a
sentence cannot be put together that forgets to encode. The same line is written as Markdown or as plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from bot.core import text

_NUMBERED = re.compile(r"\A(\s*[0-9]{1,9})([.)])(?=\s|\Z)")
_URL = re.compile(r"https?://[A-Za-z0-9._~:/@%+\-]+(?:#L[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text of one kind. `url` is set for links only."""

    text: str
    kind: Literal["own", "user", "code", "link"]
    bold: bool = False
    url: str = ""


Line = tuple[Piece, ...]


def own(words: str) -> Piece:
    """Our own wording, literally: a constant of this package or a number, never anything that was read."""
    return Piece(words, "own")


def user(words: str, most: int = 300) -> Piece:
    """Somebody's prose, cut to `most` characters."""
    return Piece(clip(words, most), "user")


def code(words: str, most: int = 120) -> Piece:
    """Somebody's name, path or value, shown exactly, cut to `most` characters."""
    return Piece(clip(words, most), "code")


def link(label: str, url: str) -> Piece:
    """A place in a file or a commit: a link where `url` is a plain web address, else only its name."""
    return Piece(clip(label, 160), "link", url=url if _URL.fullmatch(url) else "")


def line(*parts: str | Piece | Line) -> Line:
    """A line of our own words (str), pieces and other lines."""
    out: list[Piece] = []
    for part in parts:
        if isinstance(part, str):
            out.append(own(part))
        elif isinstance(part, Piece):
            out.append(part)
        else:
            out.extend(part)
    return tuple(out)


def bold(*parts: str | Piece | Line) -> Line:
    """The same line in bold. What stands around it must be a space or punctuation."""
    return tuple(replace(piece, bold=True) for piece in line(*parts))


def prose(words: str, most: int = 1000) -> Line:
    """Sentences of a problem: what stands between a pair of backticks is code, all the rest is text."""
    parts = clip(words, most).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return tuple(
        Piece(part, "code" if at % 2 else "user") for at, part in enumerate(parts) if part.strip() or (part and at % 2)
    )


def joined(parts: list[Line] | tuple[Line, ...], between: str = ", ", last: str | None = None) -> Line:
    """`a, b, c`; the last one follows `last` where that is given."""
    out: list[Piece] = []
    for at, part in enumerate(parts):
        if at:
            out.append(own(last if last is not None and at == len(parts) - 1 else between))
        out.extend(part)
    return tuple(out)


def clip(words: str, most: int) -> str:
    """At most so many characters, the last one then an ellipsis."""
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def markdown(words: Line) -> str:
    """The line as Markdown for a paragraph, a list item, a heading or a table cell."""
    out: list[str] = []
    for strong, run in groupby(_spaced(words), key=lambda piece: piece.bold):
        inner = "".join(map(_markdown, run))
        # Emphasis opens and closes only against something that is no space.
        lead, tail = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
        out.append(f"{lead}**{inner.strip()}**{tail}" if strong and inner.strip() else inner)
    # Digits from a file and a full stop of ours would make a numbered list of the line.
    return _NUMBERED.sub(lambda found: f"{found[1]}&#{ord(found[2])};", "".join(out), count=1)


def plain(words: Line, ticks: bool = False) -> str:
    """The line as plain text on one line, for a terminal or a status: white space folded, forbidden characters by
    number. `ticks` keeps code between backticks, where a sentence would else run into it."""
    return "".join(
        f"`{_plain(piece)}`" if ticks and piece.kind == "code" else _plain(piece) for piece in _spaced(words)
    )


def _spaced(words: Line) -> Line:
    """Encoders trim prose, so a space at its edge is ours to keep."""
    out: list[Piece] = []
    for piece in words:
        if piece.kind != "user":
            out.append(piece)
            continue
        if piece.text[:1].isspace():
            out.append(Piece(" ", "own", piece.bold))
        out.append(piece)
        if piece.text.strip() and piece.text[-1:].isspace():
            out.append(Piece(" ", "own", piece.bold))
    return tuple(out)


def _markdown(piece: Piece) -> str:
    match piece.kind:
        case "own":
            return piece.text
        case "user":
            return text.markdown(piece.text)
        case "code":
            return text.markdown_code(piece.text) if piece.text.strip() else "(empty)"
        case "link":
            label = text.markdown_code(piece.text) if piece.text.strip() else "link"
            return f"[{label}]({piece.url})" if piece.url else label


def _plain(piece: Piece) -> str:
    if piece.kind == "own":
        return piece.text
    shown = " ".join(text.visible(piece.text).split())
    return shown or ("(empty)" if piece.kind == "code" else "")
