"""The pure core over mirrors on the disk, as the worker runs it: one process, one thread.

What counts is processor time, in user and kernel mode: on a machine that others use too, the clock on the wall would
measure them. The one row that asks for wall time says so.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bot.core.build import Build, Memo, build
from bot.core.build.fill import fill
from bot.core.facts import facts_of
from bot.core.kit import Kit, kit_of
from bot.core.link import link
from bot.core.load import load_platform, load_unit, unit_folders
from bot.core.model.ask import DeliverAsk, Head, Link
from bot.core.model.delivery import Evidence, Landed
from bot.core.model.unit import Facts
from bot.core.model.values import UnitEnv
from bot.core.problem import Refusal
from bot.core.propose import propose
from bot.core.resolve import environments_of, resolve
from bot.core.tree import Oid, Tree
from bot.git import Mirror
from bot.shipped import shipped_tree
from bot.thinking import Thinking
from tests.bench.fleet import ENVIRONMENTS, fleet, manifest
from tests.bench.rows import Row

A = TypeVar("A")
_TIME = 1_790_000_000
_AT_ONCE = 2_000
"""Keys that are rendered before the next are asked for."""


@contextmanager
def platform_of(size: int) -> Iterator[tuple[Mirror, Oid]]:
    """A platform repository of `size` services, as one commit in a mirror."""
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
        mirror = Mirror(Path(folder) / "platform.git")
        files = {path: text.encode() for path, text in fleet(size).items()}
        yield mirror, mirror.write(None, files, "All services\n", _TIME)


def known(found: A | Refusal) -> A:
    """What was found; a refusal ends the benchmark."""
    if isinstance(found, Refusal):
        raise RuntimeError("\n".join(str(problem) for problem in found.problems[:5]))
    return found


def timed(act: Callable[[], A]) -> tuple[float, float, A]:
    """Seconds of this process's processor time, seconds of the clock on the wall, and the result."""
    gc.collect()
    begun, since = time.process_time(), time.perf_counter()
    result = act()
    return time.process_time() - begun, time.perf_counter() - since, result


def proposing(size: int, runs: int) -> list[Row]:
    """A pull request that changes one service of `size`, in a worker that has seen the base."""
    with platform_of(size) as (mirror, tip):
        memo, base = Memo(), mirror.tree(tip)
        samples: list[float] = []
        walls: list[float] = []
        for run in range(runs + 2):
            number = (run * 7 + 1) % size
            text = manifest(number, size).replace(":1.", f":2.{run}.")
            changed = {f"services/svc-{number:05}/platform.yaml": text.encode()}
            merged = mirror.tree(mirror.write(tip, changed, "A change\n", _TIME))
            seconds, wall, made = timed(lambda merged=merged: _proposed(base, merged, mirror, memo))  # type: ignore[misc]
            if not made:
                raise RuntimeError("the plan of a changed image says nothing")
            samples.append(seconds * 1000)
            walls.append(wall * 1000)
        # The first two pay for what every later one finds: the base's build, and the first step onward from it.
        warm = samples[2:]
    name = f"propose, one of {size:,} x {len(ENVIRONMENTS)}, warm"
    return [Row(name, "ms", warm, 10.0), Row("  the same, wall time", "ms", walls[2:])]


def _proposed(base: Tree, merged: Tree, mirror: Mirror, memo: Memo) -> bool:
    head = Oid("a" * 40)
    made = propose(base, merged, shipped_tree(), {}, Evidence(), head, _TIME, mirror.tree, memo)
    return bool(known(made).plan.services)


def rendering(size: int, runs: int) -> list[Row]:
    """Everything from nothing: build, render with ids, and one commit of it all."""
    each: list[float] = []
    building: list[float] = []
    writing: list[float] = []
    whole: list[float] = []
    count, environments = 0, size * len(ENVIRONMENTS)
    with platform_of(size) as (mirror, tip):
        tree = mirror.tree(tip)
        kit = known(kit_of(tree, shipped_tree()))
        for _ in range(runs):
            seconds, _, made = timed(lambda: known(build(tree, kit, Memo())))
            rendering_seconds, _, files = timed(lambda made=made: _files(made))  # type: ignore[misc]
            count = len(files)
            with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
                gitops = Mirror(Path(folder) / "gitops.git")
                commit_seconds, _, _ = timed(
                    lambda gitops=gitops, files=files: gitops.write(None, files, "All\n", _TIME)
                )  # type: ignore[misc]
            building.append(seconds / environments * 1000)
            each.append(rendering_seconds / environments * 1000)
            writing.append(commit_seconds / environments * 1000)
            whole.append(seconds + rendering_seconds + commit_seconds)
    name = f"{size:,} x {len(ENVIRONMENTS)}"
    goal = 10.0 * size / 10_000
    return [
        Row(
            f"cold render with ids, {name}, a service-environment of {count / environments:.1f} files", "ms", each, 0.33
        ),
        Row(f"  the same, a file ({count:,})", "ms", [one * environments / count for one in each], 0.33 / 12),
        Row("  before it: load, check, resolve, link, digests, a service-environment", "ms", building),
        Row("  after it: one commit, a service-environment", "ms", writing),
        Row(f"  all three, one core (the goal: two), {name}", "s", whole, goal),
    ]


