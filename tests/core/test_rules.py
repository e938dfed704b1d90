"""The built-in rules: what is new refuses, what stood before warns, what ran lately may come back."""

from __future__ import annotations

import pytest

from bot.core.model.delivery import Step
from bot.core.tree import Oid
from tests.core.made import (
    DB,
    ENVIRONMENTS,
    PLATFORM,
    TEAMS,
    Delivery,
    Files,
    approved,
    codes,
    refused,
    removals,
    service,
    stepped,
    tree_of,
)

B = service("b")
AWS_KEY = "env: {KEY_ID: AKIA" + "A" * 16 + "}"


def _fleet(count: int, *lines: str) -> dict[str, str]:
    return {path: text for n in range(count) for path, text in service(f"s{n:03}", *lines).items()}


def _without(files: Files, count: int) -> dict[str, str]:
    gone = sorted(path for path in files if path.startswith("services/s"))[:count]
    return {path: text for path, text in files.items() if path not in gone}


def _folder(files: Files, folder: str) -> Oid:
    entry = tree_of(files).get(folder)
    assert entry is not None
    return entry.id


# Each rule: (lines of a service that breaks it, its code)
BREAKS = [
    ("env: {API_TOKEN: hunter2}", "CW0702"),
    (AWS_KEY, "CW0702"),
    ("uses: [nobody]", "CW0504"),
    ("uses: [theirs]", "CW0505"),
]
THEIRS = service("theirs", owner="shop")


@pytest.mark.parametrize(("line", "code"), BREAKS)
def test_a_new_finding_refuses_its_service(line: str, code: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **B, **THEIRS})
    done = stepped(world.land({**PLATFORM, **service("b", line), **THEIRS}))
    assert codes(done) == [code]
    (problem,) = done.problems
    assert problem.path == "services/b/platform.yaml"
    assert problem.line == 5


@pytest.mark.parametrize(("line", "code"), BREAKS)
def test_a_finding_that_stood_before_warns_and_the_service_goes_on(line: str, code: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("b", line), **THEIRS})
    done = stepped(world.land({**PLATFORM, **service("b", line, image="2.0.0"), **THEIRS}))
    assert codes(done) == []
    assert codes(done, "warning") == [code]
    assert b"b:2.0.0" in world.files["environments/prod/payments/b/kubernetes/deployment-b.yaml"]


@pytest.mark.parametrize(("line", "code"), BREAKS)
def test_a_finding_that_only_moves_to_another_line_stood_before(line: str, code: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("b", line), **THEIRS})
    done = stepped(world.land({**PLATFORM, **service("b", "# a word", line, image="2.0.0"), **THEIRS}))
    assert codes(done) == []
    assert codes(done, "warning") == [code]


@pytest.mark.parametrize(("line", "code"), BREAKS)
def test_a_version_that_ran_lately_may_come_back_with_a_warning(line: str, code: str) -> None:
    world = Delivery()
    old = {**PLATFORM, **service("b", line), **THEIRS}
    world.land(old)
    world.land({**PLATFORM, **B, **THEIRS})
    ran = {"services/b": frozenset({_folder(old, "services/b")})}
    done = stepped(world.land(old, ran=ran))
    assert codes(done) == []
    assert codes(done, "warning") == [code]
    assert world.kept == {}


def test_no_rollback_may_replace_state() -> None:
    world = Delivery()
    old = {**PLATFORM, **service("a", 'needs: {db: {type: postgres, version: "16"}}'), **B}
    world.land({**PLATFORM, **service("a", DB), **B})
    before = world.owned
    done = stepped(world.land(old, ran={"services/a": frozenset({_folder(old, "services/a")})}))
    assert codes(done) == ["CW0701"]
    assert world.owned == before


def test_a_first_delivery_finds_nothing_new() -> None:
    world = Delivery()
    done = stepped(world.land({**PLATFORM, **service("b", "env: {API_TOKEN: hunter2}", "uses: [nobody]")}))
    assert codes(done) == []
    assert codes(done, "warning") == ["CW0504", "CW0702", "CW0709"]
    assert "catalog/components/b.yaml" in world.files


def test_the_callee_that_leaves_is_told_at_its_callers() -> None:
    world = Delivery()
    caller = service("b", "uses: [a]")
    world.land({**PLATFORM, **service("a"), **caller})
    done = world.land({**PLATFORM, **caller})
    assert codes(done) == ["CW0504"]


def test_a_team_with_services_cannot_go_and_one_without_can() -> None:
    world = Delivery()
    world.land({**PLATFORM, **B})
    before = world.files
    less = {"platform/teams.yaml": "teams:\n  platform: {forge_team: acme/platform}\n"}
    assert codes(refused(world.land({**PLATFORM, **less, **B}))) == ["CW0703"]
    assert world.files == before
    moved = {**PLATFORM, **less, **service("b", owner="platform")}
    assert codes(refused(world.land(moved))) == ["CW0703"]
    stepped(world.land({**PLATFORM, **service("b", owner="platform")}))
    stepped(world.land(moved))
    assert "apps/prod/project-payments.yaml" not in world.files


