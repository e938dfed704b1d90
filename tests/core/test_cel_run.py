"""How CEL is compiled and run: places, budgets, data from outside, and what may pass."""

from __future__ import annotations

import time

import pytest

from bot.core.cel import CelError, CelFault, CelValue, Lazily, Program, compile_cel, evaluate, prepared
from bot.core.cel.failures import Failure

VARIABLES = frozenset(["object", "variables"])


def program(text: str) -> Program:
    found = compile_cel(text, VARIABLES)
    assert isinstance(found, Program), found
    return found


def run(text: str, value: object = None) -> CelValue | CelError:
    return evaluate(program(text), {"object": value})


def error(text: str, value: object = None) -> CelError:
    found = run(text, value)
    assert isinstance(found, CelError), found
    return found


def refused(text: str) -> CelFault:
    found = compile_cel(text, VARIABLES)
    assert isinstance(found, CelFault), found
    return found


def test_an_error_says_which_part_of_the_text_failed() -> None:
    found = error("has(object.spec) &&\n  object.spec.replicas > 1", {"spec": {}})
    assert found == CelError("no such key: replicas", 2, 14)


def test_an_unknown_function_is_named_where_it_stands() -> None:
    assert refused("object.a == 1 && nope(2)") == CelFault("nope is no function here", 1, 18, "nope")
    assert refused("true &&\n object.a.sortBy(x, x.b)").function == "sortBy"
    assert refused("authorizer.group('apps').check('get')").function == "authorizer.group"


def test_an_unknown_variable_is_no_unknown_function() -> None:
    found = refused("true &&\n  nothing.spec")
    assert (found.function, found.line) == (None, 2)
    assert "nothing" in found.message


def test_a_name_in_backquotes_is_refused_and_a_text_with_one_is_not() -> None:
    assert refused("true && has(object.`a-b`)").column == 20
    text = "'`' + \"`\" + r'\\`' + '''`''' + '\\'`' // `"
    assert run(text) == CelValue("string", "``\\``'`")


def test_a_syntax_error_has_a_place() -> None:
    found = refused("object.a ==\n")
    assert (found.line, found.column) == (2, 1)
    assert "Syntax error" in found.message


def test_columns_count_characters_and_not_bytes() -> None:
    assert error("'éé' + object.a", {}).column == 14
    assert error("'\U0001f600' + object.a", {}).column == 13


def test_the_same_text_is_compiled_once() -> None:
    assert compile_cel("object.a", VARIABLES) is compile_cel("object.a", VARIABLES)
    assert compile_cel("object.a", VARIABLES) is not compile_cel("object.a", frozenset(["object"]))


def test_the_error_of_a_value_is_no_value_that_could_be_taken_for_true() -> None:
    assert isinstance(run("object.a", {}), CelError)
    assert run("object.a", {"a": "true"}) == CelValue("string", "true")
    assert run("object.a", {"a": 1}) == CelValue("int", 1)


@pytest.mark.parametrize(
    "text",
    [
        "object.all(a, object.all(b, object.all(c, object.all(d, a + b + c + d >= 0))))",
        "object.map(a, object.map(b, object.map(c, object.map(d, [a, b, c, d]))))",
        "object.all(a, object.all(b, object == object))",
        "object.all(a, sets.contains(object, object))",
    ],
)
def test_loops_in_loops_end_at_the_budget_and_nothing_absorbs_that(text: str) -> None:
    began = time.monotonic()
    assert "costs more than" in error(f"dyn({text}) == 1 || true", list(range(300))).message
    assert time.monotonic() - began < 20


def test_text_that_doubles_itself_ends_at_the_budget() -> None:
    text = "object"
    for name in "abcdefgh":
        text = f"[{text}].map({name}, {name} + {name} + {name} + {name} + {name} + {name} + {name} + {name})[0]"
    assert "costs more than" in error(text, "x" * 100).message
    assert "costs more than" in error("object.map(x, object.join())", ["x" * 1000] * 900).message
    assert "more than" in error("object.join()", ["x" * 1000] * 2000).message
    assert "more than" in error("object.replace('', object)", "x" * 5000).message


@pytest.mark.parametrize("text", ["(" * 5000 + "1" + ")" * 5000, "[" * 300, "1" + " + 1" * 5000])
def test_a_text_that_nests_deeply_is_refused(text: str) -> None:
    assert refused(text).message


