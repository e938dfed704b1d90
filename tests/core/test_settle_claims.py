"""Who is refused keeps what it claims, even where not even its last good version can be compiled any more."""

from __future__ import annotations

from bot.core.model.delivery import Unchanged
from bot.core.settle import refused_units, yielding
from tests.core.made import BROKEN, DB, ENVIRONMENTS, HOLD, PLATFORM, TEAMS, Delivery, codes, service, stepped

NO_RECIPES = {**PLATFORM, "platform/recipes.yaml": "recipes: []\n"}
OTHER_A = service("a", folder="services/z/a", image="6.6.6")
A = "services/a"


def _runs(world: Delivery, name: str) -> bytes:
    return world.files[f"environments/prod/payments/{name}/kubernetes/deployment-{name}.yaml"]


def test_a_name_stays_with_a_service_that_no_version_of_can_be_compiled_any_more() -> None:
    world = Delivery()
    both = {**service("a", DB), **service("b", DB)}
    world.land({**PLATFORM, **both})
    before = world.owned
    world.land({**NO_RECIPES, **both})
    assert codes(stepped(world.land({**NO_RECIPES, **both, **OTHER_A}))) == ["CW0501"]
    assert _runs(world, "a") == before["environments/prod/payments/a/kubernetes/deployment-a.yaml"]
    world.land({**PLATFORM, **both, **OTHER_A})
    assert world.owned == before
    assert set(refused_units(world.kept)) == {"services/z/a"}
    world.land({**PLATFORM, **OTHER_A, **service("b", DB)})
    assert b"a:6.6.6" in _runs(world, "a"), "it is free when its holder has gone"


def test_a_host_stays_with_a_service_that_no_version_of_can_be_compiled_any_more() -> None:
    world = Delivery()
    route = "routes: [{host: shop.acme.com}]"
    first = service("z", DB, route, "deploy_to: [prod]")
    world.land({**PLATFORM, **first})
    before = world.owned
    world.land({**NO_RECIPES, **first})
    taker = service("a", route, "deploy_to: [prod]")
    assert codes(stepped(world.land({**NO_RECIPES, **first, **taker}))) == ["CW0502"]
    world.land({**PLATFORM, **first, **taker, **service("b")})
    assert not [path for path in world.owned if "/a/" in path or "/a.yaml" in path]
    assert before.items() <= world.owned.items()


def test_callers_of_a_service_that_no_version_of_can_be_compiled_any_more_stay_as_they_are() -> None:
    world = Delivery()
    both = {**service("a", DB), **service("b", "uses: [a]")}
    world.land({**PLATFORM, **both})
    before = world.owned
    done = stepped(world.land({**NO_RECIPES, **both}))
    assert {problem.path for problem in done.problems} == {f"{A}/platform.yaml"}
    assert set(refused_units(world.kept)) == {A}
    assert world.owned == before
    stepped(world.land({**NO_RECIPES, **both, **service("b", "uses: [a]", image="2.0.0")}))
    assert b"b:2.0.0" in _runs(world, "b")


def test_who_lost_a_claim_while_it_was_refused_goes_on_giving_way() -> None:
    world = Delivery()
    hosts = TEAMS.replace("acme/payments}", "acme/payments, hosts: [a.acme.net]}")
    old = {**PLATFORM, "platform/teams.yaml": hosts}
    new = {**old, "platform/environments.yaml": ENVIRONMENTS.replace("domain: acme.com", "domain: acme.net")}
    holder = service("b", "routes: [{host: a.acme.net}]", "deploy_to: [prod]")
    world.land({**old, **service("a"), **holder})
    world.land({**old, **service("a", BROKEN), **holder})
    stepped(world.land({**new, **service("a", BROKEN), **holder, **service("d")}))
    assert set(refused_units(world.kept)) == {A}
    assert yielding(world.kept) == {(A, "prod")}
    routes = {path: data for path, data in world.files.items() if "/b/" in path and b"a.acme.net" in data}
    assert routes
    newer = {**holder, **service("c")}
    assert codes(stepped(world.land({**new, **service("a", BROKEN), **newer}))) == []
    assert routes.items() <= world.files.items()
    world.land({**old, **service("a"), **newer})
    assert world.kept == {}


def test_what_was_removed_by_hand_from_a_service_that_is_refused_now_stays_so_without_news() -> None:
    world = Delivery()
    files = {**service("a", DB), **service("b")}
    world.land({**PLATFORM, "platform/config.yaml": HOLD, **files})
    world.land({**PLATFORM, **files})
    world.foreign({"catalog/components/a.yaml": None})
    world.again()
    assert world.kept["catalog/components/a.yaml"].reason == "held"
    stepped(world.land({**NO_RECIPES, **files}))
    assert isinstance(world.again(), Unchanged)
    stepped(world.land({**PLATFORM, **files}))
    assert world.kept == {}
    assert "catalog/components/a.yaml" in world.files
