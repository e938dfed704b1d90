"""The real OPA: it judges what is written in Rego, all cases in one call, and whatever it does not answer is denied."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.build import Memo
from bot.core.model.delivery import Evidence
from bot.core.policy.model import Case, Engine, PolicySet, Verdict
from bot.core.propose import Proposal, propose
from bot.core.tree import NO_OID, MemoryTree, Tree
from bot.opa import Opa, judges
from bot.shipped import shipped_tree
from tests.core.made import PLATFORM, Files, service
from tests.core.policy_world import PATH, binding, case, checks, document, loaded, policy

pytestmark = pytest.mark.world
OBJECTS = ("deployment", "service", "configmap", "ingress")
REPLICAS = """\
package main

import rego.v1
import data.lib.kinds

deny contains msg if {
	kinds.is_workload(input)
	input.spec.replicas < 2
	msg := sprintf("%s runs %d pods", [input.metadata.name, input.spec.replicas])
}

warn contains {"msg": "services are old"} if input.kind == "Service"
"""
KINDS = """\
package lib.kinds

import rego.v1

is_workload(object) if object.kind in {"Deployment", "StatefulSet"}
"""


def command() -> str:
    found = os.environ.get("CAUSEWAY_OPA") or shutil.which("opa")
    if found is None:
        pytest.skip("opa is neither on PATH nor named by CAUSEWAY_OPA")
    return found


class Counting(Opa):
    """Counts what the command is called for."""

    def __init__(self, command: str, inner: Engine) -> None:
        super().__init__(command, inner)
        self.calls: Counter[str] = Counter()

    def _run(self, arguments: Sequence[str], given: bytes, folder: str) -> Any:
        self.calls[arguments[0]] += 1
        return super()._run(arguments, given, folder)


def nobody(_policies: PolicySet, _cases: Sequence[Case]) -> tuple[Verdict, ...]:
    return ()


def rego(**files: str) -> PolicySet:
    return loaded({f"platform/policies/{name}.rego": text for name, text in files.items()})


def rule(condition: str) -> str:
    return f'package main\n\ndeny contains "no" if {{\n\t{condition}\n}}\n'


def four() -> list[Case]:
    return [replace(case(name), key=name) for name in OBJECTS]


def said(opa: Opa, policies: PolicySet, cases: Sequence[Case] | None = None) -> list[tuple[str, str, str]]:
    assert not opa.rego_problems(policies)
    return [(one.case, one.effect, one.kind) for one in opa(policies, four() if cases is None else cases)]


def test_it_judges_in_conftests_shape_with_what_files_share() -> None:
    opa = Opa(command(), nobody)
    policies = rego(replicas=REPLICAS, kinds=KINDS)
    assert not opa.rego_problems(policies)
    denied, warned = opa(policies, four())
    assert (denied.case, denied.policy, denied.effect) == ("deployment", "replicas", "deny")
    assert denied.message == "checkout runs 1 pods"
    assert (denied.place.path, denied.place.line) == ("platform/policies/replicas.rego", 6)
    assert (warned.case, warned.effect, warned.message) == ("service", "warn", "services are old")


def test_all_cases_of_a_review_are_one_call_and_what_it_knows_is_not_asked_again() -> None:
    opa, policies = Counting(command(), nobody), rego(replicas=REPLICAS, kinds=KINDS)
    cases = [replace(case("deployment"), key=str(at)) for at in range(300)]
    assert len(said(opa, policies, cases)) == 300
    assert len(said(opa, policies, cases)) == 300
    assert opa.calls == {"capabilities": 1, "check": 1, "eval": 1}


def test_it_speaks_beside_the_judge_of_cel_in_the_order_of_the_cases() -> None:
    files = document(policy(validations=[{"expression": "object.kind != 'ConfigMap'", "message": "m"}]), binding())
    policies = loaded({PATH: files, "platform/policies/r.rego": rule('input.kind in {"Service", "Ingress"}')})
    engine = judges(command())
    try:
        assert [(one.case, one.policy) for one in engine(policies, four())] == [
            ("service", "r"), ("configmap", "p"), ("ingress", "r"),
        ]  # fmt: skip
    finally:
        engine.close()


def test_an_error_denies_the_object_that_it_is_about_and_no_other() -> None:
    policies = rego(a=rule('input.kind == "Service"; to_number("x") == 1'), b=rule('input.kind == "Ingress"'))
    found = said(Opa(command(), nobody), policies)
    assert found == [("service", "deny", "error"), ("ingress", "deny", "violation")]


def test_many_errors_deny_the_rest_unasked() -> None:
    policies, opa = rego(a=rule("to_number(input.kind) == 1")), Opa(command(), nobody)
    cases = [replace(case("configmap"), key=str(at)) for at in range(60)]
    assert said(opa, policies, cases) == [(str(at), "deny", "error") for at in range(60)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ('package main\ndeny := true if input.kind == "Service"\n', ["error"] * 4),
        ('package main\ndeny := ["a"]\n', ["error"] * 4),
        ('package main\ndeny[x] := y if { some x, y in {"a": 1} }\n', ["error"] * 4),
        ('package main\ndeny contains 5 if input.kind == "Service"\n', ["error"]),
        ('package main\ndeny := x if { some x in {{"a"}, {"b"}} }\n', ["error"] * 4),
    ],
)
def test_what_is_undefined_or_no_set_or_contradicts_itself_denies(text: str, kinds: list[str]) -> None:
    assert [kind for _, _, kind in said(Opa(command(), nobody), rego(a=text))] == kinds


@pytest.mark.parametrize(
    "call",
    [
        'http.send({"method": "get", "url": "http://127.0.0.1"}).status_code == 200', "opa.runtime().env.HOME",
        'net.lookup_ip_addr("localhost")', "time.now_ns() > 0", 'rand.intn("a", 2) == 1', "not_there(1)",
    ],
)  # fmt: skip
def test_functions_of_network_environment_clock_and_chance_are_refused_with_the_place(call: str) -> None:
    (problem,) = Opa(command(), nobody).rego_problems(rego(a=rule(call)))
    assert (problem.code, problem.path, problem.line) == ("CW0742", "platform/policies/a.rego", 4)


def test_what_is_no_rego_is_refused_with_the_place() -> None:
    problems = Opa(command(), nobody).rego_problems(rego(a=rule("input.kind ==")))
    assert {(one.code, one.path) for one in problems} == {("CW0742", "platform/policies/a.rego")}


def test_endless_work_and_endless_memory_are_ended_and_deny() -> None:
    loop = rule("every a in numbers.range(1, 100000) { every b in numbers.range(1, 100000) { a + b > 0 } }")
    assert said(Opa(command(), nobody, seconds=2), rego(a=loop), four()[:2]) == [
        ("deployment", "deny", "error"), ("service", "deny", "error"),
    ]  # fmt: skip
    heap = rule("count([x | some a in numbers.range(1, 9000); some b in numbers.range(1, 9000); x := [a, b]]) > 0")
    assert said(Opa(command(), nobody, seconds=20, memory_mib=192), rego(a=heap), four()[1:2]) == [
        ("service", "deny", "error"),
    ]  # fmt: skip


def test_a_command_that_is_not_there_or_says_something_else_refuses_and_denies(tmp_path: Path) -> None:
    policies = rego(a=rule("input.x"))
    for path in (str(tmp_path / "nothing"), "/bin/true", "/bin/false"):
        broken = Opa(path, nobody)
        assert [one.code for one in broken.rego_problems(policies)] == ["CW0742"]
        assert {(one.effect, one.kind) for one in broken(policies, four())} == {("deny", "error")}


def test_without_rego_no_command_runs() -> None:
    opa = Opa("/nowhere", nobody)
    assert opa(checks("true"), four()) == ()


def test_a_review_is_refused_by_what_rego_denies_anew_and_not_by_what_stood_before() -> None:
    few = {"platform/policies/few.rego": rule('input.kind == "Workload"; input.spec.scale.max > 2')}
    small, large = (tree(few, f"scale: {number}") for number in (1, 3))
    assert reviewed(small, large) == ["error"]
    assert reviewed(large, tree(few, "scale: 3", "port: 9000")) == ["warning"]
    assert reviewed(small, tree({}, "scale: 3")) == ["error"], "taken away in the same change"


def tree(files: Files, *lines: str) -> Tree:
    every = {**PLATFORM, **service("a", *lines), **files}
    return MemoryTree({path: text.encode() for path, text in every.items()})


def reviewed(base: Tree, merged: Tree) -> list[str]:
    """How severe the findings of Rego are; in both environments alike."""
    opa = Opa(command(), nobody)
    found = propose(
        base, merged, shipped_tree(), {}, Evidence(), NO_OID, 1_790_000_000, lambda _: base, Memo(), engine=opa
    )
    assert isinstance(found, Proposal), found
    return sorted({problem.severity for problem in found.plan.problems if problem.code == "CW0710"})
