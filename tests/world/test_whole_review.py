"""A look that is slow, that fails, or that only watches: what the pull request is told."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bot.core import words
from bot.core.model.ask import ReviewAsk
from bot.core.model.conversation import Said
from bot.core.policy.judge import judge_cases
from bot.core.wake import Wake
from bot.flows import failed as failing
from bot.flows.names import CONTEXT
from bot.flows.review import review
from bot.isolation import IsolatedCore
from bot.ports import PoisonError
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.thinking import Thinking
from bot.valkey import Valkey, start_valkey
from tests.world.stage import Stage
from tests.world.street import FILES, GITOPS, PLATFORM, Street, manifest

pytestmark = pytest.mark.world
OBSERVING = {**FILES, "platform/config.yaml": FILES["platform/config.yaml"] + "mode: observe\n"}
ID = "0123456789ab"


class Slow(Thinking):
    """Takes its time over reviews."""

    seconds = 0.0

    def review(self, ask: ReviewAsk) -> Said:
        time.sleep(self.seconds)
        return super().review(ask)


class Poisoned(Thinking):
    """Fails at every review."""

    def review(self, ask: ReviewAsk) -> Said:
        assert ask.head_sha
        raise PoisonError("took longer than 60 s", ID)


def stage(sandbox: Sandbox, root: Path, core: Thinking, observing: bool = False) -> Stage:
    return Stage(sandbox, root, OBSERVING if observing else FILES, core)


def states(on: Stage, number: int) -> list[str]:
    head = on.place.forge.pull(number).head_sha
    return [f"{one.state}: {one.description}" for one in on.sandbox.statuses(PLATFORM, head) if one.context == CONTEXT]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is long here."""
    monkeypatch.setattr("bot.flows.looking.SLOW_SECONDS", 0.5)


def test_a_slow_first_look_says_so_once_and_then_gives_its_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    core = Slow()
    on = stage(sandbox, tmp_path, core)
    number = on.open(manifest("checkout"))
    core.seconds = 1.5
    said, comment = on.review(number)
    assert states(on, number) == [f"pending: {words.LOOKING}", said]
    assert said.startswith("success: ")
    assert comment is not None


