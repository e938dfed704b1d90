"""What an expression reads of the world, and what it asks for that no review can answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.cel import Program, Read
from bot.core.cel.signatures import parts_of
from bot.core.cel.typed import OPAQUE
from bot.core.model.values import Pointer

ROOTS: Final = frozenset({"object", "oldObject", "request", "params", "namespaceObject", "variables"})
"""The variables of an expression."""

REQUEST: Final[Mapping[str, frozenset[str]]] = {
    "operation": frozenset(),
    "namespace": frozenset(),
    "name": frozenset(),
    "kind": frozenset({"group", "version", "kind"}),
    "resource": frozenset({"group", "version", "resource"}),
}
"""Field of `request` that is known in a review -> its own fields."""

NAMESPACE: Final[Mapping[str, frozenset[str]]] = {
    "metadata": frozenset({"name", "generateName", "namespace", "labels", "annotations", "finalizers"}),
    "spec": frozenset({"finalizers"}),
    "status": frozenset({"phase"}),
}
"""Field of `namespaceObject` that is known in a review -> its own fields."""

_DECLARED: Final[Mapping[str, str]] = {
    **{f"request.{name}": "string" for name in ("operation", "namespace", "name")},
    **{f"request.{name}": OPAQUE for name in ("kind", "resource")},
    **{f"request.kind.{name}": "string" for name in ("group", "version", "kind")},
    **{f"request.resource.{name}": "string" for name in ("group", "version", "resource")},
    **{f"namespaceObject.{name}": OPAQUE for name in NAMESPACE},
    **{f"namespaceObject.metadata.{name}": "string" for name in ("name", "generateName", "namespace")},
    **{f"namespaceObject.metadata.{name}": "map(string, string)" for name in ("labels", "annotations")},
    "namespaceObject.metadata.finalizers": "list(string)",
    "namespaceObject.spec.finalizers": "list(string)",
    "namespaceObject.status.phase": "string",
}

_PLAIN: Final = frozenset([
    "bool", "bytes", "double", "int", "null_type", "string", "uint", "google.protobuf.Duration",
    "google.protobuf.Timestamp",
])  # fmt: skip

AUTHORIZER: Final = re.compile(r"(?<![\w.])authorizer\b")
_INDEXED: Final = re.compile(r"(?<![\w.])variables\s*\[")
_WHOLE: Final = re.compile(
    r"(?:object|variables)(?:\s*\.\s*\??\s*[A-Za-z_]\w*|\[\??(?:'[^'\\\n]*'|\"[^\"\\\n]*\")\])*(?:\.orValue\(\s*[\[{]?\s*[\]}]?\s*\))?"
)
_WHO: Final = "a review sees what will be applied, and not who applies it, when, or how"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that an expression may not ask for, at a line and column of its text, from 1."""

    line: int
    column: int
    code: str
    message: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a declared variable reads of the object; `whole` is the one path that it is, where it is nothing else."""

    pointers: frozenset[Pointer] = frozenset()
    whole: Pointer | None = None
    type: str = "dyn"
    """CEL's type of its expression."""


def pointers_of(program: Program, known: Mapping[str, Known]) -> frozenset[Pointer]:
    """The paths of `object` that an expression reads, by itself and through variables."""
    found: set[Pointer] = set()
    for one in program.reads:
        if one.variable == "object":
            found.add(one.path)
        elif one.variable == "variables" and one.path:
            variable = known.get(str(one.path[0]), Known())
            found |= {(*variable.whole, *one.path[1:])} if variable.whole is not None else variable.pointers
    return frozenset(found)


def known_of(program: Program, known: Mapping[str, Known]) -> Known:
    """The same of a variable's expression."""
    pointers = pointers_of(program, known)
    whole = _WHOLE.fullmatch(program.text.strip()) is not None and len(pointers) == 1
    return Known(pointers, next(iter(pointers)) if whole else None, program.type)


def types_of(known: Mapping[str, Known]) -> Mapping[str, str]:
    """The types of what an expression may read, by path: of variables that of their expressions, of the rest what a
    cluster declares."""
    return {**_DECLARED, **{f"variables.{name}": _kept(one.type) for name, one in known.items()}}


def _kept(kind: str) -> str:
    """What a cluster still knows of the type of an expression where a variable hands it on: of plain types all, of
    lists and maps what they are made of, of everything else nothing."""
    name, _, _ = kind.partition("(")
    if name in ("list", "map"):
        return f"{name}({', '.join(map(_kept, parts_of(kind)))})"
    return kind if name in _PLAIN else "dyn"


def faults(program: Program, known: Mapping[str, Known]) -> tuple[Fault, ...]:
    """Everything that the expression may not ask for, in the order of its text."""
    found = {fault for one in program.reads for fault in _faults(one, known)}
    indexed = _INDEXED.search(program.text)
    if indexed is not None and any(one.variable == "variables" for one in program.reads):
        before = program.text[: indexed.start()]
        found.add(_unusual(before.count("\n") + 1, indexed.start() - before.rfind("\n")))
    return tuple(sorted(found, key=lambda fault: (fault.line, fault.column, fault.message)))


def _faults(one: Read, known: Mapping[str, Known]) -> Iterator[Fault]:
    match one.variable:
        case "request":
            yield from _fields(one, REQUEST, _WHO)
        case "namespaceObject" if one.path:
            yield from _fields(one, NAMESPACE, "a review knows the namespace as it is rendered")
        case "variables" if not one.path or one.path[0] == "*":
            yield _unusual(one.line, one.column)
        case "variables" if one.path[0] not in known:
            names = ", ".join(f"`{name}`" for name in known) or "none"
            yield Fault(
                one.line, one.column, "CW0713", f"there is no variable `{one.path[0]}` before this",
                "a variable is worked out from those above it", f"name one that is declared above: {names}",
            )  # fmt: skip
        case _:
            pass


def _unusual(line: int, column: int) -> Fault:
    return Fault(
        line, column, "CW0723", "`variables` is used in another way than `variables.name`",
        "a cluster refuses such an expression", "write `variables.` and the name of one",
    )  # fmt: skip


def _fields(one: Read, fields: Mapping[str, frozenset[str]], why: str) -> Iterator[Fault]:
    first = str(one.path[0]) if one.path else "*"
    inner = fields.get(first)
    if inner is None:
        what = one.variable if first == "*" else f"{one.variable}.{first}"
        yield _unknowable(one, what, why, one.variable, fields)
    elif inner and len(one.path) > 1 and one.path[1] not in inner:
        name = f"{one.variable}.{first}"
        yield _unknowable(one, name if one.path[1] == "*" else f"{name}.{one.path[1]}", why, name, inner)


def _unknowable(one: Read, what: str, why: str, root: str, known: Mapping[str, object] | frozenset[str]) -> Fault:
    names = ", ".join(f"`{root}.{name}`" for name in sorted(known))
    whole = " as a whole" if what == root else ""
    return Fault(
        one.line, one.column, "CW0715", f"`{what}`{whole} is not known in a review", why, f"known are {names}; or leave"
        " this policy to the cluster alone",
    )  # fmt: skip
