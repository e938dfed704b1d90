"""What a comment remembers of a plan, and how two plans of one change are told apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model.plan import Plan
from bot.core.model.values import Origin
from bot.core.words import Seal, differences, plan_digest, read_seal, say, sealed
from tests.cases.words import plans


def _plans() -> dict[str, Plan]:
    made = {name: case().outcome for name, case in plans.CASES.items()}
    return {name: plan for name, plan in made.items() if isinstance(plan, Plan)}


PLANS = _plans()
HEX = "0123456789abcdef"
SEALS = st.builds(Seal, *(st.text(HEX, min_size=size, max_size=size) for size in (32, 16, 40, 16, 40, 12)))


def test_plans_with_one_digest_do_the_same_and_others_are_told_apart_in_words() -> None:
    assert len({plan_digest(plan) for plan in PLANS.values()}) > 10
    for (_, one), (_, two) in combinations(PLANS.items(), 2):
        same = plan_digest(one) == plan_digest(two)
        assert same or differences(one, two)
        assert not same or (one.services, one.platform) == (two.services, two.platform)


def test_a_digest_stays_where_only_lines_of_files_move() -> None:
    plan = PLANS["change"]
    service, *rest = plan.services
    environment, *others = service.environments
    row = environment.rows[0]
    moved = replace(row, origin=Origin("manifest", "services/checkout/platform.yaml", 999, 1, ""))
    shifted = replace(environment, rows=(moved, *environment.rows[1:]))
    again = replace(plan, services=(replace(service, environments=(shifted, *others)), *rest))
    assert again != plan
    assert plan_digest(again) == plan_digest(plan)
    other = replace(environment, rows=(replace(row, after="another"), *environment.rows[1:]))
    changed = replace(plan, services=(replace(service, environments=(other, *others)), *rest))
    assert plan_digest(changed) != plan_digest(plan)
    (said,) = differences(plan, changed)
    assert said.startswith("`checkout` in ")
    assert "is now" in said


def test_many_differences_are_counted_and_not_listed_for_ever() -> None:
    plan = PLANS["change"]
    (service, *_) = plan.services
    many = tuple(replace(service, folder=f"services/s{at}", name=f"s{at}") for at in range(40))
    said = differences(plan, replace(plan, services=many))
    assert len(said) == 13
    assert said[-1] == "And 29 more differences"


@pytest.mark.parametrize("name", ["change", "new-service", "platform-change"])
def test_a_name_with_backticks_does_not_break_out_of_a_sentence(name: str) -> None:
    plan = PLANS[name]
    hostile = tuple(replace(one, name="a`*@acme/everyone*`b") for one in plan.services)
    said = say(plans.talk(plan, changed=differences(PLANS["delivered"], replace(plan, services=hostile))))
    assert said.comment is not None
    assert "*@acme/everyone*`b" not in said.comment.replace("`a'*@acme/everyone*'b`", "")


@given(SEALS)
def test_a_seal_reads_as_it_was_written(seal: Seal) -> None:
    assert read_seal(seal.text()) == seal
    assert len(seal.text()) == 156


@given(SEALS, SEALS)
def test_the_same_content_keeps_the_whole_digest_and_other_content_never_does(known: Seal, told: Seal) -> None:
    assert sealed(known.content + "f" * 32, known, replace(told, first_plan=known.first_plan)) == known.text()
    assert sealed(known.content, known, None) == known.text()
    other = "0" * 32 if known.content != "0" * 32 else "1" * 32
    kept = read_seal(sealed(other, known, None))
    assert kept == replace(known, content=other), "what was reviewed outlives a comment that tells no plan"


@pytest.mark.parametrize("text", ["", "ab" * 16, "ab" * 32, "AB" * 78, "ab" * 78 + "0"])
def test_a_comment_that_remembers_nothing_is_no_seal(text: str) -> None:
    assert read_seal(text) is None
