"""The same as tests/core/test_cel_fuzz.py for longer, and beside another evaluator of CEL."""

from __future__ import annotations

from random import Random, SystemRandom

import pytest
from cel_expr_python import cel

from bot.core.cel import CelValue, Program, compile_cel, evaluate, prepared
from tests.core.cel_expressions import OBJECT, expression
from tests.core.cel_trial import VARIABLES, trials

pytestmark = pytest.mark.long


def test_many_random_expressions_end_in_a_value_an_error_or_a_refusal() -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  pytest shows it with a failure
    found = trials(seed, 60_000, prepared({"object": OBJECT}))
    assert found["bool"] > 1_000


def test_the_library_s_own_evaluator_never_says_the_opposite() -> None:
    """cel-expr-python runs expressions too. What only one of the two can compile or run is left out."""
    config = (
        "name: other\nextensions:\n- name: optional\n- name: sets\n- name: two-var-comprehensions\n- name: strings\n"
    )
    other = cel.NewEnv(config=cel.NewEnvConfigFromYaml(config), variables={"object": cel.Type.DYN})
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  pytest shows it with a failure
    random, bound, agreed = Random(seed), prepared({"object": OBJECT}), 0
    for _ in range(30_000):
        text = expression(random, random.randint(1, 4))
        program = compile_cel(text, VARIABLES)
        found = evaluate(program, bound) if isinstance(program, Program) else None
        if not isinstance(found, CelValue) or found.type != "bool":
            continue
        try:
            second = other.compile(text).eval(data={"object": OBJECT})
        except (RuntimeError, TypeError):
            continue
        if second.type() == cel.Type.BOOL:
            assert second.plain_value() is found.value, text
            agreed += 1
    assert agreed > 300
