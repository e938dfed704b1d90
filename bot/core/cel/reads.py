"""Which parts of its variables an expression looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.cel.nodes import Call, Checked, Items, Literal, Loop, Name, Node, Pairs, Select


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """A path that is looked at: the variable, then keys and indexes as far as they are written out; `"*"` stands for
    each item of a list or each entry of a map. `line` and `column` are of the variable's name in the expression."""

    variable: str
    path: tuple[str | int, ...]
    line: int
    column: int


def reads_of(checked: Checked, variables: frozenset[str], text: str) -> tuple[Read, ...]:
    """Every path, the longest form of each, in the order of the text."""
    found = {
        Read(variable, path, *_place(text, checked.offsets.get(at, 0)))
        for variable, path, at in _reads(checked.root, {name: (name, (), 0) for name in variables})
    }
    return tuple(sorted(found, key=lambda read: (read.line, read.column, read.path)))


Path = tuple[str, tuple[str | int, ...], int]
Scope = dict[str, Path]


def _reads(node: Node, scope: Scope) -> Iterator[Path]:
    if isinstance(node, Loop):
        yield from _loop(node, scope)
        return
    path = _path(node, scope)
    if path is not None:
        yield path
    for part in _below(node, path is not None):
        yield from _reads(part, scope)


def _below(node: Node, known: bool) -> list[Node]:
    """The parts to look at; where the whole is a known path, what it begins with is in it already."""
    match node:
        case Select():
            return [] if known else [node.operand]
        case Call():
            parts = [*([node.target] if node.target is not None else []), *node.arguments]
            return parts[1:] if known else parts
        case Items():
            return list(node.elements)
        case Pairs():
            return [part for one in node.entries for part in (one.key, one.value)]
        case _:
            return []


def _loop(node: Loop, scope: Scope) -> Iterator[Path]:
    yield from _reads(node.over, scope)
    yield from _reads(node.start, scope)
    inner = {name: path for name, path in scope.items() if name not in (node.first, node.second, node.sum_name)}
    start, over = _path(node.start, scope), _path(node.over, scope)
    if start is not None:
        inner[node.sum_name] = start
    yield from _reads(node.result, inner)
    if over is not None:
        inner[node.second or node.first] = (over[0], (*over[1], "*"), over[2])
    yield from _reads(node.condition, inner)
    yield from _reads(node.step, inner)


def _path(node: Node, scope: Scope) -> Path | None:
    match node:
        case Name():
            found = scope.get(node.name)
            return None if found is None else (found[0], found[1], found[2] or node.id)
        case Select():
            return _longer(_path(node.operand, scope), node.field)
        case Call(function="_[_]" | "_?._" | "_[?_]", arguments=(of, Literal(value=key))) if type(key) in (str, int):
            return _longer(_path(of, scope), key)
        case Call(function="value" | "orValue" | "or", target=Call() as target):
            # `object.?spec.orValue({})` goes on where the optional was.
            return _path(target, scope)
        case _:
            return None


def _longer(path: Path | None, key: str | int) -> Path | None:
    return None if path is None else (path[0], (*path[1], key), path[2])


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
