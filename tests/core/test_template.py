"""The template language: what it makes of values, and what it says of mistakes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.emit import emit_yaml
from bot.core.model.values import Value
from bot.core.problem import Problem, Refusal
from bot.core.template import Template, compile_template, expand, traced
from bot.core.text import flaw_in


def template(text: str) -> Template:
    made = compile_template("t.yaml", text.encode())
    assert not isinstance(made, Refusal), made
    return made


def of(text: str, **scope: Value) -> Value:
    made = expand(template(text), scope)
    assert not isinstance(made, Refusal), made
    found = traced(template(text), scope)
    assert not isinstance(found, Refusal), found
    assert found[0] == made, "the slow form differs from the fast one"
    return made


def refused(text: str, **scope: Value) -> Problem:
    made = compile_template("t.yaml", text.encode())
    if not isinstance(made, Refusal):
        made = expand(made, scope)  # type: ignore[assignment]  # a Refusal, or the assertion below fails
    assert isinstance(made, Refusal), made
    return made.problems[0]


def test_a_scalar_that_is_one_expression_keeps_the_kind_of_its_value() -> None:
    assert of('a: "{{ x }}"\nb: "{{ y }}"\nc: "{{ z }}"', x=3, y=True, z=["q"]) == {"a": 3, "b": True, "c": ["q"]}


def test_mixed_text_is_always_text() -> None:
    assert of('a: "{{ x }}"\nb: "v{{ x }}"\nc: "{{ y }}!"', x=3, y=False) == {"a": 3, "b": "v3", "c": "false!"}


@pytest.mark.parametrize("value", [None, 1.5, [], {}])
def test_what_has_no_one_form_cannot_stand_inside_a_text(value: Value) -> None:
    assert refused('a: "v{{ x }}"', x=value).code == "CW0255"


def test_if_removes_its_map_its_key_or_its_item() -> None:
    text = "a: {$if: x, b: 1}\nc: {$if: not x, $do: [2]}\nd:\n- {$if: x, e: 1}\n- {$if: not x, e: 2}"
    assert of(text, x=False) == {"c": [2], "d": [{"e": 2}]}
    assert of(text, x=True) == {"a": {"b": 1}, "d": [{"e": 1}]}


def test_an_object_whose_condition_is_false_is_left_out_whole() -> None:
    assert of("$if: x\na: 1", x=0) is None


def test_a_loop_expands_in_place_and_maps_come_in_the_order_of_their_keys() -> None:
    text = 'a:\n- first\n- $for: k, v in x\n  $do: "{{ k }}={{ v }}"\n- last'
    assert of(text, x={"b": 1, "a": 2}) == {"a": ["first", "a=2", "b=1", "last"]}


def test_a_key_may_be_computed_but_not_twice_the_same() -> None:
    assert of('"{{ x }}.json": 1\nb: 2', x="a") == {"a.json": 1, "b": 2}
    assert refused('"{{ x }}": 1\nb: 2', x="b").code == "CW0255"


def test_items_keys_and_values_are_names_like_any_other() -> None:
    assert of('a: "{{ x.items }}-{{ x.keys }}"', x={"items": "i", "keys": "k"}) == {"a": "i-k"}


def test_a_default_stands_in_for_what_is_missing_or_null() -> None:
    assert of('a: "{{ x.y.z | default(\'d\') }}"\nb: "{{ x.n | default(4) }}"', x={"n": None}) == {"a": "d", "b": 4}


def test_a_missing_name_is_told_with_its_place_and_what_was_meant() -> None:
    found = refused('a: 1\nb:\n  c: "{{ service.imgae }}"', service={"image": "x"})
    assert (found.line, found.column, found.code) == (3, 6, "CW0255")
    assert "imgae" in found.message
    assert "`image`" in found.fix


@pytest.mark.parametrize(
    "expression",
    [
        "x.f()", "range(9)", "x.__class__", "x['__class__']", "_x", "x ** 9", "1.5", "x / 2", "x[1:]", "x | attr('a')",
        "x | default", "x | nosuch", "x is nosuch", "a if b", "x | join(sep=',')", "1 < x < 3", "x | map('upper')",
        "'%s' | format(x)", "[i for i in x]", "x.y.", "(", "x | default(1, true)", "lipsum", "self.x()",
        "{x: 1}", "x.\u202ey",
    ],
)  # fmt: skip
def test_what_templates_may_not_do_is_refused(expression: str) -> None:
    found = refused(f"a: 1\nb: {{$if: '{expression.replace(chr(39), chr(39) * 2)}', c: 1}}", x={"y": 1})
    assert found.path == "t.yaml"
    assert found.fix


def test_every_mistake_of_a_file_is_told_at_once_with_its_place() -> None:
    made = compile_template("t.yaml", b'a: "{{ x( }}"\n$of: 1\nb: {$if: "y()", c: 1}\nd: [{$for: nonsense, $do: 1}]\n')
    assert isinstance(made, Refusal)
    assert [(found.line, found.code) for found in made.problems] == [
        (1, "CW0252"), (2, "CW0253"), (3, "CW0252"), (4, "CW0252"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["$for: x in y\n$do: 1", "a: {$do: 1}", "a: {$if: x, $do: 1, b: 2}", "a: [{$for: x in y}]"]
)
def test_a_steering_key_in_the_wrong_place_is_refused(text: str) -> None:
    assert refused(text, x=1, y=[]).code == "CW0253"


def test_results_are_capped() -> None:
    assert refused('a: "{{ x }}{{ x }}"', x="y" * 40_000).code == "CW0255"
    assert refused('a: "{{ x * x }}"', x=2**40).code == "CW0255"
    assert refused("a: [{$for: y in x, $do: 1}]", x=[0] * 5_000).code == "CW0255"
    assert refused("a: \"{{ x | replace('y', x) }}\"", x="y" * 4_000).code == "CW0255"


def test_a_deeply_nested_expression_is_a_problem_and_no_crash() -> None:
    assert refused('a: "{{ ' + "(" * 5_000 + "x" + ")" * 5_000 + ' }}"', x=1).code in ("CW0252", "CW0103")


def test_a_map_that_goes_through_whole_is_ordered_by_its_keys() -> None:
    one = of('a: "{{ x }}"', x={"b": {"d": 1, "c": 2}, "a": 3})
    assert emit_yaml(one) == emit_yaml(of('a: "{{ x }}"', x={"a": 3, "b": {"c": 2, "d": 1}}))


def test_decimals_are_exact() -> None:
    text = "a: \"{{ '100' | minus('99.9') | times('0.01') | times('14.4') }}\"\nb: \"{{ 300 | times('0.001') }}\""
    assert of(text) == {"a": "0.0144", "b": "0.3"}


@given(st.text(max_size=90), st.text(max_size=90))
def test_labels_and_slugs_are_legal_and_keep_different_texts_apart(one: str, other: str) -> None:
    made = template('a: "{{ x | label }}"\nb: "{{ x | slug }}"')
    import re

    found = [expand(made, {"x": text.encode("utf-8", "replace").decode()}) for text in (one, other)]
    for value in found:
        assert isinstance(value, Mapping)
        assert re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", str(value["a"]))
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", str(value["b"]))
    if one.encode("utf-8", "replace") != other.encode("utf-8", "replace"):
        first, second = found
        assert isinstance(first, Mapping)
        assert isinstance(second, Mapping)
        assert first["a"] != second["a"]


@given(st.text(max_size=200).filter(lambda text: flaw_in(text) is None))
def test_no_text_of_a_user_changes_the_shape_of_an_object(text: str) -> None:
    made = of('a: "{{ x }}"\nb: ["{{ x }}", "v{{ x }}"]\nc: {$if: x == x, d: "{{ x }}"}', x=text)
    assert made == {"a": text, "b": [text, f"v{text}"], "c": {"d": text}}


def test_a_trace_says_what_each_value_was_made_of() -> None:
    text = (
        'a: "{{ s.name }}-{{ s.env.x }}"\nb:\n- $for: k, v in s.map\n  $do: {n: "{{ k }}", w: "{{ v.w }}"}\n'
        "c: {$if: s.on, d: 1}"
    )
    scope: dict[str, Value] = {"s": {"name": "n", "env": {"x": "y"}, "map": {"p": {"w": 1}}, "on": True}}
    found = traced(template(text), scope)
    assert not isinstance(found, Refusal)
    reads = found[1]
    assert reads["a",] == (("s", "name"), ("s", "env", "x"))
    assert reads["b", 0, "w"] == (("s", "map", "p", "w"),)
    assert reads["c",] == (("s", "on"),)
    assert ("c", "d") not in reads