def test_a_quick_look_is_never_pending(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.flows.looking.SLOW_SECONDS", 30.0)
    on = stage(sandbox, tmp_path, Slow())
    number = on.open(manifest("checkout"))
    assert states(on, number) == []
    assert [on.review(number)[0]] == states(on, number)


def test_a_slow_second_look_leaves_the_status_that_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    core = Slow()
    on = stage(sandbox, tmp_path, core)
    number = on.open(manifest("checkout"))
    said, _ = on.review(number)
    before = states(on, number)
    core.seconds = 1.2
    on.review(number)
    assert states(on, number) == before
    assert before[-1] == said


def test_a_pending_status_that_is_late_is_waited_for_and_never_comes_after_the_answer(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    core = Slow()
    on = stage(sandbox, tmp_path, core)
    number = on.open(manifest("checkout"))
    core.seconds = 0.7
    sandbox.faults.append(Fault("POST", r".*/statuses/.*", delay=0.8))
    said, _ = on.review(number)
    assert states(on, number) == [f"pending: {words.LOOKING}", said]


def test_a_pending_status_that_cannot_be_set_does_not_fail_the_look(sandbox: Sandbox, tmp_path: Path) -> None:
    core = Slow()
    on = stage(sandbox, tmp_path, core)
    number = on.open(manifest("checkout"))
    core.seconds = 1.0
    sandbox.faults.append(Fault("GET", r".*/statuses", before=500, times=3))
    said, _ = on.review(number)
    assert states(on, number) == [said]


def test_a_look_that_is_poison_fails_with_its_id_and_says_so_once(sandbox: Sandbox, tmp_path: Path) -> None:
    on = stage(sandbox, tmp_path, Poisoned())
    number = on.open(manifest("checkout"))
    said, comment = on.review(number)
    assert said.startswith("failure: ")
    assert ID in said
    assert comment is not None
    assert ID in comment
    before = len(sandbox.requests)
    assert on.review(number) == (said, comment)
    assert {one.method for one in sandbox.requests[before:] if one.path.startswith("/api/")} == {"GET"}


def test_where_causeway_only_watches_a_failed_look_fails_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    on = stage(sandbox, tmp_path, Poisoned(), observing=True)
    number = on.open(manifest("checkout"))
    said, comment = on.review(number)
    assert said.startswith("success: Observing")
    assert comment is not None
    assert ID in comment


@pytest.mark.parametrize(("observing", "state"), [(False, "failure"), (True, "success")])
def test_an_unexpected_error_is_said_as_status_and_comment(
    sandbox: Sandbox, tmp_path: Path, observing: bool, state: str
) -> None:
    on = stage(sandbox, tmp_path, Thinking(judge_cases), observing)
    number = on.open(manifest("checkout"))
    failing.say_failed(Wake("review", "github", on.platform_id, number=number), on.place, ID)
    assert states(on, number)[-1].startswith(f"{state}: ")
    (comment,) = [one.body for one in sandbox.comments(PLATFORM, number)]
    assert ID in comment
    healed, comment_now = on.review(number)
    assert ID not in healed
    assert comment_now is not None
    assert ID not in comment_now


def test_a_failed_look_at_a_merge_queue_gives_its_commit_a_status(sandbox: Sandbox, tmp_path: Path) -> None:
    on = stage(sandbox, tmp_path, Thinking(judge_cases))
    sha = on.push(manifest("checkout"))
    failing.say_failed(Wake("queue", "github", on.platform_id, sha=sha), on.place, ID)
    assert [one.state for one in sandbox.statuses(PLATFORM, sha)] == ["failure"]


def test_a_failed_delivery_opens_one_issue_and_a_sound_one_closes_it(sandbox: Sandbox, tmp_path: Path) -> None:
    on = stage(sandbox, tmp_path, Thinking(judge_cases))
    wake = Wake("deliver", "github", on.platform_id)
    for _ in range(2):
        failing.say_failed(wake, on.place, ID)
    (issue,) = sandbox.issues(PLATFORM)
    assert (issue.state, ID in (issue.body or "")) == ("open", True)
    failing.say_sound(on.place)
    assert [one.state for one in sandbox.issues(PLATFORM)] == ["closed"]


def test_a_head_that_moves_between_forge_and_git_is_looked_at_again_without_a_word(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict on a new head must not stand at an old one."""
    on = stage(sandbox, tmp_path, Thinking(judge_cases))
    number = on.open(manifest("checkout"), branch="moving")
    old = on.place.forge.pull(number)
    sandbox.commit(PLATFORM, "moving", {"services/checkout/platform.yaml": b"name: 7\n"}, "Worse", "dana")
    real = on.place.forge.pull
    monkeypatch.setattr(on.place.forge, "pull", lambda _number: old)
    name = f"review-github-{on.platform_id}-{number}"
    review(number, on.place, on.bell, name)
    assert sandbox.statuses(PLATFORM, old.head_sha) == []
    assert on.bell.rung == [name]
    monkeypatch.setattr(on.place.forge, "pull", real)
    review(number, on.place, on.bell, name)
    assert sandbox.newest_statuses(PLATFORM, real(number).head_sha)[CONTEXT].state == "failure"


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = start_valkey()
    yield server
    server.stop()


def test_a_mirror_that_is_damaged_meanwhile_is_made_anew_and_nobody_is_blamed(
    sandbox: Sandbox, tmp_path: Path, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.LEAST_WAIT", 0.1)
    with redis.Redis.from_url(valkey.url) as raw:
        raw.flushall()
    street = Street(sandbox, tmp_path, valkey)
    street.sweep()
    street.drain()
    number = street.open(manifest("checkout"))
    for mirror in (street.platform, street.gitops):
        folder = street.settings.data_dir / "mirrors" / f"github-{mirror}.git" / "objects"
        for spoilt in [*folder.glob("??/*"), *folder.glob("pack/*.pack")]:
            # Replaced, not overwritten: a file that shrinks while it is mapped kills whoever reads it.
            size = spoilt.stat().st_size
            spoilt.unlink()
            spoilt.write_bytes(b"\x00" * size)
    street.sweep()
    street.drain()
    assert street.status(number).startswith("success: ")
    assert len(street.comments(number)) == 1
    street.merge(number)
    street.sweep()
    street.drain()
    assert street.delivered("checkout")
    assert street.breaches() == ()
    assert sandbox.head(GITOPS)


@pytest.mark.skipif(sys.platform != "linux", reason="kills by process id")
def test_a_child_killed_in_the_middle_of_a_review_changes_nothing_for_the_pull_request(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    core = IsolatedCore(60, 1024)
    try:
        on = Stage(sandbox, tmp_path, FILES, core)
        number = on.open(manifest("checkout"))
        done = threading.Event()

        def killer() -> None:
            while not done.wait(0.15):
                if core.pid is not None:
                    os.kill(core.pid, signal.SIGKILL)
                    return

        thread = threading.Thread(target=killer)
        thread.start()
        said, comment = on.review(number)
        done.set()
        thread.join()
        assert said.startswith("success: ")
        assert comment is not None
    finally:
        core.close()
