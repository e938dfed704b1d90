"""Writes the table of problem codes into schemas/README.md: `python -m tests.core.codes_page`."""

from __future__ import annotations

from pathlib import Path

from bot.core.codes import CODES

PAGE = Path(__file__).parents[2] / "schemas" / "README.md"
START = "| code | what it says |\n|---|---|\n"


def main() -> None:
    """Everything after the table's head is the table; it stands last on the page."""
    head, _, _ = PAGE.read_text().partition(START)
    PAGE.write_text(head + START + "".join(f"| `{code}` | {title} |\n" for code, title in sorted(CODES.items())))


if __name__ == "__main__":
    main()
