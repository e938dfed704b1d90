"""What a platform engineer may get wrong in a recipe or an environment is a problem at its line, never a crash."""

from __future__ import annotations

import pytest

from bot.core.kit import Kit, kit_of
from bot.core.load import load_platform
from bot.core.problem import Problem, Refusal
from bot.shipped import shipped_tree
from tests.core.fleets import tree_of
from tests.core.rich import RECIPE, RICH

_LINE = next(n for n, line in enumerate(RICH[f"{RECIPE}/recipe.yaml"].splitlines(), 1) if "floor: {" in line)


def _option(text: str) -> list[Problem]:
    recipe = RICH[f"{RECIPE}/recipe.yaml"]
    old = "floor: {type: integer, minimum: 0, default: 1, description: Where it stands.}"
    assert old in recipe
    files = {**RICH, f"{RECIPE}/recipe.yaml": recipe.replace(old, text)}
    found = kit_of(tree_of(files), shipped_tree())
    return list(found.problems) if isinstance(found, Refusal) else []


@pytest.mark.parametrize(
    "option",
    [
        "floor: {type: storey, default: 1, description: d}",
        "floor: {type: [integer, 7], default: 1, description: d}",
        "floor: {pattern: '(', default: x, description: d}",
        "floor: {minimum: low, default: 1, description: d}",
        "floor: {$ref: '#/$defs/name', default: 1, description: d}",
        "floor: {$ref: 'file:///etc/passwd', default: 1, description: d}",
        "floor: {anyOf: [{$ref: 'http://127.0.0.1:1/x'}], default: 1, description: d}",
        "floor: {$id: 'https://causeway.dev/schemas/platform.schema.json', default: 1, description: d}",
        "floor: {type: integer, default: high, description: d}",
        "size: {type: integer, default: 1, description: d}",
    ],
)
def test_an_option_that_is_no_schema_of_its_own_is_a_problem_at_its_line(option: str) -> None:
    [problem] = _option(option)
    assert (problem.code, problem.path, problem.line) == ("CW0205", f"{RECIPE}/recipe.yaml", _LINE)


def test_a_good_option_is_taken() -> None:
    assert _option("floor: {type: [integer, 'null'], minimum: 0, default: null, description: d}") == []


@pytest.mark.parametrize(
    "address",
    [
        "http://o.o:4317x",
        "http://o.o:65536",
        "http://o.o:0",
        "http://[::1",
        "http://[x]:1",
        "http://O_O.x",
        "http://a@b.c:1",
    ],
)
def test_an_address_of_a_collector_that_no_program_could_reach_is_a_problem(address: str) -> None:
    text = RICH["platform/environments.yaml"].replace("http://otel-collector.observability:4317", f'"{address}"')
    tree = tree_of({**RICH, "platform/environments.yaml": text})
    kit = kit_of(tree, shipped_tree())
    assert isinstance(kit, Kit)
    found = load_platform(tree, kit)
    assert isinstance(found, Refusal)
    assert [problem.code for problem in found.problems] == ["CW0114"]
