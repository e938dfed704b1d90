"""What a worker remembers between two looks, and that forgetting it costs nothing but time."""

from __future__ import annotations

from dataclasses import replace

from bot.core.build import Memo, UnitState, outlines
from bot.core.build.state import SPARE
from bot.core.problem import Refusal
from bot.core.tree import Oid
from tests.core.plan_world import FILES, built


def test_what_no_build_needs_any_more_is_forgotten_once_it_outnumbers_the_rest() -> None:
    build, memo = built(FILES), Memo()
    memo.units = {(folder, state.id, build.reads, ""): state for folder, state in build.units.items()}
    old = next(iter(build.units.values()))
    for number in range(SPARE + 2 * len(build.units)):
        memo.units["services/old", Oid(f"{number:040x}"), build.reads, ""] = replace(old, folder=f"old-{number}")
    memo.outlines = dict.fromkeys((f"{number:064x}" for number in range(SPARE + 2 * len(build.digests) + 1)), ())
    memo.trim(build)
    assert {id(state) for state in memo.units.values()} == {id(state) for state in build.units.values()}
    assert memo.outlines == {}


def test_a_few_entries_too_many_are_left_alone() -> None:
    build, memo = built(FILES), Memo()
    memo.units["services/old", Oid("a" * 40), "", ""] = UnitState("services/old", Oid("a" * 40), None, {}, ())
    memo.trim(build)
    assert len(memo.units) == 1


def test_outlines_that_were_forgotten_are_found_again() -> None:
    build, memo = built(FILES), Memo()
    keys = [key for key in build.digests if key[0] == "group"]
    first = outlines(build, keys, memo)
    memo.outlines.clear()
    assert outlines(build, keys, memo) == first
    assert not any(isinstance(found, Refusal) for found in first.values())
