"""A cluster judges as we do: whether a policy is about an object, what it says of it, and with which words."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import pytest

from bot.core.policy.asking import requests_of
from bot.core.policy.model import Case, PolicySet
from tests.core.policies_world import published
from tests.tools.cluster_expressions import random_pair
from tests.tools.cluster_objects import mutated, rendered_cases
from tests.tools.cluster_pairs import BINDING, POLICY, Pair, Said, about, compared, documents, loaded

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]
PACK = Path(__file__).parents[2] / "blueprints" / "policies" / "v1"
_FIELD = re.compile(r"\.\??(\w+)\b(?!\()")


def agreed(pairs: Sequence[Pair], stricter: int = 0) -> Counter[str]:
    """How often which answer was given by both. At most so many may be refused here and not there."""
    found: Counter[str] = Counter()
    wrong, refused = [], 0
    for pair, here, there in compared(pairs):
        if here.answer == "refused" != there.answer:
            refused += 1
        elif not here.same(there):
            wrong.append((pair, here, there))
        found[here.answer] += 1
    assert not wrong, show(wrong)
    assert refused <= stricter
    return found


def show(wrong: Sequence[tuple[Pair, Said, Said]]) -> str:
    return "\n".join(
        f"{pair.name} {pair.case.key}\n  {json.dumps(pair.policy['spec'])}\n  here {here}\n  there {there}"
        for pair, here, there in wrong[:5]
    )


def test_the_pack_over_all_that_a_platform_renders() -> None:
    found = agreed([pair for case in rendered_cases() for pair in pack(case)])
    assert found["passed over"] > 100
    assert found["allowed"] > 50


def test_the_pack_over_what_accidents_make_of_objects() -> None:
    random = dice()
    near = {case.key: [pair for pair in pack(case) if is_about(pair)] for case in rendered_cases()}
    cases = [case for case in rendered_cases() if near[case.key]]
    pairs = []
    for _ in range(1500):
        case = random.choice(cases)
        pair = random.choice(near[case.key])
        pairs.append(Pair(pair.name, pair.policy, pair.binding, mutated(random, case, words(pair.policy))))
    found = agreed(pairs)
    assert found["allowed"] > 200
    assert found["denied"] > 100


def test_published_policies_over_their_own_objects_and_accidents() -> None:
    random, pairs = dice(), []
    for one in published():
        docs = [doc for data in one.files.values() for doc in documents(data)]
        policy = next(doc for doc in docs if doc["kind"] == POLICY)
        binding = next(doc for doc in docs if doc["kind"] == BINDING)
        if one.refused.startswith("CW0715"):
            continue  # a cluster knows who asks
        for case in (*one.passing, *one.failing):
            pairs.append(Pair(one.name, policy, binding, case, one.params))
            changed = [mutated(random, case, words(policy)) for _ in range(10 if case.object is not None else 0)]
            pairs += [Pair(one.name, policy, binding, damaged, one.params) for damaged in changed]
    found = agreed(pairs)
    assert found["allowed"] > 50
    assert found["denied"] > 100


def test_random_policies_are_refused_by_both_or_say_the_same() -> None:
    random = dice()
    found = agreed([random_pair(random, at) for at in range(1000)], stricter=10)
    assert found["allowed"] > 20
    assert found["denied"] > 100


def dice() -> Random:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  pytest shows it with a failure
    return Random(seed)


@cache
def files() -> tuple[tuple[Any, Any], ...]:
    """Each policy of the pack with its binding."""
    docs = [doc for path in sorted(PACK.glob("*.yaml")) for doc in documents(path.read_bytes())]
    bindings = {doc["spec"]["policyName"]: doc for doc in docs if doc["kind"] == BINDING}
    return tuple((doc, bindings[doc["metadata"]["name"]]) for doc in docs if doc["kind"] == POLICY)


def pack(case: Case) -> Iterator[Pair]:
    return (Pair(policy["metadata"]["name"], policy, binding, case) for policy, binding in files())


@cache
def sets() -> Mapping[str, PolicySet | str]:
    pairs = list(pack(rendered_cases()[0]))
    return {pair.name: one for pair, one in zip(pairs, loaded(pairs).values(), strict=True)}


def is_about(pair: Pair) -> bool:
    known = sets()[pair.name]
    assert isinstance(known, PolicySet), known
    return any(about(known, request) for request in requests_of(pair.case))


def words(policy: Mapping[str, Any]) -> frozenset[str]:
    """The names of fields that the policy's expressions look at."""
    return frozenset(_FIELD.findall(str(policy["spec"])))
