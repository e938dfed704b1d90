"""The reader of YAML: positions, every problem at once, and nothing that a hostile file can make it do."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.codes import CODES
from bot.core.model.values import Doc, Pos
from bot.core.parse import DEFAULT, Limits, assert_c_parser, parse
from bot.core.problem import Problem, Refusal
from tests.core.adversarial import ALL


def _read(text: str | bytes) -> Doc:
    read = parse("f.yaml", text.encode() if isinstance(text, str) else text)
    assert isinstance(read, Doc), read
    return read


def _problems(text: str | bytes, limits: Limits = DEFAULT) -> tuple[Problem, ...]:
    read = parse("f.yaml", text.encode() if isinstance(text, str) else text, limits)
    assert isinstance(read, Refusal), read
    return read.problems


def _places(text: str | bytes) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.code) for problem in _problems(text)]


def test_the_c_parser_is_there() -> None:
    assert_c_parser()


def test_every_key_and_item_has_its_place_in_code_points() -> None:
    read = _read("# c\nname: checkout\n😀日: {a: [1, 'x']}\nlist:\n- k: v\n-   two\n")
    assert read.value == {"name": "checkout", "😀日": {"a": [1, "x"]}, "list": [{"k": "v"}, "two"]}
    assert read.marks == {
        (): (None, Pos(2, 1)),
        ("name",): (Pos(2, 1), Pos(2, 7)),
        ("😀日",): (Pos(3, 1), Pos(3, 5)),
        ("😀日", "a"): (Pos(3, 6), Pos(3, 9)),
        ("😀日", "a", 0): (None, Pos(3, 10)),
        ("😀日", "a", 1): (None, Pos(3, 13)),
        ("list",): (Pos(4, 1), Pos(5, 1)),
        ("list", 0): (None, Pos(5, 3)),
        ("list", 0, "k"): (Pos(5, 3), Pos(5, 6)),
        ("list", 1): (None, Pos(6, 5)),
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, word) for word in ("on", "On", "off", "yes", "no", "y", "n", "tRUE", "nULL", "0x", "1_000", "12:30")),
        *((word, word) for word in ("2001-01-01", "0b1", "0o9", "1e", "+", ".", "-0x10", ".e1", "nan", "inf", "=")),
        *(("0", 0), ("-0", 0), ("+7", 7), ("010", 10), ("0o10", 8), ("0xfF", 255), ("9223372036854775807", 2**63 - 1)),
        *(("-9223372036854775808", -(2**63)), ("1.", 1.0), (".5", 0.5), ("-1.5e-3", -0.0015), ("1e3", 1000.0)),
        *(
            ("'1'", "1"),
            ('"true"', "true"),
            ("'~'", "~"),
            ('"a\\tb"', "a\tb"),
            ("|-\n  1", "1"),
            (">\n  a\n  b\n", "a b\n"),
        ),
    ],
)
def test_scalars_mean_what_the_core_schema_of_yaml_1_2_says(text: str, value: object) -> None:
    read = _read(f"k: {text}\n").value
    assert read == {"k": value}
    assert isinstance(read, dict)
    assert type(read["k"]) is type(value)


@pytest.mark.parametrize(
    "number", [".inf", "-.INF", ".nan", "1e999", "9223372036854775808", "0x" + "f" * 17, "9" * 5000]
)
def test_a_number_that_cannot_be_kept_is_a_problem(number: str) -> None:
    assert _places(f"k: {number}") == [(1, 4, "CW0110")]


def test_a_duplicate_key_names_both_places_and_all_are_reported() -> None:
    text = "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n'a': 4\n"
    assert _places(text) == [(4, 3, "CW0105"), (5, 1, "CW0105"), (6, 1, "CW0105")]
    assert "3:3 and here" in _problems(text)[0].message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1: a", (1, 1, "CW0106")),
        ("true: a", (1, 1, "CW0106")),
        ("~: a", (1, 1, "CW0106")),
        ("1e999: a", (1, 1, "CW0106")),
        ("a: {: 1}", (1, 5, "CW0101")),
        ("? [a, {b: c}]\n: d\ne: f", (1, 3, "CW0106")),
        ("image: {{ x }}", (1, 9, "CW0106")),
        ("a: &x 1", (1, 4, "CW0107")),
        ("&x a: 1", (1, 1, "CW0107")),
        ("a: *x", (1, 4, "CW0107")),
        ("*x : 1", (1, 1, "CW0107")),
        ("a: !!str 1", (1, 4, "CW0107")),
        ("a: !own {}", (1, 4, "CW0107")),
        ("a: ! x", (1, 4, "CW0107")),
        ("a: !!python/object/apply:os.system [x]", (1, 4, "CW0107")),
        ("<<: {a: 1}", (1, 1, "CW0107")),
        ("a: {?b: 1}", (1, 6, "CW0107")),
        ("a: [?b]", (1, 6, "CW0107")),
        ("%YAML 1.1\n---\na: 1", (1, 1, "CW0107")),
        ("%TAG ! tag:x,2000:\n---\na: 1", (1, 1, "CW0107")),
        ("a: 1\n---\nb: 2\n", (2, 1, "CW0108")),
        ("a: 1\n...\n---\n", (3, 1, "CW0108")),
        ("", (1, 1, "CW0109")),
        ("# nothing\n\n", (1, 1, "CW0109")),
        ("...\n", (1, 1, "CW0101")),
        ("a: b: c", (1, 5, "CW0101")),
        ("a: [1\n", (1, 6, "CW0101")),
        ("a:\n\tb: 1", (2, 1, "CW0101")),
        ("a:\n  b: |\n\tx", (3, 1, "CW0101")),
        ("a: 'x\n", (1, 6, "CW0101")),
        ("a: @x", (1, 4, "CW0101")),
        ('a: "\\ud800"', (1, 7, "CW0101")),
        ("- a\nb: c", (2, 1, "CW0101")),
        ("a:\n  b: 1\n c: 2", (3, 2, "CW0101")),
    ],
)
def test_what_a_file_may_not_hold_is_one_problem_at_its_place(text: str, place: tuple[int, int, str]) -> None:
    assert _places(text) == [place]


def test_a_tab_as_indentation_is_named_as_such() -> None:
    (problem,) = _problems("needs:\n  db:\n\t  type: redis\n")
    assert (problem.line, problem.column) == (3, 1)
    assert "tab" in problem.message
    assert "spaces" in problem.fix


@pytest.mark.parametrize(
    "quoted", ["'<<': 1", '"1": 1', "'true': 1", "'~': 1", "on: 1", "a: '*x'", "a: '!x'", "---\na: 1\n..."]
)
def test_what_only_looks_forbidden_is_read(quoted: str) -> None:
    assert isinstance(_read(quoted).value, dict)


def test_all_kinds_of_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = "a: &x 1\nb: *x\nc\u200b: 1\nd: 1\nd: 2\n5: x\ne: .nan\n"
    assert _places(text) == [
        (1, 4, "CW0107"),
        (2, 4, "CW0107"),
        (3, 2, "CW0001"),
        (5, 1, "CW0105"),
        (6, 1, "CW0106"),
        (7, 4, "CW0110"),
    ]


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x0b", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\u202e", "\u200b"]
)
def test_a_forbidden_character_is_found_wherever_it_stands(character: str) -> None:
    for text, place in (
        (f"a: x{character}y\nb: 1", (1, 5)),
        (f"a: 1\n# c {character}\n", (2, 5)),
        (f"{character}a: 1", (1, 1)),
        (f"a: |\n  1\n  2{character}\n", (3, 4)),
        (f"a{character}: 1", (1, 2)),
    ):
        assert _places(text) == [(*place, "CW0001")]


def test_an_escape_cannot_smuggle_a_character_in() -> None:
    for escape in ("\\0", "\\e", "\\x85", "\\N", "\\L", "\\P", "\\u202e", "\\uFEFF", "\\r", "\\U000E0041"):
        assert _places(f'a: ["x", "y{escape}z"]') == [(1, 10, "CW0001")]
        assert _places(f'"k{escape}": 1') == [(1, 1, "CW0001")]
    assert _places('a: "e\\u0301"') == [(1, 4, "CW0002")]


def test_text_that_is_not_composed_is_found_at_its_place() -> None:
    assert _places("a: 1\nb: cafe\u0301\n") == [(2, 7, "CW0002")]
    assert _read("b: café\n").value == {"b": "café"}


def test_windows_line_ends_are_read_and_an_old_mac_one_is_a_problem() -> None:
    unix, windows = _read("a: |\n  x\n  y\nb: 1\n"), _read("a: |\r\n  x\r\n  y\r\nb: 1\r\n")
    assert (unix.value, unix.marks) == (windows.value, windows.marks)
    assert _places("a: 1\rb: 2") == [(1, 5, "CW0001")]


def test_bytes_that_are_not_utf_8_are_named_with_their_place() -> None:
    assert _places(b"a: 1\r\nb\xc3\xa9: \xff\n") == [(2, 5, "CW0102")]
    assert _places("a: 1".encode("utf-16")) == [(1, 1, "CW0102")]
    assert _places(b"a: \xed\xa0\x80") == [(1, 4, "CW0102")]


def test_caps_hold_at_their_exact_value() -> None:
    assert _problems("a: 1234", Limits(size=6))[0].code == "CW0103"
    assert isinstance(parse("f", b"a: 1234", Limits(size=7)), Doc)
    assert isinstance(parse("f", b"[" * 50 + b"]" * 50), Doc)
    assert _places("[" * 51 + "]" * 51) == [(1, 51, "CW0103")]
    assert _places("- " * 51 + "a") == [(1, 101, "CW0103")]
    assert _problems("[1, 2, 3, 4]", Limits(events=6))[0].code == "CW0103"


_LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "? " * 100_000,
        "&a " * 60_000,
        _LAUGHS,
        "a: &x [1]\nb: [" + "*x," * 60_000 + "]",
        "a: 1\n" * 40_000,
        '"' + "\\" * 200_000,
        "'" * 200_001,
        "\u200b" * 80_000,
        "e\u0301" * 80_000,
        "a: " + "9" * 200_000,
        "a: 1.5e" + "9" * 200_000,
        "#" * 200_000,
    ],
)
def test_a_hostile_file_is_answered_in_milliseconds_with_few_problems(text: str) -> None:
    started = time.process_time()
    found = _problems(text)
    assert time.process_time() - started < 0.5
    assert 1 <= len(found) <= 200


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfea\x00")
@example(b"!<tag:yaml.org,2002:str> x")
@example(b"--- |1-\n x\n... \n# c\n---")
def test_no_bytes_raise_and_every_problem_is_complete(data: bytes) -> None:
    _complete(parse("f.yaml", data), data)


_LINES = ("%YAML 1.2\n", "---\n", "...\n")
_SIGNS = st.sampled_from(
    [
        *"\n\t []{}'\"\\|>#~1aé😀@`:\ufeff",
        "\n  ",
        ": ",
        "- ",
        "? ",
        ", ",
        "|2-",
        "&a",
        "*a",
        "!t ",
        "!!",
        "!<",
        "<<",
        "\r\n",
        *_LINES,
    ]
)


@given(st.lists(_SIGNS, max_size=25).map("".join))
def test_no_arrangement_of_signs_raises_and_every_problem_is_complete(text: str) -> None:
    _complete(parse("f.yaml", text.encode()), text.encode())


@pytest.mark.parametrize("text", ALL[:250])
def test_an_adversarial_string_as_a_whole_file_is_a_document_or_problems(text: str) -> None:
    _complete(parse("f.yaml", text.encode()), text.encode())


def _complete(read: Doc | Refusal, data: bytes) -> None:
    if isinstance(read, Doc):
        assert set(read.marks) == set(_pointers(read.value))
        return
    lines = data.decode(errors="replace").replace("\r\n", "\n").split("\n")
    assert list(read.problems) == sorted(set(read.problems))
    for problem in read.problems:
        assert problem.code in CODES
        assert problem.message
        assert problem.why
        assert problem.fix
        assert (problem.message + problem.fix).count("`") % 2 == 0
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


def _pointers(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(pointer for key, item in children for pointer in _pointers(item, (*at, key)))]
