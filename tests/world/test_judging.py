"""Judging in a child: whatever a policy does, its case is denied with the place, and the next case goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.policy.judge import judge_cases
from bot.core.policy.model import Case, PolicySet
from bot.judging import Judging
from tests.core.policy_world import PATH, binding, case, checks, document, loaded, policy

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def judging() -> Iterator[Judging]:
    made = Judging(seconds=20)
    yield made
    made.close()


def _named(name: str) -> Case:
    return case({"configmap": {"metadata": {"name": name}}})


def _loops(depth: int) -> str:
    """As many turns as ten to the power of `depth`."""
    text = "true"
    for level in range(depth):
        text = f"[1,2,3,4,5,6,7,8,9,0].all(x{level}, {text})"
    return text


def _only(name: str, expression: str, **spec: object) -> PolicySet:
    """A policy whose expression runs for one object alone."""
    return checks(f"object.metadata.name != '{name}' || ({expression})", **spec)


def test_a_child_judges_as_this_process_does(judging: Judging) -> None:
    policies = checks(
        "object.metadata.name != 'b'", "object.data.missing == 'x'",
        variables=[{"name": "v", "expression": "'\U0001f600'"}]
    )  # fmt: skip
    cases = [_named("a"), _named("b"), case("deployment"), case(None, old="configmap")]
    assert judging(policies, cases) == judge_cases(policies, cases) != ()


def test_a_healthy_child_is_used_again_and_knows_several_sets(judging: Judging) -> None:
    judging(checks("true"), [_named("again")])
    first = judging.pid
    for at in range(6):
        assert len(judging(checks(f"{at} < 0"), [_named(f"again-{at}")])) == 1
    assert len(judging(checks("0 < 0"), [_named("new")])) == 1
    assert judging.pid == first is not None


def test_verdicts_are_remembered_by_content(judging: Judging) -> None:
    policies = checks("object.metadata.name == 'x'")
    first = judging(policies, [_named("remembered")])
    judging.close()
    assert judging(policies, [_named("remembered")]) == first
    assert judging.pid is None, "it was asked again"
    assert judging(checks("object.metadata.name == 'remembered'"), [_named("remembered")]) == ()
    assert judging.pid is not None


def test_what_takes_too_long_is_denied_at_its_place_and_the_next_goes_on() -> None:
    judging = Judging(seconds=1)
    try:
        # Each loop alone costs no more than a cluster allows; together they outlast any patience.
        slow = [{"expression": f"object.metadata.name != 'slow' || {at} < 0 || {_loops(5)}"} for at in range(40)]
        policies = loaded({PATH: document(policy(validations=slow), binding())})
        judging(policies, [_named("warm")])
        verdicts = judging(policies, [_named("a"), _named("slow"), _named("b")])
        (verdict,) = verdicts
        assert (verdict.kind, verdict.effect, verdict.policy, verdict.binding) == ("error", "deny", "p", "p")
        assert verdict.validation.startswith("validations[")
        assert verdict.place.path == PATH
        assert verdict.place.column > 100
        assert "longer than 1 s" in verdict.message
    finally:
        judging.close()


HOSTILE = {
    "loops in loops": ("object == null || " + _loops(9), []),
    "text that doubles": (
        "variables.v39 != ''",
        [{"name": "v0", "expression": "'0123456789abcdef'"}]
        + [{"name": f"v{at}", "expression": f"variables.v{at - 1} + variables.v{at - 1}"} for at in range(1, 40)],
    ),
    "lists that grow": (
        "variables.v11.size() > 0",
        [{"name": "v0", "expression": "[0,1,2,3,4,5,6,7,8,9]"}]
        + [
            {"name": f"v{at}", "expression": f"variables.v{at - 1}.map(x, variables.v{at - 1})"} for at in range(1, 12)
        ],
    ),
    "lists that add up": (
        "variables.v39.size() > 0",
        [{"name": "v0", "expression": "[0,1,2,3,4,5,6,7,8,9]"}]
        + [{"name": f"v{at}", "expression": f"variables.v{at - 1} + variables.v{at - 1}"} for at in range(1, 40)],
    ),
    "text that is replaced": (
        "variables.v9.size() > 0",
        [{"name": "v0", "expression": "'aaaaaaaaaa'"}]
        + [
            {"name": f"v{at}", "expression": f"variables.v{at - 1}.replace('a', variables.v{at - 1})"}
            for at in range(1, 10)
        ],
    ),
    "brackets in brackets": ("[" * 25 + "]" * 25 + ".size() > 1", []),
    "a chain of variables": (
        "variables.v99 == 1",
        [{"name": "v0", "expression": "object.nothing"}]
        + [{"name": f"v{at}", "expression": f"variables.v{at - 1}"} for at in range(1, 100)],
    ),
    "a pattern": ("variables.v15.matches('(a*)*(a*)*b')", [{"name": "v0", "expression": "'aaaaaaaaaaaaaaaa'"}]
        + [{"name": f"v{at}", "expression": f"variables.v{at - 1} + variables.v{at - 1}"} for at in range(1, 16)]),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_policy_ends_within_the_limits_and_denies(judging: Judging, name: str) -> None:
    expression, variables = HOSTILE[name]
    policies = checks(f"object.metadata.name != 'hostile' || ({expression})", variables=variables)
    began = time.monotonic()
    verdicts = judging(policies, [_named("a"), _named("hostile"), _named("b")])
    assert [(verdict.validation, verdict.effect) for verdict in verdicts] == [("validations[0]", "deny")] or (
        verdicts[0].validation.startswith("variables[") and len(verdicts) == 1
    )
    assert time.monotonic() - began < 30
    assert verdicts[0].place.path == PATH


def test_a_child_that_memory_ends_is_started_anew() -> None:
    judging = Judging(seconds=20, memory_mib=64)
    try:
        deep: object = "x" * 1000
        heavy = {"configmap": {"data": {str(at): deep for at in range(30_000)}}}
        policies = checks("object.metadata.name != 'texts' || object.data.all(k, k != '')", "true")
        verdicts = judging(policies, [_named("a"), case(heavy), _named("b")])
        assert [(verdict.effect, verdict.kind) for verdict in verdicts] == [("deny", "error")]
        assert judging.pid is not None
    finally:
        judging.close()


def test_a_child_that_was_killed_from_outside_costs_only_time() -> None:
    judging = Judging(seconds=20)
    try:
        policies = _only("x", "true")
        judging(policies, [_named("a")])
        first = judging.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert judging(policies, [_named("b")]) == ()
        assert judging.pid not in (None, first)
    finally:
        judging.close()


def test_what_is_no_answer_denies() -> None:
    for program in ("print('[[1]]', flush=True); input()", "print('{', flush=True); input()", "raise SystemExit"):
        judging = Judging(seconds=5, program=(sys.executable, "-c", program))
        try:
            (verdict,) = judging(checks("true"), [_named("a")])
            assert (verdict.effect, verdict.kind, verdict.policy) == ("deny", "error", "p")
        finally:
            judging.close()


def test_where_no_child_ever_answers_the_rest_is_denied_unasked() -> None:
    judging = Judging(seconds=5, program=("/bin/false",))
    try:
        cases = [_named(f"a{at}") for at in range(200)]
        began = time.monotonic()
        verdicts = judging(checks("true"), cases)
        assert [verdict.effect for verdict in verdicts] == ["deny"] * 200
        assert time.monotonic() - began < 5
    finally:
        judging.close()


def test_many_cases_are_judged_in_their_order_with_one_that_is_killed_among_them() -> None:
    judging = Judging(seconds=1)
    try:
        slow = [{"expression": f"object.metadata.name != 'a77' || {at} < 0 || {_loops(5)}"} for at in range(40)]
        odd = {"expression": "object.metadata.name.size() != 3", "message": "three"}
        policies = loaded({PATH: document(policy(validations=[odd, *slow]), binding())})
        cases = [_named(f"a{at}") for at in range(120)]
        judging(policies, [_named("warm")])
        found = judging(policies, cases)
        assert [verdict.kind for verdict in found] == ["violation"] * 67 + ["error"] + ["violation"] * 22
        assert found[67].message.endswith("longer than 1 s")
        assert judging(policies, cases[10:20]) == found[:10]
    finally:
        judging.close()


PARENT = """
import sys
from bot.judging import Judging
from tests.core.policy_world import case, checks
judging = Judging(seconds=60)
judging(checks("true"), [case("configmap")])
print(judging.pid, flush=True)
judging(checks(sys.argv[1]), [case("configmap")])
"""


@pytest.mark.parametrize("expression", ["true", " && ".join([_loops(5)] * 3)])
def test_a_child_dies_with_its_parent_busy_or_not(expression: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT + "sys.stdin.read()", expression],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    until = time.monotonic() + 5
    while _alive(child):
        assert time.monotonic() < until, "it lives on"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
