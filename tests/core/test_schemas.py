"""The published schemas: valid, closed, described, and exactly what the kit renders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # has no stubs here
import pytest
import referencing

from bot.core.kit.schemas import NAMES, narrowed
from tests.core.language_world import MINIMAL, ROOT, kit_for, manifest, repo

FILES = sorted((ROOT / "schemas").glob("*.schema.json"))
RAW = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in FILES}


def _nodes(node: Any, at: str = "#") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, dict):
        yield at, node
        for key, inner in node.items():
            if key not in ("examples", "default", "enum", "const"):
                yield from _nodes(inner, f"{at}/{key}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _nodes(inner, f"{at}/{index}")


def test_every_file_of_the_language_has_its_schema() -> None:
    assert set(RAW) == {*NAMES, "kit", "effective"}


@pytest.mark.parametrize("name", RAW)
def test_a_schema_is_valid_named_and_described(name: str) -> None:
    schema = RAW[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/{name}.schema.json")
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", sorted(set(RAW) - {"kit"}))
def test_a_schema_is_closed(name: str) -> None:
    """`kit` alone is open: it reads one field of a file that config.schema.json closes."""
    for at, node in _nodes(RAW[name]):
        if "properties" in node and not at.endswith("/properties"):
            open_by_design = name == "recipe" and "options" in at
            assert open_by_design or node.get("additionalProperties") is False, at


@pytest.mark.parametrize("name", sorted(set(RAW) - {"effective"}))
def test_every_field_says_what_it_is_for(name: str) -> None:
    """Editors show the description of a field, its own or that of what it refers to."""
    for at, node in _nodes(RAW[name]):
        if at.endswith("/properties"):
            for field, inner in node.items():
                target = RAW[name].get("$defs", {}).get(str(inner.get("$ref", "")).rpartition("/")[2], {})
                kit = str(inner.get("$ref", "")).endswith("/kit")
                assert kit or inner.get("description") or target.get("description"), f"{at}/{field}"


@pytest.mark.parametrize("name", RAW)
def test_every_example_is_valid(name: str) -> None:
    store: Any = referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema)) for schema in RAW.values()
    )
    whole = {key: RAW[name].get(key, {}) for key in ("$schema", "$id", "$defs")}
    for at, node in _nodes(RAW[name]):
        for example in node.get("examples", ()) if not at.endswith("/properties") else ():
            rules = {key: value for key, value in node.items() if key not in whole}
            jsonschema.Draft202012Validator({**whole, **rules}, registry=store).validate(example)


def test_the_published_manifest_schema_is_what_the_shipped_kit_renders() -> None:
    kit = kit_for(repo())
    offers = [(recipe.type, recipe.meta.get("options") or {}) for recipe in kit.recipes.values()]
    assert RAW["platform"] == narrowed(RAW["platform"], kit.pins, offers)  # type: ignore[arg-type]  # plain JSON


def test_words_that_do_not_render_yet_are_unknown() -> None:
    later = {"egress", "files", "sidecars", "init", "patches", "extra", "formerly", "schedule"}
    assert not later & RAW["platform"]["properties"].keys()


def test_effective_manifests_have_exactly_the_fields_that_templates_may_read() -> None:
    for environment in ("dev", "prod"):
        effective, _ = manifest(MINIMAL + "needs: {db: postgres, files: bucket}\nmetrics: {port: 9}\n", environment)
        jsonschema.Draft202012Validator(RAW["effective"]).validate(effective.value)


def test_the_reference_page_names_every_field_of_the_manifest() -> None:
    page = (ROOT / "schemas" / "README.md").read_text()
    for field in RAW["platform"]["properties"]:
        assert f"`{field}`" in page, field


@pytest.mark.parametrize(
    "name", ["platform", "destroy", "kit", "config", "environments", "teams", "recipes", "releases"]
)
def test_every_field_says_what_it_is_where_an_editor_looks_for_it(name: str) -> None:
    """Beside the field itself: completion does not follow a reference for its description."""

    nodes = [node["properties"] for _, node in _nodes(RAW[name]) if isinstance(node.get("properties"), Mapping)]
    assert nodes
    assert not [field for node in nodes for field, inner in node.items() if not inner.get("description")]
