"""Gates before a merge: freezes, holds, promotion. They stand in review; delivery never waits for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.kit import Kit, kit_of
from bot.core.load import load_platform
from bot.core.model.delivery import Evidence, Step
from bot.core.model.platform import Platform
from bot.core.propose import Proposal, propose
from bot.core.rules.gates import FROZEN, HELD, NOT_PROMOTED, frozen_until, turns_at
from bot.core.tree import Oid
from bot.shipped import shipped_tree
from tests.core.made import ENVIRONMENTS, PLATFORM, Delivery, Files, codes, service, tree_of

NOW = int(datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp())
"""A Saturday."""
WEEKEND = '    freeze: [{cron: "0 18 * * 5", for: 62h, timezone: Europe/Berlin}]\n'
HOLDS = {"platform/holds.yaml": "holds: {prod: {reason: incident 4711, by: ada}}\n"}
STAGED = "    promote_from: dev\n"
A, B = service("a"), service("b")


def with_prod(line: str) -> Files:
    """The platform with a further line in prod."""
    text = ENVIRONMENTS.replace("    protect_data: true\n", f"    protect_data: true\n{line}")
    return {**PLATFORM, "platform/environments.yaml": text}


def told(base: Files, change: Files, ran: Files | None = None, now: int = NOW) -> list[str]:
    """Codes that block the change; `ran` is a version of the platform that was live lately."""
    lately = {}
    for folder in ("services/a", "services/b") if ran is not None else ():
        entry = tree_of(ran or {}).get(folder)
        lately[folder] = frozenset({entry.id}) if entry is not None else frozenset[Oid]()
    found = propose(
        tree_of(base), tree_of(change), shipped_tree(), {}, Evidence(ran=lately), Oid("f" * 40), now,
        lambda _: tree_of(base), Delivery().memo,
    )  # fmt: skip
    assert isinstance(found, Proposal), found
    return [problem.code for problem in found.plan.errors]


def test_a_freeze_blocks_what_changes_in_its_environment_in_its_time() -> None:
    base = with_prod(WEEKEND)
    assert told({**base, **A}, {**base, **service("a", image="2.0.0")}) == [FROZEN]
    assert told({**base, **A}, {**base, **A, **B}) == [FROZEN]
    assert told({**base, **A, **B}, {**base, **A}) == [FROZEN]
    monday = int(datetime(2026, 11, 23, 7, 0, tzinfo=UTC).timestamp())
    assert told({**base, **A}, {**base, **service("a", image="2.0.0")}, now=monday) == []
    assert told({**base, **A}, {**base, **service("a", image="2.0.0")}, now=monday - 1) == [FROZEN]


def test_a_freeze_lets_pass_what_moves_elsewhere_or_nothing() -> None:
    base = with_prod(WEEKEND)
    assert told({**base, **A}, {**base, **service("a", "environments: {dev: {env: {X: y}}}")}) == []
    assert told({**base, **A}, {**base, **service("a", "# a word")}) == []
    assert told({**base, **A}, {**PLATFORM, **A}) == [], "the freeze itself may be lifted"


def test_the_base_freezes_and_the_change_cannot_thaw() -> None:
    base = with_prod(WEEKEND)
    assert told({**base, **A}, {**PLATFORM, **service("a", image="2.0.0")}) == [FROZEN]
    assert told({**PLATFORM, **A}, {**base, **service("a", image="2.0.0")}) == []


def test_a_rollback_passes_a_freeze_and_a_hold_and_its_neighbours_do_not() -> None:
    base = {**with_prod(WEEKEND), **HOLDS}
    newer = {**base, **service("a", image="2.0.0"), **B}
    assert told(newer, {**base, **A, **B}, ran={**A}) == []
    assert told(newer, {**base, **A, **service("b", image="2.0.0")}, ran={**A}) == [FROZEN, HELD]


def test_a_rollback_passes_with_what_it_does_to_its_neighbours() -> None:
    base = with_prod(WEEKEND)
    calls = service("a", "uses: [b]")
    assert told({**base, **calls, **B}, {**base, **A, **B}, ran={**A, **B}) == []
    assert told({**base, **A, **B}, {**base, **calls, **B}, ran={**A, **B}) == [FROZEN]


def test_a_change_of_the_platform_that_moves_a_frozen_environment_waits_too() -> None:
    base = with_prod(WEEKEND)
    moved = {**base, "platform/environments.yaml": base["platform/environments.yaml"].replace("acme.com", "acme.org")}
    assert FROZEN in told({**base, **A}, {**moved, **A})


def test_a_hold_says_who_and_why_and_ends_with_its_entry() -> None:
    base = {**PLATFORM, **HOLDS, **A}
    world = Delivery()
    world.land(base)
    (problem,) = world.proposed({**base, **service("a", image="2.0.0")}).plan.errors
    assert (problem.code, problem.path, problem.line) == (HELD, "platform/holds.yaml", 1)
    assert "ada" in problem.message
    assert "incident 4711" in problem.message
    assert "/unhold prod" in problem.fix
    assert told(base, {**PLATFORM, **A}) == []


def test_what_has_landed_is_delivered_all_the_same() -> None:
    world = Delivery()
    base = {**PLATFORM, **HOLDS, **A}
    world.land(base)
    done = world.land({**base, **service("a", image="2.0.0")})
    assert isinstance(done, Step)
    assert codes(done) == []


@pytest.mark.parametrize(
    ("dev", "prod", "blocked"),
    [
        ("1.1.0", "1.1.0", True),  # both at once: dev does not run it yet
        ("1.0.0", "1.1.0", True),
        ("1.1.0", "1.0.0", False),
        ("1.1.0", "0.9.0", False),  # dev runs it in the base
    ],
)
def test_a_build_comes_to_prod_only_where_the_earlier_environment_runs_it(dev: str, prod: str, blocked: bool) -> None:
    base = with_prod(STAGED)

    def released(dev: str, prod: str) -> Files:
        rows = f"dev: {{image: 'ghcr.io/acme/a:{dev}'}}\nprod: {{image: 'ghcr.io/acme/a:{prod}'}}\n"
        text = "name: a\nowner: payments\ntype: web\nimage: ghcr.io/acme/a\n"
        return {"services/a/platform.yaml": text, "services/a/releases.yaml": rows}

    found = told({**base, **released("0.9.0", "1.0.0")}, {**base, **released(dev, prod)})
    assert found == ([NOT_PROMOTED] if blocked else [])
    assert told({**base, **released("0.9.0", "1.0.0")}, {**base, **released(dev, prod)}, ran=released(dev, prod)) == []


def test_what_changes_beside_the_build_needs_no_promotion() -> None:
    base = with_prod(STAGED)
    assert told({**base, **A}, {**base, **service("a", "env: {X: y}")}) == []
    assert told(base, {**base, **service("a", "deploy_to: [prod]")}) == [NOT_PROMOTED]


def test_the_next_turn_of_a_freeze_is_known() -> None:
    tree = tree_of(with_prod(WEEKEND))
    kit = kit_of(tree, shipped_tree())
    assert isinstance(kit, Kit)
    platform = load_platform(tree, kit)
    assert isinstance(platform, Platform)
    ends = int(datetime(2026, 11, 23, 7, 0, tzinfo=UTC).timestamp())
    begins = int(datetime(2026, 11, 27, 17, 0, tzinfo=UTC).timestamp())
    assert [turns_at(platform, at) for at in (NOW, ends - 1, ends, begins - 1)] == [ends, ends, begins, begins]
    assert turns_at(platform, begins) == begins + 62 * 3600


def test_a_freeze_without_a_gap_is_told_as_one() -> None:
    assert (
        frozen_until({"cron": "0 0 * * *", "for": "24h"}, NOW)
        == "without an end: each time begins before the last one is over"
    )
    found = frozen_until({"cron": "0 0 * * 6,0", "for": "24h"}, NOW)
    assert found == "until Mon 2026-11-23 00:00 (UTC)"
    assert frozen_until({"cron": "0 18 * * 5", "for": "17h"}, NOW) is None
