"""Text: which characters may stand in anything a person writes, and one encoder for each place our strings end up in.

Every encoder takes any string and never fails. The exact ones (`terraform`, `kubelet`, `go_template`,
`prometheus_string`, `log_field`, `trailer`) lose nothing of text that passes the character rule. The others are for
eyes: they fold line breaks and show a forbidden character by its number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

# Characters that other readers drop, take as a line break, refuse, or do not show. A regular expression because it
# runs over every string of a fleet; the test holds it against the Unicode database.
UNPRINTABLE: Final = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"  # controls without tab and newline; NEL is U+0085
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # line and paragraph separator, byte order mark, annotations
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\uffa0"  # no width
    "\ufe00-\ufe0d\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # selectors and tags: hidden data
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # surrogates, noncharacters
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
)
"""The inside of a character class: what no one may write, wherever it stands."""

_FORBIDDEN = re.compile(f"[{UNPRINTABLE}]|(?P<selector>[\ufe0e\ufe0f])")
_NAMES = {
    "\r": "a carriage return",
    "\ufeff": "a byte order mark",
    "\x85": "a NEL line break",
    "\u2028": "a line separator",
    "\u2029": "a paragraph separator",
}


def flaws(text: str) -> Iterator[tuple[int, str]]:
    """Every place (index in code points, what stands there) that breaks the character rule, in order.

    Forbidden are control characters but tab and newline, NEL, LS, PS, U+FEFF, bidirectional controls, invisible
    characters, surrogates and noncharacters. An emoji's variation selector may follow a symbol. Text that is not in
    composed form (NFC) is one flaw, at the first place that would change.
    """
    for found in _FORBIDDEN.finditer(text):
        if not (found["selector"] and _may_select(text, found.start())):
            yield found.start(), named(found[0])
    if not unicodedata.is_normalized("NFC", text):
        yield _first_change(text), "a letter that is not in its composed form (Unicode NFC)"


def flaw_in(text: str, one_line: bool = False) -> str | None:
    """What breaks the character rule first, as words with its place (`U+200B … at character 4`), or None.

    Newline and tab are allowed unless `one_line`.
    """
    if one_line:
        for at, char in enumerate(text):
            if char in "\n\t":
                return f"{named(char)} at character {at + 1}"
    first = min(flaws(text), default=None)
    return None if first is None else f"{first[1]} at character {first[0] + 1}"


def named(char: str) -> str:
    """A character by number and name, for a sentence: `U+202E (RIGHT-TO-LEFT OVERRIDE)`."""
    name = _NAMES.get(char) or unicodedata.name(char, "")
    if not name:
        name = {"Cc": "a control character", "Cs": "half of a surrogate pair"}.get(unicodedata.category(char), "")
    return f"U+{ord(char):04X} ({name})" if name else f"U+{ord(char):04X} (not a character)"


def visible(text: str) -> str:
    """The text with each forbidden character shown as `[U+202E]`; newline and tab stay."""
    return _FORBIDDEN.sub(lambda m: m[0] if m["selector"] else f"[U+{ord(m[0]):04X}]", text)


def _may_select(text: str, at: int) -> bool:
    before = text[at - 1 : at] if at else ""
    if before.isascii():
        return before != "" and before in "#*0123456789" and text[at + 1 : at + 2] == "\u20e3"
    return unicodedata.category(before) in ("So", "Sm") or before in "\u203c\u2049"


def _first_change(text: str) -> int:
    composed = unicodedata.normalize("NFC", text)
    pairs = zip(text, composed, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(text), len(composed)))


# Markdown. Entities and not backslashes: they also hold in raw HTML (a `<summary>`), in table cells and at a line
# start, and quick actions are searched in the source, where no `/` is left. Forges link mentions, issues, shas and
# addresses after rendering, in the text itself, so such a token is broken by a zero-width space.
_BREAK = "&#8203;"
_MARKUP = re.compile(r"[!\"#$%&'()*+<=>?@\[\\\]^_`{|}~]|^[-/]|(?<=[0-9])[.)](?= |$)")
_REFERENCE = re.compile(
    r"(?P<sigil>@(?=\S)|[#!$%&~^*\[](?=[\w\"'{<\[:+-])|:(?=[\w+-]+:))"
    r"|(?P<scheme>(?<=:)(?=//))"
    r"|(?P<host>(?<=www)(?=\.))"
    r"|(?P<issue>(?<=\bgh-)(?=[0-9]))"
    r"|(?P<sha>(?<![0-9a-z_])[0-9a-f]{7,}(?![0-9a-z_]))",
    re.IGNORECASE,
)


def markdown(text: str) -> str:
    """Inline text for a comment at GitHub or GitLab: nothing of it becomes markup, HTML, a mention, a link or a quick
    action, in a paragraph, a table cell, a heading or inside raw HTML. White space is folded to single spaces.

    One thing only the caller can prevent: a line that begins with it and goes on with `.` or `)`, where it is a number.
    """
    marked = _REFERENCE.sub(_broken, " ".join(visible(text.replace("\r\n", "\n")).split()))
    return _MARKUP.sub(lambda m: "".join(f"&#{ord(c)};" for c in m[0]), marked).replace("\ufdd0", _BREAK)


def _broken(found: re.Match[str]) -> str:
    if found["sha"]:
        return "\ufdd0".join(found[0][at : at + 6] for at in range(0, len(found[0]), 6))
    return found[0] + "\ufdd0"


def markdown_code(text: str) -> str:
    """Inline code that shows exactly this text (line breaks become spaces), in a paragraph or a table cell. Not inside
    raw HTML: there write `<code>` around `markdown(text)`."""
    line = re.sub(r"[\n\t]", " ", visible(text.replace("\r\n", "\n")))
    if "|" in line or not line.strip():
        # A table splits cells before it sees code spans, and its escapes differ between readers.
        return f"<code>{markdown(line)}</code>"
    tick = "`" * (1 + _longest_run(line))
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{tick}{pad}{line}{pad}{tick}"


def markdown_fence(text: str, info: str = "") -> str:
    """A fenced block that shows the lines of `text`; ends without a newline. `info` is a language word."""
    if not re.fullmatch(r"[A-Za-z0-9_+-]*", info):
        raise ValueError(f"not a language word: {info!r}")
    body = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
    tick = "`" * max(3, 1 + _longest_run(body))
    return f"{tick}{info}\n{body}{'' if body.endswith(chr(10)) or not body else chr(10)}{tick}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_ACTION = re.compile(r"((?:[ \t>*+-]|[0-9]+[.)])*)/")


def without_quick_actions(comment: str) -> str:
    """A whole comment for GitLab in which no line begins with what GitLab would run as a command of its own (`/merge`),
    behind white space, in lists and quotes too. It reads the same: a slash becomes its entity, or, inside a fence,
    where GitLab looks at the very first character only, steps behind a space."""
    lines, fence = [], ""
    for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", comment):
        mark = _FENCE.match(line)
        if mark is not None and (not fence or (mark[1].startswith(fence) and not line.strip(" \t\r\n`~"))):
            fence = "" if fence else mark[1]
        elif fence:
            line = f" {line}" if line.startswith("/") else line
        else:
            line = _ACTION.sub(lambda found: f"{found[1]}&#47;", line, count=1) if _ACTION.match(line) else line
        lines.append(line)
    return "".join(lines)


def terraform(text: str) -> str:
    """A string for Terraform's JSON syntax, key or value, that is no template: `${` and `%{` are doubled."""
    return re.sub(r"([$%])(?=\{)", r"\1\1", text)