def test_an_environment_with_services_cannot_go_and_one_without_can() -> None:
    world = Delivery()
    only_dev = {"platform/environments.yaml": "environments:\n  dev:" + ENVIRONMENTS.partition("  dev:")[2]}
    recipes = {"platform/recipes.yaml": "recipes: []\n"}
    world.land({**PLATFORM, **B})
    found = refused(world.land({**PLATFORM, **only_dev, **recipes, **B}))
    assert codes(found) == ["CW0703"]
    assert "b" in found.problems[0].message
    stepped(world.land({**PLATFORM, **recipes, **service("b", "deploy_to: [dev]")}))
    stepped(world.land({**PLATFORM, **only_dev, **recipes, **service("b", "deploy_to: [dev]")}))
    assert not [path for path in world.owned if "/prod/" in path]


@pytest.mark.parametrize(
    ("total", "gone", "trips"),
    [
        (2, 2, False),
        (3, 2, False),
        (3, 3, True),
        (12, 10, False),
        (50, 10, False),
        (50, 11, True),
        (54, 11, True),
        (55, 11, False),
        (56, 11, False),
    ],
)
def test_the_shrink_guard_knows_its_numbers(total: int, gone: int, trips: bool) -> None:
    """More than 10 and more than 20 %, or all where there are three or more."""
    world = Delivery(check=False)
    files = {**PLATFORM, **_fleet(total, "deploy_to: [dev]"), **service("b", "deploy_to: [prod]")}
    world.land(files)
    before = world.files
    done = world.land(_without(files, gone))
    if trips:
        assert codes(refused(done)) == ["CW0704"]
        assert f"{gone} of {total}" in done.problems[0].message
        assert world.files == before
    else:
        stepped(done)
        assert len([path for path in world.files if path.startswith("catalog/components/s")]) == total - gone


def _emptied() -> tuple[Delivery, dict[str, str], dict[str, str]]:
    """A world where four services leave dev, which has four."""
    world = Delivery()
    files = {**PLATFORM, **_fleet(4, "deploy_to: [dev]"), **service("b", "deploy_to: [prod]")}
    world.land(files)
    return world, files, _without(files, 4)


@pytest.mark.parametrize(
    ("words", "teams"),
    [
        ({}, ("platform",)),
        (removals("dev", 4), ()),
        (removals("dev", 4), ("payments",)),
        (removals("dev", 3), ("platform",)),
        (removals("prod", 4), ("platform",)),
    ],
)
def test_a_bulk_removal_without_words_that_count_is_refused(words: Files, teams: tuple[str, ...]) -> None:
    world, _, less = _emptied()
    assert codes(refused(world.land({**less, **words}, approvals=approved(*teams)))) == ["CW0704"]


def test_a_bulk_removal_goes_with_its_entry_and_the_platform_teams_approval() -> None:
    world, _, less = _emptied()
    stepped(world.land({**less, **removals("dev", 4)}, approvals=approved("platform")))
    assert not [path for path in world.owned if "/s00" in path]


def test_a_bulk_removal_goes_by_resuming_to_exactly_that_commit() -> None:
    world, _, less = _emptied()
    refused(world.land(less))
    refused(world.land({**less, "README.md": "x"}))
    stepped(world.land(less, resume=True))
    assert not [path for path in world.owned if "/s00" in path]


def test_services_that_leave_an_environment_because_it_is_no_default_any_more_count() -> None:
    world = Delivery()
    files = {**PLATFORM, **_fleet(4), **service("b", "deploy_to: [dev]")}
    world.land(files)
    text = ENVIRONMENTS.replace("    kind: production\n    default: true\n", "    kind: production\n")
    assert codes(refused(world.land({**files, "platform/environments.yaml": text}))) == ["CW0704"]


def test_services_that_run_nowhere_any_more_count() -> None:
    world = Delivery()
    dev = ENVIRONMENTS.replace("    default: true\n", "")
    files = {**PLATFORM, **_fleet(4)}
    world.land(files)
    before = world.owned
    done = world.land({**files, "platform/environments.yaml": dev})
    assert codes(done)
    assert world.owned == before


def test_a_bulk_move_of_folders_is_no_removal() -> None:
    world = Delivery()
    files = {**PLATFORM, **_fleet(4)}
    world.land(files)
    before = world.owned
    moved = {path.replace("services/", "services/all/"): text for path, text in files.items()}
    done = world.land(moved)
    assert codes(done) == []
    assert {path for path in before if path not in world.owned} == set()


def test_a_bulk_break_is_no_removal() -> None:
    world = Delivery()
    files = {**PLATFORM, **_fleet(4), **B}
    world.land(files)
    before = world.owned
    done = stepped(world.land({**PLATFORM, **_fleet(4, "replica: 3"), **B}))
    assert len(codes(done)) == 1
    assert world.owned == before


def test_a_team_that_is_renamed_with_its_services_is_told_to_go_in_two_steps() -> None:
    world = Delivery()
    world.land({**PLATFORM, **B})
    renamed = TEAMS.replace("payments", "money")
    found = world.land({**PLATFORM, "platform/teams.yaml": renamed, **service("b", owner="money")})
    assert codes(refused(found)) == ["CW0703"]
    both = TEAMS + "  money: {forge_team: acme/money}\n"
    assert isinstance(world.land({**PLATFORM, "platform/teams.yaml": both, **service("b", owner="money")}), Step)
    stepped(world.land({**PLATFORM, "platform/teams.yaml": renamed, **service("b", owner="money")}))
