"""Templates drawn straight to text give the bytes of the objects that they make, whatever stands in the scope."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.build.state import inputs_of
from bot.core.emit import emit_json, emit_yaml
from bot.core.model.values import Value
from bot.core.problem import Refusal
from bot.core.render import RENDERERS
from bot.core.render.expanding import expanded, in_folder
from bot.core.template import Drawn, Parts, Template, compile_template, expand
from tests.core.adversarial import ALL
from tests.core.render_world import CASES, case_named


def compiled(text: str, path: str = "templates/t.yaml") -> Template:
    made = compile_template(path, text.encode())
    assert not isinstance(made, Refusal), made
    return made


def drawn(templates: list[Template], scope: dict[str, Value]) -> list[Drawn]:
    """The objects of `templates`, all of them drawn."""
    made = expanded(templates, scope, in_folder("f"))
    assert not isinstance(made, Refusal), made
    return [item for item in made.values() if isinstance(item, Drawn)]


@pytest.mark.parametrize("case", CASES)
def test_what_is_drawn_is_what_the_writer_makes_of_the_object(case: str) -> None:
    build, seen = case_named(case), 0
    for key in build.digests:
        objects = RENDERERS[key[0]].objects(inputs_of(build, key), build.kit)
        assert not isinstance(objects, Refusal)
        for path, item in objects.items():
            if isinstance(item, Drawn):
                assert item.text is None or item.text == emit_yaml(dict(item)), path
                seen += item.text is not None
    assert seen > 20, "hardly anything is drawn, so nothing was compared"


HEAD = 'kind: ConfigMap\nmetadata: {name: "{{ name }}", labels: "{{ parts.labels }}"}\n'
BODY = """\
fixed: {a: [1, {b: "on"}], c: {}}
plain: "{{ x }}"
deep:
  mixed: "v-{{ name }}: {{ word }}"
  several: "{{ word }}\\n{{ word }}\\n"
  $if: flag
maybe:
  a: {$if: flag, $do: "{{ x }}"}
  b: {$if: not flag, c: 1}
list:
- {$if: flag, one: "{{ x }}", two: 2}
- "{{ x }}"
- - nested
  - "{{ x }}"
- $for: item in items
  $do: {value: "{{ item }}", also: {$if: flag, $do: "{{ x }}"}}
- $for: item in items
  $do: "{{ item }}"
- $for: k, v in map
  $do: {k: "{{ k }}", v: "{{ v }}"}
- $for: row in parts.rows
  $do: "{{ row }}"
only_loops:
- $for: row in parts.rows
  $do: "{{ row }}"
empty: {none: {$if: flag and not flag, a: 1}}
data: {"{{ word }}.json": "{{ parts.board | tojson_lines }}"}
other: {"k{{ word }}": {$if: flag, a: "{{ x }}"}, fixed: "{{ x }}"}
parts: {whole: "{{ parts.board }}", value: "{{ parts.board.empty }}", rows: "{{ parts.rows }}"}
"""
LABELS = 'app: "{{ name }}"\nfixed: "yes"\n'
ROWS = """\
- z: "{{ x }}"
  a: {d: 1, b: {$if: flag, $do: "{{ map }}"}, "k{{ word }}": 1, c: "{{ parts.board }}"}
- $if: flag
  z: 1
  y: [{q: 1, p: 2}]
- $for: item in items
  $do: {second: "{{ item }}", first: "{{ parts.board.title }}"}
"""
BOARD = """\
first: {$if: flag, a: 1}
title: "{{ word }}"
x: "{{ x }}"
empty: []
list:
- {$if: flag, one: "{{ x }}"}
- $for: item in items
  $do: ["{{ item }}"]
- {fixed: {b: 1.5, a: [true, null]}}
maybe: {$if: flag, $do: {deep: "{{ x }}"}}
nothing: {none: {$if: flag and not flag, a: 1}}
"""
SEVERAL = """\
- $for: name in names
  $do:
    kind: Service
    metadata: {name: "{{ name }}"}
    x: "{{ x }}"
"""
TEMPLATES = [
    compiled(HEAD + BODY),
    compiled(SEVERAL, "templates/u.yaml"),
    compiled(LABELS, "templates/_labels.yaml"),
    compiled(ROWS, "templates/_rows.yaml"),
    compiled(BOARD, "templates/_board.yaml"),
]

_WORDS = st.sampled_from(ALL) | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
_LEAF = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _LEAF | _WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3), max_leaves=8
)


@given(_VALUES, _WORDS, st.booleans(), st.lists(_VALUES, max_size=3), st.dictionaries(_WORDS, _VALUES, max_size=3))
def test_any_value_in_any_place_is_drawn_as_it_is_written(
    x: Value, word: str, flag: bool, items: list[Value], several: dict[str, Value]
) -> None:
    scope: dict[str, Value] = {
        "name": "n", "names": ["one", "two"], "x": x, "word": word, "flag": flag, "items": items, "map": several,
    }  # fmt: skip
    objects = drawn(TEMPLATES, scope)
    assert len(objects) == 3
    for item in objects:
        assert item.text == emit_yaml(dict(item))


@given(_VALUES, _WORDS, st.booleans(), st.lists(_VALUES, max_size=3))
def test_a_part_is_drawn_as_json_as_it_is_written(x: Value, word: str, flag: bool, items: list[Value]) -> None:
    scope: dict[str, Value] = {"x": x, "word": word, "flag": flag, "items": items}
    text = Parts({"board": TEMPLATES[4]}, scope).json_lines("board")
    value = expand(TEMPLATES[4], {**scope, "parts": {}})
    assert not isinstance(value, Refusal)
    assert text == emit_json(value).decode()


def test_a_mistake_in_a_part_is_told_with_its_own_file_and_line() -> None:
    broken = compiled('app: "{{ name }}"\nteam: "{{ nam }}"\n', "templates/_labels.yaml")
    made = expanded([compiled(HEAD), broken], {"name": "n"}, in_folder("f"))
    assert isinstance(made, Refusal)
    problem = made.problems[0]
    assert (problem.path, problem.line, problem.code) == ("templates/_labels.yaml", 2, "CW0255")
    assert "name" in problem.fix


def test_parts_in_a_circle_are_refused_and_never_hang() -> None:
    one = compiled('a: "{{ parts.two }}"\n', "templates/_one.yaml")
    two = compiled('b: "{{ parts.one }}"\n', "templates/_two.yaml")
    made = expanded([compiled(f'{HEAD.splitlines()[0]}\nx: "{{{{ parts.one }}}}"\n'), one, two], {}, in_folder("f"))
    assert isinstance(made, Refusal)


def test_a_part_that_is_left_out_is_null_where_it_is_used() -> None:
    left_out = compiled("$if: flag\na: 1\n", "templates/_labels.yaml")
    template = compiled('kind: Service\nmetadata: {name: "{{ n }}"}\nx: "{{ parts.labels }}"\n')
    (item,) = drawn([template, left_out], {"flag": False, "n": "app"})
    assert item["x"] is None
    assert item.text == b"kind: Service\nmetadata:\n  name: app\nx: null\n"
