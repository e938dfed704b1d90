"""What GitLab would run as a command of its own never stands at the start of a line of ours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.text import without_quick_actions

COMMANDS = re.compile(r"^(?:[ \t>*+-]|[0-9]+[.)])*/[A-Za-z]", re.MULTILINE)
FENCE = re.compile(r"^ {0,3}(`{3,}).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
PIECES = ("/", "/close", "/merge", " ", "\t", "\n", "\r", "\r\n", ">", "- ", "* ", "1. ", "a", "\\", "é")
MARKUP = ("<details>", "<!--", "-->", "`")
FENCES = ("```", "~~~")


def texts(*pieces: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), max_size=30).map("".join)


@pytest.mark.parametrize(
    "text",
    ["/close", "  /merge now", "- /assign @ada", "1. /close", "> /close", ">> - /close", "a\n/close", "a\r\n/close",
     "<details>\n/close\n</details>", "```\n/close\n```", "```\n  x\n/close\n```\n/close", "````\n```\n/close\n````"],
)  # fmt: skip
def test_no_line_begins_with_a_command(text: str) -> None:
    made = without_quick_actions(text)
    assert not re.search(r"^/", made, re.MULTILINE)
    assert not COMMANDS.search(FENCE.sub("", made))
    assert without_quick_actions(made) == made


@given(texts(*PIECES, *MARKUP, *FENCES))
def test_whatever_a_comment_holds_no_line_of_it_begins_with_a_slash(text: str) -> None:
    made = without_quick_actions(text)
    assert not re.search(r"^/", made, re.MULTILINE)
    assert without_quick_actions(made) == made


@given(texts(*PIECES, "<details>", "<!--", "-->"))
def test_without_fences_no_line_begins_with_a_command_behind_anything(text: str) -> None:
    assert not COMMANDS.search(without_quick_actions(text))


@given(texts(*(one for one in PIECES if one != "\t")))
def test_what_people_read_stays_the_same(text: str) -> None:
    # Code indented by four spaces shows an entity as it is written; nothing of ours is indented so.
    if not re.search(r"(^|[\n\r])[ >*+\-0-9.)]{4,}", text):
        markdown = MarkdownIt()
        assert markdown.render(without_quick_actions(text)) == markdown.render(text)


def test_paths_and_addresses_inside_a_line_stay_as_they_are() -> None:
    text = (
        "see services/checkout and https://acme.example/x\n\n`/rollback checkout prod` and a/b\n```diff\n /usr\n```\n"
    )
    assert without_quick_actions(text) == text
