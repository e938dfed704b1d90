"""Catalog entities: by Backstage's own model where node has it, and by its documented rules everywhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.core.render_world import CASES, case_files, case_named

NODE = shutil.which("node")
MODEL = "@backstage/catalog-model"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
TAG = re.compile(r"[a-z0-9+#]+(-[a-z0-9+#]+)*")
REQUIRED = {
    "Component": {"type", "lifecycle", "owner"},
    "API": {"type", "lifecycle", "owner", "definition"},
    "Resource": {"type", "owner"},
    "Group": {"type", "children"},
    "System": {"owner"},
}

ENTITIES: list[dict[str, Any]] = [
    item
    for case in CASES
    for path, data in sorted(case_files(case_named(case)).items())
    if path.startswith("catalog/")
    for item in yaml.safe_load_all(data)
]

CHECK = f"""
const model = require('{MODEL}');
const check = model.entityKindSchemaValidator ? [
  model.componentEntityV1alpha1Validator, model.apiEntityV1alpha1Validator,
  model.resourceEntityV1alpha1Validator, model.groupEntityV1alpha1Validator,
  model.systemEntityV1alpha1Validator] : [];
(async () => {{
  for (const entity of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {{
    const kinds = await Promise.all(check.map(one => one.check(entity)));
    if (!kinds.some(Boolean)) throw new Error('no model takes ' + JSON.stringify(entity));
    await new model.SchemaValidEntityPolicy().enforce(entity);
    await new model.FieldFormatEntityPolicy().enforce(entity);
  }}
  console.log('checked');
}})().catch(error => {{ console.error(error); process.exit(1); }});
"""


def _has_model() -> bool:
    if NODE is None:
        return False
    found = subprocess.run([NODE, "-e", f"require.resolve('{MODEL}')"], capture_output=True, timeout=20, check=False)
    return found.returncode == 0


@pytest.mark.tools
def test_backstage_itself_takes_every_entity() -> None:
    if not _has_model():
        pytest.skip(f"node with {MODEL} is not installed")
    done = subprocess.run(
        [str(NODE), "-e", CHECK], input=json.dumps(ENTITIES), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "checked", done.stderr


def test_every_entity_follows_the_rules_of_its_kind() -> None:
    assert {item["kind"] for item in ENTITIES} == set(REQUIRED)
    for item in ENTITIES:
        assert item["apiVersion"] == "backstage.io/v1alpha1"
        assert NAME.fullmatch(item["metadata"]["name"]), item
        assert all(TAG.fullmatch(tag) for tag in item["metadata"].get("tags", []))
        assert item["spec"].keys() >= REQUIRED[item["kind"]], item
        for link in item["metadata"].get("links", []):
            assert link["url"].startswith(("https://", "http://"))


def test_whatever_an_entity_refers_to_is_in_the_catalog() -> None:
    for case in CASES:
        found = [
            item
            for path, data in case_files(case_named(case)).items()
            if path.startswith("catalog/")
            for item in yaml.safe_load_all(data)
        ]
        known = {f"{item['kind'].lower()}:default/{item['metadata']['name']}" for item in found}
        for item in found:
            spec = item["spec"]
            refers = [spec[key] for key in ("owner",) if key in spec]
            refers += [f"system:default/{spec['system']}"] if "system" in spec else []
            refers += [*spec.get("dependsOn", []), *spec.get("consumesApis", [])]
            assert set(refers) <= known, item
