"""The pages that people read say what is true: what can be computed in them is, and what they point to is there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from bot.cli import settings_page
from bot.cli.app import COMMANDS
from tests import readme_page
from tests.test_house import CORE, FLOORS

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "deploy").glob("*.md")),
    "schemas/README.md",
    "schemas/cel.md",
    "schemas/policies.md",
    "schemas/rights.md",
    "blueprints/README.md",
    "blueprints/policies/README.md",
)


def test_the_comment_in_the_readme_is_the_one_that_the_bot_writes() -> None:
    page = readme_page.PAGE.read_text(encoding="utf-8")
    assert readme_page.comment() in page, "write it anew: python -m tests.readme_page"


def test_the_settings_reference_is_that_of_the_settings() -> None:
    page = settings_page.PAGE.read_text(encoding="utf-8")
    assert settings_page.reference() in page, "write it anew: python -m bot.cli.settings_page"


def test_the_tour_leads_through_every_room_of_the_house_and_no_other() -> None:
    tour = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Manners")[0]
    core, _, around = tour.partition("Then what stands around it:")
    assert sorted(_rooms(core)) == sorted(name for row in CORE for name in row)
    assert sorted(_rooms(around)) == sorted({name for row in FLOORS for name in row} - {"bot", "core"})


def _rooms(tour: str) -> list[str]:
    """What the first column of a table of the tour names."""
    return [
        name
        for row in re.findall(r"^\| `(.*?) \|", tour, re.MULTILINE)
        for name in re.findall(r"(\w+)(?:\.py|/)`", row)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_path_of_a_page_leads_somewhere(name: str) -> None:
    page = ROOT / name
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{name} points to {target}"
    for path in re.findall(r"`((?:bot|tests|schemas|blueprints|deploy)/[\w./-]+)`", text):
        assert (ROOT / path).exists() or list(ROOT.glob(path)), f"{name} names {path}"


@pytest.mark.parametrize("name", PAGES)
def test_pages_call_only_commands_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    known = {str(command.name) for command in COMMANDS}
    for code in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL):
        for word in re.findall(r"(?:^|\s)causeway ([a-z]+)", "".join(code)):
            assert word in known, f"{name} calls causeway {word}"


def test_tasks_that_pages_call_are_tasks_of_the_runner() -> None:
    usage = subprocess.run(["sh", str(ROOT / "run"), "help"], capture_output=True, text=True, check=True).stdout
    tasks = set(re.findall(r"^  ([a-z]+)", usage, re.MULTILINE))
    for name in (*PAGES, ".ci/run"):
        for task in re.findall(r"sh run ([a-z]+)", (ROOT / name).read_text(encoding="utf-8")):
            assert task in tasks, f"{name} runs {task}"


@pytest.mark.parametrize("name", PAGES)
def test_pages_give_commands_only_options_that_they_take(name: str) -> None:
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            command, options = _called(line.partition("#")[0].split())
            taken = {option for one in command.params for option in one.opts} if command is not None else set(options)
            assert set(options) <= taken, f"{name}: {line.strip()}"


def _called(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """The command of ours that a line calls, by its own name or in the container, and its options."""
    found: click.Command | None = None
    options: list[str] = []
    known: Mapping[str, click.Command] = {}
    for word in words:
        if word in ("causeway", "worker") and found is None:
            known = {str(one.name): one for one in COMMANDS}
        elif word in known:
            found = known[word]
            known = found.commands if isinstance(found, click.Group) else {}
        elif found is not None and word.startswith("--"):
            options.append(word.partition("=")[0])
    return found, options
