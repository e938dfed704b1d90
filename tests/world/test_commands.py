"""Commands in comments, on the forge: seen, looked up live, answered once, marked; and what they open."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import pytest

from bot.flows.review import review
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from tests.core.made import PLATFORM, Files, service
from tests.world.stage import BOT, DEVELOPER, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world

OUTSIDER, WRITER, OWNER, LEAD = "mallory", "wendy", "olive", "paula"
SEEN, DONE, REFUSED = "eyes", "+1", "confused"


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Stage:
    made = Stage(sandbox, tmp_path, {**PLATFORM, **service("a"), **service("b", owner="shop")})
    sandbox.create_user(OUTSIDER, permission="read")
    for login in (WRITER, OWNER, LEAD):
        sandbox.create_user(login, permission="write")
    sandbox.join("acme/payments", OWNER)
    sandbox.join("acme/platform", LEAD)
    made.deliver()
    return made


def look(stage: Stage, number: int) -> None:
    review(number, stage.place, stage.bell, f"review-github-{stage.platform_id}-{number}")


def said(stage: Stage, number: int, body: str, by: str = WRITER) -> str:
    """The answer to a comment, without its marker; empty where there is none."""
    before = {one.id for one in stage.sandbox.comments(REPO, number)}
    stage.sandbox.comment(REPO, number, body, by)
    look(stage, number)
    return "".join(answers(stage, number, before))


def answers(stage: Stage, number: int, before: set[int] | frozenset[int] = frozenset()) -> list[str]:
    """What the bot said beside its one comment on the plan."""
    mine = [c for c in stage.sandbox.comments(REPO, number) if c.user.login == BOT and c.id not in before]
    return [c.body.partition("<!--")[0].strip() for c in mine if not c.body.startswith("###")]


def reactions(stage: Stage, number: int) -> list[list[str]]:
    """The bot's reactions to each comment of a person, oldest first."""
    return [
        [one.content for one in c.reactions if one.user.login == BOT]
        for c in stage.sandbox.comments(REPO, number)
        if c.user.login != BOT
    ]


