"""One bad service is a problem of that service: it keeps its last good output, and its neighbours link to that."""

from __future__ import annotations

import pytest

from bot.core.model.delivery import Unchanged
from bot.core.settle import refused_units
from tests.core.made import BROKEN, DB, PLATFORM, SECRET, Delivery, codes, reasons, refused, service, stepped

A, B = "services/a", "services/b"


def _of(delivery: Delivery, name: str) -> dict[str, bytes]:
    """What a service has in the GitOps repo."""
    return {path: data for path, data in delivery.owned.items() if f"/{name}/" in path or f"/{name}." in path}


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_a_refused_service_keeps_its_last_good_output_and_the_rest_goes_on(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a"), **service("b")})
    before = _of(world, "a")
    done = stepped(world.land({**PLATFORM, **service("a", line, image="2.0.0"), **service("b", image="2.0.0")}))
    assert codes(done)
    assert _of(world, "a") == before
    assert b"b:2.0.0" in world.files["environments/prod/payments/b/kubernetes/deployment-b.yaml"]
    assert {entry.unit for entry in world.kept.values()} == {A}
    assert set(reasons(world.kept).values()) == {"refused"}


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_what_was_refused_does_not_go_live_with_the_next_commit(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a"), **service("b")})
    bad = service("a", line, image="2.0.0")
    world.land({**PLATFORM, **bad, **service("b")})
    before = _of(world, "a")
    for image in ("2.0.0", "3.0.0"):
        stepped(world.land({**PLATFORM, **bad, **service("b", image=image)}))
        assert _of(world, "a") == before
        assert refused_units(world.kept) == {A: world.kept["catalog/components/a.yaml"].commit}
        assert world.kept["catalog/components/a.yaml"].commit == "0" * 39 + "1"


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_a_mended_service_goes_live_and_nothing_is_kept(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a"), **service("b")})
    world.land({**PLATFORM, **service("a", line), **service("b")})
    done = stepped(world.land({**PLATFORM, **service("a", image="3.0.0"), **service("b")}))
    assert codes(done) == []
    assert world.kept == {}
    assert b"a:3.0.0" in world.files["environments/prod/payments/a/kubernetes/deployment-a.yaml"]


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_a_service_that_never_ran_stays_absent_until_it_is_mended(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("b")})
    before = world.owned
    bad = {**PLATFORM, **service("a", line), **service("b")}
    world.land(bad)
    assert world.owned == before
    stepped(world.land({**bad, **service("b", image="2.0.0")}))
    assert _of(world, "a") == {}
    stepped(world.land({**PLATFORM, **service("a"), **service("b", image="2.0.0")}))
    assert _of(world, "a")
    assert world.kept == {}


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_a_service_refused_on_both_sides_only_warns(line: str) -> None:
    world = Delivery()
    bad = service("a", line)
    world.land({**PLATFORM, **service("a"), **service("b")})
    assert codes(stepped(world.land({**PLATFORM, **bad, **service("b")})))
    done = stepped(world.land({**PLATFORM, **bad, **service("b", image="2.0.0")}))
    assert codes(done) == []
    assert codes(done, "warning")
    found = world.proposed({**PLATFORM, **bad, **service("b", image="3.0.0")})
    assert [p for p in found.plan.problems if p.severity == "error"] == []
    assert [s.name for s in found.plan.services if s.action == "refused"] == []


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_another_bad_version_of_a_refused_service_is_news(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a"), **service("b")})
    world.land({**PLATFORM, **service("a", line), **service("b")})
    found = world.proposed({**PLATFORM, **service("a", line, "size: m"), **service("b")})
    assert [p.severity for p in found.plan.problems if p.path.startswith(A)] == ["error"]
    assert [s.name for s in found.plan.services if s.action == "refused"] == ["a"]


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_a_refused_service_that_is_removed_goes(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a"), **service("b")})
    world.land({**PLATFORM, **service("a", line), **service("b")})
    stepped(world.land({**PLATFORM, **service("b")}))
    assert _of(world, "a") == {}
    assert world.kept == {}


@pytest.mark.parametrize("line", [BROKEN, SECRET])
def test_a_refused_service_keeps_its_data_as_data_when_it_is_removed(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **service("b")})
    data = {path: text for path, text in world.files.items() if path.startswith("data/prod/a/db/")}
    world.land({**PLATFORM, **service("a", line), **service("b")})
    stepped(world.land({**PLATFORM, **service("b")}))
    assert {path: text for path, text in world.files.items() if path.startswith("data/prod/")} == data
    assert reasons(world.kept) == {"data/prod/a/db": "data"}


def test_neighbours_link_to_the_last_good_version() -> None:
    world = Delivery()
    caller = service("b", "uses: [a]")
    world.land({**PLATFORM, **service("a", "port: 9000"), **caller})
    before = _of(world, "b")
    done = stepped(world.land({**PLATFORM, **service("a", "port: 9001", SECRET), **caller}))
    assert _of(world, "b") == before
    assert {problem.path for problem in done.problems} == {f"{A}/platform.yaml"}


def test_a_call_to_a_service_whose_first_version_is_refused_is_the_callers_problem_too() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("b")})
    done = stepped(world.land({**PLATFORM, **service("a", SECRET), **service("b", "uses: [a]")}))
    assert {entry.unit for entry in world.kept.values()} == {A, B}
    assert codes(done) == ["CW0504", "CW0702"]


def test_what_a_platform_change_breaks_keeps_running_with_its_namespace() -> None:
    world = Delivery()
    files = {**PLATFORM, **service("a", DB), **service("c")}
    world.land(files)
    before = world.owned
    done = world.land({**files, "platform/recipes.yaml": "recipes: []\n"})
    assert f"{A}/platform.yaml" in {problem.path for problem in done.problems if problem.severity == "error"}
    assert world.owned == before
    stepped(world.land({**files, **service("c", image="2.0.0"), "platform/recipes.yaml": "recipes: []\n"}))
    differ = {path for path in before if world.owned.get(path) != before[path]}
    assert differ
    assert not [path for path in differ if "/c/" not in path and path != "catalog/components/c.yaml"]
    stepped(world.land(files))
    assert (world.owned, world.kept) == (before, {})


def test_who_calls_what_the_platform_broke_keeps_running_as_it_did_step_after_step() -> None:
    world = Delivery()
    files = {**PLATFORM, **service("a", DB), **service("b", "uses: [a]"), **service("c")}
    world.land(files)
    before = {**_of(world, "a"), **_of(world, "b")}
    broken = {**files, "platform/recipes.yaml": "recipes: []\n"}
    stepped(world.land(broken))
    assert isinstance(world.again(), Unchanged)
    stepped(world.land({**broken, **service("c", image="2.0.0")}))
    assert {**_of(world, "a"), **_of(world, "b")} == before
    stepped(world.land(files))
    assert world.kept == {}


def test_what_stood_before_a_service_was_refused_does_not_keep_it_refused() -> None:
    world = Delivery()
    old = "uses: [nobody]"
    world.land({**PLATFORM, **service("a", DB, old), **service("b")})
    world.land({**PLATFORM, "platform/recipes.yaml": "recipes: []\n", **service("a", DB, old), **service("b")})
    assert set(reasons(world.kept).values()) == {"refused"}
    stepped(world.land({**PLATFORM, **service("a", DB, old), **service("b")}))
    assert world.kept == {}


def test_the_namespace_that_a_broken_service_shared_stays_when_all_others_leave_it() -> None:
    world = Delivery()
    text = PLATFORM["platform/environments.yaml"]
    shared = {
        "platform/environments.yaml": text.replace(
            "domain: acme.com", 'domain: acme.com\n    namespace: "{team}-{env}"'
        )
    }
    files = {**PLATFORM, **shared, **service("a", DB, "deploy_to: [prod]"), **service("b")}
    world.land(files)
    before = {path: data for path, data in world.files.items() if "payments-prod" in path or "/a/" in path}
    broken = {"platform/recipes.yaml": "recipes: []\n"}
    world.land({**files, **broken})
    stepped(world.land({**PLATFORM, **broken, **service("a", DB, "deploy_to: [prod]"), **service("b")}))
    names = {path for path in before if "/namespace-" in path or "/a/" in path}
    assert names
    assert {path: world.files.get(path) for path in names} == {path: before[path] for path in names}


def test_a_claim_stays_with_who_held_it_whatever_the_folders_are_called() -> None:
    world = Delivery()
    first = service("x", folder="services/z/x")
    second = service("x", folder="services/a/x", image="6.6.6")
    world.land({**PLATFORM, **first, **service("b")})
    before = _of(world, "x")
    done = stepped(world.land({**PLATFORM, **first, **second, **service("b")}))
    assert codes(done) == ["CW0501"]
    assert _of(world, "x") == before
    for image in ("2.0.0", "3.0.0"):
        stepped(world.land({**PLATFORM, **first, **second, **service("b", image=image)}))
        assert _of(world, "x") == before


def test_a_claim_goes_to_who_waits_for_it_when_its_holder_leaves() -> None:
    world = Delivery()
    first = service("x", folder="services/z/x")
    second = service("x", folder="services/a/x", image="6.6.6")
    world.land({**PLATFORM, **first, **service("b")})
    world.land({**PLATFORM, **first, **second, **service("b")})
    stepped(world.land({**PLATFORM, **second, **service("b")}))
    assert b"x:6.6.6" in world.files["environments/prod/payments/x/kubernetes/deployment-x.yaml"]
    assert world.kept == {}


def test_a_new_claim_of_two_goes_to_the_folder_that_is_first_in_byte_order() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("b")})
    first = service("x", folder="services/a-b/x")
    second = service("x", folder="services/a/x", image="6.6.6")
    done = world.land({**PLATFORM, **second, **first, **service("b")})
    assert codes(done) == ["CW0501"]
    assert b"x:1.0.0" in world.files["environments/prod/payments/x/kubernetes/deployment-x.yaml"]
    world.land({**PLATFORM, **second, **first, **service("b", image="2.0.0")})
    assert b"x:1.0.0" in world.files["environments/prod/payments/x/kubernetes/deployment-x.yaml"]


