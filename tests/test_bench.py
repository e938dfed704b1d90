"""The benchmark's own arithmetic, and that its fleet is one without problems."""

from __future__ import annotations

from bot.core.build import Memo, build
from bot.core.kit import kit_of
from bot.core.problem import Refusal
from bot.core.tree import MemoryTree
from bot.shipped import shipped_tree
from tests.bench.fleet import ENVIRONMENTS, TEAMS, fleet
from tests.bench.rows import Row, table


def test_a_ratio_up_to_one_means_that_the_goal_is_met_whichever_way_it_points() -> None:
    assert Row("slow", "ms", [5.0, 20.0, 30.0], 10.0).ratio == 2.0
    assert Row("fast", "/s", [5.0, 20.0, 30.0], 10.0, more_is_better=True).ratio == 0.5
    assert Row("told", "MB", [1.0]).ratio is None


def test_the_table_names_every_measure_with_its_noise_and_its_goal() -> None:
    text = table([Row("propose", "ms", [1.0, 2.0, 9.0], 10.0), Row("told", "MB", [1234.0])])
    assert [word for word in text.splitlines()[1].split(" ") if word] == [
        "propose", "(ms)", "1", "2", "9", "≤", "10", "0.20",
    ]  # fmt: skip
    assert "1,234" in text


def test_the_fleet_compiles_without_a_problem_in_every_environment() -> None:
    tree = MemoryTree({path: text.encode() for path, text in fleet(TEAMS + 5).items()})
    kit = kit_of(tree, shipped_tree())
    assert not isinstance(kit, Refusal), kit
    made = build(tree, kit, Memo())
    assert not isinstance(made, Refusal), made
    assert not any(made.linked.problems.values())
    assert {len(state.environments) for state in made.units.values()} == {len(ENVIRONMENTS)}
