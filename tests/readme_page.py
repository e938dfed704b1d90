"""Writes the plan comment into README.md: `python -m tests.readme_page`."""

from __future__ import annotations

import re
import time
from pathlib import Path

from bot.cli.demo_story import FOLDER, MANIFEST
from bot.cli.example import example_files
from bot.core import words
from bot.core.build import Memo
from bot.core.model.conversation import Conversation, Dialect, Shas
from bot.core.model.delivery import Evidence
from bot.core.problem import Refusal
from bot.core.propose import propose
from bot.core.tree import NO_OID, MemoryTree
from bot.shipped import shipped_tree

PAGE = Path(__file__).parents[1] / "README.md"
START, END = "<!-- comment: written by `python -m tests.readme_page` -->", "<!-- end of comment -->"
_FOLD = re.compile(r"<details>.*?</details>\n*", re.DOTALL)


def comment() -> str:
    """What the bot says to the demo's pull request, without its folds and its last line (shas), as a quote."""
    files = example_files()
    base, head = MemoryTree(files), MemoryTree({**files, f"{FOLDER}/platform.yaml": MANIFEST.encode()})
    out = propose(base, head, shipped_tree(), {}, Evidence(), NO_OID, int(time.time()), lambda _: base, Memo())
    if isinstance(out, Refusal):
        raise AssertionError(out.problems)
    talk = Conversation(out.plan, "open", Dialect("github"), Shas("", "main", "", ""))
    text = _FOLD.sub("", words.say(talk).comment or "")
    kept = text.rstrip().partition("\nObjects: ")[0].rstrip()
    return "\n".join(f"> {line}".rstrip() for line in kept.split("\n"))


def written(page: str) -> str:
    """The page with its comment made anew."""
    head, _, rest = page.partition(START)
    return f"{head}{START}\n\n{comment()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
