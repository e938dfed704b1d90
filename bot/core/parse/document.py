"""Events from the C parser to a document. Constructors are never used: they lose positions and crash on deep input."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bot.core.model.values import Doc, Pointer, Pos, Value
from bot.core.parse.refused import (
    duplicate_key,
    empty_file,
    key_not_text,
    not_allowed,
    not_yaml,
    number_out_of_range,
    second_document,
    too_much,
    unreadable,
)
from bot.core.parse.scalars import OutOfRangeError, resolve_plain
from bot.core.parse.source import DEFAULT, Limits, Source, flaw_problem, read_source
from bot.core.problem import Problem, Refusal
from bot.core.text import flaws

try:
    # The parser itself: `YAML(typ="safe").parse` looks for plug-ins on the disk, and makes a class, each time.
    from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # it is a C extension's, without stubs
except ModuleNotFoundError:
    CParser = None

# More than a person mends at once; a hostile file could hold ten thousands.
_MOST_PROBLEMS = 100


def assert_c_parser() -> None:
    """RuntimeError where the C parser is missing: in pure Python all would be 14 to 300 times slower. For program
    start."""
    if CParser is None:
        raise RuntimeError("the C parser of ruamel.yaml is missing: install ruamel.yaml.clib")


def parse(path: str, data: bytes, limits: Limits = DEFAULT) -> Doc | Refusal:
    """The document in `data`, or every problem found in it, in the order of the file.

    Characters, duplicate keys and constructs that are not allowed are all reported; of syntax errors the first one.
    """
    source = read_source(path, data, limits)
    if isinstance(source, Problem):
        return Refusal((source,))
    reading = _Reading(source, limits)
    try:
        reading.run()
    except _StopError as stop:
        reading.problems.append(stop.problem)
    problems = sorted({*source.problems, *reading.problems})
    return Refusal(tuple(problems)) if problems else Doc(path, reading.root, reading.marks)


def parse_stream(path: str, data: bytes, limits: Limits = DEFAULT) -> tuple[Doc, ...] | Refusal:
    """The documents that `---` separates, for the kinds of files that are usually written so; one that is empty or has
    only comments is left out. Positions are those of the file. Otherwise as `parse`, the limits for all together."""
    source = read_source(path, data, limits)
    if isinstance(source, Problem):
        return Refusal((source,))
    reading = _Stream(source, limits)
    try:
        reading.run()
        reading.finish()
    except _StopError as stop:
        reading.problems.append(stop.problem)
    problems = sorted({*source.problems, *reading.problems})
    return Refusal(tuple(problems)) if problems else tuple(reading.docs)


class _StopError(Exception):
    """Reading on would cost too much or say nothing."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Map:
    """An open mapping: the key that waits for its value, and where each key stood."""

    __slots__ = ("key", "key_pos", "keys", "pointer", "value", "waiting")

    def __init__(self, pointer: Pointer) -> None:
        self.pointer = pointer
        self.value: dict[str, Value] = {}
        self.keys: dict[str, Pos] = {}
        self.waiting = False
        self.key = ""
        self.key_pos = Pos(1, 1)


class _List:
    """An open list."""

    __slots__ = ("pointer", "value")

    def __init__(self, pointer: Pointer) -> None:
        self.pointer = pointer
        self.value: list[Value] = []