def edit(stage: Stage, comment: int, body: str, by: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - the sandbox
        f"{stage.sandbox.api_url}/repos/{REPO}/issues/comments/{comment}",
        json.dumps({"body": body}).encode(),
        {"Authorization": f"Bearer {stage.sandbox.token_for(by)}", "Content-Type": "application/json"},
        method="PATCH",
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert answer.status == 200


def opened(stage: Stage) -> int:
    """The newest pull request that the bot opened."""
    mine = [p for p in stage.sandbox.world.repository(REPO).pulls() if p.user.login == BOT]
    assert mine, "none was opened"
    return mine[-1].number


def file_at(stage: Stage, number: int, path: str) -> str:
    return stage.sandbox.files(REPO, stage.sandbox.pull(REPO, number).head_ref)[path].decode()


def test_a_command_is_seen_answered_once_and_marked(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    assert said(stage, number, "Please\n/plan").startswith("Looked at `")
    assert reactions(stage, number) == [[SEEN, DONE]]
    for _ in range(3):
        look(stage, number)
    assert len(answers(stage, number)) == 1
    assert reactions(stage, number) == [[SEEN, DONE]]


def test_help_tells_what_there_is_and_unknown_words_get_it_once(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    assert "/rollback" in said(stage, number, "/help", OUTSIDER)
    assert "no command of Causeway" in said(stage, number, "/lgtm")
    assert said(stage, number, "/lgtm\n/retest", OUTSIDER) == ""
    assert reactions(stage, number)[1:] == [[SEEN, REFUSED], [SEEN, REFUSED]]
    assert len(answers(stage, number)) == 2


def test_a_command_that_is_written_wrongly_is_told_how(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    assert "`/hold <env> because <reason>`" in said(stage, number, "/hold prod", LEAD)


def test_commands_of_outsiders_are_refused_in_one_comment_however_many_they_are(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    for body in (
        "/plan",
        "/explain a prod",
        "/rollback a",
        "/waive x until 2027-01-01 because y",
        "/hold prod because x",
    ):
        said(stage, number, body, OUTSIDER)
    assert reactions(stage, number) == [[SEEN, REFUSED]] * 5
    assert len(answers(stage, number)) == 1
    assert not [p for p in stage.sandbox.world.repository(REPO).pulls() if p.user.login == BOT]


def test_commands_of_bots_and_edited_ones_are_not_read(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    stage.sandbox.create_user("robot", permission="admin", kind="Bot")
    stage.sandbox.comment(REPO, number, "/plan", "robot")
    talk = stage.sandbox.comment(REPO, number, "hello", LEAD)
    time.sleep(1.1)  # the forge tells times in whole seconds
    edit(stage, talk.id, "/hold prod because x", LEAD)
    look(stage, number)
    assert answers(stage, number) == []
    assert reactions(stage, number) == [[], []]


def test_what_is_quoted_or_in_code_is_no_command(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    assert said(stage, number, "> /plan\n\n`/plan`\n\n```\n/plan\n```\n\n- /plan\n") == ""
    assert reactions(stage, number) == [[]]


def test_explain_answers_from_the_merge_result(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    assert "ghcr.io/acme/a:2.0.0" in said(stage, number, "/explain a prod image")
    assert "service" in said(stage, number, "/explain nobody prod")
    assert reactions(stage, number) == [[SEEN, DONE], [SEEN, REFUSED]]


def test_rollback_opens_the_pull_request_that_brings_back_what_ran(stage: Stage) -> None:
    first = stage.files()["environments/prod/payments/a/kubernetes/deployment-a.yaml"]
    number = stage.open(service("a", image="2.0.0"))
    stage.merge(number)
    assert "is for members of `@acme/payments` or `@acme/platform`" in said(stage, number, "/rollback a", WRITER)
    answer = said(stage, number, "/rollback a", OWNER)
    back = opened(stage)
    assert answer.startswith(f"Opened #{back}: `Roll back a to ")
    status, comment = stage.review(back)
    assert status.startswith("success"), "a rollback waits for nobody"
    assert comment is not None
    assert "`2.0.0` → **`1.0.0`**" in comment
    stage.merge(back)
    assert stage.files()["environments/prod/payments/a/kubernetes/deployment-a.yaml"] == first
    assert stage.breaches() == ()


def test_rollback_twice_is_one_pull_request(stage: Stage) -> None:
    stage.merge(stage.open(service("a", image="2.0.0")))
    number = stage.open({"README.md": "x"})
    said(stage, number, "/rollback a", OWNER)
    said(stage, number, "/rollback a", LEAD)
    assert len([p for p in stage.sandbox.world.repository(REPO).pulls() if p.user.login == BOT]) == 1
    assert reactions(stage, number) == [[SEEN, DONE], [SEEN, DONE]]


def test_rollback_of_one_environment_takes_its_release_or_says_that_it_cannot(stage: Stage) -> None:
    def released(dev: str, prod: str) -> Files:
        text = "name: a\nowner: payments\ntype: web\nimage: ghcr.io/acme/a\n"
        rows = f"dev: {{image: 'ghcr.io/acme/a:{dev}'}}\nprod: {{image: 'ghcr.io/acme/a:{prod}'}}\n"
        return {"services/a/platform.yaml": text, "services/a/releases.yaml": rows}

    for versions in (("1.0.0", "1.0.0"), ("1.1.0", "1.0.0"), ("1.1.0", "1.1.0")):
        stage.merge(stage.open(released(*versions)))
    number = stage.open({"README.md": "x"})
    said(stage, number, "/rollback a prod", OWNER)
    assert (
        file_at(stage, opened(stage), "services/a/releases.yaml")
        == released("1.1.0", "1.0.0")["services/a/releases.yaml"]
    )
    assert "is not decided by its" in said(stage, number, "/rollback b prod", LEAD)
    assert "There is no service" in said(stage, number, "/rollback nobody", LEAD)
    assert "No other version" in said(stage, number, "/rollback b", LEAD)


def test_a_service_that_was_removed_comes_back(stage: Stage) -> None:
    number = stage.open({"services/a/platform.yaml": None})
    stage.merge(number)
    said(stage, number, "/rollback a", LEAD)
    assert file_at(stage, opened(stage), "services/a/platform.yaml") == service("a")["services/a/platform.yaml"]


def test_hold_and_unhold_write_the_file_by_pull_request(stage: Stage) -> None:
    number = stage.open({"README.md": "x"})
    assert "is for members of `@acme/platform`" in said(stage, number, "/hold prod because of 4711", OWNER)
    said(stage, number, "/hold prod because of incident #4711: *it burns*", LEAD)
    held = opened(stage)
    assert file_at(stage, held, "platform/holds.yaml") == (
        'holds:\n  prod:\n    reason: "of incident #4711: *it burns*"\n    by: paula\n'
    )
    assert stage.review(held)[0] == "pending: Waits for 1 approval of @acme/platform"
    stage.merge(held)
    blocked = stage.open(service("a", image="2.0.0"))
    assert stage.review(blocked)[0].startswith("failure: Blocked: prod is on hold by paula: of incident #4711")
    assert "on hold already" in said(stage, number, "/hold prod because x", LEAD)
    said(stage, number, "/unhold prod", LEAD)
    lifted = opened(stage)
    assert file_at(stage, lifted, "platform/holds.yaml") == "holds: {}\n"
    stage.merge(lifted)
    assert stage.review(blocked)[0].startswith("success")


def test_waive_adds_to_the_manifest_of_the_service_that_is_changed(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    assert "more than one" not in said(stage, number, "/waive no-latest until 2099-01-01 because we move")
    made = opened(stage)
    assert file_at(stage, made, "services/a/platform.yaml") == service("a")["services/a/platform.yaml"] + (
        'waivers:\n- policy: no-latest\n  reason: we move\n  until: "2099-01-01"\n'
    )
    assert "is over" in said(stage, number, "/waive x until 2020-01-01 because y")
    assert "Say which one" in said(stage, stage.open({"README.md": "x"}), "/waive x until 2099-01-01 because y")
    said(stage, number, "/waive x for b until 2099-01-01 because y")
    assert "policy: x" in file_at(stage, opened(stage), "services/b/platform.yaml")


def test_a_command_in_an_issue_is_obeyed_too(stage: Stage) -> None:
    stage.place.forge.ensure_issue("a-key", "Trouble", "Something burns.")
    (issue,) = stage.sandbox.issues(REPO)
    said(stage, issue.number, "/hold prod because it burns", LEAD)
    assert file_at(stage, opened(stage), "platform/holds.yaml").startswith("holds:")
    assert "no open pull request" in said(stage, issue.number, "/plan")


def test_a_pull_request_that_the_forge_misses_for_a_moment_is_no_issue(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    stage.sandbox.comment(REPO, number, "/plan", WRITER)
    stage.sandbox.faults.append(Fault("GET", rf".*/pulls/{number}", before=404))
    look(stage, number)
    assert reactions(stage, number) == [[SEEN, DONE]]


def test_one_command_a_comment_and_the_answer_says_so(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    answer = said(stage, number, "/explain a prod image\n\n/hold prod because x", LEAD)
    assert "one command a comment" in answer
    assert not [p for p in stage.sandbox.world.repository(REPO).pulls() if p.user.login == BOT]


def test_a_branch_of_somebody_else_in_the_way_is_left_alone(stage: Stage) -> None:
    stage.merge(stage.open(service("a", image="2.0.0")))
    number = stage.open({"README.md": "x"})
    said(stage, number, "/rollback a", OWNER)
    first = opened(stage)
    branch = stage.sandbox.pull(REPO, first).head_ref
    stage.sandbox.close(REPO, first)
    mine = stage.sandbox.commit(REPO, branch, {"mine.txt": b"x"}, "Mine", DEVELOPER)
    assert "could not be pushed" in said(stage, number, "/rollback a", OWNER)
    assert stage.sandbox.head(REPO, branch) == mine


def test_a_fork_waits_for_a_members_word_pinned_to_its_head_where_config_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    asks = PLATFORM["platform/config.yaml"] + "forks: ask\n"
    stage = Stage(sandbox, tmp_path, {**PLATFORM, **service("a"), "platform/config.yaml": asks})
    sandbox.create_user(OUTSIDER, permission="read")
    sandbox.create_user(WRITER, permission="write")
    stage.deliver()
    theirs = sandbox.fork(REPO, OUTSIDER)
    sandbox.commit(theirs, "fix", {"services/a/platform.yaml": b"name: a\n"}, "A fix", OUTSIDER, base="main")
    number = sandbox.open_pull(REPO, "A fix", f"{OUTSIDER}:fix", "main", OUTSIDER)
    head = sandbox.pull(REPO, number).head_sha
    status, comment = stage.review(number)
    assert status == f"pending: Waits for a member to comment /plan {head[:12]}: this comes from a fork"
    assert comment is not None
    for body, by in ((f"/plan {head[:12]}", OUTSIDER), ("/plan", WRITER), (f"/plan {'0' * 12}", WRITER)):
        sandbox.comment(REPO, number, body, by)
        look(stage, number)
        assert sandbox.newest_statuses(REPO, head)["causeway"].state == "pending"
    sandbox.comment(REPO, number, f"/plan {head[:12]}", WRITER)
    look(stage, number)
    assert sandbox.newest_statuses(REPO, head)["causeway"].state == "failure", "the manifest lacks fields"
    sandbox.commit(theirs, "fix", {"services/a/platform.yaml": b"name: b\n"}, "More", OUTSIDER)
    newer = sandbox.pull(REPO, number).head_sha
    look(stage, number)
    assert newer != head
    assert sandbox.newest_statuses(REPO, newer)["causeway"].state == "pending"
