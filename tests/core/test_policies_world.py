"""Policies of public best-practice lists run as they are written, or are refused for what they need by its name."""

from __future__ import annotations

import pytest

from bot.core.policy.judge import judge_case
from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from bot.core.problem import Refusal
from tests.core.policies_world import Published, published

ALL = list(published())


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_published_policy_runs_unchanged_or_is_refused_for_a_name(one: Published) -> None:
    made = load_policies(one.files)
    if one.refused:
        code, _, name = one.refused.partition(" ")
        assert isinstance(made, Refusal)
        assert [(problem.code, name in problem.message) for problem in made.problems] == [(code, True)], made
        return
    assert isinstance(made, PolicySet), made
    assert not made.problems
    for case in one.passing:
        assert judge_case(made, case) == (), case.object
    for case in one.failing:
        assert any(verdict.effect == "deny" for verdict in judge_case(made, case)), case.object


def test_at_least_ten_of_them_run_and_each_is_seen_to_pass_and_to_refuse() -> None:
    assert len([one for one in ALL if not one.refused]) >= 10
    assert all(one.refused or (one.passing and one.failing) for one in ALL)
