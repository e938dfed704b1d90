"""Whatever is written in a plan, and however large it is, the comment stays one well-formed comment of our own making.

The oracle is a CommonMark parser with tables: what it finds must be the skeleton that the words make, and no more.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core.model.conversation import Conversation, Delivered, Dialect, Halted, Shas
from bot.core.model.plan import (
    DataChange,
    EnvironmentPlan,
    ObjectChange,
    Plan,
    PlatformChange,
    Row,
    ServicePlan,
    ValueChange,
    Wait,
)
from bot.core.model.rights import Agreement, Ground, Missing, Requirement
from bot.core.model.values import Origin
from bot.core.problem import Problem, Refusal
from bot.core.text import without_quick_actions
from bot.core.words import say, terminal
from bot.core.words.facts import FACTS

BLOB = "https://forge.example/acme/platform/blob/3f2c1e0"
HOSTILE = (
    "# heading\n", "\n\n## two\n\n", "[a](http://evil.example)", "![a](http://evil.example/x.png)",
    "<img src=x onerror=x>", "</details>", "</summary>", "<details>", "<!-- causeway -->", "@acme/payments", "@someone",
    "#12", "acme/x#12", "http://evil.example", "www.evil.example", "a@evil.example", "`", "``", "```", "```\n", "~~~\n",
    "|", "\\|", "\\", "\n- item\n", "\n1. item\n", "\n> quote\n", "\n---\n", "\n===\n", "\n\n    code\n", "*", "**",
    "__", "_a_", "~~", "\n/merge\n", "/close", "[x]: http://evil.example", "[x]", "&lt;b&gt;", "&#42;",
    "\r\n", "\t", "\x00", "\u202e", "\u200b",
    "$(reboot)", "${x}", "{{ x }}", ":tada:", "3f2c1e0c0ffee3f2c1e0c0ffee3f2c1e0c0ffee3", "\ud800",
    "", " ", "é", "😀", "checkout",
)  # fmt: skip

texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), max_size=4).map("".join)
origins = st.none() | st.builds(Origin, st.just("manifest"), texts, st.integers(1, 99), st.integers(1, 99), texts)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
shaped = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("min", "max", "size", "type", "class", "version", "ready_in", "form", "callers", "public", "team", "host"),
        values,
    ),
)
named = st.sampled_from([*FACTS, "need.db", "env.X", "secret.Y"]) | texts | texts.map(lambda t: f"env.{t}")
rows = st.builds(
    Row, named, values | shaped | st.lists(shaped, max_size=2), values | shaped | st.lists(shaped, max_size=2), origins
)
actions = st.sampled_from(["create", "change", "delete", "keep"])
changes = st.builds(ValueChange, st.lists(texts | st.integers(0, 9), max_size=3).map(tuple), values, values, origins)
objects = st.builds(ObjectChange, texts, texts, texts, actions, st.lists(changes, max_size=2).map(tuple))
data = st.builds(
    DataChange,
    texts,
    texts,
    texts,
    st.sampled_from(
        ["create", "change", "replace", "unknown", "keep", "drain", "destroy", "forget", "return", "prune"]
    ),
    texts,
    texts,
    texts | st.integers(0, 999).map(str),
    origins,
    st.booleans(),
)
waits = st.builds(Wait, st.sampled_from(["secret", "data", "release"]), texts, texts, texts)


def _some(inner: st.SearchStrategy[object], most: int = 2) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(inner, max_size=most).map(tuple)


environments = st.builds(
    EnvironmentPlan,
    st.sampled_from(["dev", "staging", "prod"]) | texts,
    texts,
    st.sampled_from(["new", "changed", "removed", "linked", "waiting"]),
    _some(rows, 4),
    _some(objects),
    _some(data),
    _some(waits),
    st.booleans(),
    st.booleans(),
    _some(texts),
    _some(texts),
    _some(st.sampled_from(["keda", "gateway"]) | texts),
)
services = st.builds(
    ServicePlan,
    texts,
    texts,
    texts,
    st.sampled_from(["new", "changed", "removed", "linked", "refused"]),
    _some(environments, 6),
    texts,
)
problems = st.builds(
    Problem,
    texts,
    st.integers(1, 99),
    st.integers(1, 99),
    st.just("CW0104"),
    texts,
    texts,
    texts,
    st.sampled_from(["error", "warning", "note"]),
    st.none() | texts,
)
plans = st.builds(
    Plan,
    _some(services, 3),
    _some(st.builds(PlatformChange, texts, texts, _some(objects))),
    _some(problems, 3),
    st.just(True),
    st.sampled_from(["enforce", "observe"]),
    st.integers(1, 9),
    st.dictionaries(st.sampled_from(["create", "change", "delete", "keep"]), st.integers(0, 10**6)),
)
requirements = st.builds(
    Requirement, texts, st.sampled_from(HOSTILE), st.sampled_from(get_args(Ground)), texts, st.integers(1, 5)
)
talks = st.builds(
    Conversation,
    st.one_of(
        plans, plans, plans, st.none(), st.lists(problems, min_size=1, max_size=3).map(lambda p: Refusal(tuple(p)))
    ),
    st.sampled_from(["open", "merged", "delivered", "closed"]),
    st.builds(Dialect, st.sampled_from(["github", "gitlab"]), st.integers(4_000, 60_000)),
    st.builds(Shas, texts, texts, texts, st.sampled_from([BLOB, ""]) | texts),
    st.booleans(),
    st.booleans(),
    _some(texts),
    st.just("") | texts,
    st.none() | st.builds(Delivered, texts, texts, texts, _some(texts), _some(texts)),
    st.none() | st.builds(Halted, texts, texts),
    texts,
    _some(texts),
    st.dictionaries(texts, texts, max_size=3),
    st.builds(Agreement, _some(st.builds(Missing, requirements, st.integers(1, 5)), 4), _some(requirements, 4), texts),
)
POLITE = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

_PARSER = MarkdownIt("commonmark").enable("table")
_OURS = frozenset(
    f"{block}_{end}"
    for block in ("heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td")
    for end in ("open", "close")
) | {"inline", "fence", "html_block"}  # fmt: skip
_INLINE = frozenset(
    {"text", "text_special", "code_inline", "html_inline", "em_open"}
    | {f"{mark}_{end}" for mark in ("strong", "link") for end in ("open", "close")}
)


class _Tags(HTMLParser):
    """Collects tags, and refuses attributes, comments and declarations."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("details", "summary", "b", "code")
        assert not attrs
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def assert_ours(comment: str, limit: int) -> None:
    """The comment holds nothing but the skeleton that the words make."""
    assert len(comment.encode()) <= limit
    tokens = _PARSER.parse(comment)
    assert {token.type for token in tokens} <= _OURS
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h3"]
    assert tokens[0].type == "heading_open"
    assert {token.info for token in tokens if token.type == "fence"} <= {"diff"}
    tags = _Tags()
    for token in tokens:
        if token.type == "html_block":
            tags.feed(token.content)
    assert tags.open == []
    for token in _inline(tokens):
        _assert_inline(token)
    _assert_tables(comment)
    assert not re.search(r"^/", comment, re.MULTILINE), "a quick action"
    assert without_quick_actions(comment) == comment, "behind white space, in a list, a quote or HTML"


