"""The verdict table, statuses, digests, commit messages: what words promise beside how they read."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.model.conversation import Conversation
from bot.core.model.delivery import Cursor, Step
from bot.core.model.plan import Plan, PlatformChange, Row
from bot.core.problem import Problem, Refusal
from bot.core.tree import Oid
from bot.core.words import commit_message, say, terminal, withdrawn
from tests.cases.words import plans

SHA = Oid("9ab41d7c0ffee9ab41d7c0ffee9ab41d7c0ffee9")


def _step(plan: Plan, *trailers: tuple[str, str]) -> Step:
    given = trailers or (("Platform-Commit", SHA), ("Pull-Request", "42"), ("Author-Id", "1234"), ("Kit", "1"))
    return Step({}, {}, Cursor("7", SHA, 1, "d"), plan, given)


def _plan(talk: Conversation) -> Plan:
    assert isinstance(talk.outcome, Plan)
    return talk.outcome


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("new-service", "success"),
        ("change", "success"),
        ("draft", "success"),
        ("first-release", "success"),
        ("linked-only", "success"),
        ("platform-change", "success"),
        ("delivered", "success"),
        ("observe", "success"),
        ("problems", "failure"),
        ("data-at-stake", "failure"),
        ("refused", "failure"),
        ("conflict", "failure"),
        ("halted", "failure"),
        ("unexpected-error", "failure"),
    ],
)
def test_each_verdict_is_to_the_forge_what_the_table_says(name: str, state: str) -> None:
    assert say(plans.CASES[name]()).state == state


@pytest.mark.parametrize("name", plans.CASES)
def test_observing_never_fails_and_says_that_it_observes(name: str) -> None:
    said = say(replace(plans.CASES[name](), observing=True))
    assert said.state == "success"
    assert said.status.startswith("Observing: ")
    assert said.comment is not None
    assert "Observing" in said.comment.splitlines()[0]


def test_a_status_waits_where_an_approval_is_missing_and_nowhere_else() -> None:
    for case in plans.CASES.values():
        talk = case()
        waits = bool(talk.agreement.missing) and talk.stage == "open"
        blocked = isinstance(talk.outcome, Plan) and bool(talk.outcome.errors)
        assert (say(talk).state == "pending") == (waits and not blocked and not talk.observing)


def test_where_nothing_of_ours_is_touched_there_is_a_status_and_no_comment() -> None:
    talk = plans.talk(plans.plan(concerns=False))
    said = say(talk)
    assert (said.state, said.status, said.comment, said.digest) == (
        "success",
        "Ready: nothing here concerns Causeway",
        None,
        "",
    )
    assert withdrawn(talk).comment is not None


def test_a_status_fits_however_long_the_names_are() -> None:
    path = "services/" + "very-long-name/" * 30 + "platform.yaml"
    found = Problem(path, 1, 1, "CW0104", "m", "w", "f")
    for outcome in (plans.plan(problems=(found,)), Refusal((found,))):
        status = say(plans.talk(outcome)).status
        assert len(status) <= 140
        assert "1 problem" in status or status.startswith("Refused: the platform's own files cannot be read")


def test_every_problem_is_told_with_place_code_reason_and_fix() -> None:
    comment = say(plans.problems()).comment
    assert comment is not None
    for problem in (plans.REPLICA, plans.LATEST):
        assert f"{problem.path}:{problem.line}:{problem.column}" in comment
        assert f"`{problem.code}`" in comment
        assert problem.fix in comment
        assert problem.why[1:] in comment


def test_nobody_else_needs_to_act_only_where_no_problem_asks_somebody() -> None:
    talk = plans.problems()
    assert "nobody else needs to act" in str(say(talk).comment)
    asking = replace(plans.LATEST, fix="ask the platform team for a public gateway there")
    said = str(say(replace(talk, outcome=replace(_plan(talk), problems=(plans.REPLICA, asking)))).comment)
    assert "nobody else" not in said
    assert "what needs another team says so" in said


def _hold() -> Conversation:
    talk = plans.platform_change()
    quiet = replace(_plan(talk), services=(), lines={}, platform=(PlatformChange("platform/holds.yaml", "+ prod"),))
    return replace(talk, outcome=quiet)


def test_what_writes_nothing_promises_no_delivery_and_claims_no_later_one() -> None:
    assert say(_hold()).status == "Ready: the platform's rules change, and nothing that runs"
    done = plans.delivered().delivered
    for after in (replace(_hold(), stage="merged"), replace(_hold(), stage="delivered", delivered=done)):
        said = say(after)
        assert (said.status, said.state) == ("Merged: there was nothing to deliver", "success")
        assert "Written to" not in str(said.comment)


def test_a_fault_found_after_the_merge_is_mended_in_another_pull_request() -> None:
    said = str(say(replace(plans.problems(), stage="merged")).comment)
    assert "what ran before stays until these are mended in another pull request" in said
    assert "and push" not in said


def test_what_is_merged_while_watching_is_not_said_to_be_delivered_next() -> None:
    watched = replace(plans.observe(), outcome=replace(_plan(plans.change()), mode="observe"))
    said = say(replace(watched, stage="merged"))
    assert said.status == "Observing: merged: nothing is delivered while it is so"
    late = say(replace(watched, stage="delivered", delivered=plans.delivered().delivered))
    assert late.status.startswith("Observing: Delivered as")
    assert "nothing is pushed" not in str(late.comment)


def test_what_was_delivered_names_environments_in_the_order_in_which_a_change_reaches_them() -> None:
    talk = plans.delivered()
    assert talk.delivered is not None
    said = say(replace(talk, delivered=replace(talk.delivered, environments=("dev", "prod", "staging"))))
    assert "to dev, staging, prod" in said.status
    unknown = replace(talk, outcome=None, delivered=replace(talk.delivered, environments=("b", "a")))
    assert "to a, b" in say(unknown).status


def test_a_moved_base_or_head_is_no_new_content_but_a_moved_line_is() -> None:
    talk = plans.change()
    moved = replace(talk, shas=replace(talk.shas, base="0" * 40, head="1" * 40, blob_url="https://forge.example/x"))
    assert say(moved).digest == say(talk).digest
    other = _plan(talk).services[0].environments[0]
    lower = replace(other, rows=(replace(other.rows[0], origin=plans.said_at(99)),))
    assert say(plans.talk(plans.plan(plans.service("checkout", "changed", lower)))).digest != say(talk).digest


def test_minutes_of_a_lag_are_no_content_but_that_there_is_one_is() -> None:
    talk = plans.change()
    late = [say(replace(talk, lag=f"deliveries are {n} minutes behind")).digest for n in (14, 15)]
    assert late[0] == late[1] != say(talk).digest


def test_ten_services_with_the_same_change_are_one_block() -> None:
    comment = say(plans.ten_the_same()).comment
    assert comment is not None
    assert comment.count("<details>") == 1
    assert comment.count("\n|---") == 1


def test_services_whose_changes_differ_are_not_put_together() -> None:
    first, second = plans.ten_the_same().outcome.services[:2]  # type: ignore[union-attr]  # the case holds a plan
    there = second.environments[0]
    other = replace(second, environments=(replace(there, rows=(Row("image", "1.4.2", "1.5.1"), *there.rows[1:])),))
    comment = say(plans.talk(plans.plan(first, other))).comment
    assert comment is not None
    assert comment.count("\n|---") == 2


def test_a_commit_message_says_what_went_where_and_ends_in_trailers() -> None:
    message = commit_message(_step(_plan(plans.change())))
    assert message == (
        "Deliver checkout to prod\n\n"
        "checkout: image 1.4.2 -> 1.5.0 (prod); runs 2-4 -> 4-20 (prod); LOG_LEVEL info -> warn (prod); "
        "cost a month $214 -> $391 (prod)\n\n"
        f"Platform-Commit: {SHA}\nPull-Request: 42\nAuthor-Id: 1234\nKit: 1\n"
    )


@pytest.mark.parametrize(
    "name", ["new-service", "ten-the-same", "removal-of-everything", "platform-change", "linked-only"]
)
def test_git_reads_exactly_our_trailers_and_a_short_subject(name: str, tmp_path: Path) -> None:
    message = commit_message(_step(_plan(plans.CASES[name]())))
    assert len(message.splitlines()[0]) <= 72
    read = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=message,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert [line.partition(":")[0] for line in read.stdout.splitlines()] == [
        "Platform-Commit",
        "Pull-Request",
        "Author-Id",
        "Kit",
    ]


def test_a_value_from_a_file_cannot_act_on_the_forge_through_a_commit_message() -> None:
    there = _plan(plans.change()).services[0].environments[0]
    evil = replace(there, rows=(Row("image", "x", "closes #1 @someone [skip ci]\n\nKit: 9\nPull-Request: 1"),))
    message = commit_message(_step(plans.plan(plans.service("checkout", "changed", evil))))
    assert not re.search(r"[@#\[\]]", message)
    assert message.count("\nKit: ") == 1


@pytest.mark.parametrize(
    "value",
    ["closes GH-12", "fixes gh-12", "closes (GH-12)", "@GH-12", "_GH-12", "closes https://github.com/acme/platform/issues/12",
     "Closes HTTPS://gitlab.acme.com/acme/platform/-/issues/12", "fixes http://x/acme/p/pull/3"],
)  # fmt: skip
def test_a_value_from_a_file_names_no_issue_in_a_commit_message(value: str) -> None:
    there = _plan(plans.change()).services[0].environments[0]
    evil = replace(there, rows=(Row("image", "x", value),))
    message = commit_message(_step(plans.plan(plans.service("checkout", "changed", evil))))
    assert not re.search(r"(?i)gh-\d|://", message)


@pytest.mark.parametrize("value", ["high-12", "https://collector.acme.com/v1", "gh-pages"])
def test_a_value_that_names_no_issue_stays_as_it_is_in_a_commit_message(value: str) -> None:
    there = _plan(plans.change()).services[0].environments[0]
    plain = replace(there, rows=(Row("image", "x", value),))
    assert f"-> {value} " in commit_message(_step(plans.plan(plans.service("checkout", "changed", plain))))


@pytest.mark.parametrize(
    "trailers",
    [
        (("Platform-Commit", "main"),),
        (("Platform-Commit", SHA), ("Signed-off-by", "someone")),
        (("Platform-Commit", SHA), ("Pull-Request", "42\nKit: 9")),
        (("Platform-Commit", SHA), ("Kit", "1"), ("Kit", "2")),
        (("Kit", "1"),),
    ],
)
def test_a_trailer_outside_the_closed_set_is_refused(trailers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match=r"trailer|commit"):
        commit_message(_step(_plan(plans.change()), *trailers))


def test_a_terminal_is_told_the_same_verdict_and_every_problem() -> None:
    shown = terminal(_plan(plans.problems()), 100)
    assert shown.startswith("2 problems in 1 file\n")
    assert "services/checkout/platform.yaml:6:3" in shown
    assert "`scale: {min: 2, max: 4}`" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())


def test_a_line_that_begins_with_somebodys_number_makes_no_list() -> None:
    """A service called `7` before our own full stop would become the first item of a numbered list."""
    from bot.core.words.inline import line, markdown, user

    assert markdown(line(user("7"), ". It changes.")) == "7&#46; It changes."
    assert markdown(line(user("7"), ") It changes.")) == "7&#41; It changes."


def test_what_warns_alike_at_many_places_is_told_once_with_the_places() -> None:
    warned = [
        Problem(f"services/s{at}/platform.yaml", 4, 1, "CW0710", "no digest", "it may change", "name it", "warning")
        for at in range(9)
    ]
    other = replace(warned[0], message="no health path")
    comment = say(plans.talk(plans.plan(problems=(*warned, other)))).comment or ""
    assert comment.count("May change") + comment.count("it may change") + comment.count("It may change") == 2
    assert all(f"services/s{at}/platform.yaml:4:1" in comment for at in range(7))
    assert "and 2 more places" in comment


def test_advice_is_folded_and_no_status_counts_it() -> None:
    advice = Problem("services/a/platform.yaml", 4, 8, "CW0709", "no digest", "it may change", "name it", "warning")
    said = say(plans.talk(plans.plan(problems=(advice, replace(advice, path="services/b/platform.yaml")))))
    comment = said.comment or ""
    before, fold, inside = comment.partition("Advice")
    assert "<summary>" in before[-40:]
    assert fold
    assert "1 thing" in inside
    assert "services/b/platform.yaml:4:8" in inside
    assert "warning" not in said.status
