"""The shipped policies over a whole fleet, in the child that judges. Wall time: the work is another process's."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

from bot.core.build import Memo, build
from bot.core.kit import kit_of
from bot.core.policy.load import load_policies
from bot.core.policy.model import Case
from bot.core.rules.cases import objects_in, of_unit
from bot.core.tree import MemoryTree, walk
from bot.judging import Judging
from bot.shipped import shipped_tree
from tests.bench.core import known
from tests.bench.fleet import ENVIRONMENTS, fleet
from tests.bench.rows import Row

PACK = "blueprints/policies/v1"


def judging(size: int, runs: int) -> list[Row]:
    """Every service in every environment from nothing, then one service that changed."""
    shipped = shipped_tree()
    files = {path: shipped.read(path) for path, entry in walk(shipped, PACK) if entry.kind == "file"}
    policies = known(load_policies({}, files))
    units = _cases(size)
    every = [case for cases in units for case in cases]
    whole: list[float] = []
    one: list[float] = []
    for run in range(runs):
        with closing(Judging()) as engine:
            begun = time.perf_counter()
            engine(policies, every)
            whole.append(time.perf_counter() - begun)
            # Another name in its environment's cases, so that none of them is remembered.
            changed = [replace(case, key=f"{case.key}#{run}") for case in units[run % size]]
            begun = time.perf_counter()
            engine(policies, changed)
            one.append((time.perf_counter() - begun) * 1000)
    name = f"judge {size:,} x {len(ENVIRONMENTS)} by {len(policies.policies)} policies"
    return [
        Row(f"{name}, {len(every):,} objects, wall time", "s", whole),
        Row("  judgements (object by policy)", "/s", [len(every) * len(policies.policies) / took for took in whole]),
        Row(f"  one changed service, {len(units[0])} objects", "ms", one),
    ]


def _cases(size: int) -> list[list[Case]]:
    tree, memo = MemoryTree({path: text.encode() for path, text in fleet(size).items()}), Memo()
    made = known(build(tree, known(kit_of(tree, shipped_tree())), memo))
    return [list(of_unit(made, folder, objects_in(memo))) for folder in sorted(made.units)]
