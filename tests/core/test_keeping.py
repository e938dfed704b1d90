"""State outlives its need: it goes only by words that count, step by step, each proven by the one before."""

from __future__ import annotations

import pytest

from bot.core.model.delivery import ApplyReport
from bot.core.tree import MemoryTree, Oid
from tests.core.made import (
    BROKEN,
    DB,
    ENVIRONMENTS,
    FILES_NEED,
    IN_CLUSTER,
    PLATFORM,
    Delivery,
    Files,
    approved,
    codes,
    destroy,
    reasons,
    refused,
    service,
    stepped,
)

B = service("b")
CLUSTER: Files = {**PLATFORM, "platform/recipes.yaml": IN_CLUSTER}
SHARED: Files = {
    **CLUSTER,
    "platform/environments.yaml": ENVIRONMENTS.replace(
        "    domain: acme.com\n", '    domain: acme.com\n    namespace: "{team}-{env}"\n'
    ),
}
BOTH = approved("payments", "platform")
EVERYBODY = ((), approved("payments"), approved("platform"), approved("shop", "payments"))
APPLIED = ApplyReport(success=True, state_empty=False)
EMPTIED = ApplyReport(success=True, state_empty=True)
FAILED = ApplyReport(success=False, state_empty=False)


def _below(world: Delivery, *tops: str) -> dict[str, bytes]:
    return {path: data for path, data in world.files.items() if path.startswith(tops)}


def _folder(world: Delivery, path: str) -> Oid:
    return MemoryTree({name[len(path) + 1 :]: data for name, data in _below(world, path + "/").items()}).id


def test_protected_state_is_kept_byte_for_byte_when_its_service_goes() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    assert before
    done = stepped(world.land({**PLATFORM, **B}))
    assert codes(done) == []
    assert _below(world, "data/prod/a/") == before
    assert reasons(world.kept) == {"data/prod/a/db": "data"}
    assert not _below(world, "environments/prod/payments/a/", "apps/prod/services/payments/a")


def test_protected_state_is_kept_when_only_its_need_goes() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    world.land({**PLATFORM, **service("a"), **B})
    assert _below(world, "data/prod/a/") == before
    assert reasons(world.kept) == {"data/prod/a/db": "data"}


@pytest.mark.parametrize("platform", [PLATFORM, CLUSTER, SHARED])
def test_adding_kept_state_back_changes_nothing_about_it(platform: Files) -> None:
    world = Delivery()
    files = {**platform, **service("a", DB), **B}
    world.land(files)
    before = world.owned
    world.land({**platform, **B})
    data = _below(world, "data/", "apps/prod/data/")
    assert data
    world.land(files)
    assert (world.owned, world.kept) == (before, {})


def test_state_in_the_cluster_is_kept_with_its_application_and_its_namespace() -> None:
    world = Delivery()
    world.land({**CLUSTER, **service("a", DB), **B})
    stays = {
        path: data
        for path, data in world.files.items()
        if path.startswith(("data/prod/a/", "apps/prod/data/a.db")) or "a-prod-data" in path
    }
    assert {path.split("/")[0] for path in stays} == {"data", "apps", "environments"}
    world.land({**CLUSTER, **B})
    assert {path: world.files.get(path) for path in stays} == stays
    assert set(reasons(world.kept).values()) == {"data"}
    world.land({**CLUSTER, **service("b", image="2.0.0")})
    assert {path: world.files.get(path) for path in stays} == stays


def test_a_shared_namespace_stays_as_long_as_anyones_state_is_kept_in_it() -> None:
    world = Delivery()
    both = {**SHARED, **service("a", DB), **service("b", DB), **service("c", owner="shop")}
    world.land(both)
    namespace = {path for path in world.files if "payments-prod-data" in path}
    assert namespace
    world.land({**SHARED, **service("b", DB), **service("c", owner="shop")})
    only = {**SHARED, **service("c", owner="shop")}
    world.land(only)
    assert namespace <= world.files.keys()
    world.land({**only, **destroy("prod/b/db", "forget")}, approvals=BOTH)
    assert not _below(world, "data/prod/b/")
    assert _below(world, "data/prod/a/")
    assert namespace <= world.files.keys()
    world.land({**only, **destroy("prod/a/db", "forget")}, approvals=BOTH)
    assert not namespace & world.files.keys()
    assert world.kept == {}


