"""Every value that is rendered has somebody who gave it, at a line that exists and says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from bot.core.build import Build, inputs_of
from bot.core.explain import Explained, Unknown, dotted, everything, explain
from bot.core.explain.answer import keys_of
from bot.core.kit.defaults import leaves
from bot.core.model.values import UnitEnv
from bot.core.problem import Refusal
from bot.core.render import RENDERERS, trace
from bot.core.words import explained
from tests.core.render_world import CASES, ROOT, built, case_named

SHOP = ROOT / "tests" / "cases" / "render" / "shop" / "in"
MANIFEST = "services/checkout/platform.yaml"
TEMPLATES = "blueprints/workloads/web/v1/templates"


def texts_of(case: str) -> Callable[[str], bytes | None]:
    folder = ROOT / "tests" / "cases" / "render" / case / "in"

    @cache
    def read(path: str) -> bytes | None:
        file = (ROOT if path.startswith("blueprints/") else folder) / path
        return file.read_bytes() if file.is_file() else None

    return read


def rest_of_line(case: str, path: str, line: int, column: int) -> str:
    """What stands at a place; fails where there is no such place."""
    data = texts_of(case)(path)
    assert data is not None, path
    lines = data.decode().splitlines()
    assert 1 <= line <= len(lines), (path, line)
    assert 1 <= column <= len(lines[line - 1]) + 1, (path, line, column)
    return lines[line - 1][column - 1 :]


def units(build: Build) -> list[UnitEnv]:
    return [(folder, env) for folder, state in build.units.items() for env in state.environments]


def asked(path: str, service: str = "checkout", environment: str = "prod") -> tuple[Explained, ...]:
    found = explain(case_named("shop"), service, environment, path, texts_of("shop"))
    assert not isinstance(found, Unknown), found
    return found


def one(path: str, service: str = "checkout", environment: str = "prod") -> Explained:
    (found,) = asked(path, service, environment)
    return found


@pytest.mark.parametrize("case", CASES)
def test_every_value_of_every_object_has_an_answer(case: str) -> None:
    build = case_named(case)
    for unit in units(build):
        wanted = set()
        for key in keys_of(build, unit):
            objects = RENDERERS[key[0]].objects(inputs_of(build, key), build.kit)
            assert not isinstance(objects, Refusal)
            wanted |= {(path, at) for path, value in objects.items() for at in leaves(value)}
        found = list(everything(build, unit, texts_of(case)))
        assert {(row.file, row.pointer) for row in found} == wanted
        assert len(found) == len(wanted)


@pytest.mark.parametrize("case", CASES)
def test_every_answer_points_to_a_line_that_exists(case: str) -> None:
    build = case_named(case)
    for unit in units(build):
        for row in everything(build, unit, texts_of(case)):
            for origin in (row.origin, *row.also):
                rest_of_line(case, origin.path, origin.line, origin.column)


@pytest.mark.parametrize("case", CASES)
def test_what_a_template_fixes_stands_literally_at_the_place_that_is_named(case: str) -> None:
    build, seen = case_named(case), 0
    for unit in units(build):
        for row in everything(build, unit, texts_of(case)):
            if row.fixed and row.pointer:
                assert row.template is not None
                there = rest_of_line(case, row.origin.path, row.origin.line, row.origin.column)
                plain = there.lstrip("\"'")
                if not row.value or "{{" in plain or plain.startswith(("|", ">")) or row.value is True:
                    continue
                seen += 1
                assert plain.startswith(str(row.value).splitlines()[0]), row
    assert seen > 100


@pytest.mark.parametrize("case", CASES)
def test_the_links_of_a_plan_name_lines_that_an_answer_names_too(case: str) -> None:
    build = case_named(case)
    for unit in units(build):
        known = {(row.file, row.pointer): row for row in everything(build, unit, texts_of(case))}
        for key in keys_of(build, unit):
            if key[0] in ("service", "data"):
                for at, origin in trace(inputs_of(build, key), build.kit, build.origins(unit)).items():
                    row = known.get(at)
                    if row is not None and not row.fixed:
                        assert origin.path in {told.path for told in (row.origin, *row.also)}, (at, origin, row)


@pytest.mark.parametrize(
    ("path", "value", "layer", "place", "says"),
    [
        ("tier", 1, "manifest", MANIFEST, "1"),
        ("env.LOG_LEVEL", "warn", "override", MANIFEST, "warn"),
        ("scale.min", 3, "blueprint", "blueprints/workloads/web/v1/blueprint.yaml", "3"),
        ("size.cpu", "100m", "blueprint", "blueprints/workloads/web/v1/blueprint.yaml", "100m"),
        ("needs.db.class", "ha", "override", MANIFEST, "ha"),
        ("needs.db.recipe", "aws-rds", "recipe", "platform/recipes.yaml", "{provides: postgres"),
        ("deployment:metadata.name", "checkout", "manifest", MANIFEST, "checkout"),
        ("deployment:spec.template.spec.containers.0.image", "ghcr.io/acme/checkout:1.4.2", "manifest", MANIFEST,
         "ghcr.io/acme/checkout:1.4.2"),
        ("deployment:spec.revisionHistoryLimit", 5, "blueprint", f"{TEMPLATES}/deployment.yaml", "5"),
        ("deployment:metadata.labels.app.kubernetes.io/managed-by", "causeway", "blueprint",
         f"{TEMPLATES}/_pod_labels.yaml", "causeway"),
        ("deployment:spec.template.spec.priorityClassName", "critical", "manifest", MANIFEST, "1"),
        ("horizontalpodautoscaler:spec.minReplicas", 3, "blueprint", "blueprints/workloads/web/v1/blueprint.yaml", "3"),
        ("apps/prod/services/payments/checkout.yaml:spec.destination.name", "eu-prod", "environment",
         "platform/environments.yaml", "eu-prod"),
        ("apps/prod/services/payments/checkout.yaml:spec.source.targetRevision", "refs/heads/main", "platform",
         "platform/config.yaml", "main"),
        ("namespace-checkout-prod:metadata.labels.causeway.dev/cost-centre", "cc-42", "team", "platform/teams.yaml",
         "cc-42"),
        ("db/terraform/backend.tf.json:terraform.backend.s3.bucket", "acme-state-prod", "environment",
         "platform/environments.yaml", "acme-state-prod"),
    ],
)  # fmt: skip
def test_an_answer_names_value_layer_and_line(path: str, value: object, layer: str, place: str, says: str) -> None:
    found = one(path)
    assert found.value == value
    assert (found.origin.layer, found.origin.path) == (layer, place)
    assert rest_of_line("shop", found.origin.path, found.origin.line, found.origin.column).startswith(says)


def test_a_default_by_tier_carries_the_reason_that_the_blueprint_gives() -> None:
    assert one("scale.max").origin.reason.startswith("tier 1 keeps serving")


def test_where_a_used_service_answers_its_own_manifest_is_named() -> None:
    rows = [row for row in asked("networkpolicy-checkout:spec.egress") if row.origin.layer == "link"]
    assert {row.value for row in rows} == {"inventory-prod", 8080}
    assert any(row.origin.path == "services/inventory/platform.yaml" for row in rows)


def test_who_may_call_is_explained_by_the_caller_that_asks() -> None:
    rows = [row for row in asked("networkpolicy-checkout:spec.ingress") if row.value == "storefront-prod"]
    assert [(row.origin.layer, row.origin.path) for row in rows] == [("link", "services/storefront/platform.yaml")]
    assert rows[0].origin.reason == "`storefront` uses `checkout`"


def test_a_release_is_the_origin_of_the_image_that_it_names() -> None:
    files = {path.relative_to(SHOP).as_posix(): path.read_bytes() for path in SHOP.rglob("*") if path.is_file()}
    files[MANIFEST] = files[MANIFEST].replace(b"checkout:1.4.2", b"checkout")
    digest = "sha256:" + "a1" * 32
    release = f"# by a machine\nprod: {{image: 'ghcr.io/acme/checkout@{digest}'}}\n".encode()
    build = built({**files, "services/checkout/releases.yaml": release})
    found = explain(build, "checkout", "prod", "deployment:spec.template.spec.containers.0.image", lambda _: None)
    assert not isinstance(found, Unknown)
    assert (found[0].origin.layer, found[0].origin.path) == ("release", "services/checkout/releases.yaml")
    assert (found[0].origin.line, found[0].origin.column) == (2, 15)


def test_what_a_condition_leaves_out_is_explained_by_the_condition() -> None:
    found = one("deployment:spec.replicas")
    assert found.value is None
    assert found.left_out == "service.scale.min == service.scale.max"
    assert found.origin.path == "blueprints/workloads/web/v1/blueprint.yaml"
    assert "is left out" in explained.answer(found)


def test_a_place_that_holds_others_answers_for_all_of_them() -> None:
    whole = asked("deployment")
    part = asked("kubernetes/deployment-checkout.yaml:spec.strategy")
    assert set(part) < set(whole)
    assert {dotted(row.pointer) for row in part} == {
        "spec.strategy.type",
        "spec.strategy.rollingUpdate.maxUnavailable",
        "spec.strategy.rollingUpdate.maxSurge",
    }


def test_dots_indexes_and_json_pointers_name_the_same_place() -> None:
    same = [
        asked("deployment:spec.template.spec.containers.0.image"),
        asked("deployment:spec.template.spec.containers[0].image"),
        asked("deployment:/spec/template/spec/containers/0/image"),
    ]
    assert same[0] == same[1] == same[2]
    escaped = asked("deployment:/metadata/labels/app.kubernetes.io~1name")
    assert escaped == asked("deployment:metadata.labels.app.kubernetes.io/name")


def test_every_field_is_listed_where_nothing_narrower_is_asked() -> None:
    rows = asked("")
    assert {row.pointer for row in rows} == set(
        leaves(case_named("shop").effective(("services/checkout", "prod")).value)
    )
    assert all(row.file == "" for row in rows)


@pytest.mark.parametrize(
    ("service", "environment", "path", "what", "near"),
    [
        ("chekout", "prod", "", "service", "checkout"),
        ("checkout", "pord", "", "environment", "prod"),
        ("checkout", "prod", "scale.mni", "path", "scale.min"),
        ("checkout", "prod", "deployment:spec.stratgy", "path", "spec.strategy"),
    ],
)
def test_a_slip_is_answered_with_what_was_probably_meant(
    service: str, environment: str, path: str, what: str, near: str
) -> None:
    found = explain(case_named("shop"), service, environment, path, texts_of("shop"))
    assert isinstance(found, Unknown)
    assert found.what == what
    assert near in found.near
    assert "Did you mean" in explained.unknown(found)


def test_a_service_can_be_named_by_its_folder() -> None:
    assert asked("tier", "services/checkout") == asked("tier")


def test_a_question_that_nothing_resembles_says_what_there_is() -> None:
    found = explain(case_named("shop"), "zzz", "prod", "", texts_of("shop"))
    assert isinstance(found, Unknown)
    assert found.there == ("checkout", "inventory", "storefront")
    assert "There is: `checkout`" in explained.unknown(found)


def test_a_name_of_a_hashed_object_is_explained_by_what_it_begins_with() -> None:
    found = one("job:metadata.name")
    assert str(found.value).startswith("checkout-migrate-")
    assert found.template is not None
    assert "generateName" in rest_of_line("shop", found.template.path, found.template.at.line, 1)


def test_an_answer_in_words_has_value_place_layer_and_reason() -> None:
    words = explained.answer(one("scale.max"))
    assert words.startswith("scale.max = 12\n")
    assert "blueprints/workloads/web/v1/blueprint.yaml:" in words
    assert "blueprint's default" in words
    assert "because   tier 1 keeps serving" in words


def test_a_listing_has_one_line_for_each_value() -> None:
    rows = asked("service-checkout")
    lines = explained.listing(rows).splitlines()
    assert lines[0] == "environments/prod/payments/checkout/kubernetes/service-checkout.yaml:"
    assert len(lines) == len(rows) + 1


def test_a_narrow_terminal_gets_two_lines_for_each_value() -> None:
    words = explained.lines(asked("service-checkout:spec.type"))
    assert words.splitlines()[1:] == [
        "spec.type = ClusterIP",
        f"    blueprint's own  {TEMPLATES}/service.yaml:8:9",
    ]


def test_what_a_platforms_own_recipe_fixes_leads_into_the_platform_repo() -> None:
    files = {path.relative_to(SHOP).as_posix(): path.read_bytes() for path in SHOP.rglob("*") if path.is_file()}
    own = "platform/recipes/shared/v1"
    files["platform/recipes.yaml"] = files["platform/recipes.yaml"].replace(b"obc-bucket", b"shared")
    files[f"{own}/recipe.yaml"] = (
        b"title: Shared\ndescription: One for all.\ntype: bucket\nform: kubernetes\nstateful: false\nsizes: []\n"
        b"options:\n  expire_days: {type: [integer, 'null'], default: null, description: Days.}\n"
        b"outputs: {name: {from: value, value: shared}}\n"
    )
    files[f"{own}/templates/claim.yaml"] = (
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: claim, namespace: '{{ place }}'}\ndata:\n  kind: ours\n"
    )
    found = explain(built(files), "checkout", "dev", "configmap-claim:data.kind", files.get)
    assert not isinstance(found, Unknown)
    assert (found[0].origin.layer, found[0].fixed) == ("recipe", True)
    assert explained.at(found[0].origin) == f"{own}/templates/claim.yaml:5:9"
