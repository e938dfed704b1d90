"""What an expression computes with: JSON's values as Python's own, and a class for each kind that JSON does not have.

No two kinds share a Python type, so that nothing is taken for something else: `true` is no number, a quantity is no
text. Maps with keys other than text wrap each such key (`key_in`), since Python takes True, 1 and 1.0 for one key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from bot.core.cel.failures import Failure

Runtime: TypeAlias = Any
"""A value while an expression runs: None, bool, int, float, str, bytes, list, dict, or one of the classes below."""

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)
LARGEST_UINT: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Uint:
    """A whole number from 0 to 2^64 - 1."""

    value: int


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment, in nanoseconds since 1970 UTC. `shift` is the zone in which it was written, in seconds east of UTC;
    only its text shows that."""

    nanos: int
    shift: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in nanoseconds."""

    nanos: int


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as a value: what `type(x)` and a bare `string` give."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Optional:
    """A value that may be absent."""

    value: Runtime = None
    present: bool = False


NONE: Final = Optional()


class Strings(dict[str, str]):
    """A map of texts that the cluster holds as its own kind of map, as a Namespace's labels: beside a value that is no
    map, and for a key that is no text, it fails where others say no."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a map that is no text: `kind` is "bool" or "number"."""

    kind: str
    value: int


class Opaque:
    """A value of Kubernetes' libraries; each class says its type's name and when two of it are equal.

    `computed` is one that the cluster cannot compare when it stands on the right of `==`.
    """

    __slots__ = ()
    type_name = "opaque"
    computed = False

    def same(self, other: Opaque) -> bool:
        """Whether two values of one class are equal to the cluster."""
        return self == other


def type_name(value: Runtime) -> str:
    """The name by which CEL knows the value's type."""
    found = _NAMES.get(type(value))
    if found is not None:
        return found
    if isinstance(value, Opaque):
        return value.type_name
    if isinstance(value, Mapping):
        return "map"
    return "list" if isinstance(value, Sequence) else "unknown"


_NAMES: Final[dict[type, str]] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    tuple: "list",
    dict: "map",
    Strings: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    TypeName: "type",
    Optional: "optional_type",
}


def key_in(value: Runtime) -> Runtime:
    """The form in which a map holds a key; None where no map can hold it."""
    kind = type(value)
    if kind is str:
        return value
    if kind is bool:
        return Key("bool", int(value))
    if kind is int:
        return Key("number", value)
    if kind is Uint:
        return Key("number", value.value)
    if kind is float and value.is_integer():
        return Key("number", int(value))
    return None


def key_out(key: Runtime) -> Runtime:
    """The key as an expression sees it; a uint comes back as an int."""
    if type(key) is not Key:
        return key
    return bool(key.value) if key.kind == "bool" else key.value


def whole(value: int) -> int:
    """The same number; Failure where it does not fit 64 bits."""
    if not SMALLEST <= value <= LARGEST:
        raise Failure("integer overflow")
    return value


def whole_uint(value: int) -> Uint:
    """The number as a uint; Failure where it does not fit."""
    if not 0 <= value <= LARGEST_UINT:
        raise Failure("unsigned integer overflow")
    return Uint(value)


def number(value: Runtime) -> int | float | None:
    """The Python number of an int, uint or double; None for anything else, booleans too."""
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[no-any-return]  # `kind` is the test
    return value.value if kind is Uint else None


def equal(one: Runtime, two: Runtime) -> bool:
    """CEL's `==`: numbers compare across their kinds, other kinds are unequal to each other. Failure only for lists and
    maps that hold a value of Kubernetes' own types where the other holds something else."""
    kind = type(one)
    if kind is str:
        return type(two) is str and one == two
    left = number(one)
    if left is not None:
        right = number(two)
        return right is not None and left == right
    if isinstance(one, Mapping):
        return isinstance(two, Mapping) and _same_map(one, two)
    if isinstance(one, list | tuple):
        if not isinstance(two, list | tuple) or len(one) != len(two):
            return False
        return all(_same_part(a, b) for a, b in zip(one, two, strict=True))
    if kind is not type(two):
        return False
    if kind is Optional:
        return one.present == two.present and (not one.present or equal(one.value, two.value))
    if isinstance(one, Opaque):
        return one.same(two)
    return bool(one == two)


def _same_map(one: Mapping[Runtime, Runtime], two: Mapping[Runtime, Runtime]) -> bool:
    if len(one) != len(two):
        return False
    return all(key in two and _same_part(value, two[key]) for key, value in one.items())


def _same_part(one: Runtime, two: Runtime) -> bool:
    """Two parts of lists or maps. A cluster takes the error of such a pair for equality; here it stays an error."""
    if isinstance(one, Opaque) and two is not None and type(one) is not type(two):
        raise Failure("no such overload")
    return equal(one, two)
