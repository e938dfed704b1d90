"""The page of problem codes, made from the table in `bot/core/codes`: `python -m tests.core.codes_page` writes it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from bot.core.codes import CHECKOUT, ENTRIES, ROOMS, Entry, Files

PAGE = Path(__file__).parents[2] / "schemas" / "problems.md"
HEAD = """\
# Problem codes

Every problem has a code. It never changes meaning and is never used again; its first two digits name the room that
finds it. `causeway explain CW0104` prints what stands here. Examples show only the lines that matter: a manifest that
does not begin with `name:` stands below its four required lines.

Made from `bot/core/codes` by `python -m tests.core.codes_page`; a test holds it current. Edit there, not here.
"""


def page() -> str:
    """The whole page."""
    rooms = groupby(ENTRIES.items(), key=lambda row: row[0][2:4])
    return HEAD + "".join(
        f"\n## {room} · {ROOMS[room]}\n" + "".join(_entry(code, entry) for code, entry in rows) for room, rows in rooms
    )


def _entry(code: str, entry: Entry) -> str:
    same = entry.around
    around = "\nAround both:\n" + _files(same, {}) if same else ""
    return (
        f"\n### {code} {entry.title}\n\n{entry.what} {entry.why}\n\nWrong:\n{_files(entry.wrong, same)}"
        f"\nRight:\n{_files(entry.right, same)}{around}"
    )


def _files(files: Files, but: Files) -> str:
    return "".join(_block(path, text) for path, text in files.items() if path not in but)


def _block(path: str, text: str) -> str:
    language = "yaml" if path.endswith(".yaml") else "text"
    title = "" if path == CHECKOUT else f"`{path}`\n\n"
    return f"\n{title}```{language}\n{text}```\n"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