def kubelet(text: str) -> str:
    """A string for `command`, `args` or an environment variable's `value` that kubelet leaves as it is.

    Kubelet reads `$$` as `$` everywhere, not only before a bracket, so whole runs are doubled; a single `$` that opens
    nothing stays as it is, since people read these lines.
    """
    return re.sub(r"\$\$+|\$(?=\()", lambda m: m[0] * 2, text)


def go_template(text: str) -> str:
    """Literal text inside a Go template (Prometheus annotations, ExternalSecret templates). A brace at the end is
    written as an action too, else it would join an action that follows."""
    return re.sub(r"\{\{|\{$", lambda m: '{{"' + m[0] + '"}}', text)


def prometheus_string(text: str) -> str:
    """A PromQL string literal, quotes included. `$`, `[` and `{` are written by number, so that Grafana, which expands
    variables in a query before Prometheus reads it, and a Go template around it find nothing of theirs."""
    return '"' + re.sub(rf"[\"\\\n\t$\[{{{UNPRINTABLE}]", _prometheus_escape, text) + '"'


def _prometheus_escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in '"\\':
        return "\\" + char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def grafana(text: str) -> str:
    """Text for a title or description of a dashboard in which Grafana finds no variable. Grafana has no escape, so a
    space parts the sign from what it would name: `$ {x}`, `$ x`, `[ [x]]`."""
    return re.sub(r"\$(?=[\w{$])|\[(?=\[)", lambda m: m[0] + " ", visible(text))


def log_field(text: str) -> str:
    """One line for a log: the inside of a JSON string, every forbidden character by number."""
    return re.sub(rf"[\"\\\n\t{UNPRINTABLE}\ufe0e\ufe0f]", _json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in '"\\':
        return "\\" + char
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def trailer(text: str) -> str:
    """The value of a commit trailer, from a closed set of characters; all others are percent-encoded UTF-8."""
    return quote(text, safe="/+@-._~", errors="replace")


def url_path(path: str) -> str:
    """A path for a link, `/` kept, all else percent-encoded. A `.` or `..` part leads nowhere instead of elsewhere."""
    return "/".join(_DOTS.get(part) or quote(part, safe="", errors="replace") for part in path.split("/"))


_DOTS = {".": "%252E", "..": "%252E%252E"}
