"""Throws expressions at CEL and holds it to its promise: an answer each time, soon, and true only where it is true."""

from __future__ import annotations

import time
from collections import Counter
from random import Random

from bot.core.cel import CelError, CelFault, CelValue, Prepared, Program, compile_cel, evaluate
from bot.core.cel.values import type_name
from tests.core.cel_expressions import broken, expression

VARIABLES = frozenset(["object"])
SECONDS = 2.0
"""What one expression may take, on a busy machine."""


def trial(random: Random, bound: Prepared) -> str:
    """Compiles and runs one random expression; the kind of its end. AssertionError where a promise is broken."""
    text = expression(random, random.randint(1, 5))
    if random.random() < 0.1:
        text = broken(random, text)
    began = time.monotonic()
    program = compile_cel(text, VARIABLES)
    if isinstance(program, CelFault):
        assert program.message, text
        assert_place(text, program.line, program.column)
        return "refused"
    found = evaluate(program, bound)
    assert time.monotonic() - began < SECONDS, text
    if isinstance(found, CelError):
        assert found.message, text
        assert_place(text, found.line, found.column)
        return "error"
    assert found.type == type_name(found.value), text
    if found.type == "bool":
        assert found.value is True or found.value is False, text
        assert_opposite(text, found, bound)
    return found.type


def assert_place(text: str, line: int, column: int) -> None:
    lines = text.split("\n")
    assert 1 <= line <= len(lines), (text, line, column)
    assert 1 <= column <= len(lines[line - 1]) + 1, (text, line, column)


def assert_opposite(text: str, found: CelValue, bound: Prepared) -> None:
    """Who says true to a text says false to its opposite: an error that was taken for true would say so to both."""
    program = compile_cel(f"!({text})", VARIABLES)
    if isinstance(program, Program):  # one more pair of brackets can be one too many
        assert evaluate(program, bound) == CelValue("bool", not found.value), text


def trials(seed: int, number: int, bound: Prepared) -> Counter[str]:
    """How many ended in which way."""
    random = Random(seed)
    return Counter(trial(random, bound) for _ in range(number))
