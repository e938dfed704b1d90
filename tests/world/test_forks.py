"""Work in processes that are forked from this one: the same results in the same order, and no process left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.core.build import Memo, build, fill
from bot.core.kit import kit_of
from bot.core.model.ask import DeliverAsk, Head, Link
from bot.core.model.delivery import Landed
from bot.core.problem import Refusal
from bot.core.tree import MemoryTree, Oid
from bot.forks import BLOCK, FEW, Forks, Shares
from bot.git import Mirror
from bot.shipped import shipped_tree
from bot.storing import Storing
from bot.thinking import Thinking
from tests.bench.fleet import fleet

MANY = FEW + 5 * BLOCK + 3


def doubled(number: int) -> tuple[int, int]:
    return number * 2, os.getpid()


@pytest.mark.parametrize("many", [FEW + 1, FEW + BLOCK, MANY])
@pytest.mark.parametrize("processes", [2, 3, 4])
def test_many_items_give_what_map_gives_from_other_processes(many: int, processes: int) -> None:
    found = list(Forks(processes)(doubled, iter(range(many))))
    assert [number for number, _ in found] == [2 * number for number in range(many)]
    pids = {pid for _, pid in found}
    assert len(pids) == processes
    assert os.getpid() not in pids


def test_few_items_are_worked_on_here() -> None:
    forks = Forks(2)
    assert {pid for _, pid in forks(doubled, range(FEW))} == {os.getpid()}
    assert not forks.used


def test_one_processor_needs_no_second_process() -> None:
    assert {pid for _, pid in Forks(1)(doubled, range(MANY))} == {os.getpid()}


def raising(error: Exception) -> Callable[[int], int]:
    def work(number: int) -> int:
        if number == MANY - 1:
            raise error
        return number

    return work


@pytest.mark.parametrize("error", [ValueError("this one"), KeyError("a" * 40), MemoryError()])
def test_an_exception_in_a_process_is_raised_here(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        list(Forks(2)(raising(error), range(MANY)))
    assert raised.value.args == error.args


def test_an_exception_that_cannot_travel_is_told_in_words() -> None:
    class LocalError(Exception):
        pass

    with pytest.raises(RuntimeError, match="LocalError"):
        list(Forks(2)(raising(LocalError("of a function")), range(MANY)))


def test_a_process_that_is_killed_counts_as_out_of_memory() -> None:
    def work(number: int) -> int:
        if number == FEW:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(MemoryError):
        list(Forks(2)(work, range(MANY)))


def test_no_process_outlives_an_iteration_that_is_broken_off() -> None:
    made = iter(Forks(2)(doubled, range(100_000)))
    pid = next(made)[1]
    made.close()  # type: ignore[attr-defined]  # it is a generator
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_a_process_keeps_travels_in_its_stead_and_is_ended_before_the_last_result(tmp_path: Path) -> None:
    class Noted(Shares):
        def __init__(self) -> None:
            self.sum = 0

        def keep(self, result: Any) -> Any:
            self.sum += result
            return None

        def end(self) -> None:
            (tmp_path / str(os.getpid())).write_text(str(self.sum))

    assert set(Forks(2, Noted)(lambda number: number, range(MANY))) == {None}
    notes = [int(note.read_text()) for note in tmp_path.iterdir()]
    assert len(notes) == 2
    assert sum(notes) == sum(range(MANY))


def test_renders_that_are_stored_leave_the_files_and_folders_that_they_name(tmp_path: Path) -> None:
    mirror, plain = Mirror(tmp_path / "a.git"), Mirror(tmp_path / "b.git")
    tree = MemoryTree({path: text.encode() for path, text in fleet(200).items()})
    kit = kit_of(tree, shipped_tree())
    assert not isinstance(kit, Refusal)
    made = build(tree, kit, Memo())
    assert not isinstance(made, Refusal)
    storing = Storing(mirror, processes=2)
    stored, whole = fill(made, made.digests, Memo(), storing), fill(made, made.digests, Memo())
    files: dict[str, bytes] = {}
    ids: dict[str, Oid] = {}
    for key, done in whole.items():
        there = stored[key]
        assert not isinstance(done, Refusal)
        assert not isinstance(there, Refusal)
        assert there.outline == done.outline
        assert not there.files
        files.update(done.files)
        ids.update((item.path, item.id) for item in done.outline)
        assert all(storing.stored(item.id) for item in done.outline)
    assert mirror.write(None, ids, "All\n", 1) == plain.write(None, files, "All\n", 1)


@pytest.mark.long
def test_a_first_delivery_is_the_same_commit_however_many_processors_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storing.processors", lambda: 3)
    platform = Mirror(tmp_path / "platform.git")
    tip = platform.write(None, {path: text.encode() for path, text in fleet(200).items()}, "All\n", 1_790_000_000)
    head = Head("main", "acme/gitops", str(tmp_path / "gitops.git"), None)
    chain = Thinking().deliver(DeliverAsk(platform.path, head, (Link(None, Landed("1", tip, 1_790_000_000)),)))
    (made,) = chain.made
    once = Mirror(tmp_path / "again.git")
    head = Head("main", "acme/gitops", once.path, None)
    monkeypatch.setattr("bot.storing.processors", lambda: 1)
    (again,) = Thinking().deliver(DeliverAsk(platform.path, head, (Link(None, made.landed),))).made
    assert made.commit == again.commit
