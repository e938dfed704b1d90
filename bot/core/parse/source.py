"""From bytes to text: size, encoding, line ends and the character rule, before any YAML is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.model.values import Pos
from bot.core.problem import Problem
from bot.core.text import flaws

_MOST_FLAWS = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one file. `size` in bytes, `events` as the parser counts them, `depth` in nested lists and maps."""

    size: int = 256 * 1024
    events: int = 100_000
    depth: int = 50


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text with `\\n` line ends, each flawed character replaced so that reading can go on, and the flaws."""

    path: str
    text: str
    problems: tuple[Problem, ...]


def read_source(path: str, data: bytes, limits: Limits) -> Source | Problem:
    """The text, or the one problem that leaves nothing to read: too large, or not UTF-8."""
    if len(data) > limits.size:
        return Problem(
            path,
            1,
            1,
            "CW0103",
            f"the file has {len(data):,} bytes; the most is {limits.size:,}",
            "every review reads it, and a person must be able to read it too",
            "move long texts into files of their own beside it, or split it",
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return _not_utf8(path, data, error.start)
    text = text.replace("\r\n", "\n")
    problems = tuple(_flaw_problems(path, text))
    return Source(path, _without(text) if problems else text, problems)


def place(text: str, at: int) -> Pos:
    """The line and column of a character."""
    return Pos(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _not_utf8(path: str, data: bytes, at: int) -> Problem:
    pos = place(data[:at].decode().replace("\r\n", "\n") + "?", len(data[:at].decode().replace("\r\n", "\n")))
    return Problem(
        path,
        pos.line,
        pos.column,
        "CW0102",
        f"the file is not UTF-8: byte 0x{data[at]:02x} stands where no character can begin or go on",
        "readers would guess what it means, and not all the same",
        "save the file as UTF-8",
    )


def _flaw_problems(path: str, text: str) -> Iterator[Problem]:
    for count, (at, name) in enumerate(flaws(text)):
        if count == _MOST_FLAWS:
            return
        pos = place(text, at)
        yield flaw_problem(path, pos, name)


def flaw_problem(path: str, pos: Pos, name: str, escaped: bool = False) -> Problem:
    """What breaks the character rule at this place; `escaped` where an escape makes the character."""
    code, why, fix = "CW0001", "it is not seen, or not read the same by every program", "remove it"
    if "composed form" in name:
        code, why, fix = "CW0002", "the same word could be written in two ways that do not match", "type it again"
    elif name.startswith("U+000D "):
        why, fix = "old line ends are one line to some readers and two to others", "save the file with `\\n` line ends"
    elif name.startswith("U+FEFF ") and pos == Pos(1, 1):
        fix = "save the file as UTF-8 without a byte order mark"
    message = f"an escape in this text makes {name}" if escaped else f"{name} cannot stand here"
    return Problem(path, pos.line, pos.column, code, message, why, fix)


def _without(text: str) -> str:
    """The text with every forbidden character replaced by one that can stand anywhere, so that places stay."""
    characters = list(text)
    for at, _ in flaws(text):
        if at < len(characters):
            characters[at] = "\ufffd"
    return "".join(characters)
