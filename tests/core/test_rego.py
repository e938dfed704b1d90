"""Policies in Rego, without OPA: what their sources must be, what is asked, and what an answer means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from bot.core.policy.judge import judge_cases
from bot.core.policy.model import Case, PolicySet, Verdict
from bot.core.policy.rego import allowed, items_of, judged_by, query, read, sources, verdicts_of
from bot.core.problem import Problem, Refusal
from tests.core.made import PLATFORM, Delivery, service
from tests.core.policy_world import PATH, binding, case, document, loaded, policy

DENY = 'package main\n\nimport rego.v1\n\ndeny contains "no" if input.kind == "Pod"\n'
BOTH = f'{DENY}\nwarn contains {{"msg": "old"}} if input.kind == "Ingress"\n'


def rego(**files: str) -> PolicySet:
    return loaded({f"platform/policies/{name}.rego": text for name, text in files.items()})


class Reads:
    """An engine that takes Rego, and has something against it where `problems` are given."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems

    def __call__(self, policies: PolicySet, cases: Sequence[Case]) -> tuple[Verdict, ...]:  # noqa: ARG002
        return ()

    def rego_problems(self, policies: PolicySet) -> tuple[Problem, ...]:  # noqa: ARG002
        return self.problems


def test_rego_without_an_opa_is_refused_and_says_how_to_get_it() -> None:
    found = judged_by(rego(a=DENY, b=DENY), judge_cases)
    assert isinstance(found, Refusal)
    assert [(one.code, one.path[-6:]) for one in found.problems] == [("CW0740", "a.rego"), ("CW0740", "b.rego")]
    assert "openpolicyagent.org" in found.problems[0].fix


def test_policies_without_rego_need_no_opa_and_an_engine_that_reads_it_decides() -> None:
    none, some = loaded({PATH: document(policy(validations=[{"expression": "true"}]), binding())}), rego(a=DENY)
    wrong = Problem("a.rego", 1, 1, "CW0742", "no", "no", "no")
    assert judged_by(none, judge_cases) is none
    assert judged_by(some, Reads()) is some
    assert judged_by(some, Reads(wrong)) == Refusal((wrong,))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a", "package main\nallow if true\n", "no rule `deny` or `warn`"),
        ("a", f'{DENY}deny_pods contains "x" if true\n', "nobody asks for `deny_pods`"),
        ("a", f'{DENY}violation contains "x" if true\n', "nobody asks for `violation`"),
        ("a", DENY.replace("main", "pods"), "nobody asks for `deny` of this file"),
        ("a_test", DENY, "nobody asks for `deny` of this file"),
        ("a", DENY.replace("main", "causeway.judges.p0"), "is not for policies"),
        ("a", "deny contains 1 if true\n", "is not for policies"),
    ],
)
def test_what_nobody_would_ask_for_is_a_problem(name: str, text: str, said: str) -> None:
    _, problems = read(rego(**{name: text}))
    assert any(said in one.message for one in problems)
    assert {one.code for one in problems} == {"CW0741"}


def test_a_name_belongs_to_one_policy() -> None:
    files = {PATH: document(policy("p", validations=[{"expression": "true"}]), binding("p", "p"))}
    _, problems = read(loaded({**files, "platform/policies/p.rego": DENY}))
    assert [one.code for one in problems] == ["CW0717"]
    _, problems = read(loaded({"platform/policies/a/p.rego": DENY, "platform/policies/b/p.rego": DENY}))
    assert [one.code for one in problems] == ["CW0717", "CW0717"]


def test_each_file_is_asked_by_itself_and_all_together() -> None:
    policies = rego(a=BOTH, b=DENY, c="package lib.c\nx := 1\n", d_test="package main\ntest_a if true\n")
    rules, problems = read(policies)
    assert not problems
    assert [(one.name, dict(one.rules)) for one in rules] == [("a", {"deny": 5, "warn": 7}), ("b", {"deny": 5})]
    files = sources(policies, rules)
    assert sorted(files) == ["0.rego", "1.rego", "2.rego", "own-0.rego", "own-1.rego"]
    assert files["own-1.rego"][1].decode() == DENY.replace("main", "causeway.judges.p1")
    asked = query(rules)
    assert all(place in asked for place in ("data.main.deny", "data.main.warn", "judges.p0.warn", "judges.p1.deny"))


def answered(answer: Any, **files: str) -> list[tuple[str, str, str, str]]:
    rules, _ = read(rego(**(files or {"a": DENY})))
    (item,) = items_of([case("configmap")])
    return [(one.policy, one.validation, one.effect, one.kind) for one in verdicts_of(rules, item, answer)]


def test_sets_of_texts_and_of_objects_with_a_text_are_what_they_say() -> None:
    deny = ["set", ["no", {"msg": "never"}]]
    found = answered([deny, deny])
    assert [(one, effect, kind) for one, _, effect, kind in found] == [("a", "deny", "violation")] * 2
    assert answered([["set", []], ["set", []]]) == []


def test_what_says_a_message_is_known_again_by_it() -> None:
    (first,), (second,) = answered([["set", ["a"]]] * 2), answered([["set", ["b"]]] * 2)
    assert first[1].startswith("deny-")
    assert first[1] != second[1]


@pytest.mark.parametrize(
    "odd",
    [
        ["array", ["no"]], ["boolean", False], ["object", {}], ["null", None], ["set", "no"], "no", None, ["set"],
        ["set", [5]], ["set", [None]], ["set", [{"message": "no"}]], ["set", [{"msg": 5}]], ["set", ["a\0b"]],
    ],
)  # fmt: skip
def test_whatever_is_no_set_of_messages_denies(odd: Any) -> None:
    assert any(effect == "deny" and kind == "error" for _, _, effect, kind in answered([["set", []], odd]))


@pytest.mark.parametrize("answer", [None, [], [["set", []]], {}, [["set", []]] * 3, "yes"])
def test_an_answer_that_is_missing_or_of_another_length_denies(answer: Any) -> None:
    assert [(effect, kind) for _, _, effect, kind in answered(answer)] == [("deny", "error")]


def test_what_only_several_files_together_say_is_said_and_nobody_can_waive_it() -> None:
    none = ["set", []]
    found = answered([["set", ["both"]], none, none], a=DENY, b=DENY)
    assert [(one, effect) for one, _, effect, _ in found] == [("rego", "deny")]
    assert answered([["set", ["x"]], ["set", ["x"]], none], a=DENY, b=DENY)[0][0] == "a"


def test_objects_are_asked_about_with_their_pods_and_not_when_they_go() -> None:
    items = items_of([case("deployment"), case(None, "configmap")])
    assert [one.value["kind"] for one in items] == ["Deployment", "Pod"]


def test_nothing_that_reaches_outside_or_changes_by_itself_is_left() -> None:
    names = ["http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122", "count"]
    given = {"builtins": [{"name": one} for one in names] + [{"name": "new", "nondeterministic": True}], "features": []}
    found = allowed(given)
    assert found == {"builtins": [{"name": "count"}], "features": [], "allow_net": []}
    assert json.dumps(given).count("http.send") == 1


def test_a_change_with_rego_is_refused_whole_where_there_is_no_opa_and_nothing_runs_of_it() -> None:
    made = Delivery()
    made.land({**PLATFORM, **service("a")})
    before = dict(made.files)
    landed = made.land({**PLATFORM, **service("a", "port: 9000"), "platform/policies/a.rego": DENY})
    assert isinstance(landed, Refusal)
    assert [(one.code, one.path) for one in landed.problems] == [("CW0740", "platform/policies/a.rego")]
    assert made.files == before
