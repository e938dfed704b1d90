"""Any manifest that is accepted, however hostile its words and long its names, renders to what Kubernetes accepts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate.utils  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.build import Build, build
from bot.core.build.fill import fill
from bot.core.build.state import Memo
from bot.core.emit import emit_yaml
from bot.core.kit import kit_of
from bot.core.problem import Refusal
from bot.core.text import flaw_in
from bot.core.tree import MemoryTree
from tests.core.render_world import ROOT, shipped
from tests.tools.test_schemas import DATA, NEWEST, NO_SCHEMA, group_of, is_core, schema_for

SHOP = ROOT / "tests" / "cases" / "render" / "shop" / "in" / "platform"
PLATFORM = {f"platform/{path.name}": path.read_bytes() for path in SHOP.iterdir()}

TRAPS = (
    "{{ .x }}", "{{ 7 * 7 }}", "${jndi:x}", "%{if}", "$(DB_HOST)", "$$(x)", "[[x]]", "a\tb", 'a"b', "a'b", "a\\b",
    "#x", "- x", "a: b", "no", "1e3", "0o7", "~", "<b>", "|", "&a", "*a", "!x", "%x", "@x", "`x`", "  ", "\N{SNOWMAN}",
)  # fmt: skip
WORD = st.sampled_from(TRAPS) | st.text(min_size=1, max_size=40).filter(
    lambda text: flaw_in(text, one_line=True) is None
)
TEXT = WORD.filter(lambda text: "${" not in text)
NAME = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True) | st.just("a" * 40) | st.just("a" + "-b" * 19)
SHORT = st.from_regex(r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?", fullmatch=True) | st.just("n" * 20)
VARIABLE = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,127}", fullmatch=True)
URL_PATH = st.from_regex(r"/[A-Za-z0-9._~!&'()*+,;=:@%/-]{0,60}", fullmatch=True) | st.sampled_from(
    ["/a//b", "/a/../b", "/.", "/%zz", "/%2F", "/a%20b", "/'", "/x/"]
)
DURATION = st.from_regex(r"[1-9][0-9]{0,5}(s|m|h)", fullmatch=True)
FOLDER = st.from_regex(r"(/[A-Za-z0-9_][A-Za-z0-9._-]{0,60}){1,4}", fullmatch=True)
PORT = st.integers(1, 65535)
NUMBER = st.integers(-(2**63), 2**63 - 1)
NEED = st.just({"type": "postgres"}) | st.just({"type": "bucket", "expire_days": 3, "versioning": False})


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields).filter(bool)


MANIFEST = st.fixed_dictionaries(
    {
        "name": NAME, "owner": st.just("payments"), "type": st.just("web"),
        "deploy_to": st.sampled_from([["prod"], ["dev"]]),
        "image": st.sampled_from([
            "ghcr.io/acme/x:1", "localhost:5000/x:" + "v" * 128, "a/b@sha256:" + "0" * 64, "acme/x:2.0_rc.1-",
        ]),
    },
    optional={
        "tier": st.integers(1, 4), "description": WORD, "system": NAME,
        "port": PORT, "metrics": st.fixed_dictionaries({"port": PORT}, optional={"path": URL_PATH}),
        "routes": st.lists(some(path=URL_PATH, timeout=DURATION, public=st.booleans()), min_size=1, max_size=2),
        "command": st.lists(WORD, min_size=1, max_size=3), "args": st.lists(WORD, min_size=1, max_size=3),
        "migrate": st.lists(WORD, min_size=1, max_size=3),
        "user": st.integers(1, 2147483647), "writable": st.lists(FOLDER, min_size=1, max_size=3, unique=True),
        "health": URL_PATH | some(ready=URL_PATH, live=URL_PATH, start=URL_PATH),
        "size": st.sampled_from(["s", "xl"])
        | some(cpu=st.sampled_from(["1m", "999999m", 256]), memory=st.sampled_from(["1Mi", "9999999Gi"])),
        "scale": st.integers(1, 200)
        | some(min=st.integers(1, 100), max=st.integers(100, 200), cpu=st.integers(10, 95)),
        "stop": some(grace=st.integers(1, 3600), drain=st.integers(0, 600)),
        "env": st.dictionaries(VARIABLE, TEXT | NUMBER | st.booleans(), min_size=1, max_size=3),
        "secrets": st.lists(VARIABLE, min_size=1, max_size=2, unique=True),
        "needs": st.dictionaries(SHORT, NEED, min_size=1, max_size=2),
        "slo": some(availability=st.sampled_from([99, 99.9, 99.999, 50]), latency_ms=st.integers(1, 60000)),
    },
)  # fmt: skip


def built(manifest: dict[str, Any]) -> Build | None:
    """The build of the shop's platform with this one service; None where the service is refused."""
    files = {**PLATFORM, f"services/{manifest['name']}/platform.yaml": emit_yaml(manifest)}
    tree = MemoryTree(files)
    kit = kit_of(tree, shipped())
    assert not isinstance(kit, Refusal)
    made = build(tree, kit, Memo())
    assert not isinstance(made, Refusal)
    refused = made.linked.problems or any(state.problems for state in made.units.values())
    return None if refused else made


