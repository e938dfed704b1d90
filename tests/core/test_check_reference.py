"""The check against the reference implementation: any document and any schema get the same verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types, and only tests use it
from hypothesis import given
from hypothesis import strategies as st

from bot.core.check import check, compile_schema
from bot.core.emit import emit_yaml
from bot.core.model.values import Doc, Value
from bot.core.parse import parse
from tests.core.test_check import _COMPILED, _REFERENCE, SCHEMA, _complete

_WORDS = st.sampled_from(
    ["web", "cron", "postgres", "redis", "s", "payments", "A", "", "v1", "main", "17", "a-b", "checkout-long"]
)


_LEAF = st.none() | st.booleans() | st.integers(-3, 70000) | st.sampled_from([0.25, 0.3, 1.0, 0.5]) | _WORDS


_KEYS = st.sampled_from(
    [*SCHEMA["properties"], "min", "max", "queue", "target", "size", "version", "same_as", "content"]
)


_KEY = _KEYS | st.sampled_from(["path", "retries", "never", "db", "DB", "replicas", "x"])


_VALUE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=4), max_leaves=8
)


_VALID: Mapping[str, list[Value]] = {
    "type": ["web", "worker", "cron"],
    "port": [1, 8080, 8080.0],
    "ratio": [0.25, 0.5],
    "public": [True, False],
    "uses": [[], ["a", "b"]],
    "scale": [1, {}, {"min": 1, "max": 2}, {"queue": "a"}, {"queue": "a", "target": 2}],
    "needs": [{"db": "postgres"}, {"db": {"type": "redis", "size": "m", "version": "7"}}],
    "env": [{}, {"A": "b", "C": 1, "D": True}],
    "image": ["a", {"same_as": "b", "x": 1}],
    "file": [{"content": "x"}, {"path": "y"}],
    "api": ["v1"],
    "job": [{}, {"retries": 1}],
    "tags": [["main"], ["a", "main", 3]],
    "odd": [1, {"x": 1}],
}


@st.composite
def _documents(draw: st.DrawFn) -> Value:
    """Mostly valid manifests, with up to two places spoilt, so that both verdicts are common."""
    fields = draw(st.sets(st.sampled_from(sorted(_VALID)), max_size=5))
    made: dict[str, Value] = {"name": "checkout", "owner": "payments"}
    made |= {field: draw(st.sampled_from(_VALID[field])) for field in sorted(fields)}
    for _ in range(draw(st.integers(0, 2))):
        made[draw(_KEY)] = draw(_VALUE)
    return made if draw(st.integers(0, 9)) else draw(_VALUE)


@given(_documents())
def test_the_verdict_is_that_of_the_reference(value: Value) -> None:
    doc = parse("f.yaml", emit_yaml(value))
    assert isinstance(doc, Doc)
    problems = check(doc, _COMPILED)
    assert (not problems) == _REFERENCE.is_valid(value), (value, problems)
    _complete(problems, emit_yaml(value).decode())


_KEYWORDS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"]).map(lambda t: {"type": t}),
    st.lists(_LEAF, min_size=1, max_size=3).map(lambda options: {"enum": options}),
    _LEAF.map(lambda value: {"const": value}),
    st.integers(0, 3).map(lambda n: {"minLength": n}) | st.integers(0, 3).map(lambda n: {"maxItems": n}),
    st.integers(0, 3).map(lambda n: {"minProperties": n}) | st.integers(-3, 9).map(lambda n: {"maximum": n}),
    st.lists(_KEY, max_size=2, unique=True).map(lambda names: {"required": names}),
    st.just({"uniqueItems": True})
    | st.just({"additionalProperties": False})
    | st.just({"unevaluatedProperties": False}),
)


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.sampled_from(["anyOf", "oneOf", "allOf"]), several).map(lambda pair: {pair[0]: pair[1]}),
        st.tuples(st.sampled_from(["not", "items", "additionalProperties", "contains", "propertyNames"]), inner).map(
            lambda pair: {pair[0]: pair[1]}
        ),
        st.dictionaries(_KEY, inner, max_size=3).map(lambda properties: {"properties": properties}),
        st.tuples(inner, inner, inner).map(lambda three: {"if": three[0], "then": three[1], "else": three[2]}),
        st.lists(inner.filter(lambda part: isinstance(part, dict)), min_size=2, max_size=3).map(
            lambda parts: {key: value for part in parts for key, value in part.items()}
        ),
    )


_SCHEMAS = st.recursive(_KEYWORDS | st.booleans(), _combined, max_leaves=6).filter(lambda made: isinstance(made, dict))


@given(_SCHEMAS, _VALUE)
def test_the_verdict_is_that_of_the_reference_for_any_schema(schema: dict[str, Any], value: Value) -> None:
    doc = parse("f.yaml", emit_yaml(value))
    assert isinstance(doc, Doc)
    problems = check(doc, compile_schema(schema))
    assert (not problems) == jsonschema.Draft202012Validator(schema).is_valid(value), problems
    _complete(problems, emit_yaml(value).decode())
