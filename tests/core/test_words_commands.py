"""What the bot answers to commands, word for word, and that nobody's text becomes markup of ours there.

To accept new words, run with CAUSEWAY_ACCEPT=1 and read the difference before it is committed.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.command import commands
from bot.core.model.command import HoldCommand, RollbackCommand, UnholdCommand, WaiveCommand
from bot.core.words import commands as words
from bot.core.words import fork_waits
from tests.core.test_words_hostile import HOSTILE

FILE = Path(__file__).parent.parent / "cases" / "commands" / "answers.md"
SHA = "3f2c1e0c0ffee3f2c1e0c0ffee3f2c1e0c0ffee3"
ROLLBACK = RollbackCommand("checkout", "prod", "3f2c1e0")
WAIVE = WaiveCommand("no-latest", "2026-12-31", "the vendor moves in January", "checkout")
BY = words.asked("dana", "#42")

ANSWERS: Mapping[str, str] = {
    "helped": words.helped(),
    "unknown": words.unknown("lgtm"),
    "malformed": words.malformed("hold"),
    "denied": words.denied("hold", ("acme/platform",)) + words.denied("rollback", ("acme/payments", "acme/platform")),
    "denied, writers": words.denied("plan", ()),
    "one_only": words.one_only(1) + words.one_only(3),
    "failed": words.failed("7f3a11c0"),
    "looked": words.looked(SHA, "Ready: 1 service, 3 environments, +$222 a month"),
    "nothing_to_plan": words.nothing_to_plan(),
    "older_head": words.older_head("9ab41d7", SHA),
    "opened": words.opened("#43", "Roll back checkout to 3f2c1e0"),
    "not_pushed": words.not_pushed("causeway/rollback-checkout"),
    "asked_before": words.asked_before("#43"),
    "no_platform": words.no_platform(),
    "explained": words.explained("image.ref = ghcr.io/acme/checkout:1.4.2\n"),
    "asked": BY,
    "rollback_pull": "\n".join(words.rollback_pull(ROLLBACK, SHA, BY)),
    "rollback_pull, whole": "\n".join(words.rollback_pull(RollbackCommand("checkout"), SHA, BY)),
    "waive_pull": "\n".join(words.waive_pull(WAIVE, "checkout", BY)),
    "hold_pull": "\n".join(words.hold_pull(HoldCommand("prod", "incident 4711"), BY)),
    "unhold_pull": "\n".join(words.unhold_pull(UnholdCommand("prod"), BY)),
    "no_service": words.no_service("chekcout"),
    "no_commit": words.no_commit(ROLLBACK),
    "as_it_was": words.as_it_was(ROLLBACK) + words.as_it_was(RollbackCommand("checkout", to="3f2c1e0")),
    "nothing_earlier": words.nothing_earlier(ROLLBACK) + words.nothing_earlier(RollbackCommand("checkout")),
    "not_by_release": words.not_by_release(ROLLBACK),
    "day_is_over": words.day_is_over(WAIVE),
    "which_service": words.which_service(WaiveCommand("no-latest", "2026-12-31", "x"), ["a", "b"]),
    "which_service, none": words.which_service(WaiveCommand("no-latest", "2026-12-31", "x"), []),
    "which_service, unknown": words.which_service(WAIVE, []),
    "by_hand": words.by_hand("services/a/platform.yaml", "waivers:\n- policy: no-latest\n"),
    "no_environment": words.no_environment("live", ["dev", "prod"]),
    "held_already": words.held_already("prod"),
    "not_held": words.not_held("prod", ["dev"]) + words.not_held("prod", []),
    "fork_waits": fork_waits(SHA).status + "\n\n" + (fork_waits(SHA).comment or ""),
}


def test_every_answer_is_told_as_it_was_read_and_accepted() -> None:
    page = "".join(f"<!-- {name} -->\n{text.rstrip()}\n\n" for name, text in ANSWERS.items())
    if os.environ.get("CAUSEWAY_ACCEPT") == "1":
        FILE.write_text(page, encoding="utf-8")
    assert page == FILE.read_text(encoding="utf-8")


def test_no_sentence_is_forgotten() -> None:
    made = {name for name, one in inspect.getmembers(words, inspect.isfunction) if one.__module__ == words.__name__}
    assert made <= {name.partition(",")[0] for name in ANSWERS}


def test_no_answer_commands_anything() -> None:
    """At GitLab a line that begins with a known word would be carried out with the bot's own rights."""
    for text in ANSWERS.values():
        assert not re.search(r"^\s*/", text, re.MULTILINE)
        assert commands(text) == ()


_PARSER = MarkdownIt("commonmark").enable("table")
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), max_size=4).map("".join)


@settings(deadline=None, max_examples=150)
@given(texts, texts)
def test_no_text_of_anyone_becomes_markup_in_an_answer(text: str, other: str) -> None:
    for answer in (
        words.hold_pull(HoldCommand("prod", text), words.asked(other, "#1"))[1],
        words.waive_pull(WaiveCommand("p", "2026-12-31", text), "a", words.asked(other, "#1"))[1],
        words.explained(text),
        words.looked(SHA, text),
        words.opened("#1", text),
        words.older_head(text, SHA),
        words.by_hand(text, other),
        words.no_service(text),
    ):
        assert not re.search(r"^/", answer, re.MULTILINE)
        tokens = _PARSER.parse(answer)
        assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close", "fence"}
        for token in (child for one in tokens for child in one.children or ()):
            assert token.type in ("text", "text_special", "code_inline", "softbreak", "html_inline"), token
            assert token.type != "html_inline" or token.content in ("<code>", "</code>")
