"""How the demo shows what happened: the comment as it reads, what landed as a tree, the files worth seeing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text
from rich.tree import Tree

from bot.cli.answers import StoryStep
from bot.cli.desk import stdout
from bot.core.words.amounts import count as how_many

_FOLD = re.compile(r"<details>\s*<summary>(.*?)</summary>.*?</details>\n?", re.DOTALL)
_TAG = re.compile(r"<!--.*?-->|</?[a-z]+>", re.DOTALL)
_MOST_ROWS = 30


def chapter(title: str) -> None:
    """A new part of the story."""
    console = stdout()
    console.print()
    console.print(Rule(Text(title, style="bold"), align="left", characters="─"))


def comment(markdown: str) -> None:
    """The bot's comment, its folds closed."""
    _console().print(Padding(Markdown(_TAG.sub("", _FOLD.sub(r"\n▸ \1\n", markdown))), (0, 2)))


def landed(step: StoryStep) -> None:
    """One delivery in three lines and a tree."""
    law = "the law holds" if step.law else "THE LAW IS BROKEN"
    console = _console()
    console.print(Text(f"{str(step.gitops_commit)[:7]} {step.subject} · {step.seconds} s · {law}"))
    for word, paths in (("new", step.added), ("changed", step.changed), ("gone", step.removed)):
        shown = [path for path in paths if not path.startswith(".causeway/")]
        if shown:
            console.print(_tree(f"{len(shown)} files {word}", shown))


def excerpt(path: str, data: bytes, most: int = 24) -> None:
    """The first lines of a file."""
    lines = data.decode().splitlines()
    more = [f"… {len(lines) - most} more lines"] if len(lines) > most else []
    _console().print(Text(path, style="bold"))
    _console().print(Padding(Text("\n".join([*lines[:most], *more])), (0, 4)))


def kept(paths: Mapping[str, Mapping[str, str]]) -> None:
    """What `.causeway/kept.json` holds."""
    for path, entry in sorted(paths.items()):
        _console().print(Text(f"kept: {path} ({entry['reason']})"))


def _console() -> Console:
    console = stdout()
    return console if console.is_terminal else Console(file=console.file, width=100, markup=False, emoji=False)


def _tree(label: str, paths: Sequence[str]) -> Tree:
    """Paths as folders; past a screenful, folders only with their counts."""
    root = Tree(Text(label), guide_style="dim")
    folders: dict[str, Tree] = {"": root}
    counts: dict[str, int] = {}
    deep = 9 if len(paths) <= _MOST_ROWS else 3
    for path in paths:
        parts = path.split("/")
        shown = parts[:deep]
        if len(parts) > deep:
            counts["/".join(shown)] = counts.get("/".join(shown), 0) + 1
        _node(folders, shown)
    for folder, count in counts.items():
        folders[folder].label = Text(f"{folder.rpartition('/')[2]}/  ({how_many(count, 'file')})")
    return root


def _node(folders: dict[str, Tree], parts: Sequence[str]) -> Tree:
    path = "/".join(parts)
    if path not in folders:
        folders[path] = _node(folders, parts[:-1]).add(Text(parts[-1]))
    return folders[path]
