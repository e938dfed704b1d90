"""Commands are read from Markdown: only lines that stand by themselves, by a closed grammar, whatever is thrown in."""

from __future__ import annotations

import random
import time

import pytest

from bot.core.command import MOST, WORDS, commands
from bot.core.model.command import (
    Command,
    ExplainCommand,
    HelpCommand,
    HoldCommand,
    MalformedCommand,
    PlanCommand,
    RollbackCommand,
    UnholdCommand,
    UnknownCommand,
    WaiveCommand,
)
from bot.core.words.commands import USAGE
from bot.flows.commands import COMMANDS
from tests.core.comment_fuzz import hostile, seen_by_a_reader

READ: list[tuple[str, Command]] = [
    ("/plan", PlanCommand()),
    ("/plan 3f2c1e0", PlanCommand("3f2c1e0")),
    ("/explain checkout prod", ExplainCommand("checkout", "prod")),
    ("/explain checkout prod deployment:spec.replicas", ExplainCommand("checkout", "prod", "deployment:spec.replicas")),
    ("/rollback checkout", RollbackCommand("checkout")),
    ("/rollback checkout prod", RollbackCommand("checkout", "prod")),
    ("/rollback checkout to 3f2c1e0", RollbackCommand("checkout", "", "3f2c1e0")),
    ("/rollback checkout prod to 3f2c1e0", RollbackCommand("checkout", "prod", "3f2c1e0")),
    ("/waive no-latest until 2026-12-31 because of *it*", WaiveCommand("no-latest", "2026-12-31", "of *it*")),
    ("/waive no-latest for a until 2026-12-31 because x", WaiveCommand("no-latest", "2026-12-31", "x", "a")),
    ("/hold prod because  it   burns", HoldCommand("prod", "it burns")),
    ("/unhold prod", UnholdCommand("prod")),
    ("/help", HelpCommand()),
    ("/lgtm", UnknownCommand("lgtm")),
    ("/hold prod", MalformedCommand("hold")),
    ("/waive x until 2026-02-30 because y", MalformedCommand("waive")),
    ("/plan now", MalformedCommand("plan")),
    ("/help me", MalformedCommand("help")),
    ("/explain checkout", MalformedCommand("explain")),
    ("/rollback Checkout", MalformedCommand("rollback")),
    ("/hold prod because \u202eevil", MalformedCommand("hold")),
    ("/hold prod because " + "x" * 500, MalformedCommand("hold")),
]


@pytest.mark.parametrize(("line", "command"), READ, ids=[line[:50] for line, _ in READ])
def test_a_line_is_read_by_its_grammar(line: str, command: Command) -> None:
    assert commands(line) == (command,)
    assert commands(f"Dear bot,\n\nplease\n  {line}  \n\nThank you") == (command,)
    assert commands(line.replace("\n", "\r\n")) == (command,)


@pytest.mark.parametrize(
    "comment",
    [
        "> /plan", "- /plan", "1. /plan", "    /plan", "```\n/plan\n```", "~~~\n/plan", "`/plan`", "`a\n/plan\nb`",
        "<!--\n/plan\n-->", "a <!--\n/plan\n-->", "<div>\n/plan\n</div>", "<details>\n\n/plan\n\n</details>",
        "<pre>\n\n/plan\n</pre>", "*a\n/plan*", "**\n/plan**", "[a\n/plan](b)", "/plan\n---", "/plan\n===", "# /plan",
        "\\/plan", "&#47;plan", "please /plan", "/etc/passwd is missing", "/Plan", "//plan", "/ plan", "",
        "On Monday somebody wrote:\n> /plan\n", "\uf8ff0\uf8ffplan\n/plan", "| a |\n|---|\n> /plan",
    ],
)  # fmt: skip
def test_talk_about_commands_is_no_command(comment: str) -> None:
    assert commands(comment) == ()


def test_a_comment_of_its_own_before_the_text_hides_nothing() -> None:
    assert commands("<!-- a template -->\n\n/plan") == (PlanCommand(),)


def test_nobody_writes_a_command_into_a_book() -> None:
    assert commands("/plan\n\n" + "x" * MOST) == ()


def test_every_word_has_a_way_to_be_used_and_somebody_who_does_it() -> None:
    assert set(WORDS) == set(USAGE)
    assert {*WORDS, "unknown", "malformed"} == set(COMMANDS)


def test_hostile_comments_hold_only_commands_that_a_reader_would_see() -> None:
    """A reader of CommonMark's own HTML is the oracle; what it does not show as a line of a paragraph is never read."""
    draw = random.Random(4711)
    found = 0
    for _ in range(3_000):
        found += holds(hostile(draw))
    assert found > 200, "the fuzz finds its way to commands"


def holds(comment: str) -> int:
    words = [getattr(command, "word", command.kind) for command in commands(comment)]
    shown = seen_by_a_reader(comment)
    for word in words:
        assert word in shown, (comment, words, shown)
        shown = shown[shown.index(word) + 1 :]
    return len(words)


@pytest.mark.parametrize(
    "comment",
    [
        "/a\n" + "[" * 1_900, "/plan\n\n" + "[a](<b" * 3_000, "/plan\n" + "*a" * 900, ">" * 19_000 + "\n/plan",
        "- " * 9_000 + "\n\n/plan", "/plan\n\n" + "<" * 19_000, "/x\n" + "``a" * 600, "/plan\n" * 3_000,
        "/plan\n\n" + "[a]: b\n" * 2_500, "/plan\n\n" + "&" * 19_000, "/plan\n\n" + "`" * 9_000 + "a" + "`" * 8_999,
    ],
    ids=range(11),
)  # fmt: skip
def test_no_comment_takes_long(comment: str) -> None:
    started = time.process_time()
    commands(comment)
    assert time.process_time() - started < 1
