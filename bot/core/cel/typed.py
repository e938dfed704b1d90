"""Which of the known types of paths the checker can be told for one expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.core.cel.nodes import Call, Checked, Items, Loop, Name, Node, Pairs, Select

OPAQUE = "kubernetes.Object"
"""The type of a path of which only single fields are known."""


def known(checked: Checked, types: Mapping[str, str]) -> Mapping[str, str]:
    """The types that hold for the expression. The checker takes a path that it knows for a single name, so it cannot be
    asked by `has(…)` whether it is there, and an opaque one has no `.?field`: those paths go without a type."""
    if not types:
        return types
    without = {path for node in _nodes(checked.root) for path in _asked(node, types)}
    return {path: kind for path, kind in types.items() if path not in without}


def _asked(node: Node, types: Mapping[str, str]) -> Iterator[str]:
    match node:
        case Select(test=True):
            yield f"{_path(node.operand)}.{node.field}"
            above = _path(node.operand)
        case Call(function="_?._", arguments=(of, _)):
            above = _path(of)
        case _:
            return
    if types.get(above) == OPAQUE:
        yield above


def _path(node: Node) -> str:
    match node:
        case Name():
            return node.name
        case Select(test=False):
            return f"{_path(node.operand)}.{node.field}"
        case _:
            return ""


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for part in _below(node):
        yield from _nodes(part)


def _below(node: Node) -> tuple[Node, ...]:
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return (*((node.target,) if node.target is not None else ()), *node.arguments)
        case Items():
            return node.elements
        case Pairs():
            return tuple(part for one in node.entries for part in (one.key, one.value))
        case Loop():
            return (node.over, node.start, node.condition, node.step, node.result)
        case _:
            return ()
