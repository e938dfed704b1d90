"""Verdicts as check runs: annotations in full or not at all, one run as long as that is possible, "Re-run" obeyed."""

from __future__ import annotations

import json

import pytest

from bot.core.event import Event
from bot.core.model.conversation import Annotation
from bot.core.tree import Oid
from bot.forges.github_delivery import parse_delivery
from bot.forges.github_statuses import ANNOTATIONS
from bot.ports import OutsideWorldError, Status
from bot.sandbox import Fault, Sandbox
from bot.sandbox.nouns import CheckRun
from tests.world.contract.faces import CONTEXT, FILE, NAME, Face, github_app
from tests.world.sandbox_fixture import Mailbox

pytestmark = pytest.mark.world
RUNS = r".*/check-runs(/\d+)?"
PENDING, READY = Status(CONTEXT, "pending", "Looks"), Status(CONTEXT, "success", "Ready: 1 service")
WRONG = Status(CONTEXT, "failure", "Many problems")


def problems(count: int) -> tuple[Annotation, ...]:
    return tuple(Annotation(FILE, n % 4 + 1, 1, "failure", "CW0101", f"Problem {n}") for n in range(count))


@pytest.fixture
def face(sandbox: Sandbox) -> Face:
    return github_app(sandbox)


def runs(face: Face) -> list[CheckRun]:
    return face.sandbox.github.checks(NAME, face.head)


def test_one_run_goes_from_pending_to_its_verdict(face: Face) -> None:
    for status in (PENDING, READY, WRONG, READY):
        face.forge.ensure_status(face.head, status)
    (run,) = runs(face)
    assert (run.status, run.conclusion, run.title) == ("completed", "success", "Ready: 1 service")


def test_annotations_stand_at_their_lines_fifty_a_request(face: Face) -> None:
    face.forge.ensure_status(face.head, PENDING)
    face.asked()
    assert face.forge.ensure_status(face.head, WRONG, problems(120)) is True
    assert [method for method, _ in face.asked() if method != "GET"] == ["PATCH"] * 3
    (run,) = runs(face)
    assert [one["message"] for one in run.annotations] == [f"Problem {n}" for n in range(120)]
    first = run.annotations[0]
    assert (first["path"], first["start_line"], first["annotation_level"]) == (FILE, 1, "failure")
    assert face.make().ensure_status(face.head, WRONG, problems(120)) is False


def test_a_first_verdict_with_many_annotations_is_one_run(face: Face) -> None:
    assert face.forge.ensure_status(face.head, WRONG, problems(70)) is True
    (run,) = runs(face)
    assert len(run.annotations) == 70


def test_more_annotations_than_anybody_reads_are_left_out(face: Face) -> None:
    face.forge.ensure_status(face.head, WRONG, problems(ANNOTATIONS + 50))
    assert len(runs(face)[-1].annotations) == ANNOTATIONS


def test_old_annotations_never_stand_beside_new_ones(face: Face) -> None:
    face.forge.ensure_status(face.head, WRONG, problems(2))
    face.forge.ensure_status(face.head, WRONG, problems(1))
    face.forge.ensure_status(face.head, READY)
    assert [len(run.annotations) for run in runs(face)] == [2, 1, 0]
    assert face.forge.status(face.head, CONTEXT) == Status(CONTEXT, "success", "Ready: 1 service", _page(face))


def _page(face: Face) -> str:
    """GitHub shows the run's own page where none was given."""
    return f"{face.sandbox.url}/{NAME}/runs/{runs(face)[-1].id}"


@pytest.mark.parametrize("fault", [Fault("PATCH", RUNS, after=502), Fault("PATCH", RUNS, drop="before")])
def test_a_verdict_that_broke_off_in_the_middle_is_told_whole(face: Face, fault: Fault) -> None:
    fault.skip = 1
    face.forge.ensure_status(face.head, PENDING)
    face.sandbox.faults.append(fault)
    assert face.forge.ensure_status(face.head, WRONG, problems(120)) is True
    assert [one["message"] for one in runs(face)[-1].annotations] == [f"Problem {n}" for n in range(120)]
    face.sandbox.faults.clear()
    assert face.forge.ensure_status(face.head, WRONG, problems(120)) is False


def test_a_first_verdict_whose_answer_is_lost_is_not_told_twice(face: Face) -> None:
    face.sandbox.faults.append(Fault("POST", RUNS, after=502))
    assert face.forge.ensure_status(face.head, READY) is True
    assert len(runs(face)) == 1


def test_an_account_cannot_make_checks_and_is_told_so(face: Face, sandbox: Sandbox) -> None:
    sandbox.github.suspend(next(iter(sandbox.world.apps.installations.values())))
    with pytest.raises(OutsideWorldError, match="suspended"):
        face.make().ensure_status(face.head, READY)


def test_a_check_that_somebody_asks_for_again_wakes_its_pull_request_and_is_written_anew(
    face: Face, mailbox: Mailbox
) -> None:
    face.sandbox.create_webhook(NAME, mailbox.url, "a webhook's secret", ["check_run"])
    face.forge.ensure_status(face.head, READY)
    face.sandbox.github.rerequest(NAME, runs(face)[0], "ada")
    assert face.sandbox.wait_for_webhooks()
    told = [one for one in mailbox.received if one[0]["x-github-event"] == "check_run"]
    headers, body = told[-1]
    assert json.loads(body)["action"] == "rerequested"
    repository = str(face.sandbox.world.repository(NAME).id)
    assert parse_delivery(headers, body, ["a webhook's secret"]) == Event("pull", repository, number=face.number)
    assert face.forge.ensure_status(face.head, READY) is True, "the same verdict, for whoever asked"
    assert (runs(face)[-1].status, runs(face)[-1].conclusion) == ("completed", "success")


def test_checks_of_others_are_not_ours(face: Face, sandbox: Sandbox) -> None:
    repo, now = sandbox.world.repository(NAME), sandbox.world.now()
    sandbox.github.create_app("another", "acme", {"checks": "write"})
    other = CheckRun(
        sandbox.world.next_id(), face.head, CONTEXT, "another", "completed", "failure", "No", "No", None, None, "", now
    )
    repo.check_runs[other.id] = other
    assert face.forge.status(face.head, CONTEXT) is None
    assert face.forge.ensure_status(Oid(face.head), READY) is True
    assert other.conclusion == "failure"
