"""Comments as somebody hostile would write them, and an oracle: CommonMark's own HTML says where paragraphs stand."""

from __future__ import annotations

import random
import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

PIECES = (
    "/plan", "/plan 3f2c1e0", "/help", "/rollback checkout prod", "/hold prod because x", "/unhold prod", "/lgtm",
    "/explain checkout prod scale.min", "/waive no-latest until 2026-12-31 because y", "//plan", "/ plan", "/Plan",
    "\\/plan", "&#47;plan", "/plan\\", "/plan`", "`/plan`", "**/plan**", "*", "**", "_", "`", "``", "```", "~~~",
    "> ", ">", "- ", "1. ", "* ", "    ", "\t", "# ", "---", "===", "|", "<!--", "-->", "<div>", "</div>", "<details>",
    "<pre>", "</pre>", "<script>", "</script>", "<b>", "</b>", "<a href='/plan'>", "[", "](", ")", "[x]: /plan", "![",
    "text", "because", "until", "\x00", "\u200b", "\u202e", "\u2028", "\x85", "\r", "\uf8ff", "\uf8ff0\uf8ff", "é",
    "\ud800", " ", "  ", "\n", "\n", "\n", "\n\n", "\n\n", "\r\n",
)  # fmt: skip

_PARSER = MarkdownIt("commonmark")
_WORD = re.compile(r"/([a-z][a-z-]{0,19})(?=[ \t\n]|$)")


def hostile(draw: random.Random) -> str:
    """A comment made of pieces that mean something to Markdown, to forges, or to the grammar."""
    return "".join(draw.choice(PIECES) for _ in range(draw.randint(1, 24)))


class _Paragraphs(HTMLParser):
    """Words that begin a line of plain text in a paragraph that nothing is around."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self._fresh = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "br":
            self._fresh = True
        elif tag not in ("hr", "img"):
            self._open.append(tag)
            self._fresh = self._open == ["p"]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        self._fresh = False

    def handle_data(self, data: str) -> None:
        if self._open != ["p"]:
            return
        for at, line in enumerate(data.split("\n")):
            word = _WORD.match(line.lstrip(" \t"))
            if word is not None and (at or self._fresh):
                self.found.append(word[1])
        self._fresh = data.endswith("\n")


def seen_by_a_reader(comment: str) -> list[str]:
    """Every word that a reader of the shown comment could take for a command, in order."""
    reader = _Paragraphs()
    reader.feed(_PARSER.render(comment.replace("\r\n", "\n")))
    reader.close()
    return reader.found
