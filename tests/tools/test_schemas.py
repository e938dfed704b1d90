"""Every object that is rendered, held against the schemas of those who will read it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml

from tests.core.render_world import CASES, case_files, case_named
from tests.reference import folder

DATA = folder("crd-schemas")
NEWEST = kubernetes_validate.latest_version()
NO_SCHEMA = frozenset({"postgresql.cnpg.io", "objectbucket.io"})
"""Operators' groups of which no schema is at hand."""

OBJECTS = [
    (f"{case}:{path}", item)
    for case in CASES
    for path, data in sorted(case_files(case_named(case)).items())
    if path.endswith(".yaml") and not path.startswith("catalog/")
    for item in [yaml.safe_load(data)]
]


def group_of(item: dict[str, Any]) -> str:
    group, slash, _ = str(item["apiVersion"]).partition("/")
    return group if slash else ""


def is_core(item: dict[str, Any]) -> bool:
    group = group_of(item)
    return "." not in group or (group.endswith(".k8s.io") and group != "gateway.networking.k8s.io")


CORE = [(path, item) for path, item in OBJECTS if is_core(item)]
CUSTOM = [(path, item) for path, item in OBJECTS if not is_core(item) and group_of(item) not in NO_SCHEMA]


@pytest.mark.tools
def test_every_core_object_passes_the_strict_schema_of_the_newest_kubernetes() -> None:
    assert len(CORE) > 50
    for path, item in CORE:
        try:
            kubernetes_validate.validate(item, NEWEST, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{path}: {error.message} at {list(error.absolute_path)}")


@lru_cache(maxsize=64)
def schema_for(group: str, kind: str, version: str) -> jsonschema.Draft202012Validator | None:
    name = f"{kind.lower()}_{version}.json"
    for path in (DATA / "strict" / group / name, DATA / group / name):
        if path.is_file():
            return jsonschema.Draft202012Validator(json.loads(path.read_text()))
    return None


@pytest.mark.tools
def test_every_custom_object_passes_the_schema_of_its_resource() -> None:
    if not DATA.is_dir():
        pytest.skip("no CRD schemas beside the repository")
    seen: set[str] = set()
    for path, item in CUSTOM:
        group, _, version = str(item["apiVersion"]).partition("/")
        schema = schema_for(group, str(item["kind"]), version)
        assert schema is not None, f"no schema for {item['apiVersion']} {item['kind']}"
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in schema.iter_errors(item)]
        assert not errors, f"{path}: {errors}"
        seen.add(str(item["kind"]))
    assert seen >= {
        "Application", "AppProject", "ExternalSecret", "SecretStore", "HTTPRoute", "ServiceMonitor", "PrometheusRule",
    }  # fmt: skip


def test_no_object_is_of_a_group_that_nothing_checks() -> None:
    known = {group_of(item) for _, item in CORE} | {group_of(item) for _, item in CUSTOM}
    assert {group_of(item) for _, item in OBJECTS} - known <= NO_SCHEMA
