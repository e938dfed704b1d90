"""What a plan says of state: made, changed, replaced, kept, drained, taken up again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.build import outlines
from bot.core.model.delivery import Kept, KeptEntry
from bot.core.model.plan import DataChange, Plan
from bot.core.plan import plan
from bot.core.problem import Refusal
from bot.core.tree import Oid
from tests.core.plan_world import CHECKOUT, ENVIRONMENTS, FILES, MEMO, RECIPES, built, planned, there

DB = 'needs: {db: {type: postgres, version: "16"}}\n'


def manifest(text: str = "") -> dict[str, str | None]:
    return {**RECIPES, CHECKOUT: FILES[CHECKOUT] + text}


def change(found: Plan, env: str, need: str = "db") -> DataChange:
    (one,) = [d for d in there(found, "checkout", env).data if d.need == need]
    return one


def test_a_new_need_is_made_where_its_recipe_says_and_the_start_waits_for_it() -> None:
    found = planned(manifest(), manifest(DB))
    prod, dev = change(found, "prod"), change(found, "dev")
    assert (prod.action, prod.recipe, prod.ready_in, prod.cost, prod.protected) == (
        "create",
        "aws-rds",
        "15m",
        "45",
        True,
    )
    assert (dev.action, dev.recipe, dev.protected) == ("create", "cnpg-small", False)
    assert prod.origin is not None
    assert (prod.origin.path, prod.origin.line) == (CHECKOUT, 8)
    assert [(w.what, w.name, w.time) for w in there(found, "checkout", "prod").waits] == [("data", "db", "15m")]
    assert "Terraform" in {c.kind for c in there(found, "checkout", "prod").objects}


def test_a_field_that_the_recipe_calls_replacing_replaces_the_data() -> None:
    found = planned(manifest(DB), manifest(DB.replace("16", "17")))
    prod = change(found, "prod")
    assert (prod.action, prod.detail) == ("replace", "version: 16 → 17")
    assert prod.origin is not None
    assert (prod.origin.path, prod.origin.line) == (CHECKOUT, 8)


def test_a_field_that_the_recipe_does_not_call_replacing_changes_in_place() -> None:
    found = planned(manifest(DB), manifest(DB.replace('"16"', '"16", class: ha, size: m')))
    assert (change(found, "prod").action, change(found, "prod").detail) == (
        "change",
        "class: default → ha, size: s → m",
    )
    assert change(found, "prod").cost == "120"


def test_a_terraform_recipe_that_declares_nothing_leaves_it_unknown() -> None:
    recipe = "platform/recipes/plain/v1"
    own = {
        "platform/recipes.yaml": "recipes:\n- {provides: bucket, recipe: plain}\n",
        f"{recipe}/recipe.yaml": (
            "title: A bucket\ndescription: Made by hand.\ntype: bucket\nform: terraform\nstateful: true\n"
            "options: {days: {type: [integer, 'null'], default: null, description: Days.}}\n"
            "outputs: {name: {from: value, value: it}}\n"
        ),
        f"{recipe}/templates/main.tf.yaml": "locals: {days: '{{ need.options.days }}'}\n",
    }
    only = "deploy_to: [prod]\nneeds: {files: {type: bucket, days: 7}}\n"
    files = {**manifest(only), **own}
    found = planned(files, {**files, **manifest(only.replace("7", "8")), **own})
    bucket = change(found, "prod", "files")
    assert (bucket.action, bucket.detail) == ("unknown", "days: 7 → 8")


def test_another_recipe_is_another_database() -> None:
    recipes = RECIPES["platform/recipes.yaml"].replace("recipe: aws-rds", "recipe: cnpg-small")
    found = planned(manifest(DB), {**manifest(DB), "platform/recipes.yaml": recipes})
    prod = change(found, "prod")
    assert prod.action == "replace"
    assert "recipe: aws-rds → cnpg-small" in prod.detail


def test_surroundings_that_move_leave_terraform_unknown() -> None:
    moved = ENVIRONMENTS.replace("aws: {region: eu-west-1}", "aws: {region: eu-west-2}")
    found = planned(manifest(DB), {**manifest(DB), "platform/environments.yaml": moved})
    assert (change(found, "prod").action, change(found, "prod").detail) == ("unknown", "")


def test_protected_data_is_kept_with_all_its_objects_when_its_need_goes() -> None:
    found = planned(manifest(DB), manifest())
    here = there(found, "checkout", "prod")
    kept = [c for c in here.objects if c.path.startswith("data/prod/checkout/db/")]
    assert (change(found, "prod").action, change(found, "prod").protected, change(found, "prod").cost) == (
        "keep",
        True,
        "45",
    )
    assert kept
    assert {c.action for c in kept} == {"keep"}
    assert found.lines["keep"] == len(kept)


def test_protected_data_is_kept_when_its_service_goes() -> None:
    found = planned(manifest(DB), {**manifest(DB), CHECKOUT: None})
    assert change(found, "prod").action == "keep"
    here = there(found, "checkout", "prod")
    assert {c.action for c in here.objects if c.path.startswith("data/")} == {"keep"}
    assert {c.action for c in here.objects if not c.path.startswith("data/")} == {"delete"}


def test_protected_data_in_the_cluster_keeps_its_namespace_and_application() -> None:
    protected = ENVIRONMENTS.replace("features: {gateway: true}", "features: {gateway: true, external_secrets: true}")
    protected = protected.replace("kind: development", "kind: development\n    protect_data: true")
    protected = protected.replace(
        "domain: dev.acme.io", "domain: dev.acme.io\n    secrets: {store: aws-secretsmanager, region: eu-west-1}"
    )
    files = {**manifest(DB), "platform/environments.yaml": protected}
    found = planned(files, {**files, CHECKOUT: None})
    here = there(found, "checkout", "dev")
    kept = {(c.kind, c.name) for c in here.objects if c.action == "keep"}
    assert ("Namespace", "checkout-dev-data") in kept
    assert any(kind == "Application" for kind, _ in kept)
    assert ("Namespace", "checkout-dev") not in kept


def test_unprotected_terraform_drains_and_unprotected_data_in_the_cluster_goes() -> None:
    open_ = {
        "platform/environments.yaml": ENVIRONMENTS.replace(
            "kind: production", "kind: production\n    protect_data: false"
        )
    }
    found = planned({**manifest(DB), **open_}, {**manifest(), **open_})
    assert change(found, "prod").action == "drain"
    assert (change(found, "dev").action, change(found, "dev").protected) == ("prune", False)
    assert found.lines["keep"] == 0


@pytest.mark.parametrize("action", ["destroy", "forget"])
def test_what_destroy_yaml_names_with_its_approvals_is_told_as_that(action: str) -> None:
    before, after = built(manifest(DB)), built(manifest())
    found = plan(before, after, MEMO, destroys=frozenset({("prod/checkout/db", action)}))
    assert change(found, "prod").action == action
    assert found.lines["keep"] == 0


def test_kept_data_that_comes_back_as_it_was_is_taken_up_again_and_changes_nothing() -> None:
    found = planned(manifest(), manifest(DB), kept=_kept(DB))
    prod = change(found, "prod")
    assert (prod.action, prod.ready_in) == ("return", "")
    objects = [c for c in there(found, "checkout", "prod").objects if c.path.startswith("data/")]
    assert {c.action for c in objects} == {"keep"}
    assert change(found, "dev").action == "create"


def test_kept_data_that_comes_back_different_changes() -> None:
    found = planned(manifest(), manifest(DB.replace("16", "17")), kept=_kept(DB))
    assert change(found, "prod").action == "return"
    objects = [c for c in there(found, "checkout", "prod").objects if c.path.startswith("data/")]
    assert {c.action for c in objects} == {"change"}


def test_data_on_its_way_out_is_made_anew_when_its_need_comes_back() -> None:
    draining = {path: replace(entry, reason="draining") for path, entry in _kept(DB).items()}
    assert change(planned(manifest(), manifest(DB), kept=draining), "prod").action == "create"


def test_a_new_owner_of_the_tags_changes_a_root_in_place() -> None:
    found = planned(
        manifest(DB), manifest(DB) | {CHECKOUT: str(manifest(DB)[CHECKOUT]).replace("owner: payments", "owner: shop")}
    )
    assert (change(found, "prod").action, change(found, "prod").detail) == ("change", "")


def test_a_moved_folder_keeps_its_data_where_it_is() -> None:
    moved = {**manifest(), CHECKOUT: None, "services/pay/checkout/platform.yaml": manifest(DB)[CHECKOUT]}
    found = planned(manifest(DB), moved)
    assert there(found, "checkout", "prod").data == ()
    assert there(found, "checkout", "prod").objects == ()


def _kept(needs: str) -> Kept:
    """What the GitOps repo keeps of prod's db once its need is gone."""
    build = built(manifest(needs))
    (key,) = [k for k in build.digests if k[0] == "data" and k[2] == "prod"]
    outline = outlines(build, [key], MEMO)[key]
    assert not isinstance(outline, Refusal)
    commit = Oid("1" * 40)
    return {i.path: KeptEntry(i.id, i.kind, "data", commit, "prod/checkout/db") for i in outline}
