"""What is left as someone edited it keeps the namespace that it stands in."""

from __future__ import annotations

import pytest

from tests.core.made import (
    DB,
    ENVIRONMENTS,
    HOLD,
    IN_CLUSTER,
    PLATFORM,
    SECRET,
    Delivery,
    Files,
    approved,
    reasons,
    service,
    stepped,
)

HELD: Files = {**PLATFORM, "platform/config.yaml": HOLD, "platform/recipes.yaml": IN_CLUSTER}
UNPROTECTED: Files = {
    **HELD,
    "platform/environments.yaml": ENVIRONMENTS.replace("protect_data: true", "protect_data: false"),
}
SHARED: Files = {
    **HELD,
    "platform/environments.yaml": ENVIRONMENTS.replace(
        "    domain: acme.com\n", '    domain: acme.com\n    namespace: "{team}-{env}"\n'
    ),
}
A: Files = service("a", DB)
B: Files = service("b")
BOTH = approved("payments", "platform")
MINE = "data/prod/a/db/mine.txt"
SPACES = "environments/prod/_platform/kubernetes/namespace-"


def _spaces(world: Delivery) -> set[str]:
    """Namespaces of production that stand."""
    return {path.removeprefix(SPACES).removesuffix(".yaml") for path in world.files if path.startswith(SPACES)}


@pytest.mark.parametrize("seen", [True, False])
def test_state_left_as_edited_keeps_its_namespace_when_the_render_moves_to_another(seen: bool) -> None:
    """Whether or not a delivery came between the edit and the change."""
    world = Delivery()
    world.land({**HELD, **A, **B})
    world.foreign({MINE: b"x"})
    if seen:
        stepped(world.again())
    stepped(world.land({**UNPROTECTED, **A, **B}, approvals=BOTH))
    assert b"namespace: a-prod-data" in world.files["data/prod/a/db/kubernetes/cluster-a-db.yaml"]
    assert "a-prod-data" in _spaces(world)
    stepped(world.land({**UNPROTECTED, **A, **service("b", image="2.0.0")}))
    stepped(world.land({**UNPROTECTED, **service("a", DB, SECRET), **service("b", image="2.0.0")}))
    assert "a-prod-data" in _spaces(world)


def test_the_namespace_goes_once_nothing_that_was_edited_stands_in_it() -> None:
    world = Delivery()
    world.land({**HELD, **A, **B})
    world.foreign({MINE: b"x"})
    stepped(world.land({**UNPROTECTED, **A, **B}, approvals=BOTH))
    meant = {path: None for path in world.files if path.startswith("data/prod/a/db/")}
    clean = Delivery()
    clean.land({**UNPROTECTED, **A, **B})
    render = {path: data for path, data in clean.files.items() if path.startswith("data/prod/a/db/")}
    world.foreign({**meant, **render})
    stepped(world.again())
    assert _spaces(world) == {"a-prod", "b-prod"}
    assert world.kept == {}


def test_services_left_as_edited_keep_a_namespace_that_they_shared_until_the_last_of_them_goes() -> None:
    world = Delivery()
    world.land({**SHARED, **service("a"), **B})
    for name in ("a", "b"):
        world.foreign({f"environments/prod/payments/{name}/mine.txt": b"x"})
    stepped(world.again())
    stepped(world.land({**HELD, **service("a"), **B}))
    assert "payments-prod" in _spaces(world)
    stepped(world.land({**HELD, **B}))
    assert _spaces(world) == {"b-prod", "payments-prod"}
    assert set(reasons(world.kept).values()) == {"held", "data"}
    stepped(world.land({**HELD, **service("c", owner="shop")}))
    assert _spaces(world) == {"c-prod"}
    assert world.kept == {}