def test_a_host_stays_with_who_held_it() -> None:
    world = Delivery()
    route = "routes: [{host: shop.acme.com}]"
    world.land({**PLATFORM, **service("z", route, "deploy_to: [prod]")})
    before = _of(world, "z")
    files = {**PLATFORM, **service("z", route, "deploy_to: [prod]"), **service("a", route, "deploy_to: [prod]")}
    done = stepped(world.land(files))
    assert codes(done) == ["CW0502"]
    stepped(world.land({**files, **service("b")}))
    assert _of(world, "z") == before
    assert _of(world, "a") == {}


def test_two_that_claim_one_name_from_the_first_delivery_on_never_flip() -> None:
    world = Delivery()
    files = {**PLATFORM, **service("x", folder="services/z/x"), **service("x", folder="services/a/x", image="6.6.6")}
    world.land(files)
    before = _of(world, "x")
    assert b"x:6.6.6" in before["environments/prod/payments/x/kubernetes/deployment-x.yaml"]
    world.land({**files, **service("b")})
    assert _of(world, "x") == before


def test_a_service_that_moves_to_another_folder_keeps_its_data_and_its_place() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **service("b")})
    before = world.owned
    done = world.land({**PLATFORM, **service("a", DB, folder="services/pay/a"), **service("b")})
    assert codes(done) == []
    assert world.kept == {}
    assert {p for p in before if not p.endswith("provenance.json") and before[p] != world.owned.get(p)} <= {
        "catalog/components/a.yaml"
    }


