"""Facts and money: what others may know of a unit-environment."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.core.cost import difference, total
from bot.core.facts import facts_of
from bot.core.model.unit import Facts
from tests.core.language_world import MINIMAL, kit_for, manifest, platform_for, repo


def _facts(text: str, environment: str = "prod") -> Facts:
    effective, _ = manifest(text, environment)
    return facts_of(effective, platform_for(repo()), kit_for(repo()))


def test_facts_tell_what_others_depend_on_and_nothing_else() -> None:
    found = _facts(
        MINIMAL + "metrics: {port: 9090}\nmigrate: [x]\nuses: [b, a]\nallow: {callers: [z, y]}\n"
        "needs: {db: postgres}\nroutes: [{public: true}, {path: /x}]\n"
    )
    assert found.unit == ("services/checkout", "prod")
    assert found.namespace == "checkout-prod"
    assert found.cluster == "eu-prod"
    assert found.ports == {"http": 8080, "metrics": 9090}
    assert found.hosts == (("checkout.acme.com", "/", True), ("checkout.acme.com", "/x", False))
    assert found.uses == ("a", "b")
    assert found.callers == ("y", "z")
    assert found.migrates
    [data] = found.data
    assert (data.need, data.recipe, data.stateful, data.protected, data.form) == (
        "db",
        "aws-rds",
        True,
        True,
        "terraform",
    )


def test_a_cluster_without_routes_claims_no_hosts() -> None:
    text = "environments: {prod: {kind: production, default: true, cluster: {name: c}, domain: acme.com}}\n"
    tree = repo({"platform/environments.yaml": text, "platform/recipes.yaml": "recipes: []\n"})
    effective, _ = manifest(MINIMAL)
    assert facts_of(effective, platform_for(tree), kit_for(tree)).hosts == ()


def test_cost_is_replicas_at_the_price_of_their_size_and_every_need() -> None:
    assert _facts(MINIMAL).cost == "8", "two small replicas at 4"
    assert _facts(MINIMAL, "dev").cost == "4"
    assert _facts(MINIMAL + "size: m\nscale: {min: 3, max: 9}\nneeds: {db: {type: postgres, size: m}}\n").cost == "147"
    assert _facts(MINIMAL + "size: {cpu: 2}\n").cost == "0", "a size of one's own has no price"


def test_a_difference_is_what_more_is_paid_a_month() -> None:
    assert difference("214", "391") == "177"
    assert difference("5", "5") == "0"
    assert difference("5", "2.5") == "-2.5"


@given(st.lists(st.decimals(0, 10**6, places=2, allow_nan=False)))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    assert Decimal(total(str(amount) for amount in amounts)) == sum(amounts, Decimal(0))
    assert "E" not in total(str(amount) for amount in amounts)
