"""What stands at lines: suggestions mend what they are made for, and a manifest's text never becomes more than text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.check import check, compile_schema
from bot.core.model.conversation import Conversation, Dialect
from bot.core.model.values import Doc
from bot.core.parse import parse
from bot.core.problem import Problem
from bot.core.words import say
from bot.core.words.beside import annotated, mended_line, remarks
from tests.cases.words import plans

SCHEMA = compile_schema(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "port": {"type": "integer"},
            "version": {"type": "string"},
            "public": {"type": "boolean"},
            "type": {"enum": ["worker", "website"]},
            "deploy_to": {"type": "array"},
            "scale": {"type": "integer", "x-aliases": ["replicas"]},
            "tier": {"type": "integer"},
        },
    },
    {},
)
PATH = "services/a/platform.yaml"
PARAGRAPH = ["paragraph_open", "paragraph_close"]


def found(text: str) -> tuple[Problem, ...]:
    doc = parse(PATH, text.encode())
    assert isinstance(doc, Doc)
    return check(doc, SCHEMA)


def talk(*problems: Problem, text: str = "", forge: str = "github") -> Conversation:
    made = plans.talk(plans.plan(problems=problems), texts={PATH: tuple(text.split("\n"))})
    return replace(made, dialect=Dialect(forge))  # type: ignore[arg-type]  # one of the two


@pytest.mark.parametrize(
    ("written", "better"),
    [
        ('port: "8080"', "port: 8080"),
        ("port: '8080'  # why", "port: 8080  # why"),
        ("version: 17", 'version: "17"'),
        ("version: 1.10", None),  # the number is 1.1: which of the two is meant only its author knows
        ("{version: 17, port: 1}", '{version: "17", port: 1}'),
        ('public: "true"', "public: true"),
        ("public: yes please", None),
        ("type: wrker", "type: worker"),
        ("type: cron", None),
        ("deployTo: [dev]", "deploy_to: [dev]"),
        ("deploy-to: [dev]", "deploy_to: [dev]"),
        ("replicas: 3", None),  # another word: whether it means the same is the author's to say
        ("tire: 2", None),
        ("port: x8080", None),
    ],
)
def test_only_what_can_have_meant_one_thing_is_suggested_and_the_suggestion_mends_it(
    written: str, better: str | None
) -> None:
    (problem,) = found(written + "\n")
    assert mended_line(written, problem) == better
    if better is not None:
        assert found(better + "\n") == ()


def test_a_field_that_stands_there_in_its_right_spelling_too_is_not_renamed_into_a_duplicate() -> None:
    (problem,) = found("deploy_to: [dev]\ndeployTo: [prod]\n")
    assert mended_line("deployTo: [prod]", problem) is None


def test_two_slips_in_one_line_get_one_suggestion() -> None:
    text = '{port: "1", version: 2}'
    told = remarks(talk(*found(text + "\n"), text=text))
    assert len([one for one in told if "```suggestion" in one.body]) == 1


@given(st.text(max_size=40), st.text(max_size=20), st.text("`~/>#-\\\n\t ab", max_size=20), st.sampled_from((1, 3)))
def test_whatever_the_line_a_remark_is_one_paragraph_and_at_most_one_fence(
    written: str, old: str, new: str, column: int
) -> None:
    written = "- "[: column - 1] + old + ": " + written
    problem = Problem(PATH, 1, column, "CW0104", f"unknown `{old}`", "why", "fix", instead=(old, new))
    for forge in ("github", "gitlab"):
        for one in remarks(talk(problem, text=written, forge=forge)):
            kinds = [token.type for token in MarkdownIt("commonmark").parse(one.body) if token.level == 0]
            assert kinds[:2] == PARAGRAPH
            assert kinds[2:] in ([], ["fence"])


def test_annotations_tell_what_why_and_what_to_write_as_plain_text_on_one_line() -> None:
    (problem,) = found("deployTo: [dev]\n")
    (one,) = annotated(talk(problem, text="deployTo: [dev]"))
    assert (one.path, one.line, one.column, one.level) == (PATH, 1, 1, "failure")
    assert one.title == "CW0104: unknown field deployTo"
    assert "did you mean" in one.message.lower()
    assert "\n" not in one.message
    assert json.loads(json.dumps(one.message)) == one.message


def test_a_file_whose_lines_may_be_others_at_the_head_gets_nothing() -> None:
    (problem,) = found("deployTo: [dev]\n")
    said = say(replace(talk(problem), texts={}))
    assert (said.annotations, said.remarks) == ((), ())


def test_what_has_landed_is_not_told_at_lines_any_more() -> None:
    (problem,) = found("deployTo: [dev]\n")
    assert annotated(replace(talk(problem, text="deployTo: [dev]"), stage="merged")) == ()
