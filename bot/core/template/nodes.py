"""A template as a tree of nodes, each with its place, and the two ways to run it: fast closures, and a slow walk that
knows where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.model.values import Pointer, Pos, Value
from bot.core.template.expression import Expression
from bot.core.template.limits import MOST_ITEMS, TemplateError, capped, text_of
from bot.core.template.scope import LOOKUP, Scope, Traced


class Absent:
    """The one value that removes its key, its list item or its whole object."""


ABSENT: Final = Absent()

Run = Callable[[Scope], "Value | Absent"]


class LocatedError(Exception):
    """A TemplateError and the place of the node in which it happened."""

    def __init__(self, fault: TemplateError, at: Pos) -> None:
        super().__init__(fault.what)
        self.fault = fault
        self.at = at


@dataclass(frozen=True, slots=True)
class Fixed:
    """Data that is the same in every scope; shared between results."""

    at: Pos
    value: Value


@dataclass(frozen=True, slots=True)
class Hole:
    """A scalar that is one expression: its native value."""

    at: Pos
    expression: Expression


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar with literal and computed parts: always a text."""

    at: Pos
    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """Keys are literal, or computed texts."""

    at: Pos
    pairs: tuple[tuple[str | Text, Node], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; a `For` among the items expands in place."""

    at: Pos
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If:
    """`$if`."""

    at: Pos
    test: Expression
    node: Node


@dataclass(frozen=True, slots=True)
class For:
    """`$for`: one name over a list, or two over a map's keys and values, in the order of its keys."""

    at: Pos
    names: tuple[str, ...]
    over: Expression
    node: Node


Node = Fixed | Hole | Text | Map | Items | If | For


def ordered(value: Value) -> Value:
    """The same data with all keys sorted: bytes must not depend on the order in which somebody wrote a map."""
    if type(value) in _SCALAR:
        return value
    if isinstance(value, Mapping):
        return {key: ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [ordered(item) for item in value]
    return value


def turns(node: For, value: Value) -> Iterator[dict[str, Value]]:
    """The names that each turn of a loop binds."""
    if len(node.names) == 2 and isinstance(value, Mapping):
        if len(value) > MOST_ITEMS:
            raise TemplateError(f"a loop of {len(value)} turns", f"keep it under {MOST_ITEMS}")
        first, second = node.names
        for key in sorted(value):
            yield {first: key, second: value[key]}
    elif isinstance(value, list | tuple) and len(node.names) == 1:
        if len(value) > MOST_ITEMS:
            raise TemplateError(f"a loop of {len(value)} turns", f"keep it under {MOST_ITEMS}")
        name = node.names[0]
        for item in value:
            yield {name: item}
    elif len(node.names) == 2:
        raise TemplateError("two names, but not a map to loop over", "write `x in …` for a list")
    else:
        raise TemplateError("one name, but not a list to loop over", "write `key, value in …` for a map")


def compiled(node: Node) -> Run:
    """The fast form. Anything that goes wrong raises, without saying where: run `walk` to learn that."""
    match node:
        case Fixed(_, value):
            return lambda scope: value  # noqa: ARG005
        case Hole(_, expression):
            return _hole(expression)
        case Text(_, parts):
            return text_run(parts)
        case If(_, test, inner):
            check, run = test.run, compiled(inner)
            return lambda scope: run(scope) if check(scope) else ABSENT
        case Map(_, pairs):
            return _map(pairs)
        case Items(_, items):
            return _items(items)
        case For():
            raise AssertionError("a loop outside a list is refused when the template is read")


def _hole(expression: Expression) -> Run:
    evaluate = expression.run
    if expression.path is not None and expression.path[0] == PARTS:
        return evaluate

    def run(scope: Scope) -> Value:
        value = evaluate(scope)
        return value if type(value) in _SCALAR else ordered(value)

    return run


PARTS: Final = "parts"
"""The name under which a template finds the values of other templates: they are ordered as their author wrote them."""


_SCALAR: Final = frozenset((str, int, bool, type(None)))


def text_run(parts: tuple[str | Expression, ...]) -> Callable[[Scope], str]:
    """A mixed text, its fixed parts laid out beforehand."""
    start = [part if isinstance(part, str) else "" for part in parts]
    slots = [(index, part) for index, part in enumerate(parts) if not isinstance(part, str)]
    # Most holes are `a.b`: looking them up here saves a call each, a twentieth of a whole render.
    plain = [(index, *pair) for index, part in slots if (pair := pair_of(part)) is not None]
    others = [(index, part.run) for index, part in slots if pair_of(part) is None]

    def run(scope: Scope) -> str:
        out = start.copy()
        for index, root, key in plain:
            value: Value = scope[root][key]  # type: ignore[index]  # a wrong kind is one of LOOKUP
            out[index] = value if type(value) is str else text_of(value)
        for index, evaluate in others:
            value = evaluate(scope)
            out[index] = value if type(value) is str else text_of(value)
        return capped("".join(out))

    return run


def pair_of(expression: Expression) -> tuple[str, str | int] | None:
    """The two names of an expression `a.b`; None for any other."""
    path = expression.path
    return (path[0], path[1][0]) if path is not None and len(path[1]) == 1 else None


def _map(pairs: tuple[tuple[str | Text, Node], ...]) -> Run:
    if any(isinstance(key, Text) for key, _ in pairs):
        return _open_map(pairs)
    start = {str(key): node.value if isinstance(node, Fixed) else None for key, node in pairs}
    moving = [(str(key), compiled(node)) for key, node in pairs if not isinstance(node, Fixed)]

    def run(scope: Scope) -> Value:
        made: dict[str, Value] = start.copy()
        for key, make in moving:
            value = make(scope)
            if isinstance(value, Absent):
                del made[key]
            else:
                made[key] = value
        return made

    return run


def _open_map(pairs: tuple[tuple[str | Text, Node], ...]) -> Run:
    rows = [(text_run(key.parts) if isinstance(key, Text) else None, str(key), compiled(node)) for key, node in pairs]

    def run(scope: Scope) -> Value:
        made: dict[str, Value] = {}
        for name, literal, make in rows:
            value = make(scope)
            if not isinstance(value, Absent):
                key = str(name(scope)) if name is not None else literal
                if key in made:
                    raise TemplateError(f"the key `{key}` is computed twice", "make the keys differ")
                made[key] = value
        return made

    return run


def _items(items: tuple[Node, ...]) -> Run:
    rows = [(item if isinstance(item, For) else None, compiled(_body(item))) for item in items]

    def run(scope: Scope) -> Value:
        made: list[Value] = []
        for loop, make in rows:
            if loop is None:
                value = make(scope)
                if not isinstance(value, Absent):
                    made.append(value)
                continue
            for names in turns(loop, loop.over.run(scope)):
                value = make({**scope, **names})
                if not isinstance(value, Absent):
                    made.append(value)
        return made

    return run


def _body(node: Node) -> Node:
    return node.node if isinstance(node, For) else node


Reads = dict[Pointer, tuple[Pointer, ...]]


def walk(node: Node, scope: Traced, at: Pointer, reads: Reads) -> Value | Absent:
    """The slow form: the same value as the fast one (a test holds them together). Fills `reads` with the scope's
    pointers that each output value was made of; what a condition or loop read stands at the map or list it decides.
    LocatedError where anything goes wrong."""
    match node:
        case Fixed(_, value):
            return value
        case Hole():
            value = _evaluate(node.expression, node.at, scope, at, reads)
            path = node.expression.path
            return value if path is not None and path[0] == PARTS else ordered(value)
        case Text():
            return _walk_text(node, scope, at, reads)
        case If():
            if not _evaluate(node.test, node.at, scope, at, reads):
                return ABSENT
            return walk(node.node, scope, at, reads)
        case Map():
            return _walk_map(node, scope, at, reads)
        case Items():
            return _walk_items(node, scope, at, reads)
        case For():
            raise AssertionError("a loop outside a list is refused when the template is read")


def _evaluate(expression: Expression, place: Pos, scope: Traced, at: Pointer, reads: Reads) -> Value:
    scope.seen.clear()
    try:
        value = expression.trace(scope)
    except TemplateError as fault:
        raise LocatedError(fault, place) from None
    except LOOKUP as error:
        raise LocatedError(
            TemplateError(f"a value is of the wrong kind: {error}", "check what the expression is given"), place
        ) from None
    if scope.seen:
        reads[at] = tuple(dict.fromkeys((*reads.get(at, ()), *scope.seen)))
    return value


def _walk_text(node: Text, scope: Traced, at: Pointer, reads: Reads) -> str:
    try:
        return capped(
            "".join(
                part if isinstance(part, str) else text_of(_evaluate(part, node.at, scope, at, reads))
                for part in node.parts
            )
        )
    except TemplateError as fault:
        raise LocatedError(fault, node.at) from None


def _walk_map(node: Map, scope: Traced, at: Pointer, reads: Reads) -> Value:
    made: dict[str, Value] = {}
    for key, inner in node.pairs:
        name = key if isinstance(key, str) else _walk_text(key, scope, at, reads)
        value = walk(inner, scope, (*at, name), reads)
        if isinstance(value, Absent):
            continue
        if name in made:
            raise LocatedError(TemplateError(f"the key `{name}` is computed twice", "make the keys differ"), inner.at)
        made[name] = value
    return made


def _walk_items(node: Items, scope: Traced, at: Pointer, reads: Reads) -> Value:
    made: list[Value] = []
    for item in node.items:
        for inner, names in _steps(item, scope, at, reads):
            value = walk(inner, names, (*at, len(made)), reads)
            if not isinstance(value, Absent):
                made.append(value)
    return made


def _steps(item: Node, scope: Traced, at: Pointer, reads: Reads) -> Iterator[tuple[Node, Traced]]:
    if not isinstance(item, For):
        yield item, scope
        return
    over = _evaluate(item.over, item.at, scope, at, reads)
    source = item.over.path
    start = None if source is None else (*scope.pointers.get(source[0], (source[0],)), *source[1])
    try:
        for turn, names in enumerate(turns(item, over)):
            pointers = dict(scope.pointers)
            if start is not None:
                step: str | int = str(names[item.names[0]]) if len(item.names) == 2 else turn
                pointers[item.names[-1]] = (*start, step)
            yield item.node, Traced({**scope, **names}, pointers, scope.seen)
    except TemplateError as fault:
        raise LocatedError(fault, item.at) from None
