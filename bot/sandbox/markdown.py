"""Markdown of comments as HTML, the way GitHub shows it, with a short list of tags that raw HTML may use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_VOID = frozenset({"br", "hr"})
_TAGS = _VOID | frozenset(
    re.findall(
        r"\w+",
        "p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code b em strong s del ins sub sup kbd a details summary span"
        " table thead tbody tr th td",
    )
)
_CLASSES = re.compile(r"language-[a-z0-9-]{1,20}|add|del|hunk")
_LINK = re.compile(r"(?:https?://|#|/(?!/))[^\s\\]*", re.IGNORECASE)
_ALIGN = re.compile(r"text-align:(left|right|center)")


def render(text: str) -> Markup:
    """HTML that is safe to put into a page: tags and attributes beyond the list are shown as text."""
    cleaner = _Cleaner()
    cleaner.feed(_PARSER.render(text))
    cleaner.close()
    return Markup("".join(cleaner.parts) + cleaner.closing())  # noqa: S704


class _Cleaner(HTMLParser):
    """Lets a few tags through, balanced; everything else comes out as text. Comments vanish, as at GitHub."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []

    def closing(self) -> str:
        """End tags for what was left open."""
        return "".join(f"</{tag}>" for tag in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.parts.append(escape(self.get_starttag_text() or ""))
            return
        kept = "".join(_attribute(tag, name, value or "") for name, value in attrs)
        extra = ' rel="nofollow noopener"' if tag == "a" else ""
        self.parts.append(f"<{tag}{kept}{extra}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _TAGS and tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _TAGS:
            self.parts.append(escape(f"</{tag}>"))
        elif tag in self._open:
            while (last := self._open.pop()) != tag:
                self.parts.append(f"</{last}>")
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(escape(data))

    def unknown_decl(self, data: str) -> None:
        self.parts.append(escape(f"<![{data}]>"))


def _attribute(tag: str, name: str, value: str) -> str:
    """The attribute as it may stand on a tag, with a space before it; empty where it may not."""
    if tag in ("th", "td") and name == "style" and (align := _ALIGN.fullmatch(value)):
        return f' class="{align[1]}"'
    fine = {
        "href": tag == "a" and _LINK.fullmatch(value) is not None,
        "open": tag == "details",
        "class": tag in ("code", "span") and _CLASSES.fullmatch(value) is not None,
        "start": tag == "ol" and value.isdecimal(),
    }.get(name, False)
    return f' {name}="{escape(value)}"' if fine else ""


class _Renderer(RendererHTML):
    """Colours the lines of a `diff` block."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        if token.info.strip() != "diff":
            return super().fence(tokens, idx, options, env)
        return f"<pre><code>{''.join(map(_diff_line, token.content.splitlines()))}</code></pre>\n"


def _diff_line(line: str) -> str:
    kind = {"+": "add", "-": "del", "@": "hunk"}.get(line[:1])
    return f'<span class="{kind}">{escape(line)}</span>\n' if kind else f"{escape(line)}\n"


_PARSER = MarkdownIt("commonmark", {"html": True, "breaks": True}, renderer_cls=_Renderer).enable(
    ["table", "strikethrough"]
)
