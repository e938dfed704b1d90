"""Who may change what: the base's owners and teams, environments that count approvals, what authors agree to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.core.model.delivery import Approval
from bot.core.model.rights import Missing, Requirement
from bot.core.rules.rights import Change, missing, required
from bot.core.step import owner_of
from bot.core.tree import Oid
from tests.core.plan_world import CHECKOUT, ENVIRONMENTS, FILES, RECIPES, STOREFRONT, add, built, swap

NOW = 1_790_000_000
Files = Mapping[str, str | None]
COUNTED = {"platform/environments.yaml": ENVIRONMENTS.replace("  prod:\n", "  prod:\n    approvals: 2\n")}


def asked(change: Files, base: Files = FILES, ran: Mapping[str, frozenset[Oid]] | None = None) -> set[tuple[str, ...]]:
    """(team, ground, subject), with the count where it is not one."""
    before = built(base)
    after = built({**base, **change}, held=before)
    owner = owner_of((before, after), {}, lambda _: None)
    rows = required(Change(before, after, NOW, ran or {}, owner))
    assert all(row.forge_team == f"acme/{row.team}" for row in rows)
    return {(r.team, r.ground, r.subject, *([str(r.count)] if r.count != 1 else [])) for r in rows}


def test_a_service_is_changed_and_removed_by_leave_of_its_owner() -> None:
    assert asked(add(CHECKOUT, "port: 8081\n")) == {("payments", "owner", "services/checkout")}
    assert asked({CHECKOUT: None}) == {("payments", "owner", "services/checkout")}
    assert asked({"services/checkout/notes.md": "x"}) == {("payments", "owner", "services/checkout")}
    assert asked({"README.md": "x"}) == set()


def test_a_new_service_needs_its_owner_and_one_that_moves_needs_both() -> None:
    new = {"services/b/platform.yaml": "name: b\nowner: shop\ntype: web\nimage: ghcr.io/acme/b:1\n"}
    assert asked(new) == {("shop", "new-owner", "services/b")}
    taken = swap(CHECKOUT, "owner: payments", "owner: shop")
    assert asked(taken) == {("payments", "owner", "services/checkout"), ("shop", "new-owner", "services/checkout")}


def test_a_folder_that_moves_needs_its_owner_on_both_ends() -> None:
    moved = {CHECKOUT: None, "services/all/checkout/platform.yaml": FILES[CHECKOUT]}
    assert asked(moved) == {
        ("payments", "owner", "services/checkout"),
        ("payments", "new-owner", "services/all/checkout"),
    }


def test_the_owner_in_the_base_is_asked_though_the_change_renames_who_that_is() -> None:
    teams = swap("platform/teams.yaml", "{forge_team: acme/payments}", "{forge_team: evil/payments}")
    rows = asked({**teams, **add(CHECKOUT, "port: 8081\n")})
    assert rows == {("payments", "owner", "services/checkout"), ("platform", "platform", "platform/teams.yaml")}


def test_a_new_team_and_its_first_service_need_the_new_team_and_the_platform_team() -> None:
    teams = add("platform/teams.yaml", "  risk: {forge_team: acme/risk}\n")
    new = {"services/b/platform.yaml": "name: b\nowner: risk\ntype: web\nimage: ghcr.io/acme/b:1\n"}
    assert asked({**teams, **new}) == {
        ("risk", "new-owner", "services/b"),
        ("platform", "platform", "platform/teams.yaml"),
    }


def test_a_service_that_nobody_can_read_is_the_platform_teams() -> None:
    broken = {**FILES, **add(CHECKOUT, "replica: 3\n")}
    assert asked({CHECKOUT: FILES[CHECKOUT]}, broken) == {
        ("platform", "owner", "services/checkout"),
        ("payments", "new-owner", "services/checkout"),
    }


def test_the_platforms_own_files_need_the_platform_team() -> None:
    assert asked({"platform/blueprints/x.md": "x"}) == {("platform", "platform", "platform/blueprints")}
    assert asked({"platform/holds.yaml": "holds: {}\n", **RECIPES}) == {("platform", "platform", "platform/")}


def test_an_environment_counts_approvals_of_the_owner_where_its_output_changes() -> None:
    base = {**FILES, **COUNTED}
    owner = ("payments", "owner", "services/checkout")
    assert asked(add(CHECKOUT, "port: 8081\n"), base) == {owner, ("payments", "environment", "prod", "2")}
    assert asked({CHECKOUT: None}, base) == {owner, ("payments", "environment", "prod", "2")}
    assert asked(add(CHECKOUT, "environments: {dev: {port: 8081}}\n"), base) == {owner}
    assert asked(add(CHECKOUT, "# a word\n"), base) == {owner}
    called = add(STOREFRONT, "uses: [checkout]\n")
    assert asked(called, base) == {("shop", "owner", "services/storefront"), ("shop", "environment", "prod", "2")}


def test_the_base_counts_and_the_change_cannot_lower_it() -> None:
    base = {**FILES, **COUNTED}
    lower = {"platform/environments.yaml": ENVIRONMENTS}
    assert ("payments", "environment", "prod", "2") in asked({**lower, **add(CHECKOUT, "port: 8081\n")}, base)


def test_a_rollback_needs_nobody_but_where_the_owner_moves() -> None:
    base = {**FILES, **COUNTED}
    newer = {**base, **add(CHECKOUT, "port: 8081\n")}
    entry = built(base).tree.get("services/checkout")
    assert entry is not None
    ran = {"services/checkout": frozenset({entry.id})}
    assert asked({CHECKOUT: FILES[CHECKOUT]}, newer, ran) == set()
    theirs = {**base, **swap(CHECKOUT, "owner: payments", "owner: shop")}
    assert asked({CHECKOUT: FILES[CHECKOUT]}, theirs, ran) == {
        ("shop", "owner", "services/checkout"),
        ("payments", "new-owner", "services/checkout"),
        ("shop", "environment", "prod", "2"),
    }


def test_a_host_of_another_team_and_one_outside_the_domain_need_the_platform_team() -> None:
    teams = swap(
        "platform/teams.yaml", "{forge_team: acme/payments}", "{forge_team: acme/payments, hosts: [pay.acme.com]}"
    )
    base = {**FILES, **teams}
    host = ("platform", "hosts", "services/storefront")
    owner = ("shop", "owner", "services/storefront")
    assert asked(add(STOREFRONT, "routes: [{host: pay.acme.com}]\ndeploy_to: [prod]\n"), base) == {owner, host}
    assert asked(add(STOREFRONT, "routes: [{host: shop.acme.com}]\ndeploy_to: [prod]\n"), base) == {owner}
    assert asked(add(CHECKOUT, "routes: [{host: pay.acme.com}]\ndeploy_to: [prod]\n"), base) == {
        ("payments", "owner", "services/checkout")
    }
    own = {
        "platform/teams.yaml": f"{FILES['platform/teams.yaml']}".replace("acme/shop}", "acme/shop, hosts: [shop.org]}")
    }
    both = asked({**own, **add(STOREFRONT, "routes: [{host: shop.org}]\ndeploy_to: [prod]\n")})
    assert both == {owner, host, ("platform", "platform", "platform/teams.yaml")}


DESTROY = "destroy:\n- {data: prod/checkout/db, action: destroy, reason: moved, until: '2027-06-30'}\n"
OLD = DESTROY.replace("2027", "2020")


def test_words_of_destruction_need_owner_and_platform_team() -> None:
    base = {**FILES, **RECIPES, **add(CHECKOUT, "needs: {db: postgres}\n")}
    both = {("platform", "destroy", "prod/checkout/db"), ("payments", "destroy", "prod/checkout/db")}
    file = {("platform", "platform", "platform/destroy.yaml")}
    assert asked({"platform/destroy.yaml": DESTROY}, base) == both | file
    assert asked({"platform/destroy.yaml": OLD}, base) == file
    owner = {("payments", "owner", "services/checkout")}
    stands = {**base, "platform/destroy.yaml": DESTROY}
    assert asked({CHECKOUT: FILES[CHECKOUT]}, stands) == both | owner
    assert asked(add(STOREFRONT, "port: 8081\n"), stands) == {("shop", "owner", "services/storefront")}


def test_judges_of_an_older_commit_need_the_platform_team() -> None:
    before = built(FILES)
    rows = required(Change(before, before, NOW, {}, lambda _: "", stood_in=True))
    assert [(row.team, row.ground) for row in rows] == [("platform", "stand-in")]


def need(ground: str, team: str = "payments", subject: str = "x", count: int = 1) -> Requirement:
    return Requirement(team, f"acme/{team}", ground, subject, count)  # type: ignore[arg-type]  # tests name grounds


def lacking(rows: list[Requirement], approvals: str = "", consents: str = "") -> list[tuple[str, str, int]]:
    """`approvals` as `1:payments 2:payments`."""
    given = [Approval(*one.split(":")) for one in approvals.split()]
    found = missing(rows, given, frozenset(consents.split()), "platform")
    assert all(isinstance(one, Missing) for one in found)
    return [(one.requirement.team, one.requirement.ground, one.lacks) for one in found]


@pytest.mark.parametrize("ground", ["owner", "new-owner", "platform", "extra", "waiver", "hosts", "stand-in"])
def test_who_wrote_it_agrees_to_it(ground: str) -> None:
    assert lacking([need(ground)]) == [("payments", ground, 1)]
    assert lacking([need(ground)], consents="payments") == []
    assert lacking([need(ground)], "1:payments") == []
    assert lacking([need(ground)], "1:shop 2:platform", "shop platform") == [("payments", ground, 1)]


def test_an_environment_counts_other_people_only_each_once() -> None:
    rows = [need("environment", count=2)]
    assert lacking(rows, consents="payments platform") == [("payments", "environment", 2)]
    assert lacking(rows, "1:payments 1:payments", "payments") == [("payments", "environment", 1)]
    assert lacking(rows, "1:payments 1:platform") == [("payments", "environment", 1)]
    assert lacking(rows, "1:payments 2:payments") == []
    assert lacking(rows, "1:shop 2:shop") == [("payments", "environment", 2)]


def test_where_the_owning_team_is_only_the_author_the_platform_team_approves() -> None:
    assert lacking([need("owner"), need("environment", subject="prod")], "2:platform", "payments") == []


def test_nothing_is_destroyed_on_the_word_of_its_author_alone() -> None:
    rows = [need("destroy", "platform"), need("destroy", "payments")]
    assert lacking(rows, consents="platform payments") == [("platform", "destroy", 1), ("payments", "destroy", 1)]
    assert lacking(rows, "1:platform", "payments") == []
    assert lacking(rows, "1:payments", "platform") == []
    assert lacking(rows, "1:platform 2:payments") == []
    assert lacking(rows, "1:platform") == [("payments", "destroy", 1)]
    assert lacking([need("destroy", "platform", "dev")], consents="platform") == [("platform", "destroy", 1)]
