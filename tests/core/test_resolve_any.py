"""Any manifest that the schema accepts either resolves to a whole effective manifest or is refused in words."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # has no stubs here
from hypothesis import given
from hypothesis import strategies as st

from bot.core.codes import CODES
from bot.core.emit import emit_yaml
from bot.core.facts import facts_of
from bot.core.kit.defaults import leaves
from bot.core.link import link
from bot.core.load import load_unit
from bot.core.problem import Refusal
from bot.core.resolve import environments_of, place_of, resolve
from tests.core.language_world import ROOT, kit_for, platform_for, repo

EFFECTIVE = jsonschema.Draft202012Validator(json.loads((ROOT / "schemas/effective.schema.json").read_text()))

_need = st.sampled_from(["postgres", "bucket"]) | st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["postgres", "bucket"]), "class": st.sampled_from(["default", "ha", "gold"]),
        "size": st.sampled_from(["s", "xl"]), "version": st.sampled_from(["16", "17", "9"]),
        "expire_days": st.integers(0, 3), "versioning": st.booleans(),
    },
)  # fmt: skip
_words = st.lists(st.sampled_from(["a", "$(X)", "--b"]), max_size=2)
_fields: dict[str, st.SearchStrategy[Any]] = {
    "tier": st.integers(0, 5),
    "port": st.sampled_from([80, 8080, 0]),
    "metrics": st.fixed_dictionaries({"port": st.just(9090)}, optional={"path": st.just("/m")}),
    "command": _words,
    "args": _words,
    "migrate": _words,
    "user": st.integers(0, 2),
    "writable": st.lists(st.sampled_from(["/tmp", "/a/b", "x"]), max_size=2),  # noqa: S108  paths in a container
    "health": st.just("/up") | st.fixed_dictionaries({}, optional={"ready": st.just("/r"), "live": st.just("/l")}),
    "size": st.sampled_from(["s", "xl", "q"]) | st.fixed_dictionaries({}, optional={"cpu": st.just(1)}),
    "scale": st.integers(0, 3)
    | st.fixed_dictionaries({}, optional={"min": st.integers(1, 5), "max": st.integers(1, 5)}),
    "stop": st.fixed_dictionaries({}, optional={"grace": st.integers(1, 50), "drain": st.integers(0, 50)}),
    "routes": st.lists(
        st.fixed_dictionaries({}, optional={"host": st.sampled_from(["a.acme.com", "b.org"]), "public": st.booleans()}),
        max_size=2,
    ),
    "env": st.dictionaries(
        st.sampled_from(["A", "DB_HOST"]), st.sampled_from(["x", 1, True, "${needs.db.host}", "${", None]), max_size=2
    ),
    "secrets": st.lists(st.sampled_from(["A", "B"]), max_size=2) | st.just({"B": "x#y"}),
    "needs": st.dictionaries(st.sampled_from(["db", "files"]), _need, max_size=2),
    "uses": st.lists(st.sampled_from(["stock", "checkout"]), max_size=2),
    "allow": st.just({"callers": ["stock"]}),
    "slo": st.fixed_dictionaries({}, optional={"availability": st.just(99.9), "latency_ms": st.just(3)}),
}
_remove = st.lists(
    st.sampled_from(["env.A", "needs.db", "scale", "slo", "name", "x.y"]), min_size=1, max_size=2, unique=True
)
_override = st.fixed_dictionaries({}, optional={**_fields, "remove": _remove})
_manifest = st.fixed_dictionaries(
    {
        "name": st.just("checkout"), "owner": st.sampled_from(["payments", "nobody"]), "type": st.just("web"),
        "image": st.sampled_from(["a/b", "a/b:1", "a/b:latest"]),
    },
    optional={
        **_fields,
        "deploy_to": st.lists(st.sampled_from(["dev", "prod", "moon"]), max_size=2),
        "environments": st.dictionaries(st.sampled_from(["dev", "prod", "moon"]), _override, max_size=2),
    },
)  # fmt: skip


@given(_manifest)
def test_the_outcome_is_whole_or_a_refusal_in_words(manifest: dict[str, Any]) -> None:
    tree = repo({"services/checkout/platform.yaml": emit_yaml(manifest).decode()})
    kit, platform = kit_for(tree), platform_for(tree)
    unit = load_unit(tree, "services/checkout", kit)
    outcomes = [unit] if isinstance(unit, Refusal) else []
    for environment in environments_of(unit, platform) if not isinstance(unit, Refusal) else ():
        found = resolve(unit, environment, platform, kit)  # type: ignore[arg-type]  # no refusal, or no environment
        if isinstance(found, Refusal):
            outcomes.append(found)
            continue
        effective, origins = found
        EFFECTIVE.validate(effective.value)
        assert set(origins) == set(leaves(effective.value))
        facts = facts_of(effective, platform, kit)
        linked = link({facts.unit: facts}, at=lambda key, pointer: place_of(unit, key[1], pointer))  # type: ignore[arg-type]
        outcomes += [Refusal(problems) for problems in linked.problems.values()]
    lines = tree.read("services/checkout/platform.yaml").decode().splitlines()
    for problem in (problem for outcome in outcomes for problem in outcome.problems):
        assert problem.code in CODES
        assert problem.message
        assert problem.why
        assert problem.fix
        assert problem.line <= len(lines)
        assert problem.column <= len(lines[problem.line - 1]) + 1
