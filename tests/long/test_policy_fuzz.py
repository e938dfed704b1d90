"""Random policies over damaged objects: nothing passes that is not plainly true, and nothing that a cluster denies."""

from __future__ import annotations

from dataclasses import replace
from random import Random, SystemRandom

import pytest

from bot.core.cel import CelValue
from bot.core.cel.values import Runtime
from bot.core.policy.judge import judge_case
from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from bot.core.policy.run import Failed, Run
from tests.core.policy_world import PATH, document
from tests.tools.cluster_expressions import random_pair
from tests.tools.cluster_objects import mutated
from tests.tools.cluster_pairs import Pair, compared

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
WORDS = frozenset(["a", "s", "labels", "app", "spec", "r", "n", "f", "t", "list", "cpu", "mem", "ip", "image", "v"])


def damaged(random: Random, at: int) -> Pair:
    pair = random_pair(random, at)
    return replace(pair, case=mutated(random, pair.case, WORDS)) if random.random() < 0.8 else pair


def dice() -> Random:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  pytest shows it with a failure
    return Random(seed)


def test_nothing_passes_here_that_a_cluster_denies_or_fails_at() -> None:
    """Refused here and not there is allowed, the other way round is not."""
    random, decided = dice(), 0
    for _ in range(5):
        pairs = [damaged(random, at) for at in range(1000)]
        for pair, here, there in compared(pairs):
            if here.answer in ("allowed", "passed over"):
                assert there.answer in ("allowed", "passed over"), (pair.policy["spec"], pair.case.object, there)
            decided += here.answer in ("allowed", "denied")
    assert decided > 500


def test_what_is_no_true_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an expression gives, an object passes only where every validation that ran gave a true boolean."""
    seen: list[tuple[str, CelValue | Failed]] = []
    value = Run.value

    def listened(self: Run, part: str, expression: object) -> CelValue | Failed:
        found = value(self, part, expression)  # type: ignore[arg-type]  # handed on as it came
        seen.append((part, found))
        return found

    monkeypatch.setattr(Run, "value", listened)
    random, passed = dice(), 0
    for at in range(8000):
        pair = damaged(random, at)
        found = load_policies({PATH: document(pair.policy, pair.binding)})
        if not isinstance(found, PolicySet):
            continue
        seen.clear()
        if judge_case(found, pair.case) == ():
            passed += 1
            conditions = [one for part, one in seen if part.startswith("matchConditions")]
            left_out = any(_plain(one) is False for one in conditions)
            judged = [one for part, one in seen if part.startswith("validations") and "." not in part]
            assert left_out or all(_plain(one) is True for one in (*conditions, *judged)), pair.policy["spec"]
    assert passed > 200


def _plain(found: CelValue | Failed) -> Runtime:
    return found.value if isinstance(found, CelValue) and found.type == "bool" else None
