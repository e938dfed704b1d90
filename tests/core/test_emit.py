"""What is written reads back the same in every reader, and looks as a person would write it."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.core.emit import canonical, emit_json, emit_yaml
from bot.core.model.values import Doc, Value
from bot.core.parse import Limits, parse
from bot.core.text import flaw_in
from tests.core.adversarial import ALL, REFUSED

_WIDE = Limits(size=10**8, events=10**6)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_CLEAN = _TEXT.filter(lambda text: flaw_in(text) is None)
_INT = st.integers(-(2**63), 2**63 - 1)
_FLOAT = st.floats(allow_nan=False, allow_infinity=False)


def _json_values(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaf = st.none() | st.booleans() | _INT | _FLOAT | text
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4))


def _read_ruamel(data: bytes) -> Any:
    reader = YAML(typ="safe", pure=True)
    return reader.load(io.BytesIO(data))


def _same(left: Any, right: Any) -> bool:
    """Equal in value, type and order at every depth: `1` is neither `1.0` nor `True`."""
    return json.dumps(left) == json.dumps(right)


def test_every_adversarial_string_reads_back_the_same_as_value_key_and_item() -> None:
    assert len(ALL) >= 3000
    value: dict[str, Any] = {"values": [*ALL], "keys": dict.fromkeys(ALL, 1), "pairs": [{text: text} for text in ALL]}
    data = emit_yaml(value)
    assert _same(yaml.safe_load(data), value)
    assert _same(_read_ruamel(data), value)
    read = parse("all.yaml", data, limits=_WIDE)
    assert isinstance(read, Doc)
    assert _same(read.value, value)


def test_text_that_our_own_reader_refuses_still_reads_back_the_same_elsewhere() -> None:
    for text in REFUSED:
        data = emit_yaml({text: [text]})
        assert yaml.safe_load(data) == {text: [text]}
        assert _read_ruamel(data) == {text: [text]}
        assert json.loads(emit_json({text: text})) == {text: text}


def test_an_adversarial_string_stands_alone_as_a_document() -> None:
    for text in ALL[::7]:
        assert yaml.safe_load(emit_yaml(text)) == text


@given(_json_values(_CLEAN))
@example({"a" * 2000: {"b" * 2000: ["c", {"d" * 2000: "x\ny\n"}]}, "z": []})
@example([[[]], [{}], {"": [[1.0, 1, True]]}, "a\n", {"x": "a\n\nb"}])
@example([1e16, 1e-7, -0.0, 5e-324, 1.7976931348623157e308])
def test_our_reader_reads_back_what_our_writer_wrote(value: Value) -> None:
    read = parse("f.yaml", emit_yaml(value), limits=_WIDE)
    assert isinstance(read, Doc), read
    assert _same(read.value, value)


@given(_json_values(_TEXT))
def test_other_readers_read_back_what_our_writer_wrote(value: Value) -> None:
    data = emit_yaml(value)
    assert _same(yaml.safe_load(data), value)
    assert _same(_read_ruamel(data), value)
    assert _same(json.loads(emit_json(value)), value)


@given(_json_values(_CLEAN))
def test_json_that_we_write_is_yaml_to_our_reader(value: Value) -> None:
    read = parse("f.json", emit_json(value), limits=_WIDE)
    assert isinstance(read, Doc), read
    assert read.value == value


@given(_json_values(_TEXT), _json_values(_TEXT))
@example(1, 1.0)
@example(1, True)
@example(0, False)
@example("1", 1)
@example({"a": [1]}, {"a": [1.0]})
def test_two_values_share_a_canonical_form_only_if_nothing_tells_them_apart(left: Value, right: Value) -> None:
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (canonical(left) == canonical(right)) == same


def test_the_canonical_form_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": {"y": 1, "x": 2}}) == canonical({"a": {"x": 2, "y": 1}, "b": 1})
    assert canonical({"é": "\u2028"}).isascii()


def test_yaml_looks_as_a_person_would_write_it() -> None:
    value: Value = {
        "apiVersion": "apps/v1",
        "metadata": {"name": "checkout", "labels": {"app.kubernetes.io/name": "checkout", "on": "on"}},
        "spec": {
            "replicas": 2,
            "version": "17",
            "args": ["--port", "8080", "a, b (c)"],
            "containers": [{"image": "ghcr.io/acme/checkout:1.4.2", "limits": {"memory": "256Mi"}, "empty": []}],
            "script": "set -e\n\nexec x\n",
            "matrix": [["a"], [{"b": 1.5}]],
            "none": None,
        },
    }
    assert emit_yaml(value).decode() == (
        "apiVersion: apps/v1\n"
        "metadata:\n"
        "  name: checkout\n"
        "  labels:\n"
        "    app.kubernetes.io/name: checkout\n"
        '    "on": "on"\n'
        "spec:\n"
        "  replicas: 2\n"
        '  version: "17"\n'
        "  args:\n"
        '  - "--port"\n'
        '  - "8080"\n'
        "  - a, b (c)\n"
        "  containers:\n"
        "  - image: ghcr.io/acme/checkout:1.4.2\n"
        "    limits:\n"
        "      memory: 256Mi\n"
        "    empty: []\n"
        "  script: |\n"
        "    set -e\n"
        "\n"
        "    exec x\n"
        "  matrix:\n"
        "  - - a\n"
        "  - - b: 1.5\n"
        "  none: null\n"
    )


@pytest.mark.parametrize("write", [emit_yaml, emit_json, canonical])
@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, {True: 1}, b"x", {"a": {1, 2}}, object(), [1j], {"a": b"x"}])
def test_what_json_cannot_say_is_a_type_error(write: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        write(value)


@pytest.mark.parametrize("write", [emit_yaml, emit_json, canonical])
@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf], 2**63, {"a": -(2**63) - 1}])
def test_a_number_that_would_not_read_back_is_a_value_error(write: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"finite|64 bits"):
        write(value)


@pytest.mark.parametrize("write", [emit_yaml, emit_json])
def test_half_of_a_surrogate_pair_is_refused(write: Any) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        write({"a": "\ud800"})


def test_long_text_that_is_almost_plain_costs_linear_time() -> None:
    for text in ("a" * 100_000 + "!", "a,b" * 50_000 + "!", "a, " * 50_000, "a::b" * 50_000 + "#", "'" * 100_000):
        assert yaml.safe_load(emit_yaml(text)) == text
