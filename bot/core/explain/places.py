"""Where in a template each part of its output stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from bot.core.model.values import Doc, Pointer, Pos, Value
from bot.core.parse import parse
from bot.core.template.expression import Expression
from bot.core.template.limits import text_of
from bot.core.template.nodes import Fixed, For, Hole, If, Items, Map, Node, Text, turns

Scope = Mapping[str, Value]
Texts = Callable[[str], bytes | None]
"""Path of a file, in the platform repository or the shipped kit -> its bytes, None where it is not there."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What made one place of the output. `source`, where it is one look-up and nothing else, is the pointer into the
    scope: what is below it is data."""

    at: Pos
    kind: Literal["fixed", "computed", "holder"]
    source: Pointer | None = None
    turn: Pointer | None = None
    """Of an item that a loop made: what the loop went over, as a pointer into the scope."""
    loops: bool = False
    """A list of which every item that a loop made knows its turn."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """What an expression sees, and where each name that a loop gave stands in the outermost scope."""

    scope: dict[str, Value]
    names: Mapping[str, Pointer]

    def source(self, expression: Expression) -> Pointer | None:
        if expression.path is None:
            return None
        root, keys = expression.path
        return (*self.names.get(root, (root,)), *keys)


def leaves_of(root: Node, scope: Scope) -> Mapping[Pointer, Leaf]:
    """Every node of a template that took part, by where its output stands. The template is one that expands."""
    found: dict[Pointer, Leaf] = {}
    _walk(root, _Sight(dict(scope), {}), (), found)
    return found


def _walk(node: Node, sight: _Sight, at: Pointer, found: dict[Pointer, Leaf]) -> bool:
    """False where the node makes nothing."""
    match node:
        case Fixed(pos, _):
            found[at] = Leaf(pos, "fixed")
        case Hole(pos, expression):
            found[at] = Leaf(pos, "computed", sight.source(expression))
        case Text(pos, _):
            found[at] = Leaf(pos, "computed")
        case If(_, test, inner):
            return bool(test.run(sight.scope)) and _walk(inner, sight, at, found)
        case Map(pos, pairs):
            found[at] = Leaf(pos, "holder")
            for key, inner in pairs:
                _walk(inner, sight, (*at, key if isinstance(key, str) else _name(key, sight.scope)), found)
        case Items(pos, items):
            found[at] = _walk_items(pos, items, sight, at, found)
        case For():
            raise AssertionError("a loop outside a list is refused when the template is read")
    return True


def _walk_items(pos: Pos, items: tuple[Node, ...], sight: _Sight, at: Pointer, found: dict[Pointer, Leaf]) -> Leaf:
    made = 0
    sources = [sight.source(item.over) for item in items if isinstance(item, For)]
    for inner, within, turn in _steps(items, sight):
        if _walk(inner, within, (*at, made), found):
            if turn is not None:
                found[(*at, made)] = replace(found[(*at, made)], turn=turn)
            made += 1
    return Leaf(pos, "holder", loops=bool(sources) and None not in sources)


def _steps(items: tuple[Node, ...], sight: _Sight) -> Iterator[tuple[Node, _Sight, Pointer | None]]:
    for item in items:
        if not isinstance(item, For):
            yield item, sight, None
            continue
        start = sight.source(item.over)
        for turn, names in enumerate(turns(item, item.over.run(sight.scope))):
            step: str | int = str(names[item.names[0]]) if len(item.names) == 2 else turn
            known = {} if start is None else {item.names[-1]: (*start, step)}
            yield item.node, _Sight({**sight.scope, **names}, {**sight.names, **known}), known.get(item.names[-1])


def _name(key: Text, scope: dict[str, Value]) -> str:
    return "".join(part if isinstance(part, str) else text_of(part.run(scope)) for part in key.parts)


def left_out(root: Node, scope: Scope, pointer: Pointer) -> tuple[If, Pointer] | None:
    """The condition that leaves `pointer` out, and where in the output it stands; None where none does. Not followed
    into loops."""
    node, seen = root, 0
    while True:
        if isinstance(node, If):
            if not node.test.run(dict(scope)):
                return node, pointer[:seen]
            node = node.node
        elif seen == len(pointer):
            return None
        else:
            inner = _below(node, pointer[seen])
            if inner is None:
                return None
            node, seen = inner, seen + 1


def _below(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Map):
        return next((inner for key, inner in node.pairs if key == step), None)
    if isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
        return None if any(isinstance(item, For) for item in node.items[: step + 1]) else node.items[step]
    return None


def exact(path: str, at: Pos, rest: Pointer, texts: Texts) -> Pos:
    """The place of what stands `rest` below the fixed data that begins at `at`; `at` itself where that is unknown."""
    if not rest:
        return at
    data = texts(path)
    doc = None if data is None else _doc(path, data)
    if doc is None:
        return at
    for pointer, (_, value) in doc.marks.items():
        if value == at and (*pointer, *rest) in doc.marks:
            return doc.marks[(*pointer, *rest)][1]
    return at


@lru_cache(maxsize=256)
def _doc(path: str, data: bytes) -> Doc | None:
    doc = parse(path, data)
    return doc if isinstance(doc, Doc) else None
