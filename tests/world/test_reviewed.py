"""What was reviewed against what other merges have made of it, before and after it lands. On both forges."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.core.made import DB, RECIPES, service
from tests.core.made import PLATFORM as BASE
from tests.world.faces import FACES, stage_at
from tests.world.stage import DEVELOPER, PLATFORM, Stage

pytestmark = pytest.mark.world
FILES = {**BASE, **service("a"), **service("b")}
CHANGED = "Changed since review"
OTHERWISE = "This is not quite what was reviewed"
MOVED = {"platform/recipes.yaml": RECIPES.replace("recipe: cnpg-small", "recipe: aws-rds")}
"""Somebody else's merge: what a database in dev is made of."""


@pytest.fixture(params=FACES)
def on(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Stage:
    stage = stage_at(request.param, sandbox, tmp_path, FILES)
    stage.deliver()
    return stage


def told(on: Stage, number: int) -> str:
    _, comment = on.review(number)
    assert comment is not None
    return comment


def based(comment: str) -> str:
    """The base for which it says that it was first computed."""
    return comment.partition("onto `main@")[2][:7]


def test_a_base_that_moves_without_touching_the_plan_leaves_the_comment_as_it_is(on: Stage) -> None:
    number = on.open(dict(service("a", DB)))
    before = told(on, number)
    on.push(dict(service("b", image="7")))
    assert told(on, number) == before


def test_a_plan_that_another_merge_has_changed_says_so_with_the_difference(on: Stage) -> None:
    number = on.open(dict(service("a", DB)))
    before = told(on, number)
    assert CHANGED not in before
    on.push(MOVED)
    status, after = on.review(number)
    assert after is not None
    assert CHANGED in after.split("\n\n")[1], "right after the first line"
    assert "`a` in `dev`, db: was " in after
    assert status.endswith("changed since review")
    newest = (on.sandbox.head(PLATFORM) or "")[:7]
    assert f"onto `main@{based(before)}` and again onto `main@{newest}`" in after
    assert told(on, number) == after, "and says it once"
    on.push({"platform/recipes.yaml": RECIPES})
    assert CHANGED not in told(on, number), "what was taken back is no difference any more"


def test_a_push_of_the_author_starts_anew(on: Stage) -> None:
    number = on.open(dict(service("a", DB)), branch="topic")
    told(on, number)
    on.push(MOVED)
    assert CHANGED in told(on, number)
    edit = {path: text.encode() for path, text in service("a", DB, image="2").items()}
    on.sandbox.commit(PLATFORM, "topic", edit, "More", DEVELOPER)
    after = told(on, number)
    assert CHANGED not in after
    assert based(after) == (on.sandbox.head(PLATFORM) or "")[:7]


def test_what_was_delivered_as_it_was_reviewed_says_nothing_of_it(on: Stage) -> None:
    number = on.open(dict(service("a", DB)))
    told(on, number)
    on.push(dict(service("b", image="7")))
    on.merge(number)
    status, comment = on.said(number)
    assert status.startswith("success: Delivered as")
    assert comment is not None
    assert OTHERWISE not in comment


def test_what_was_delivered_otherwise_than_reviewed_says_how_and_goes_on_saying_it(on: Stage) -> None:
    number = on.open(dict(service("a", DB)))
    told(on, number)
    on.push(MOVED)
    on.merge(number)
    status, comment = on.said(number)
    assert status.endswith("differs from what was reviewed")
    assert comment is not None
    assert OTHERWISE in comment
    assert "`a` in `dev`, db: was " in comment
    on.push(dict(service("b", image="9")))
    on.deliver()
    assert on.review(number) == (status, comment)


def test_what_was_told_again_before_the_merge_was_reviewed(on: Stage) -> None:
    number = on.open(dict(service("a", DB)))
    told(on, number)
    on.push(MOVED)
    assert CHANGED in told(on, number)
    on.merge(number)
    comment = on.said(number)[1]
    assert comment is not None
    assert OTHERWISE not in comment


def test_a_last_push_that_nobody_looked_at_is_named_once_it_is_delivered(on: Stage) -> None:
    number = on.open(dict(service("a", DB)), branch="topic")
    told(on, number)
    edit = {path: text.encode() for path, text in service("a", DB, image="2").items()}
    sha = on.sandbox.commit(PLATFORM, "topic", edit, "More", DEVELOPER)
    on.merge(number)
    comment = on.said(number)[1]
    assert comment is not None
    assert OTHERWISE in comment
    assert f"`{sha[:7]}`, was merged before it was looked at" in comment


@pytest.mark.parametrize("sha", ["0" * 40, "ab" * 20])
def test_a_base_that_somebody_wrote_into_our_comment_is_believed_only_where_the_branch_has_been(
    on: Stage, sha: str
) -> None:
    number = on.open(dict(service("a", DB)))
    first = on.sandbox.head(PLATFORM) or ""
    assert first in told(on, number), "the marker remembers it"
    (ours,) = on.sandbox.comments(PLATFORM, number)
    ours.body = ours.body.replace(first, sha)
    on.push(MOVED)
    after = told(on, number)
    assert CHANGED not in after
    assert sha not in after
