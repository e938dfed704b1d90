"""What the checker accepts and a cluster does not: refused here, so that one file means the same in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.formatting import TAKES, clauses, refused
from bot.core.cel.functions import FUNCTIONS, OPERATORS, OVERLOADS
from bot.core.cel.native import re2_fault
from bot.core.cel.nodes import Call, Checked, Items, Literal, Loop, Message, Node, Pairs, Select
from bot.core.cel.operators import STEPS

Fault = tuple[int, str, str | None]
"""The part's number, what is wrong, the function if there is one to name."""

_PATTERNED: Final = frozenset(["matches", "find", "findAll"])
_CONVERSIONS: Final = ("int", "uint", "double", "bool", "string", "bytes", "duration", "timestamp")


def faults(checked: Checked) -> Iterator[Fault]:
    """Everything to refuse, in the order of the tree."""
    yield from _walk(checked, checked.root, False)


def _walk(checked: Checked, node: Node, formats: bool) -> Iterator[Fault]:
    """`formats`: somewhere above stands `format`, whose values may be of many types, as in the cluster."""
    below: list[Node] = []
    match node:
        case Message():
            yield node.id, f"messages like {node.name} cannot be made here", node.name
        case Call():
            yield from _call(checked, node)
            formats = formats or node.function == "format"
            below = [*([node.target] if node.target is not None else []), *node.arguments]
        case Items():
            if not formats:
                yield from _alike(checked, node.elements, node.optional)
            below = list(node.elements)
        case Pairs():
            if not formats:
                yield from _alike(checked, [one.key for one in node.entries], frozenset())
                optional = frozenset(at for at, one in enumerate(node.entries) if one.optional)
                yield from _alike(checked, [one.value for one in node.entries], optional)
            below = [part for one in node.entries for part in (one.key, one.value)]
        case Select():
            below = [node.operand]
        case Loop():
            below = [node.over, node.start, node.condition, node.step, node.result]
        case _:
            pass
    for part in below:
        yield from _walk(checked, part, formats)


def _call(checked: Checked, node: Call) -> Iterator[Fault]:
    name = node.function
    if name not in FUNCTIONS and name not in OPERATORS:
        yield node.id, f"{name} is no function here", name
    elif name in OVERLOADS:
        yield from _arguments(checked, node)
    if name in _PATTERNED:
        yield from _pattern(node)
    if name in ("_[_]", "_[?_]"):
        yield from _step(node.arguments[1])
    if name in _CONVERSIONS and isinstance(node.arguments[0], Literal):
        yield from _conversion(node, node.arguments[0])
    if name == "format":
        yield from _format(checked, node)


def _arguments(checked: Checked, node: Call) -> Iterator[Fault]:
    """The checker's own standard has overloads that a cluster has not."""
    parts = [*([node.target] if node.target is not None else []), *node.arguments]
    kinds = [checked.types.get(part.id, "dyn") for part in parts]
    if not any(signature.fits(kinds) for signature, _ in OVERLOADS[node.function]):
        yield node.id, f"{node.function} does not take ({', '.join(kinds)})", None


def _step(key: Node) -> Iterator[Fault]:
    time = isinstance(key, Call) and key.function in ("duration", "timestamp")
    if time or isinstance(key, Items | Pairs) or (isinstance(key, Literal) and type(key.value) not in STEPS):
        yield key.id, "what stands between [ and ] is a text or a number", None


def _pattern(node: Call) -> Iterator[Fault]:
    pattern = node.arguments[0 if node.target is not None else 1]
    if isinstance(pattern, Literal) and type(pattern.value) is str:
        fault = re2_fault(pattern.value)
        if fault is not None:
            yield pattern.id, f"{node.function}: {fault}", None


def _conversion(node: Call, value: Literal) -> Iterator[Fault]:
    """A cluster converts what is written out when it compiles."""
    for signature, step in OVERLOADS[node.function]:
        if signature.takes([value.value]):
            try:
                step(value.value)
            except Failure as failure:
                yield value.id, f"this is no {node.function}: {failure.message}", None
            return
    yield value.id, f"this is no {node.function}", None


def _format(checked: Checked, node: Call) -> Iterator[Fault]:
    values = node.arguments[0]
    if not (isinstance(node.target, Literal) and isinstance(values, Items)) or values.optional:
        return
    try:
        verbs = [part[0] for part in clauses(str(node.target.value)) if not isinstance(part, str)]
    except Failure as failure:
        yield node.id, f"format: {failure.message}", None
        return
    if len(verbs) != len(values.elements):
        yield node.id, f"format has {len(verbs)} clauses and {len(values.elements)} values", None
        return
    for verb, part in zip(verbs, values.elements, strict=True):
        kind = checked.types.get(part.id, "dyn")
        if kind != "dyn" and kind.partition("(")[0] not in TAKES[verb]:
            yield part.id, refused(verb, kind), None


def _alike(checked: Checked, parts: Sequence[Node], optional: frozenset[int]) -> Iterator[Fault]:
    """The cluster wants one type for all parts of a list or a map that is written out; `dyn` is a type of its own."""
    wanted: str | None = None
    unsure = True
    for at, part in enumerate(parts):
        kind = checked.types.get(part.id, "dyn")
        if at in optional:
            kind = kind.removeprefix("optional_type(").removesuffix(")")
        alike = kind == wanted or ((unsure or _open(part)) and wanted is not None and _bare(kind) == _bare(wanted))
        if wanted is not None and not alike:
            yield part.id, f"the parts of one list or map have one type: expected {wanted}, found {kind}", None
            return
        if unsure:
            wanted, unsure = kind, _open(part)


def _bare(kind: str) -> str:
    return kind.partition("(")[0]


def _open(part: Node) -> bool:
    """Whether the part has nothing in it that gives it a type: `[]`, `{}`, `optional.none()`."""
    match part:
        case Items():
            return not part.elements
        case Pairs():
            return not part.entries
        case Call():
            return part.function == "optional.none"
        case _:
            return False
