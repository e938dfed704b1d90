"""Policies that want all of a machine: each ends within its limits, denies, and says where it stands."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import pytest

from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from bot.judging import Judging
from tests.core.policy_world import PATH, binding, case, checks, document, policy

pytestmark = pytest.mark.world
SECONDS = 3.0
MIB = 256
TEN = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
DOUBLED = [
    {"name": f"v{at}", "expression": f"variables.v{at - 1} + variables.v{at - 1}" if at else "'ab'"} for at in range(40)
]
DOUBLED_LISTS = [
    {"name": f"v{at}", "expression": f"variables.v{at - 1} + variables.v{at - 1}" if at else "[1, 2]"}
    for at in range(40)
]
NESTED = [
    {"name": f"v{at}", "expression": f"[variables.v{at - 1}, variables.v{at - 1}]" if at else "[0]"} for at in range(60)
]
HOSTILE = {
    "loops in loops": ("".join(f"{TEN}.all({name}, " for name in "abcdefghi") + "true" + ")" * 9, []),
    "loops over what loops make": (
        "".join(f"{TEN}.map({name}, " for name in "abcdefg") + "'x'" + ")" * 7 + " != []", []
    ),
    "a text that doubles": ("variables.v39 != ''", DOUBLED),
    "a list that doubles": ("variables.v39.size() > 0", DOUBLED_LISTS),
    "a list of itself": ("variables.v59 != [1]", NESTED),
    "an absorbed one": ("variables.v39 == '' || true", DOUBLED),
    "replacing": ("object.data.long.replace('', object.data.long).replace('', object.data.long) != ''", []),
    "joining": (f"{TEN}.map(x, {TEN}.map(y, object.data.long).join(object.data.long)).join('') != ''", []),
    "a format": ("'%s%s%s'.format([object.data.long, variables.v30, variables.v30]) != ''", DOUBLED),
    "a pattern that repeats": ("object.data.long.matches('((((a{30}){30}){30}){30}){30}')", []),
    "a pattern from the object": ("object.data.long.matches(object.data.pattern)", []),
    "splitting": (f"{TEN}.all(x, {TEN}.all(y, {TEN}.all(z, object.data.long.split('').size() > 0)))", []),
    "an exponent": ("quantity('1e999999999').asInteger() > 0", []),
    "a sum of quantities": (f"{TEN}.map(x, quantity('9e18')).sum() > quantity('1')", []),
    "maps in maps": (f"{TEN}.transformMap(a, b, {TEN}.transformMap(c, d, variables.v39)) != {{}}", DOUBLED_LISTS),
    "regular search": (f"{TEN}.all(x, object.data.long.findAll('a?').size() > 0 && object.data.long.find('a*') == '')",
                       []),
}  # fmt: skip


@pytest.fixture(scope="module")
def judging() -> Iterator[Judging]:
    made = Judging(seconds=SECONDS, memory_mib=MIB)
    yield made
    made.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_policy_that_wants_everything_ends_and_denies_with_its_place(judging: Judging, name: str) -> None:
    expression, variables = HOSTILE[name]
    made = policy(variables=variables, validations=[{"expression": expression, "message": "no"}])
    policies = load_policies({PATH: document(made, binding())})
    if not isinstance(policies, PolicySet):
        assert all(problem.path == PATH and problem.column > 1 for problem in policies.problems)
        return  # refused when it is read, with its place
    one = case({"configmap": {"data": {"long": "a" * 50_000, "pattern": "(((a{99}){99}){99}){99}"}}})
    began = time.monotonic()
    verdicts = judging(policies, [one])
    assert time.monotonic() - began < 3 * SECONDS
    assert [(verdict.effect, verdict.place.path) for verdict in verdicts] == [("deny", PATH)]
    assert verdicts[0].place.column > 1
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 4 * MIB * 1024


@pytest.mark.parametrize("depth", [30, 200, 3000])
def test_deep_nesting_of_the_text_or_of_the_object_denies_or_is_refused(judging: Judging, depth: int) -> None:
    made = policy(validations=[{"expression": "(" * depth + "object.spec.a" + ")" * depth + " == 1", "message": "no"}])
    found = load_policies({PATH: document(made, binding())})
    deep: object = 1
    for _ in range(depth):
        deep = {"a": deep}
    one = case({"configmap": {"data": {"x": deep if depth < 500 else 1}}})
    if isinstance(found, PolicySet):
        assert judging(found, [one])
    assert judging(checks("object.data.x.a.a != 1" if depth > 100 else "object.data.x == 1"), [one])


def test_the_next_case_goes_on_after_each(judging: Judging) -> None:
    expression, variables = HOSTILE["loops in loops"]
    policies = checks(f"object.metadata.name != 'b' || {expression}", variables=variables)
    cases = [case({"configmap": {"metadata": {"name": name}}}) for name in "abc"]
    assert len(judging(policies, cases)) == 1
