"""A worker that is killed before or after any step towards the world costs only time: one sweep, and all is as it is
without the kill: the same tree, one comment, the same status."""

from __future__ import annotations

import random
import re
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from bot.core.tree import Oid
from bot.flows.sweep import sweep_all
from bot.git import Mirror
from bot.sandbox import Sandbox
from bot.valkey import Valkey, start_valkey
from bot.worker import Desk, work
from tests.world.killing import Point, owner_of
from tests.world.street import DEVELOPER, GITOPS, PLATFORM, Street, manifest
from tests.world.test_whole import settle

pytestmark = pytest.mark.world

FORGE, GIT, CORE, BELL = (
    "bot.forges.github:GitHub",
    "bot.git:Mirror",
    "bot.isolation:IsolatedCore",
    "bot.wakeups:RqWakeups",
)
LIST_STATUSES, SET_STATUS = r"GET .*/commits/\w+/statuses", r"POST .*/statuses/\w+"
LIST_COMMENTS, CREATE_COMMENT = r"GET .*/issues/\d+/comments", r"POST .*/issues/\d+/comments"
EDIT_COMMENT = r"PATCH .*/issues/comments/\d+"


def _around(label: str, stage: str, target: str, flow: str = "", nth: int = 1, only: str = "") -> tuple[Point, Point]:
    return (
        Point(f"{stage}: before {label}", stage, "before", target, flow, nth, only),
        Point(f"{stage}: after {label}", stage, "after", target, flow, nth, only),
    )


def _request(label: str, stage: str, only: str, nth: int = 1) -> tuple[Point, Point]:
    """Around a request of a look: its effect at the forge, between the two, is what the kill must not double."""
    return _around(label, stage, "requests.adapters:HTTPAdapter.send", "review", nth, only)


POINTS: tuple[Point, ...] = (
    # The queue
    *_around("the job is popped", "review", "bot.worker:_popped"),
    *_around("the job is read", "review", "bot.worker:_read"),
    *_around("the name counts as queued no more", "deliver", f"{BELL}.started"),
    *_around("the flow", "review", "bot.worker:_guarded"),
    *_around("the lock is released", "review", f"{BELL}._release"),
    # A look at a pull request
    *_around("the pull request is read", "review", f"{FORGE}.pull", "review"),
    *_around("the repository is read", "review", f"{FORGE}.repository", "review"),
    *_around("the platform is fetched", "review", f"{GIT}.fetch", "review"),
    *_around("the survey", "review", f"{CORE}.survey", "review"),
    *_around("the GitOps head is fetched", "review", f"{GIT}.fetch", "review", 2),
    *_around("the merge", "review", f"{GIT}.merge_tree", "review"),
    *_around("the cursor is read", "review", f"{CORE}.cursor", "review"),
    *_around("the core reviews", "review", f"{CORE}.review", "review"),
    *_request("the statuses are read", "review", LIST_STATUSES),
    *_request("the status is written", "review", SET_STATUS),
    *_around("the pull request is read again", "review", f"{FORGE}.pull", "review", 2),
    *_request("the comments are listed", "review", LIST_COMMENTS),
    *_request("the comment is created", "review", CREATE_COMMENT),
    *_request("the comments are listed again", "review", LIST_COMMENTS, 2),
    # A second look, after a push to the pull request
    *_request("the second status is written", "again", SET_STATUS),
    *_request("the comment is edited", "again", EDIT_COMMENT),
    # A delivery
    *_around("the mirror is made", "first", f"{GIT}._make", "deliver"),
    *_around("the first chain is built", "first", f"{CORE}.deliver", "deliver"),
    *_around("the first push", "first", f"{GIT}.push", "deliver"),
    *_around("the platform is fetched", "deliver", f"{GIT}.fetch", "deliver"),
    *_around("the GitOps head is fetched", "deliver", f"{GIT}.fetch", "deliver", 2),
    *_around("the cursor is read", "deliver", f"{CORE}.cursor", "deliver"),
    *_around("what landed is listed", "deliver", f"{GIT}.first_parents", "deliver"),
    *_around("the landed pull request is found", "deliver", f"{FORGE}.pulls_of_commit", "deliver"),
    *_around("the chain is built", "deliver", f"{CORE}.deliver", "deliver"),
    Point(
        "deliver: before the first object is written", "deliver", "before", "bot.git.store:Store.write", side="child"
    ),
    Point("deliver: among the objects", "deliver", "after", "bot.git.store:Store.write", nth=5, side="child"),
    Point("deliver: after the commit is written", "deliver", "after", "bot.git.writing:write", side="child"),
    *_around("the push", "deliver", f"{GIT}.push", "deliver"),
    *_around("the pull requests are listed", "deliver", f"{FORGE}.open_pulls", "deliver"),
    *_around("the review is rung", "deliver", f"{BELL}.ring", "deliver"),
    *_around("the issue is looked for", "deliver", f"{FORGE}.ensure_issue", "deliver"),
    # The final word
    *_around("it is known what was delivered", "deliver", f"{CORE}.delivered", "review"),
    *_request("the final status is written", "deliver", SET_STATUS),
    *_request("the final words are written", "deliver", EDIT_COMMENT),
)
"""Each around one step towards the world, in the order of a change's life."""

