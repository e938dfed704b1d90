"""How a function of the language is written down, and what is read from that: for the checker and for the run.

quantity(string) -> Quantity            a function
Quantity.add(int) -> Quantity           a function called on a value
list(A).indexOf(A) -> int               A stands for any type, the same everywhere in the line
format.named(string) -> optional(Format)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.cel.values import Duration, Opaque, Optional, Runtime, Timestamp, TypeName, Uint
from bot.core.model.values import Value

KINDS: Final[Mapping[str, str]] = {
    "Quantity": "kubernetes.Quantity",
    "URL": "kubernetes.URL",
    "IP": "net.IP",
    "CIDR": "net.CIDR",
    "Semver": "kubernetes.Semver",
    "Format": "kubernetes.NamedFormat",
    "duration": "google.protobuf.Duration",
    "timestamp": "google.protobuf.Timestamp",
    "optional": "optional_type",
    "null": "null",
}
"""Short name in a signature -> name of the type."""

_LINE = re.compile(r"^(?:(?P<target>[A-Za-z]+(?:\([^.]*\))?)\.)?(?P<name>[^(]+)\((?P<args>.*)\) -> (?P<result>.+)$")
_NAMESPACES: Final = frozenset(["ip", "format", "strings", "sets", "optional"])
_PARAMETERS: Final = frozenset("AB")


@dataclass(frozen=True, slots=True)
class Shape:
    """A type: its short name, and what it is made of."""

    name: str
    parts: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """One overload. With `member`, the first argument stands before the dot."""

    text: str
    name: str
    member: bool
    arguments: tuple[Shape, ...]
    result: Shape

    def declared(self) -> dict[str, Value]:
        """The overload in the checker's own format."""
        arguments = [_declared(shape) for shape in self.arguments]
        row: dict[str, Value] = {"id": re.sub(r"[^A-Za-z0-9]+", "_", self.text), "return": _declared(self.result)}
        if self.member:
            row["target"] = arguments.pop(0)
        return {**row, "args": arguments} if arguments else row

    def fits(self, kinds: Sequence[str]) -> bool:
        """The same for the checker's types of the arguments, `dyn` where one is not known."""
        return len(kinds) == len(self.arguments) and all(
            "dyn" in (kind, shape.name) or shape.name in _PARAMETERS or kind == KINDS.get(shape.name, shape.name)
            for shape, kind in zip(self.arguments, (kind.partition("(")[0] for kind in kinds), strict=True)
        )

    def takes(self, arguments: Sequence[Runtime]) -> bool:
        """Whether the values are of the kinds that this overload wants; items of lists are not looked at."""
        return len(arguments) == len(self.arguments) and all(
            TESTS[shape.name](value) for shape, value in zip(self.arguments, arguments, strict=True)
        )


def read_signature(text: str) -> Signature:
    """ValueError where the line is no signature."""
    found = _LINE.match(text)
    if found is None:
        raise ValueError(f"no signature: {text}")
    target, name = found["target"], found["name"]
    arguments = _shapes(found["args"])
    if target in _NAMESPACES:
        return Signature(text, f"{target}.{name}", False, arguments, _shape(found["result"]))
    if target is not None:
        arguments = (_shape(target), *arguments)
    return Signature(text, name, target is not None, arguments, _shape(found["result"]))


def declared_type(kind: str) -> dict[str, Value]:
    """A type as the checker prints it (`list(map(string, dyn))`), in its own format."""
    name, opened, _ = kind.partition("(")
    row: dict[str, Value] = {"type_name": "null" if name == "null_type" else name}
    return {**row, "params": [declared_type(part) for part in parts_of(kind)]} if opened else row


def parts_of(kind: str) -> tuple[str, ...]:
    """What a type is made of: of `map(string, list(int))` it is `string` and `list(int)`."""
    return _parts(kind.partition("(")[2][:-1])


def _shapes(text: str) -> tuple[Shape, ...]:
    return tuple(map(_shape, _parts(text)))


def _parts(text: str) -> tuple[str, ...]:
    found: list[str] = []
    depth = start = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            found.append(text[start:at])
            start = at + 1
    return tuple(part.strip() for part in (*found, text[start:]) if part.strip())


def _shape(text: str) -> Shape:
    name, opened, rest = text.partition("(")
    if name not in TESTS:
        raise ValueError(f"no type: {name}")
    return Shape(name, _shapes(rest[:-1]) if opened else ())


def _declared(shape: Shape) -> dict[str, Value]:
    if shape.name in _PARAMETERS:
        return {"type_name": shape.name, "is_type_param": True}
    row: dict[str, Value] = {"type_name": KINDS.get(shape.name, shape.name)}
    return {**row, "params": [_declared(part) for part in shape.parts]} if shape.parts else row


def _is(kind: type) -> Callable[[Runtime], bool]:
    return lambda value: type(value) is kind


def _opaque(name: str) -> Callable[[Runtime], bool]:
    return lambda value: isinstance(value, Opaque) and value.type_name == name


TESTS: Final[Mapping[str, Callable[[Runtime], bool]]] = {
    "bool": _is(bool),
    "int": _is(int),
    "uint": _is(Uint),
    "double": _is(float),
    "string": _is(str),
    "bytes": _is(bytes),
    "null": _is(type(None)),
    "timestamp": _is(Timestamp),
    "duration": _is(Duration),
    "optional": _is(Optional),
    "type": _is(TypeName),
    "list": lambda value: isinstance(value, list | tuple),
    "map": lambda value: isinstance(value, Mapping),
    "dyn": lambda _: True,
    "A": lambda _: True,
    "B": lambda _: True,
    **{short: _opaque(KINDS[short]) for short in ("Quantity", "URL", "IP", "CIDR", "Semver", "Format")},
}