class _Reading:
    """One pass over the events of one file. `skip` counts open collections that stand where a key should."""

    __slots__ = ("documents", "limits", "marks", "open", "problems", "root", "skip", "source")

    def __init__(self, source: Source, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.problems: list[Problem] = []
        self.marks: dict[Pointer, tuple[Pos | None, Pos]] = {}
        self.root: Value = None
        self.open: list[_Map | _List] = []
        self.skip = 0
        self.documents = 0

    def run(self) -> None:
        for count, event in enumerate(_events(self.source)):
            if count > self.limits.events:
                raise _StopError(too_much(self.source.path, _pos(event), f"{self.limits.events:,} values"))
            if len(self.problems) >= _MOST_PROBLEMS:
                return
            self.take(event)
        if not self.marks and not self.problems:
            raise _StopError(empty_file(self.source.path))

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is ScalarEvent:
            self.constructs(event)
            self.scalar(event)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            self.constructs(event)
            self.begin(event, _Map if kind is MappingStartEvent else _List)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self.end()
        elif kind is AliasEvent:
            self.problems.append(not_allowed(self.source.path, _pos(event), "alias"))
            self.place(None, _pos(event))
        elif kind is DocumentStartEvent:
            self.document(event)

    def document(self, event: Any) -> None:
        self.documents += 1
        pos = _pos(event)
        if self.documents > 1:
            raise _StopError(second_document(self.source.path, pos))
        if event.version is not None or event.tags:
            self.problems.append(not_allowed(self.source.path, pos, "directive"))

    def constructs(self, event: Any) -> None:
        if event.anchor is not None:
            self.problems.append(not_allowed(self.source.path, _pos(event), "anchor"))
        if event.tag is not None:
            self.problems.append(not_allowed(self.source.path, _pos(event), "tag"))

    def scalar(self, event: Any) -> None:
        pos, text = _pos(event), event.value
        if len(text) <= _SHORT:
            text = _word(text)
        top = self.open[-1] if self.open else None
        if event.style == '"' and "\\" in self.source.text:
            # Only a double-quoted scalar can hold what the file's own characters do not show.
            for _, name in flaws(text):
                self.problems.append(flaw_problem(self.source.path, pos, name, escaped=True))
        plain = event.implicit[0]
        if isinstance(top, _Map) and not top.waiting and not self.skip:
            if self.source.text[event.start_mark.index - 1 : event.start_mark.index] == "?":
                # In `{?a: 1}` this parser drops the sign; YAML 1.2 reads it as part of the key.
                self.problems.append(not_allowed(self.source.path, pos, "question mark"))
            self.key(top, text, pos, plain)
            return
        try:
            value = resolve_plain(text) if plain else text
        except OutOfRangeError as error:
            self.problems.append(number_out_of_range(self.source.path, pos, text, str(error)))
            value = None
        self.place(value, pos)

    def key(self, top: _Map, text: str, pos: Pos, plain: bool) -> None:
        if plain and text == "<<":
            self.problems.append(not_allowed(self.source.path, pos, "merge key"))
        elif plain and not _is_text(text):
            self.problems.append(key_not_text(self.source.path, pos, text))
        elif text in top.keys:
            self.problems.append(duplicate_key(self.source.path, pos, text, top.keys[text]))
        top.keys.setdefault(text, pos)
        top.key, top.key_pos, top.waiting = text, pos, True

    def begin(self, event: Any, kind: type[_Map] | type[_List]) -> None:
        pos = _pos(event)
        if len(self.open) + self.skip >= self.limits.depth:
            raise _StopError(too_much(self.source.path, pos, f"{self.limits.depth} levels of nesting"))
        top = self.open[-1] if self.open else None
        if self.skip or (isinstance(top, _Map) and not top.waiting):
            if not self.skip:
                self.problems.append(key_not_text(self.source.path, pos, "a list or a map"))
            self.skip += 1
            return
        pointer = self.pointer()
        made = kind(pointer)
        self.place(made.value, pos)
        self.open.append(made)

    def end(self) -> None:
        if not self.skip:
            self.open.pop()
            return
        self.skip -= 1
        top = self.open[-1]
        if not self.skip and isinstance(top, _Map):
            top.key, top.waiting = "", True

    def pointer(self) -> Pointer:
        if not self.open:
            return ()
        top = self.open[-1]
        return (*top.pointer, top.key if isinstance(top, _Map) else len(top.value))

    def place(self, value: Value, pos: Pos) -> None:
        """Puts a finished or just opened value where it belongs."""
        if self.skip:
            return
        pointer = self.pointer()
        if not self.open:
            self.root = value
            self.marks[pointer] = (None, pos)
            return
        top = self.open[-1]
        if isinstance(top, _List):
            top.value.append(value)
            self.marks[_one(pointer)] = (None, pos)
            return
        if not top.waiting:  # an alias as a key, reported already
            top.key, top.waiting = "", True
            return
        top.waiting = False
        if top.key not in top.value:
            top.value[top.key] = value
            self.marks[_one(pointer)] = _mark(top.key_pos.line, top.key_pos.column, pos.line, pos.column)


class _Stream(_Reading):
    """One pass over a file of several documents."""

    __slots__ = ("docs",)

    def __init__(self, source: Source, limits: Limits) -> None:
        super().__init__(source, limits)
        self.docs: list[Doc] = []

    def document(self, event: Any) -> None:
        self.finish()
        self.documents = 0
        super().document(event)

    def finish(self) -> None:
        """Puts away the document that has ended, if it said anything."""
        if self.root is not None:
            self.docs.append(Doc(self.source.path, self.root, self.marks))
            self.root, self.marks = None, {}


def _events(source: Source) -> Iterator[Any]:
    assert_c_parser()
    try:
        parser = CParser(source.text.encode())
        while parser.check_event():
            yield parser.get_event()
    except YAMLError as error:
        # Where characters were replaced, what the parser then says is about our replacement.
        if not source.problems:
            raise _StopError(not_yaml(source, error)) from error
    except Exception as error:
        # Libraries raise TypeError and AssertionError on odd YAML. Nothing of ours runs inside this `try`.
        raise _StopError(unreadable(source, error)) from error


def _pos(event: Any) -> Pos:
    return _place(event.start_mark.line + 1, event.start_mark.column + 1)


# Thousands of manifests say the same few words in the same few places. Kept once, they take an eighth less memory of a
# whole fleet's.
_SHORT = 48
_place = lru_cache(maxsize=16_384)(Pos)


@lru_cache(maxsize=16_384)
def _word(text: str) -> str:
    return text


@lru_cache(maxsize=65_536)
def _mark(key_line: int, key_column: int, line: int, column: int) -> tuple[Pos, Pos]:
    return _place(key_line, key_column), _place(line, column)


@lru_cache(maxsize=16_384)
def _known(pointer: Pointer) -> Pointer:
    return pointer


def _one(pointer: Pointer) -> Pointer:
    # A long one, of a file that somebody made long, is not worth being remembered after it.
    return (
        _known(pointer) if len(pointer) < 5 and isinstance(pointer[-1], str) and len(pointer[-1]) <= _SHORT else pointer
    )


def _is_text(text: str) -> bool:
    try:
        return isinstance(resolve_plain(text), str)
    except OutOfRangeError:
        return False