EVERY_DAY = 1
"""Points of an everyday run, taken by chance from all."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that people can see in the end. Ids of commits and times differ from run to run."""

    tree: Mapping[str, bytes]
    commits: int
    status: str
    comments: list[str]


@dataclass(slots=True)
class Quiet:
    """What every stage comes to without a kill, seen once."""

    valkey: Valkey
    folder: Path
    found: dict[str, Seen] = field(default_factory=dict)

    def seen(self, stage: str) -> Seen:
        if stage not in self.found:
            with Sandbox(self.folder / stage / "forge") as forge:
                street = Street(forge, self.folder / stage, self.valkey)
                number = begin(street, stage)
                round_of_all(street)
                self.found[stage] = looked_at(street, number)
        return self.found[stage]


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = start_valkey()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def quiet(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Quiet:
    return Quiet(valkey, tmp_path_factory.mktemp("quiet"))


def begin(street: Street, stage: str) -> int | None:
    """Everything up to the moment that the worker is to be killed in; the pull request, if there is one."""
    redis.Redis.from_url(street.valkey.url).flushall()
    if stage == "first":
        return None
    round_of_all(street)
    number = street.open(manifest("checkout"))
    if stage == "review":
        return number
    round_of_all(street)
    if stage == "again":
        data = {path: text.encode() for path, text in manifest("checkout", "2.0.0").items()}
        street.sandbox.commit(PLATFORM, street.sandbox.pull(PLATFORM, number).head_ref, data, "Newer", DEVELOPER)
    else:
        street.merge(number)
    return number


def round_of_all(street: Street) -> None:
    """One round of a sweep that just started, and a worker that ends when nothing is left to do."""
    with street.wired() as wiring:
        sweep_all(wiring.places(), wiring.wakeups, {})
        work(
            Desk(wiring.place, wiring.wakeups, wiring.interrupt),
            street.settings.redis_url,
            threading.Event(),
            burst=True,
        )


def looked_at(street: Street, number: int | None) -> Seen:
    """What there is to see, and the law."""
    assert street.breaches() == ()
    tree = {path: data for path, data in street.sandbox.files(GITOPS).items() if not path.startswith(".causeway/")}
    said = [street.status(number), *street.comments(number)] if number is not None else [""]
    status, *comments = [re.sub(r"[0-9a-f]{7,40}|\d\d:\d\d|127\.0\.0\.1:\d+|\d{4}-\d\d-\d\d", "…", one) for one in said]
    return Seen(tree, _commits(street), status, comments)


def _commits(street: Street) -> int:
    git, found, tip = Mirror(Path(street.sandbox.git_dir(GITOPS))), 0, street.sandbox.head(GITOPS)
    while tip is not None:
        found, tip = found + 1, next(iter(git.commit(Oid(tip)).parents), None)
    return found


def killed(point: Point, street: Street, quiet: Quiet) -> None:
    expected = quiet.seen(point.stage)
    number = begin(street, point.stage)
    street.sweep()
    if "_make" in point.target:
        shutil.rmtree(street.settings.data_dir)
    worker = street.process(point.command())
    try:
        assert worker.wait(60) == -signal.SIGKILL, (
            f"never came to {point.label}: {(street.root / 'worker.log').read_text()}"
        )
    finally:
        worker.kill()
        worker.wait()
    settle(street)
    round_of_all(street)
    assert looked_at(street, number) == expected


@pytest.mark.parametrize("turn", range(EVERY_DAY))
def test_a_kill_at_a_point_taken_by_chance_costs_only_time(
    turn: int, sandbox: Sandbox, tmp_path: Path, quiet: Quiet
) -> None:
    seed = random.randrange(10**6)
    point = random.Random(seed).choice(POINTS)
    print(f"\nturn {turn}, seed {seed}: {point.label}")  # noqa: T201
    killed(point, Street(sandbox, tmp_path, quiet.valkey), quiet)


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.label.replace(" ", "-"))
def test_a_kill_at_any_point_costs_only_time(point: Point, sandbox: Sandbox, tmp_path: Path, quiet: Quiet) -> None:
    killed(point, Street(sandbox, tmp_path, quiet.valkey), quiet)


def test_every_point_has_a_label_of_its_own_and_is_still_there() -> None:
    assert len({point.label for point in POINTS}) == len(POINTS) >= 25
    for point in POINTS:
        owner_of(point.target)