def test_unprotected_state_of_terraform_drains_until_it_is_empty() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", FILES_NEED), **B})
    world.land({**PLATFORM, **B})
    assert reasons(world.kept) == {"data/prod/a/files": "data", "data/dev/a/files": "draining"}
    assert "data/dev/a/files/terraform/main.tf.json" not in world.files
    at = ("data/dev/a/files", _folder(world, "data/dev/a/files"))
    stepped(world.again({at: EMPTIED}))
    assert reasons(world.kept) == {"data/prod/a/files": "data"}
    assert _below(world, "data/dev/") == {}


def test_unprotected_state_in_the_cluster_is_pruned() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    assert _below(world, "data/dev/a/", "apps/dev/data/a.")
    world.land({**PLATFORM, **B})
    assert not _below(world, "data/dev/a/", "apps/dev/data/a.")


def test_protection_turned_off_in_the_change_that_drops_the_need_protects_still() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    off = {"platform/environments.yaml": ENVIRONMENTS.replace("protect_data: true", "protect_data: false")}
    world.land({**PLATFORM, **off, **B})
    assert _below(world, "data/prod/a/") == before
    assert reasons(world.kept) == {"data/prod/a/db": "data"}


def test_protection_turned_off_by_a_change_of_its_own_lets_state_drain() -> None:
    world = Delivery()
    off = {"platform/environments.yaml": ENVIRONMENTS.replace("protect_data: true", "protect_data: false")}
    world.land({**PLATFORM, **service("a", DB), **B})
    world.land({**PLATFORM, **off, **service("a", DB), **B})
    world.land({**PLATFORM, **off, **B})
    assert reasons(world.kept) == {"data/prod/a/db": "draining"}


def test_state_of_a_service_that_is_refused_is_not_on_its_way_anywhere() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = world.owned
    world.land({**PLATFORM, **service("a", BROKEN), **B})
    assert world.owned == before
    assert set(reasons(world.kept).values()) == {"refused"}


def test_kept_state_stays_while_its_service_is_refused() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    world.land({**PLATFORM, **service("a"), **B})
    world.land({**PLATFORM, **service("a", BROKEN), **B})
    assert _below(world, "data/prod/a/") == before
    assert reasons(world.kept)["data/prod/a/db"] == "data"
    world.land({**PLATFORM, **service("a", DB, image="3"), **B})
    assert _below(world, "data/prod/a/") == before
    assert world.kept == {}


def test_a_need_that_would_be_replaced_is_refused_and_stays_as_it_is() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", 'needs: {db: {type: postgres, version: "16"}}'), **B})
    before = world.owned
    done = stepped(world.land({**PLATFORM, **service("a", 'needs: {db: {type: postgres, version: "17"}}'), **B}))
    assert codes(done) == ["CW0701"]
    assert world.owned == before


def test_a_platform_that_would_replace_state_is_refused_for_that_service() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = world.owned
    done = stepped(world.land({**CLUSTER, **service("a", DB), **B}))
    assert codes(done) == ["CW0701"]
    assert _below(world, "data/prod/") == {p: t for p, t in before.items() if p.startswith("data/prod/")}
    refused_before = world.owned
    stepped(world.land({**CLUSTER, **service("a", DB), **service("b", image="2")}))
    assert _below(world, "data/prod/") == {p: t for p, t in refused_before.items() if p.startswith("data/prod/")}


@pytest.mark.parametrize("platform", [PLATFORM, CLUSTER])
def test_state_of_a_service_that_the_platform_broke_is_kept_when_it_is_removed_then(platform: Files) -> None:
    world = Delivery()
    world.land({**platform, **service("a", DB), **B})
    before = {p: t for p, t in world.files.items() if p.startswith("data/prod/a/") or "a-prod-data" in p}
    world.land({**platform, "platform/recipes.yaml": "recipes: []\n", **service("a", DB), **B})
    world.land({**platform, "platform/recipes.yaml": "recipes: []\n", **B})
    assert {path: world.files.get(path) for path in before} == before
    assert set(reasons(world.kept).values()) == {"data"}
    world.land({**platform, **service("a", DB), **B})
    assert {path: world.files.get(path) for path in before} == before
    assert world.kept == {}


