"""The linker: claims, calls, neighbours, from facts alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.link import claims_of, link
from bot.core.model.unit import Facts
from bot.core.model.values import Pos, UnitEnv
from bot.core.resolve import place_of
from tests.core.language_world import fact, repo, unit_in


def _facts(*facts: Facts) -> dict[UnitEnv, Facts]:
    return {found.unit: found for found in facts}


def _codes(*facts: Facts) -> dict[str, list[str]]:
    return {folder: [p.code for p in found] for folder, found in link(_facts(*facts)).problems.items()}


HOST = (("pay.acme.com", "/", True),)


def test_a_call_is_a_link_on_both_sides_and_only_the_callee_shows_its_ports() -> None:
    shop, pay = fact("services/shop", uses=("pay",)), fact("services/pay")
    linked = link(_facts(shop, pay))
    [callee] = linked.links[shop.unit].uses
    [caller] = linked.links[pay.unit].callers
    assert (callee.service, callee.namespace, callee.ports) == ("pay", "pay-prod", (("http", 8080),))
    assert (caller.service, caller.namespace, caller.ports) == ("shop", "shop-prod", ())
    assert not linked.problems


def test_other_teams_call_only_where_they_are_allowed() -> None:
    shop = fact("services/shop", uses=("pay",), owner="storefront")
    assert _codes(shop, fact("services/pay")) == {"services/shop": ["CW0505"]}
    assert not _codes(shop, fact("services/pay", callers=("shop",)))


def test_a_callee_that_is_not_there_is_the_callers_problem() -> None:
    shop = fact("services/shop", uses=("pya",))
    [problem] = link(_facts(shop, fact("services/pay"))).problems["services/shop"]
    assert problem.code == "CW0504"
    assert problem.fix == "did you mean `pay`?"
    [problem] = link(_facts(fact("services/shop", uses=("pay",)), fact("services/pay", "dev"))).problems[
        "services/shop"
    ]
    assert "does not run in prod (it runs in dev)" in problem.message


def test_the_problem_stands_at_the_uses_line_of_the_caller() -> None:
    text = "name: checkout\nowner: payments\ntype: web\nimage: a/b:1\n"
    text += "uses:\n- stock\n- prices\nenvironments:\n  dev: {uses: [tax]}\n"
    unit = unit_in(repo({"services/checkout/platform.yaml": text}))
    caller = fact("services/checkout", "dev", uses=("prices", "tax"))
    linked = link(_facts(caller), at=lambda unit_env, pointer: place_of(unit, unit_env[1], pointer))
    assert [(p.line, p.column) for p in linked.problems["services/checkout"]] == [(7, 3), (9, 16)]


def test_the_problem_of_a_lost_host_stands_at_its_route() -> None:
    text = "name: checkout\nowner: payments\ntype: web\nimage: a/b:1\nroutes:\n- {path: /a}\n- {host: pay.acme.com}\n"
    unit = unit_in(repo({"services/checkout/platform.yaml": text}))
    assert place_of(unit, "prod", ("routes", "pay.acme.com", "/")) == Pos(7, 3)
    assert place_of(unit, "prod", ("name",)) == Pos(1, 7)
    over = text + "environments:\n  dev:\n    routes: [{path: /}, {host: pay.dev.acme.io, path: /b}]\n"
    unit = unit_in(repo({"services/checkout/platform.yaml": over}))
    assert place_of(unit, "dev", ("routes", "pay.dev.acme.io", "/b")) == Pos(10, 25)
    assert place_of(unit, "prod", ("routes", "pay.acme.com", "/")) == Pos(7, 3)


def test_services_of_one_namespace_do_not_share_names_of_objects() -> None:
    def facts(name: str, *needs: str, namespace: str = "payments-prod") -> Facts:
        objects = (name, *(f"{name}-{need}" for need in needs))
        return fact(f"services/{name}", namespace=namespace, objects=objects)

    shop, shop_db = facts("shop", "db"), facts("shop-db")
    [problem] = link(_facts(shop, shop_db)).problems["services/shop-db"]
    assert problem.code == "CW0506"
    assert "`shop-db`" in problem.message
    assert {"shop", "shop-db"} <= set(problem.why.replace(",", " ").split()), "both are named"
    held = {("object", "eu-prod", "payments-prod", "shop-db"): shop_db.unit}
    linked = link(_facts(shop, shop_db), held)
    assert linked.losers == {shop.unit}
    assert "the need `db`" in linked.problems["services/shop"][0].fix
    assert _codes(facts("a", "b-c"), facts("a-b", "c")) == {"services/a-b": ["CW0506"]}
    assert not _codes(facts("shop", "cache"), facts("shop-db"))
    assert not _codes(shop, facts("shop-db", namespace="orders-prod"))


def test_a_contested_claim_stays_with_its_holder_and_else_goes_to_the_first_folder() -> None:
    one, other = fact("services/a", hosts=HOST), fact("services/b", hosts=HOST)
    claim = ("host", "prod", "pay.acme.com", "/")
    assert link(_facts(one, other)).losers == {other.unit}
    linked = link(_facts(one, other), held={claim: other.unit})
    assert linked.losers == {one.unit}
    [problem] = linked.problems["services/a"]
    assert (problem.code, problem.path) == ("CW0502", "services/a/platform.yaml")
    assert link(_facts(one, other), held={claim: ("services/gone", "prod")}).losers == {other.unit}


def test_two_folders_may_not_claim_one_name_even_in_different_environments() -> None:
    one, other = fact("services/a/pay", "dev"), fact("services/b/pay", "prod")
    linked = link(_facts(one, other))
    assert linked.losers == {other.unit}
    assert linked.problems["services/b/pay"][0].code == "CW0501"
    moved = link(_facts(one, other), held={("name", "pay"): ("services/b/pay", "staging")})
    assert moved.losers == {one.unit}, "the folder holds its name in whatever environment"


def test_a_folder_that_loses_its_name_loses_it_in_all_its_environments() -> None:
    first = [fact("services/a/pay", environment) for environment in ("dev", "prod", "test")]
    other = fact("services/b/pay", "dev")
    linked = link(_facts(*first, other), held={("name", "pay"): other.unit})
    assert linked.losers == {found.unit for found in first}


def test_namespaces_are_apart_between_environments_of_one_cluster_and_between_teams() -> None:
    one = fact("services/a", "b-c", namespace="a-b-c", cluster="eu")
    other = fact("services/a-b", "c", namespace="a-b-c", cluster="eu")
    assert _codes(one, other) == {"services/a-b": ["CW0503"]}
    assert not _codes(one, fact("services/a-b", "c", namespace="a-b-c", cluster="us"))
    shared = [fact(f"services/{name}", namespace="payments") for name in ("x", "y")]
    linked = link(_facts(*shared))
    assert not linked.problems
    assert linked.links["services/x", "prod"].namespace_shared_with == ("y",)
    assert _codes(shared[0], fact("services/z", namespace="payments", owner="web")) == {"services/z": ["CW0503"]}


def test_a_loser_takes_no_part_in_what_is_decided_after() -> None:
    """The second `pay` loses its name; its host is free for others, and nobody is told that they cannot call it."""
    first, second = fact("services/a/pay"), fact("services/b/pay", hosts=HOST)
    third = fact("services/z", hosts=HOST, uses=("pay",))
    linked = link(_facts(first, second, third))
    assert linked.losers == {second.unit}
    assert linked.links[third.unit].uses[0].namespace == "pay-prod"


def test_known_losers_neither_claim_nor_call() -> None:
    one, other = fact("services/a", hosts=HOST), fact("services/b", hosts=HOST, uses=("a",))
    linked = link(_facts(one, other), losers=frozenset({other.unit}))
    assert not linked.problems
    assert set(linked.links) == {one.unit}
    assert linked.links[one.unit].callers == ()


_names = st.sampled_from(["a", "b", "c", "d"])
_fleet = st.lists(
    st.builds(
        lambda top, name, env, uses, host, owner: fact(
            f"services/{top}/{name}", env, uses=tuple(sorted(uses)), owner=owner,
            hosts=((f"{host}.acme.com", "/", False),), callers=("a",),
        ),
        st.sampled_from(["x", "y"]), _names, st.sampled_from(["dev", "prod"]), st.sets(_names), _names,
        st.sampled_from(["payments", "web"]),
    ),
    max_size=10,
)  # fmt: skip


@given(_fleet, st.randoms(use_true_random=False))
def test_the_outcome_does_not_depend_on_the_order_of_units(fleet: list[Facts], random: object) -> None:
    facts = _facts(*fleet)
    shuffled = list(facts.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random by its strategy
    assert link(facts) == link(dict(shuffled))


@given(_fleet)
def test_among_those_that_take_part_no_claim_has_two_holders_and_links_agree_on_both_ends(fleet: list[Facts]) -> None:
    facts = _facts(*fleet)
    linked = link(facts)
    hosts = [claim for unit in linked.links for claim in claims_of(facts[unit]) if claim[0] == "host"]
    assert len(hosts) == len(set(hosts))
    assert linked.links.keys() == facts.keys() - linked.losers
    calls = {(unit[1], facts[unit].name, peer.service) for unit, links in linked.links.items() for peer in links.uses}
    heard = {
        (unit[1], peer.service, facts[unit].name) for unit, links in linked.links.items() for peer in links.callers
    }
    assert calls == heard


@given(_fleet)
def test_linking_again_without_the_losers_finds_no_more_losers(fleet: list[Facts]) -> None:
    facts = _facts(*fleet)
    linked = link(facts)
    again = link(facts, losers=linked.losers)
    assert again.losers == linked.losers
    assert again.links == linked.links
