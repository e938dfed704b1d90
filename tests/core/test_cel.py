"""Every function of CEL gives what its documentation says, or what a cluster does where that differs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.core.cel import CelError, CelFault, CelValue, Program, compile_cel, evaluate
from bot.core.cel.functions import FUNCTIONS, LIBRARIES
from bot.core.model.values import Value
from tests.core.cel_page import PAGE, page

CASES = Path(__file__).parents[1] / "cases" / "cel"
OBJECT: Value = {
    "text": "abc", "count": 3, "items": ["a", "b"], "empty": [], "mixed": ["a", 1], "labels": {"app": "web"},
    "cpu": "500m", "huge": 1e19, "below": -1,
}  # fmt: skip
VARIABLES = frozenset(["object"])


def cases() -> list[tuple[str, str, str]]:
    return [
        (library.cases, *line.rsplit(" => ", 1))
        for library in LIBRARIES
        for line in (CASES / f"{library.cases}.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]


def run(text: str) -> CelValue | CelError | CelFault:
    program = compile_cel(text, VARIABLES)
    return evaluate(program, {"object": OBJECT}) if isinstance(program, Program) else program


@pytest.mark.parametrize(("library", "expression", "answer"), cases())
def test_an_example_gives_what_its_line_says(library: str, expression: str, answer: str) -> None:
    found = run(expression)
    if answer.startswith("refused "):
        assert isinstance(found, CelFault), found
        assert answer.removeprefix("refused ") in found.message
    elif answer.startswith("error "):
        assert isinstance(found, CelError), found
        assert answer.removeprefix("error ") in found.message
    elif answer.startswith("a "):
        assert isinstance(found, CelValue), found
        assert found.type == answer.removeprefix("a ")
    else:
        assert isinstance(found, CelValue), found
        assert json.dumps(found.value) == json.dumps(json.loads(answer)), library


def test_every_function_has_an_example() -> None:
    shown = "\n".join(expression for _, expression, _ in cases())
    assert not [name for name in FUNCTIONS if f"{name}(" not in shown]


def test_the_page_of_functions_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.core.cel_page`"