def test_a_service_that_moves_while_it_is_broken_keeps_what_runs() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **service("b")})
    before = _of(world, "a")
    world.land({**PLATFORM, **service("a", DB, BROKEN, folder="services/pay/a"), **service("b")})
    assert {p: t for p, t in world.files.items() if p.startswith("data/prod")} == {
        p: t for p, t in before.items() if p.startswith("data/prod")
    }


def test_the_platforms_own_files_unreadable_refuse_the_whole_change() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a")})
    before = world.files
    found = refused(world.land({**PLATFORM, **service("a", image="2.0.0"), "platform/teams.yaml": "teams: [\n"}))
    assert {problem.path for problem in found.problems} == {"platform/teams.yaml"}
    assert world.files == before
    stepped(world.land({**PLATFORM, **service("a", image="2.0.0")}))


def test_a_misnamed_manifest_is_a_problem_of_its_own_folder_until_it_is_renamed() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a")})
    (text,) = service("c").values()
    wrong = {**PLATFORM, **service("a", image="2.0.0"), "services/c/platform.yml": text}
    done = stepped(world.land(wrong))
    assert codes(done) == ["CW0316"]
    assert b"a:2.0.0" in world.files["environments/prod/payments/a/kubernetes/deployment-a.yaml"]
    assert refused_units(world.kept) == {"services/c": None}
    assert world.proposed({**wrong, **service("b")}).plan.errors == ()
    stepped(world.land({**PLATFORM, **service("a", image="2.0.0"), **service("c")}))
    assert _of(world, "c")
    assert world.kept == {}


def test_a_misnamed_file_of_releases_is_told_and_stops_nobody() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a")})
    done = stepped(world.land({**PLATFORM, **service("a", image="2.0.0"), "services/a/release.yaml": "prod: {}\n"}))
    assert codes(done) == []
    assert codes(done, "warning") == ["CW0316"]
    assert b"a:2.0.0" in world.files["environments/prod/payments/a/kubernetes/deployment-a.yaml"]


@pytest.mark.parametrize("line", [BROKEN, "deploy_to: [nowhere]"])
def test_secrets_are_told_beside_whatever_else_is_wrong(line: str) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a")})
    done = stepped(world.land({**PLATFORM, **service("a", line, SECRET), **service("b")}))
    assert "CW0702" in codes(done)
    assert len(codes(done)) == 2