def test_what_was_refused_for_its_state_goes_live_when_the_platform_is_back() -> None:
    world = Delivery()
    files = {**PLATFORM, **service("a", DB), **B}
    world.land(files)
    before = world.owned
    world.land({**files, **CLUSTER})
    world.land({**files, **CLUSTER, **service("b", image="2")})
    world.land(files)
    assert (world.owned, world.kept) == (before, {})


@pytest.mark.parametrize(("first", "then"), [(PLATFORM, CLUSTER), (CLUSTER, PLATFORM)])
def test_kept_state_is_not_taken_up_again_by_another_recipe(first: Files, then: Files) -> None:
    world = Delivery()
    world.land({**first, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    world.land({**first, **B})
    world.land({**then, **B})
    done = stepped(world.land({**then, **service("a", DB), **B}))
    assert codes(done) == ["CW0701"]
    assert _below(world, "data/prod/a/") == before
    stepped(world.land({**then, **service("a", DB), **service("b", image="2")}))
    assert _below(world, "data/prod/a/") == before
    stepped(world.land({**first, **service("a", DB), **B}))
    assert (_below(world, "data/prod/a/"), world.kept) == (before, {})


@pytest.mark.parametrize(
    ("old", "new"),
    [("    domain: acme.com\n", '    domain: acme.com\n    namespace: "{team}-{env}"\n'), ("eu-prod", "us-prod")],
)
def test_state_in_the_cluster_is_not_moved_to_another_place(old: str, new: str) -> None:
    world = Delivery()
    files = {**CLUSTER, **service("a", DB), **B}
    world.land(files)
    before = _below(world, "data/prod/a/")
    done = stepped(world.land({**files, "platform/environments.yaml": ENVIRONMENTS.replace(old, new)}))
    assert codes(done) == ["CW0701"]
    assert _below(world, "data/prod/a/") == before


def test_kept_state_is_not_taken_up_again_with_a_field_that_replaces_it() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", 'needs: {db: {type: postgres, version: "16"}}'), **B})
    before = _below(world, "data/prod/a/")
    world.land({**PLATFORM, **B})
    done = stepped(world.land({**PLATFORM, **service("a", 'needs: {db: {type: postgres, version: "15"}}'), **B}))
    assert codes(done) == ["CW0701"]
    assert _below(world, "data/prod/a/") == before


def test_state_is_replaced_with_its_approvals() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    done = world.land({**CLUSTER, **service("a", DB), **B, **destroy("prod/a/db")}, approvals=BOTH)
    assert codes(done) == []
    assert "data/prod/a/db/kubernetes/cluster-a-db.yaml" in world.files


def test_kept_state_that_someone_changed_in_the_gitops_repo_is_restored() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    world.land({**PLATFORM, **B})
    before = world.owned
    world.foreign({"data/prod/a/db/terraform/main.tf.json": b"{}", "data/prod/a/db/more.txt": b"x"})
    assert codes(stepped(world.again()), "warning") == ["CW0804"]
    assert world.owned == before
    world.foreign(dict.fromkeys(path for path in before if path.startswith("data/prod/a/")))
    stepped(world.again())
    assert world.owned == before


def test_the_environment_of_kept_state_cannot_go() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB, "deploy_to: [prod]"), **service("b", "deploy_to: [dev]")})
    world.land({**PLATFORM, **service("b", "deploy_to: [dev]")})
    only_dev = {"platform/environments.yaml": "environments:\n  dev:" + ENVIRONMENTS.partition("  dev:")[2]}
    recipes = {"platform/recipes.yaml": "recipes: []\n"}
    files = {**PLATFORM, **only_dev, **recipes, **service("b", "deploy_to: [dev]")}
    before = world.files
    assert codes(refused(world.land(files))) == ["CW0703"]
    assert world.files == before
