"""The sweep: cheap where nothing happened, and enough where everything was lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import redis

from bot.flows.deliver import deliver
from bot.flows.place import Place
from bot.flows.sweep import FULL_SECONDS, Marks, sweep, sweep_all
from bot.ports import OutsideWorldError
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.valkey import Valkey, start_valkey
from bot.wiring import Wiring
from tests.world.street import FILES, GITOPS, PLATFORM, Street, manifest

pytestmark = pytest.mark.world


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = start_valkey()
    yield server
    server.stop()


@pytest.fixture
def street(sandbox: Sandbox, tmp_path: Path, valkey: Valkey) -> Street:
    with redis.Redis.from_url(valkey.url) as raw:
        raw.flushall()
    return Street(sandbox, tmp_path, valkey)


@pytest.fixture
def wiring(street: Street) -> Iterator[Wiring]:
    with street.wired() as wired:
        yield wired


@pytest.fixture
def place(wiring: Wiring) -> Place:
    return wiring.places()[0]


class Bell:
    """Rings are a list; `away` makes it fail, `deaf` says that all is queued already."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.away = False
        self.deaf = False

    def ring(self, name: str, after: float = 0.0) -> bool:
        assert after == 0.0
        if self.away:
            raise OutsideWorldError("the queue cannot be reached")
        self.rung.append(name)
        return not self.deaf

    def heard(self) -> set[str]:
        names, self.rung = set(self.rung), []
        return names


def settled(street: Street, place: Place) -> tuple[Bell, Marks]:
    """Everything that there was is done, and two rounds have seen it."""
    street.sweep()
    street.drain()
    bell, marks = Bell(), Marks()
    sweep(place, bell, marks)
    sweep(place, bell, marks)
    bell.heard()
    return bell, marks


def test_a_round_that_finds_nothing_costs_one_request_that_is_free_and_one_listing_a_repository(
    street: Street, place: Place, sandbox: Sandbox
) -> None:
    number = street.open(manifest("checkout"))
    bell, marks = settled(street, place)
    assert street.comments(number)
    before = len(sandbox.requests)
    assert sweep(place, bell, marks) == 0
    asked = [(one.method, one.path.rpartition("/")[2], one.status) for one in sandbox.requests[before:]]
    assert [row for row in asked if row[1] == "pulls"] == [("GET", "pulls", 304)]
    listing = [("GET", "refs", 200), ("POST", "git-upload-pack", 200)]
    assert [row for row in asked if row[1] != "pulls"] == listing * 2, "platform and GitOps, by ls-remote"
    assert bell.heard() == set()


def test_a_sweep_that_just_started_looks_at_everything(street: Street, place: Place) -> None:
    numbers = [street.open(manifest(name)) for name in ("a", "b")]
    bell = Bell()
    sweep(place, bell, Marks())
    deliver = f"deliver-github-{street.platform}"
    assert bell.heard() == {deliver, *(f"review-github-{street.platform}-{number}" for number in numbers)}


def test_each_thing_that_moves_rings_its_own_name(street: Street, place: Place, sandbox: Sandbox) -> None:
    bell, marks = settled(street, place)
    deliver = f"deliver-github-{street.platform}"
    number = street.open(manifest("checkout"))
    sweep(place, bell, marks)
    assert bell.heard() == {f"review-github-{street.platform}-{number}"}
    sandbox.commit(PLATFORM, "main", {"README.md": b"Ours.\n"}, "Words", "dana")
    sweep(place, bell, marks)
    assert deliver in bell.heard()
    sandbox.commit(GITOPS, "main", {"README.md": b"Theirs.\n"}, "A foreign commit", "dana")
    sweep(place, bell, marks)
    assert deliver in bell.heard()
    sweep(place, bell, marks)
    assert bell.heard() == set()


def test_a_mark_is_not_set_where_its_ring_was_lost(street: Street, place: Place, sandbox: Sandbox) -> None:
    bell, marks = settled(street, place)
    number = street.open(manifest("checkout"))
    sandbox.commit(PLATFORM, "main", {"README.md": b"Ours.\n"}, "Words", "dana")
    names = {f"review-github-{street.platform}-{number}", f"deliver-github-{street.platform}"}
    for _ in range(2):
        bell.away = True
        with pytest.raises(OutsideWorldError):
            sweep(place, bell, marks)
    bell.away = False
    sweep(place, bell, marks)
    assert bell.heard() == names


def test_a_name_that_was_said_to_be_queued_is_rung_again_by_the_next_round(street: Street, place: Place) -> None:
    bell, marks = settled(street, place)
    number = street.open(manifest("checkout"))
    bell.deaf = True
    assert sweep(place, bell, marks) == 0
    bell.deaf = False
    assert sweep(place, bell, marks) == 1
    assert bell.heard() == {f"review-github-{street.platform}-{number}"}
    assert sweep(place, bell, marks) == 0


