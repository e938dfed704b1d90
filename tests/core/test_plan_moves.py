"""Plans of what goes, moves, waits, or is reached by the change of another."""

from __future__ import annotations

from tests.core.plan_world import (
    CHECKOUT,
    FILES,
    STOREFRONT,
    add,
    planned,
    row,
    service,
    swap,
    there,
)
from tests.core.test_plan import MOVED


def test_a_service_that_goes_deletes_its_objects() -> None:
    found = planned({}, {CHECKOUT: None})
    here = there(found, "checkout", "prod")
    assert (service(found, "checkout").action, here.action) == ("removed", "removed")
    assert {c.action for c in here.objects} == {"delete"}
    assert row(here, "image").after is None
    assert found.lines["delete"] > 10
    assert found.lines["create"] == found.lines["change"] == 0


def test_an_environment_that_a_service_leaves_is_the_deletion_it_is() -> None:
    found = service(planned({}, add(CHECKOUT, "deploy_to: [dev]\n")), "checkout")
    assert found.action == "changed"
    assert [(e.environment, e.action) for e in found.environments] == [("prod", "removed")]


def test_a_moved_folder_is_a_change_and_touches_no_object() -> None:
    found = planned({}, {CHECKOUT: None, MOVED: FILES[CHECKOUT]})
    (moved,) = found.services
    assert (moved.action, moved.folder) == ("changed", "services/team-a/checkout")
    for here in moved.environments:
        assert here.action == "changed"
        assert [(r.fact, r.before, r.after) for r in here.rows] == [
            ("folder", "services/checkout", "services/team-a/checkout")
        ]
        assert here.objects == ()


def test_a_new_owner_moves_files_and_changes_objects_but_deletes_none() -> None:
    found = planned({}, swap(CHECKOUT, "owner: payments", "owner: shop"))
    here = there(found, "checkout", "prod")
    assert [(r.fact, r.before, r.after) for r in here.rows] == [("owner", "payments", "shop")]
    (deployment,) = [c for c in here.objects if c.kind == "Deployment"]
    assert deployment.action == "change"
    assert (deployment.was, deployment.path) == (
        "environments/prod/payments/checkout/kubernetes/deployment-checkout.yaml",
        "environments/prod/shop/checkout/kubernetes/deployment-checkout.yaml",
    )
    # A Job cannot be changed in place: it is another one, by another name.
    assert {c.kind for c in here.objects if c.action in ("create", "delete")} <= {"Job"}


def test_a_new_caller_changes_the_callee_through_its_link_and_names_who_did_it() -> None:
    found = planned({}, add(STOREFRONT, "uses: [checkout]\n"))
    callee = service(found, "checkout")
    assert (callee.action, callee.cause) == ("linked", "services/storefront")
    here = there(found, "checkout", "prod")
    assert here.action == "linked"
    reached = row(here, "reached_by")
    assert reached.after == {"callers": ["storefront"], "public": False, "team": "payments"}
    assert reached.origin is not None
    assert (reached.origin.path, reached.origin.line) == (STOREFRONT, 5)
    assert {c.kind for c in here.objects} == {"NetworkPolicy"}
    assert not here.restarts
    assert row(there(found, "storefront", "prod"), "uses").after == ["checkout"]


def test_a_platform_file_that_reaches_services_is_named_as_the_cause() -> None:
    found = planned({}, swap("platform/environments.yaml", "domain: acme.com", "domain: acme.net"))
    (change,) = [c for c in found.platform if c.path == "platform/environments.yaml"]
    assert change.what == "prod.domain: acme.com → acme.net"
    for name in ("checkout", "storefront"):
        linked = service(found, name)
        assert (linked.action, linked.cause) == ("linked", "platform/environments.yaml")
        assert [e.environment for e in linked.environments] == ["prod"]
        assert row(linked.environments[0], "routes").after == [
            {"host": f"{name}.acme.net", "path": "/", "public": False}
        ]


def test_a_new_team_is_a_change_of_the_platform_with_its_own_output() -> None:
    found = planned({}, add("platform/teams.yaml", "  growth: {forge_team: acme/growth}\n"))
    assert found.services == ()
    assert found.platform[0].path == "platform/teams.yaml"
    assert "+ growth" in found.platform[0].what
    assert {"project prod/growth", "project dev/growth", "group growth"} <= {c.what for c in found.platform}


def test_a_service_without_a_release_waits_for_it_and_has_no_objects_there() -> None:
    found = planned({}, swap(CHECKOUT, "checkout:1.4.2", "checkout"))
    here = there(found, "checkout", "prod")
    assert here.action == "removed"
    new = planned({CHECKOUT: None}, swap(CHECKOUT, "checkout:1.4.2", "checkout"))
    here = there(new, "checkout", "prod")
    assert (here.action, here.objects) == ("waiting", ())
    assert [(w.what, w.name) for w in here.waits] == [("release", "ghcr.io/acme/checkout")]


def test_the_first_release_is_new_in_its_environment_only() -> None:
    waiting = swap(CHECKOUT, "checkout:1.4.2", "checkout")
    entry = f"prod: {{image: 'ghcr.io/acme/checkout@sha256:{'a' * 64}', commit: {'b' * 40}}}\n"
    release = {**waiting, "services/checkout/releases.yaml": entry}
    found = service(planned(waiting, release), "checkout")
    assert found.action == "changed"
    assert [(e.environment, e.action) for e in found.environments] == [("prod", "new")]
