"""From an expression back to its file: every character of it is found where it was written, in every style of YAML."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.parse import parse_stream
from bot.core.policy.places import locator

WORD = st.text(alphabet="abc.()'\u00e9\U0001f600=&|!<>", min_size=1, max_size=6)
LINE = st.lists(WORD, min_size=1, max_size=4).map(" ".join).map(lambda text: f"x{text}")
TEXT = st.lists(LINE | st.just(""), min_size=1, max_size=5).map("\n".join).map(lambda text: f"y{text}z")


def found(source: str) -> tuple[str, list[tuple[str, str]]]:
    """The value of `k`, and for each of its characters that is no space (it, what stands at its place)."""
    docs = parse_stream("f.yaml", source.encode())
    assert isinstance(docs, tuple), docs
    value = docs[0].value
    assert isinstance(value, dict)
    text = value["k"]
    assert isinstance(text, str)
    _, at = locator(source, "f.yaml", docs[0].at(("k",)), text)
    lines = source.split("\n")
    pairs: list[tuple[str, str]] = []
    for row, line in enumerate(text.split("\n"), start=1):
        for column, char in enumerate(line, start=1):
            if not char.isspace():
                place = at(row, column)
                pairs.append((char, lines[place.line - 1][place.column - 1]))
    return text, pairs


def block(text: str, indent: str) -> str:
    return "\n".join(f"{indent}{line}" if line else "" for line in text.split("\n"))


@given(TEXT, st.sampled_from(["|", "|-", "|+", "| # c", "|2-"]))
def test_every_character_of_a_literal_block_is_found(text: str, sign: str) -> None:
    value, pairs = found(f"# head\nk: {sign}\n{block(text, '  ')}\nl: 1\n")
    assert value.strip("\n") == text.strip("\n")
    assert all(one == two for one, two in pairs)


@given(TEXT, st.sampled_from([">", ">-", "> # c"]))
def test_every_character_of_a_folded_block_is_found(text: str, sign: str) -> None:
    value, pairs = found(f"k: {sign}\n\n{block(text, '   ')}\n")
    assert value.split() == text.split()
    assert all(one == two for one, two in pairs)


@given(TEXT)
def test_every_character_between_single_quotes_is_found(text: str) -> None:
    quoted = text.replace("'", "''")
    value, pairs = found(f"k: '{block(quoted, '  ').lstrip()}'\n")
    assert value.split() == text.split()
    assert all(one == two for one, two in pairs)


@given(TEXT.filter(lambda text: "\\" not in text))
def test_every_character_between_double_quotes_is_found_where_nothing_is_escaped(text: str) -> None:
    value, pairs = found(f'k: "{block(text, "  ").lstrip()}"\n')
    assert value.split() == text.split()
    assert all(one == two for one, two in pairs)


def test_behind_an_escape_the_place_is_that_of_the_scalar() -> None:
    source = 'k: "ab\\tcd"\n'
    docs = parse_stream("f.yaml", source.encode())
    assert isinstance(docs, tuple)
    start, at = locator(source, "f.yaml", docs[0].at(("k",)), "ab\tcd")
    assert (start.line, start.column) == (1, 5)
    assert (at(1, 2).column, at(1, 4).column) == (6, 5)


def test_a_place_beyond_the_text_is_its_last_character() -> None:
    _, at = locator("k: ab\n", "f.yaml", parse_stream("f.yaml", b"k: ab\n")[0].at(("k",)), "ab")  # type: ignore[index]
    assert at(1, 9).column == 5
    assert at(7, 1).column == 4