def delivering(size: int, runs: int) -> list[Row]:
    """A first delivery as a worker's child does it: everything rendered and stored, and one commit of it, by all
    processors together."""
    wall: list[float] = []
    used: list[float] = []
    with platform_of(size) as (mirror, tip):
        for _ in range(runs):
            with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
                head = Head("main", "acme/gitops", str(Path(folder) / "gitops.git"), None)
                ask = DeliverAsk(mirror.path, head, (Link(None, Landed("1", tip, _TIME)),))
                gc.collect()
                begun, before = time.perf_counter(), _processors()
                chain = Thinking().deliver(ask)
                wall.append(time.perf_counter() - begun)
                used.append(_processors() - before)
                if len(chain.made) != 1 or chain.problems:
                    raise RuntimeError(f"not one clean commit: {chain.made} {chain.problems[:3]}")
    goal = 10.0 * size / 10_000
    name = f"first delivery of {size:,} x {len(ENVIRONMENTS)}: load to commit"
    return [
        Row(f"{name}, wall time", "s", wall, goal),
        Row("  the same, a service-environment", "ms", [one / size / len(ENVIRONMENTS) * 1000 for one in wall], 0.33),
        Row("  processor time of all its processes", "s", used),
    ]


def _processors() -> float:
    """Processor time of this process and of those that it started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _files(made: Build) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    keys = list(made.digests)
    for start in range(0, len(keys), _AT_ONCE):
        for done in fill(made, keys[start : start + _AT_ONCE], Memo()).values():
            files.update(known(done).files)
    return files


def checking(size: int, runs: int) -> list[Row]:
    """Every service read, checked, resolved for each environment and linked, by a process that knows nothing."""
    samples: list[float] = []
    walls: list[float] = []
    with platform_of(size) as (mirror, tip):
        tree = mirror.tree(tip)
        kit = known(kit_of(tree, shipped_tree()))
        for _ in range(runs):
            seconds, wall, found = timed(lambda: _checked(tree, kit))
            if len(found) != size * len(ENVIRONMENTS):
                raise RuntimeError(f"{len(found)} service-environments were checked")
            samples.append(seconds)
            walls.append(wall)
    name = f"check of {size:,} services, cold"
    return [Row(name, "s", samples, 3.0 * size / 10_000), Row("  the same, wall time", "s", walls)]


def _checked(tree: Tree, kit: Kit) -> Mapping[UnitEnv, Facts]:
    platform = known(load_platform(tree, kit))
    facts: dict[UnitEnv, Facts] = {}
    for folder in unit_folders(tree):
        unit = known(load_unit(tree, folder, kit))
        for name in environments_of(unit, platform):
            effective, _ = known(resolve(unit, name, platform, kit))
            facts[folder, name] = facts_of(effective, platform, kit)
    if any(link(facts).problems.values()):
        raise RuntimeError("the fleet has problems")
    return facts


def command(size: int, runs: int) -> list[Row]:
    """`causeway check` on a folder, as a person runs it: it also renders everything."""
    samples: list[float] = []
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as folder:
        _laid_out(Path(folder), fleet(size))
        for _ in range(runs):
            words = [sys.executable, "-m", "bot", "check", folder, "--json"]
            begun = time.perf_counter()
            done = subprocess.run(words, capture_output=True, check=False)
            seconds = time.perf_counter() - begun
            if done.returncode != 0:
                raise RuntimeError(done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:])
            samples.append(seconds)
    return [Row(f"`causeway check` of {size:,} services, which renders them too, wall time", "s", samples)]


def _laid_out(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def remembering(size: int) -> list[Row]:
    """Memory of a worker's child that has reviewed two pull requests of a fleet."""
    before = _resident()
    with platform_of(size) as (mirror, tip):
        memo, base = Memo(), mirror.tree(tip)
        for run in range(2):
            text = manifest(run, size).replace(":1.", f":2.{run}.")
            changed = {f"services/svc-{run:05}/platform.yaml": text.encode()}
            _proposed(base, mirror.tree(mirror.write(tip, changed, "A change\n", _TIME)), mirror, memo)
        gc.collect()
        after = _resident()
    return [
        Row(f"worker memory, {size:,} services", "MB", [after], 250.0),
        Row("  of it before the first service", "MB", [before]),
    ]


def _resident() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024