def _inline(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def _assert_inline(token: Token) -> None:
    assert token.type in _INLINE - {"em_open"}, token
    if token.type == "html_inline":
        assert token.content in ("<code>", "</code>")
    if token.type == "link_open":
        assert str(token.attrs["href"]).startswith(("https://", "http://"))
        assert not re.search(r"[\s<>()]", str(token.attrs["href"]))
    if token.type == "text":
        assert not re.search(r"(?<![\w`])@[A-Za-z0-9]|https?://|(?:^|(?<=[\s(]))www\.[a-z]", token.content), (
            token.content
        )


def _assert_tables(comment: str) -> None:
    """Each row of a table has as many cells as its head; no parser had to make one up or drop one."""
    bars = 0
    for row in comment.split("\n"):
        if row.startswith("|"):
            bars = bars or row.count("|")
            assert row.count("|") == bars
        else:
            bars = 0


@POLITE
@given(talks)
def test_no_text_of_anyone_becomes_markup_of_ours(talk: Conversation) -> None:
    said = say(talk)
    assert said.comment is not None
    assert_ours(said.comment, talk.dialect.limit)
    assert 0 < len(said.status) <= 140
    assert said.status.isprintable() or "�" in said.status or not re.search(r"[\x00-\x1f]", said.status)


@POLITE
@given(talks)
def test_only_shas_links_and_minutes_move_without_being_content(talk: Conversation) -> None:
    moved = replace(
        talk,
        shas=Shas("a" * 40, talk.shas.base_ref, "b" * 40, "https://forge.example/other"),
        lag="deliveries are 99 minutes behind" if talk.lag else "",
    )
    assert say(moved).digest == say(talk).digest


@POLITE
@given(talks)
def test_the_same_conversation_is_always_told_with_the_same_words(talk: Conversation) -> None:
    assert say(talk) == say(replace(talk))


@POLITE
@given(plans, st.integers(20, 200))
def test_a_terminal_gets_no_control_character(plan: Plan, width: int) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", terminal(plan, width))


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(plans, st.sampled_from([1, 3, 30, 300]), st.sampled_from([4_000, 20_000, 60_000]), st.booleans())
def test_the_limit_holds_however_often_a_hostile_service_is_repeated(
    plan: Plan, times: int, limit: int, distinct: bool
) -> None:
    many = tuple(
        replace(service, name=f"svc-{at}" if distinct else service.name)
        for at in range(times)
        for service in plan.services
    )
    large = replace(plan, services=many, problems=plan.problems * times)
    said = say(Conversation(large, "open", Dialect("github", limit), Shas("a" * 40, "main", "b" * 40, BLOB)))
    assert said.comment is not None
    assert_ours(said.comment, limit)


def _fleet(size: int) -> Conversation:
    """So many services, of which no two change in the same way, each with a problem of its own and a diff."""
    origin = Origin("manifest", "services/x/platform.yaml", 4, 3)
    made = []
    diffs = {}
    for at in range(size):
        path = f"environments/prod/t/svc-{at}/kubernetes/deployment-svc-{at}.yaml"
        diffs[path] = f"-image: a:{at}\n+image: b:{at}\n" * 40
        there = EnvironmentPlan(
            "prod",
            "production",
            "changed",
            (Row("image", f"a{at}", f"b{at}", origin),),
            (ObjectChange(path, "Deployment", f"svc-{at}", "change", (ValueChange(("spec",), at, at + 1, origin),)),),
            restarts=True,
        )
        made.append(ServicePlan(f"services/svc-{at}", f"svc-{at}", "t", "changed", (there,)))
    found = tuple(
        Problem(f"services/bad-{at}/platform.yaml", 1, 1, "CW0104", "unknown field `x`", "nobody reads it", "Write `y`")
        for at in range(size // 20)
    )
    plan = Plan(tuple(made), (), found, True, "enforce", 1, {"change": size})
    shas = Shas("a" * 40, "main", "b" * 40, BLOB)
    return Conversation(plan, "open", Dialect("github"), shas, diffs=diffs)


@pytest.mark.parametrize("size", [0, 1, 10, 60, 300, 5_000])
def test_a_fleet_of_any_size_fits_and_what_is_left_out_is_counted(size: int) -> None:
    talk = _fleet(size)
    started = time.monotonic()
    said = say(talk)
    assert time.monotonic() - started < 10
    assert said.comment is not None
    assert_ours(said.comment, 60_000)
    named = len(set(re.findall(r"\*\*svc-[0-9]+\*\*", said.comment)))
    left = re.search(r"([0-9,]+) services? .*not named above", said.comment)
    if size > 1:
        assert named + (int(left[1].replace(",", "")) if left else 0) == size
    assert ("**Shortened** to fit here" in said.comment) == (size >= 60)


@pytest.mark.parametrize("limit", [4_000, 8_000, 30_000, 60_000])
def test_room_is_used_and_never_overdrawn(limit: int) -> None:
    talk = replace(_fleet(400), dialect=Dialect("gitlab", limit))
    said = say(talk)
    assert said.comment is not None
    assert_ours(said.comment, limit)
    assert len(said.comment.encode()) > limit * 0.8
