"""Several documents in one file: each with the positions of the file, and the same rules as for one."""

from __future__ import annotations

from bot.core.model.values import Doc, Pos
from bot.core.parse import Limits, parse_stream
from bot.core.problem import Refusal


def _docs(text: str) -> tuple[Doc, ...]:
    read = parse_stream("f.yaml", text.encode())
    assert isinstance(read, tuple), read
    return read


def _codes(text: str, limits: Limits | None = None) -> list[tuple[int, str]]:
    read = parse_stream("f.yaml", text.encode(), limits or Limits())
    assert isinstance(read, Refusal), read
    return [(problem.line, problem.code) for problem in read.problems]


def test_every_document_has_the_positions_of_the_file() -> None:
    first, second = _docs("# c\na: 1\n---\nb:\n- |\n  x\n")
    assert (first.value, first.marks[("a",)]) == ({"a": 1}, (Pos(2, 1), Pos(2, 4)))
    assert (second.value, second.marks[("b", 0)]) == ({"b": ["x\n"]}, (None, Pos(5, 3)))


def test_documents_that_say_nothing_are_left_out() -> None:
    assert [doc.value for doc in _docs("---\n# nothing\n---\na: 1\n...\n---\n---\n")] == [{"a": 1}]
    assert _docs("---\n---\n") == ()


def test_what_no_file_may_hold_no_document_may() -> None:
    assert _codes("a: 1\n---\nb: &x 1\nc: *x\n---\nd: 1\nd: 2\n") == [(3, "CW0107"), (4, "CW0107"), (7, "CW0105")]
    assert _codes("a: 1\n---\nb: [\n") == [(3, "CW0101")]
    assert _codes("") == [(1, "CW0109")]


def test_the_limits_hold_for_all_documents_together() -> None:
    assert _codes("a: 1\n---\n" * 9, Limits(events=30)) == [(10, "CW0103")]
