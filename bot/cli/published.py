"""Writes the published schemas of `--json` answers: `python -m bot.cli.published`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bot.cli.answers import ANSWERS, schema_of

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "cli"


def texts() -> Mapping[str, str]:
    """File name -> content."""
    return {
        f"{name}.schema.json": json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"
        for name in sorted(ANSWERS)
    }


def main() -> None:
    """Writes every file."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