def test_an_expression_without_end_is_refused() -> None:
    assert "16384" in refused("'" + "x" * 20_000 + "'").message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": "x\0y"}, "NUL"),
        ({"x\0": 1}, "NUL"),
        ({"a": 2**63}, "64 bits"),
        ({"a": -(2**63) - 1}, "64 bits"),
        ({1: "a"}, "key"),
        ({"a": object()}, "no value of CEL"),
        ({"a": {1, 2}}, "no value of CEL"),
    ],
)
def test_data_that_cel_cannot_hold_is_an_error_whatever_the_expression_asks(value: object, said: str) -> None:
    assert said in error("true", value).message


def test_data_that_nests_deeply_is_an_error() -> None:
    value: list[object] = []
    for _ in range(5000):
        value = [value]
    assert "nests" in error("true", value).message


def test_a_nul_is_refused_in_an_expression_and_in_a_result() -> None:
    assert (refused("true &&\n 'a\0'").line, refused("true &&\n 'a\0'").column) == (2, 4)
    assert "NUL" in error(r"'a\x00b'").message
    assert "NUL" in error(r"['a\x00b']").message
    assert "NUL" in error(r"object.matches(object + '\x00')", "a").message


def test_a_number_without_a_fraction_is_an_int_as_json_has_it() -> None:
    assert run("type(object) == int && object == 1", 1.0) == CelValue("bool", True)
    assert run("object", 1.5) == CelValue("double", 1.5)
    assert run("object", 1e300) == CelValue("double", 1e300)
    assert isinstance(run("object < 1.0", float("nan")), CelError)


def test_true_and_one_are_different_keys_and_values() -> None:
    assert run("dyn(true) == dyn(1)") == CelValue("bool", False)
    assert run("dyn({true: 'a'})[?1].hasValue()") == CelValue("bool", False)
    assert run("dyn({1: 'a'})[1.0]") == CelValue("string", "a")
    assert run("true in [dyn(1)]") == CelValue("bool", False)


def test_a_variable_that_is_not_bound_is_null() -> None:
    assert evaluate(program("object == null"), {}) == CelValue("bool", True)


def test_what_one_evaluation_gives_another_takes() -> None:
    limit = run("quantity('500m')")
    assert isinstance(limit, CelValue)
    found = evaluate(program("variables.limit.isLessThan(quantity('1'))"), {"variables": {"limit": limit.value}})
    assert found == CelValue("bool", True)


def test_a_lazy_map_computes_what_is_looked_at_and_only_once() -> None:
    seen: list[str] = []

    def made(name: str) -> list[int]:
        seen.append(name)
        return [1]

    def broken() -> None:
        raise Failure("a variable failed")

    lazy = Lazily({"a": lambda: made("a"), "b": lambda: made("b"), "c": broken})
    bound = prepared({"variables": lazy})
    assert evaluate(program("variables.a == [1] && variables.a[0] == 1"), bound) == CelValue("bool", True)
    assert seen == ["a"]
    assert evaluate(program("variables.c"), bound) == CelError("a variable failed", 1, 10)
    assert evaluate(program("variables.c || true"), bound) == CelValue("bool", True)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("object.spec.replicas > 1", {("spec", "replicas")}),
        ("object.spec.?a.?b.orValue(0) == 1", {("spec", "a", "b")}),
        ("object.items[0].name == object.name", {("items", 0, "name"), ("name",)}),
        (
            "object.spec.containers.all(c, c.image != '')",
            {("spec", "containers"), ("spec", "containers", "*", "image")},
        ),
        ("has(object.metadata.labels)", {("metadata", "labels")}),
        ("object.labels['app.kubernetes.io/name'] == ''", {("labels", "app.kubernetes.io/name")}),
    ],
)
def test_a_program_knows_which_paths_it_looks_at(text: str, paths: set[tuple[str | int, ...]]) -> None:
    assert {read.path for read in program(text).reads if read.variable == "object"} == paths


def test_a_pattern_that_repeats_itself_costs_no_more_than_its_text() -> None:
    began = time.monotonic()
    assert run("object.matches('^(a+)+$')", "a" * 50_000 + "b") == CelValue("bool", False)
    assert time.monotonic() - began < 2