def test_full_looks_are_spread_over_six_hours(street: Street, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [street.open(manifest(f"service-{index}")) for index in range(5)]
    street.sweep()
    street.drain()
    now = [100_000.0]
    monkeypatch.setattr("bot.flows.sweep.monotonic", lambda: now[0])
    bell, marks = Bell(), Marks()
    sweep(place, bell, marks)
    sweep(place, bell, marks)
    bell.heard()
    rounds = []
    for _ in range(36):
        now[0] += FULL_SECONDS / 36
        sweep(place, bell, marks)
        rounds.append(bell.heard())
    everything = {f"review-github-{street.platform}-{number}" for number in numbers}
    assert set().union(*rounds) >= everything | {f"deliver-github-{street.platform}"}
    assert max(len(rung) for rung in rounds) <= 2, rounds


def test_the_final_word_that_was_lost_is_said_by_the_next_sweeps(
    street: Street, place: Place, sandbox: Sandbox
) -> None:
    """The worker is killed after its push and before it rings: nothing is left that would make anybody look."""
    number = street.open(manifest("checkout"))
    bell, marks = settled(street, place)
    street.merge(number)
    sweep(place, bell, marks)
    assert f"review-github-{street.platform}-{number}" in bell.heard()
    deliver_in_silence(street)
    assert street.delivered("checkout")
    assert "Delivered" not in street.status(number)
    rung = 0
    for _ in range(3):
        rung += street_sweep(street, place, marks)
    assert rung
    assert "Delivered" in street.status(number)
    assert marks.waiting == {}
    before = len(sandbox.requests)
    assert sweep(place, bell, marks) == 0
    assert len([one for one in sandbox.requests[before:] if one.path.startswith("/api/")]) == 1


def deliver_in_silence(street: Street) -> None:
    """A delivery whose rings are lost."""
    with street.wired() as wired:
        deliver(wired.places()[0], Bell())


def street_sweep(street: Street, place: Place, marks: Marks) -> int:
    with street.wired() as wired:
        rung = sweep(place, wired.wakeups, marks)
    street.drain()
    return rung


def test_a_final_word_that_nobody_can_say_is_not_asked_for_for_ever(
    street: Street, place: Place, sandbox: Sandbox
) -> None:
    number = street.open(manifest("checkout"))
    bell, marks = settled(street, place)
    street.merge(number)
    sweep(place, bell, marks)
    deliver_in_silence(street)
    bell.heard()
    rounds = []
    for _ in range(6):
        sweep(place, bell, marks)
        rounds.append(f"review-github-{street.platform}-{number}" in bell.heard())
    assert rounds == [True, True, True, False, False, False]
    assert sandbox.comments(PLATFORM, number)


def test_mirrors_are_tidied_at_most_once_an_hour(street: Street, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    street.sweep()
    tidied: list[str] = []
    monkeypatch.setattr("bot.git.Mirror.tidy", lambda self: tidied.append(Path(self.path).name))
    now = [100_000.0]
    monkeypatch.setattr("bot.flows.sweep.monotonic", lambda: now[0])
    marks = Marks()
    for _ in range(3):
        sweep(place, Bell(), marks)
    assert sorted(tidied) == [f"github-{street.platform}.git", f"github-{street.gitops}.git"]
    now[0] += 3601
    sweep(place, Bell(), marks)
    assert len(tidied) == 4


def test_one_repository_that_cannot_be_reached_does_not_stop_the_others(
    street: Street, place: Place, sandbox: Sandbox
) -> None:
    absent = cast(Place, Elsewhere())
    street.open(manifest("checkout"))
    bell, marks = Bell(), dict[str, Marks]()
    assert sweep_all([absent, place], bell, marks) == 2
    sandbox.faults.append(Fault("GET", r".*/pulls", times=50, before=502))
    assert sweep_all([place], bell, {}) == 0
    sandbox.faults.clear()
    assert sweep_all([place], bell, {}) == 2


class Elsewhere:
    """A place whose forge is away."""

    forge_name, repository = "github", "999"

    @property
    def forge(self) -> object:
        raise OutsideWorldError("no route to it")


def test_a_queue_that_was_emptied_is_noticed_and_everything_is_rung_again(street: Street, wiring: Wiring) -> None:
    marks: dict[str, Marks] = {}
    assert sweep_all(wiring.places(), wiring.wakeups, marks, wiring.wakeups.emptied) == 1
    street.drain()
    sweep_all(wiring.places(), wiring.wakeups, marks, wiring.wakeups.emptied)
    street.drain()
    assert sweep_all(wiring.places(), wiring.wakeups, marks, wiring.wakeups.emptied) == 0
    with redis.Redis.from_url(street.valkey.url) as raw:
        raw.flushall()
    assert sweep_all(wiring.places(), wiring.wakeups, marks, wiring.wakeups.emptied) == 1


def test_open_pull_requests_are_looked_at_again_when_a_freeze_begins_and_ends(
    street: Street, place: Place, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = FILES["platform/environments.yaml"] + '    freeze: [{cron: "0 0 1 1 *", for: 2h}]\n'
    sandbox.commit(PLATFORM, "main", {"platform/environments.yaml": frozen.encode()}, "Freeze", "dana")
    number = street.open(manifest("checkout"))
    bell, marks = settled(street, place)
    assert marks.known is not None
    begins = marks.known.turns_at
    assert begins > time.time()
    sweep(place, bell, marks)
    bell.heard()
    for moment, rung in ((begins - 2, False), (begins, True), (begins + 1, False), (begins + 7_200, True)):
        monkeypatch.setattr("bot.flows.sweep.time", lambda now=moment: float(now))
        sweep(place, bell, marks)
        assert (f"review-github-{street.platform}-{number}" in bell.heard()) == rung, moment - begins
