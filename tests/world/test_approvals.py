"""Approvals as evidence, on the forge: who must agree is named, waited for, and looked up live for exactly one head."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.rules.unreviewed import UNREVIEWED
from bot.core.tree import Oid
from bot.flows.names import CONTEXT
from bot.flows.review import review_queue
from bot.sandbox import Sandbox
from bot.sandbox.faults import Request
from tests.core.made import DB, ENVIRONMENTS, PLATFORM, Files, destroy, service
from tests.world.stage import BOT, DEVELOPER, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world

OUTSIDER, OWNER, SECOND, LEAD = "mallory", "olive", "oscar", "paula"
COUNTED = {"platform/environments.yaml": ENVIRONMENTS.replace("  prod:\n", "  prod:\n    approvals: 1\n")}
CLOSED = {"platform/environments.yaml": ENVIRONMENTS.replace("  prod:\n", "  prod:\n    require_pull_request: true\n")}


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Stage:
    return staged(sandbox, tmp_path, COUNTED)


def staged(sandbox: Sandbox, tmp_path: Path, files: Files) -> Stage:
    made = Stage(sandbox, tmp_path, {**PLATFORM, **service("a", DB), **files})
    for login in (OUTSIDER, OWNER, SECOND, LEAD):
        sandbox.create_user(login, permission="write")
    for team, login in (("payments", OWNER), ("payments", SECOND), ("platform", LEAD)):
        sandbox.join(f"acme/{team}", login)
    made.deliver()
    return made


def opened(stage: Stage, files: Files, by: str, branch: str = "theirs") -> int:
    data = {path: text.encode() for path, text in files.items()}
    stage.sandbox.commit(REPO, branch, data, "A change", by, base="main")
    return stage.sandbox.open_pull(REPO, "A change", branch, "main", by)


CHANGED = service("a", DB, image="2.0.0")


def test_who_must_act_is_named_until_they_did(stage: Stage) -> None:
    number = opened(stage, CHANGED, OUTSIDER)
    status, comment = stage.review(number)
    assert status == "pending: Waits for 1 approval of @acme/payments (prod)"
    assert comment is not None
    assert comment.startswith("### ⏳ Waits for @acme/payments: **a** changes in dev, prod")
    assert "- **Needs** the approval of @acme/payments, which owns `services/a`" in comment
    stage.sandbox.review(REPO, number, OWNER)
    status, comment = stage.review(number)
    assert status.startswith("success: Ready: ")
    assert comment is not None
    assert "Needs" not in comment


def test_an_owner_agrees_to_what_they_wrote_and_production_wants_another(stage: Stage) -> None:
    number = opened(stage, CHANGED, OWNER)
    _, comment = stage.review(number)
    assert stage.said(number)[0] == "pending: Waits for 1 approval of @acme/payments (prod)"
    assert comment is not None
    assert "which owns" not in comment
    stage.sandbox.review(REPO, number, SECOND)
    assert stage.review(number)[0].startswith("success")


def test_where_the_owning_team_is_only_the_author_the_platform_team_approves(stage: Stage) -> None:
    stage.sandbox.join("acme/payments", SECOND, None)
    number = opened(stage, CHANGED, OWNER)
    stage.review(number)
    stage.sandbox.review(REPO, number, LEAD)
    assert stage.review(number)[0].startswith("success")


def test_an_approval_of_an_outsider_or_of_an_older_head_counts_for_nothing(stage: Stage) -> None:
    number = opened(stage, CHANGED, OUTSIDER)
    stage.sandbox.create_user("trent", permission="admin")
    stage.sandbox.review(REPO, number, "trent")
    assert stage.review(number)[0].startswith("pending")
    stage.sandbox.review(REPO, number, OWNER)
    assert stage.review(number)[0].startswith("success")
    stage.sandbox.commit(REPO, "theirs", {"services/a/notes.md": b"x"}, "More", OUTSIDER)
    assert stage.review(number)[0].startswith("pending")


def test_who_pushed_to_the_branch_cannot_approve_it(stage: Stage) -> None:
    number = opened(stage, CHANGED, OUTSIDER)
    stage.sandbox.commit(REPO, "theirs", {"services/a/notes.md": b"x"}, "More", OWNER)
    stage.sandbox.review(REPO, number, OWNER)
    assert stage.review(number)[0].startswith("pending")
    stage.sandbox.review(REPO, number, SECOND)
    assert stage.review(number)[0].startswith("success")


def test_a_branch_of_a_member_that_an_outsider_pushed_to_is_not_the_teams_word(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    stage = staged(sandbox, tmp_path, {})
    number = opened(stage, service("a", DB, image="1.5.0"), OWNER)
    assert stage.review(number)[0].startswith("success")
    data = {path: text.encode() for path, text in CHANGED.items()}
    sandbox.commit(REPO, "theirs", data, "More", OUTSIDER)
    assert stage.review(number)[0] == "pending: Waits for 1 approval of @acme/payments"


def test_membership_is_looked_up_each_time(stage: Stage) -> None:
    number = opened(stage, CHANGED, OUTSIDER)
    stage.sandbox.review(REPO, number, OWNER)
    assert stage.review(number)[0].startswith("success")
    stage.sandbox.join("acme/payments", OWNER, None)
    assert stage.review(number)[0].startswith("pending")
    stage.sandbox.join("acme/payments", OWNER, "pending")
    assert stage.review(number)[0].startswith("pending"), "an invitation is no membership"


def test_a_dismissed_approval_is_none(stage: Stage) -> None:
    number = opened(stage, CHANGED, OUTSIDER)
    given = stage.sandbox.review(REPO, number, OWNER)
    assert stage.review(number)[0].startswith("success")
    stage.sandbox.dismiss(REPO, given, DEVELOPER)
    assert stage.review(number)[0].startswith("pending")


def test_a_service_that_is_taken_over_needs_both_teams(stage: Stage) -> None:
    number = opened(stage, service("a", DB, owner="shop"), OUTSIDER)
    status, comment = stage.review(number)
    assert status == "pending: Waits for 1 approval of @acme/payments (prod) and 1 of @acme/shop"
    assert comment is not None
    assert "`@acme/shop`" in comment, "who only comes with the change is not called"


def test_the_platforms_files_wait_for_the_platform_team_though_nothing_moves(stage: Stage) -> None:
    number = opened(stage, {"platform/holds.yaml": "holds: {prod: {reason: r, by: b}}\n"}, OWNER)
    status, comment = stage.review(number)
    assert status == "pending: Waits for 1 approval of @acme/platform"
    assert comment is not None
    assert "`platform/holds.yaml`" in comment
    stage.sandbox.review(REPO, number, LEAD)
    assert stage.review(number)[0].startswith("success")


def test_what_was_merged_past_the_approvals_is_delivered_and_told(stage: Stage) -> None:
    number = opened(stage, CHANGED, OUTSIDER)
    stage.review(number)
    stage.merge(number)
    status, comment = stage.said(number)
    assert status.startswith("success: Delivered as")
    assert comment is not None
    assert "**Was merged without** 1 approval of @acme/payments" in comment
    assert b"a:2.0.0" in stage.files()["environments/prod/payments/a/kubernetes/deployment-a.yaml"]


def test_words_of_destruction_count_with_the_approvals_of_exactly_the_head_that_landed(stage: Stage) -> None:
    gone = {**destroy("prod/a/db"), **service("a")}
    number = opened(stage, gone, OWNER)
    status, comment = stage.review(number)
    assert not status.startswith("success")
    assert comment is not None
    assert "which agrees that data is destroyed: `prod/a/db`" in comment
    stage.sandbox.review(REPO, number, LEAD)
    assert stage.review(number)[0].startswith("success")
    stage.merge(number)
    made = stage.files()
    assert '"reason": "data"' not in made[".causeway/kept.json"].decode()
    assert stage.breaches() == ()


def test_a_merge_queue_takes_what_was_approved_before(stage: Stage) -> None:
    gone = {path: text.encode() for path, text in {**destroy("prod/a/db"), **service("a")}.items()}
    sha = stage.sandbox.commit(REPO, "queue/main/pr-1", gone, "Two at once", DEVELOPER, base="main")
    review_queue(Oid(sha), stage.place)
    assert stage.sandbox.newest_statuses(REPO, sha)[CONTEXT].state == "success"


def test_words_of_destruction_that_landed_without_their_approvals_destroy_nothing(stage: Stage) -> None:
    number = opened(stage, {**destroy("prod/a/db"), **service("a")}, OWNER)
    stage.merge(number)
    assert '"reason": "data"' in stage.files()[".causeway/kept.json"].decode()


def test_an_environment_that_wants_pull_requests_refuses_what_was_pushed(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = staged(sandbox, tmp_path, {**CLOSED, **service("b")})
    before = stage.owned_files()
    stage.push(dict(CHANGED))
    (outcome,) = stage.deliver()
    assert outcome.chain is not None
    assert UNREVIEWED in {problem.code for problem in outcome.chain.problems}
    assert stage.owned_files() == before
    number = opened(stage, service("b", image="2.0.0"), OWNER)
    stage.merge(number)
    path = "environments/prod/payments/{0}/kubernetes/deployment-{0}.yaml"
    assert b"b:2.0.0" in stage.files()[path.format("b")]
    assert b"a:1.0.0" in stage.files()[path.format("a")], "the next pull request does not carry it along"
    number = opened(stage, service("a", DB, image="3.0.0"), OWNER, "mended")
    stage.merge(number)
    assert b"a:3.0.0" in stage.files()[path.format("a")]
    assert stage.breaches() == ()


def test_an_environment_that_wants_pull_requests_takes_them_with_their_approvals_only(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    stage = staged(sandbox, tmp_path, CLOSED)
    before = stage.owned_files()
    number = opened(stage, CHANGED, OUTSIDER)
    stage.merge(number)
    assert stage.owned_files() == before
    status, comment = stage.said(number)
    assert status.startswith("failure: Not whole")
    assert comment is not None
    assert "**Was merged without** the approval of @acme/payments" in comment


def test_a_push_that_moves_such_an_environment_by_the_platforms_files_stands_until_it_is_resumed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    stage = staged(sandbox, tmp_path, CLOSED)
    before = stage.owned_files()
    moved = CLOSED["platform/environments.yaml"].replace("acme.com", "acme.org")
    commit = stage.push({"platform/environments.yaml": moved})
    (outcome,) = stage.deliver()
    assert outcome.halt is not None
    assert f"causeway resume {commit}" in outcome.halt.fix
    assert stage.owned_files() == before
    stage.deliver(resumed=commit)
    assert stage.owned_files() != before
    assert stage.breaches() == ()


def test_an_unchanged_review_asks_few_questions_and_only_of_the_teams_that_matter(stage: Stage) -> None:
    number = opened(stage, service("a", DB, "environments: {dev: {port: 8081}}"), OWNER)
    assert stage.review(number)[0].startswith("success")
    before = len(stage.sandbox.requests)
    stage.review(number)
    asked = rest(stage.sandbox.requests[before:])
    assert not [path for method, path in asked if method != "GET"]
    assert not [path for _, path in asked if "reviews" in path or "platform/memberships" in path]
    assert len(asked) <= 6, asked


def rest(requests: list[Request]) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in requests if one.path.startswith("/api/")]


def test_the_status_of_a_head_is_the_bots(stage: Stage) -> None:
    number = opened(stage, CHANGED, OUTSIDER)
    stage.review(number)
    head = stage.sandbox.pull(REPO, number).head_sha
    assert stage.sandbox.newest_statuses(REPO, head)[CONTEXT].creator.login == BOT


def test_who_else_must_agree_is_told_beside_what_must_be_mended(stage: Stage) -> None:
    broken = service("a", DB, "replica: 3", image="2.0.0")
    _, comment = stage.review(opened(stage, broken, OUTSIDER))
    assert comment is not None
    assert "nobody else needs to act" not in comment
    assert "Mend it and push; then it waits for @acme/payments" in comment