def objects(made: Build) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is rendered for the service; what is refused says so with a code, and makes nothing."""
    keys = [key for key in made.digests if key[0] in ("service", "data", "namespace", "catalog", "system")]
    for key, done in fill(made, keys, Memo()).items():
        if isinstance(done, Refusal):
            assert all(problem.code == "CW0601" for problem in done.problems), (key, done)
            continue
        for path, data in done.files.items():
            if path.endswith(".yaml"):
                for item in yaml.safe_load_all(data):
                    yield path, item


EXAMPLES = int(os.environ.get("CAUSEWAY_EXAMPLES", "25"))
"""Set it higher to look longer."""


@pytest.fixture(autouse=True, scope="module")
def each_schema_is_read_once() -> Iterator[None]:
    """The library reads megabytes from disk for each object."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kubernetes_validate.utils, "schema_contents", cache(kubernetes_validate.utils.schema_contents))
        yield


@pytest.mark.tools
@given(MANIFEST)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_accepted_renders_to_objects_that_pass_every_schema(manifest: dict[str, Any]) -> None:
    made = built(manifest)
    for path, item in objects(made) if made is not None else ():
        if path.startswith("catalog/"):
            assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", item["metadata"]["name"])
        elif is_core(item):
            kubernetes_validate.validate(item, NEWEST, strict=True)
        elif group_of(item) not in NO_SCHEMA and DATA.is_dir():
            group, _, version = item["apiVersion"].partition("/")
            schema = schema_for(group, item["kind"], version)
            assert schema is not None
            errors = [f"{list(error.absolute_path)}: {error.message}" for error in schema.iter_errors(item)]
            assert not errors, (path, errors)
        beyond_schemas(item)


ROUTE_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
"""Gateway API's rule for characters of a path, which its schema holds as an expression."""


def beyond_schemas(item: dict[str, Any]) -> None:
    """Rules of the API server and of resources' expressions that are in no schema."""
    kind, spec = item["kind"], item.get("spec", {})
    if kind == "HTTPRoute":
        for path in (match["path"]["value"] for rule in spec["rules"] for match in rule["matches"]):
            assert ROUTE_PATH.fullmatch(path), path
            assert not re.search(r"//|/\.\.?(/|$)|%2f", path, re.IGNORECASE), path
    if kind in ("Deployment", "Job"):
        pod = spec["template"]["spec"]
        volumes = [volume["name"] for volume in pod["volumes"]]
        assert len(volumes) == len(set(volumes))
        assert spec["template"]["metadata"]["labels"].items() >= spec.get("selector", {}).get("matchLabels", {}).items()
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            ports = [port["containerPort"] for port in container.get("ports", [])]
            names = [variable["name"] for variable in container.get("env", [])]
            mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert [len(found) for found in (ports, names, mounts)] == [len(set(x)) for x in (ports, names, mounts)]
            assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes)
            assert all(
                re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in [*volumes, container["name"]]
            )
    for label in item["metadata"].get("labels", {}).values():
        assert re.fullmatch(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", label)
