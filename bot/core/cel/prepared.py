"""Data on its way into an evaluation and out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.cel.failures import Failure, Meter
from bot.core.cel.values import (
    LARGEST,
    SMALLEST,
    Duration,
    Key,
    Opaque,
    Optional,
    Runtime,
    Strings,
    Timestamp,
    TypeName,
    Uint,
)

MOST_DEPTH: Final = 100
"""How deep data may nest."""
_OWN: Final = (Uint, Duration, Timestamp, TypeName, Opaque, bytes)


class Lazily(dict[str, Runtime]):
    """A map whose values are computed when they are first looked at, as `variables` are in a policy.

    What computes a value may raise Failure; it does so at each look.
    """

    __slots__ = ("_makers",)

    def __init__(self, makers: Mapping[str, Callable[[], Runtime]]) -> None:
        super().__init__()
        self._makers = dict(makers)

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def get(self, key: str, default: Runtime = None) -> Runtime:
        if key not in self._makers:
            return default
        if not dict.__contains__(self, key):
            try:
                self[key] = self._makers[key]()
            except Failure as failure:
                # The part that failed belongs to another expression than the one that looks.
                raise Failure(failure.message) from None
        return dict.__getitem__(self, key)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Bindings that were looked through once and may be used by many evaluations."""

    values: Mapping[str, Runtime]


def prepared(bindings: Mapping[str, Runtime]) -> Prepared:
    """The bindings in CEL's own kinds. Failure for what CEL cannot hold.

    JSON's numbers have no kind of their own: as in the cluster, one without a fraction is an int.
    """
    return Prepared({name: _given(value, 0) for name, value in bindings.items()})


def _given(value: Runtime, depth: int) -> Runtime:
    check = _PLAIN.get(type(value))
    if check is not None:
        return check(value)
    if type(value) is Lazily or isinstance(value, _OWN):
        return value
    if type(value) is Strings:
        return Strings({_text(key): _text(one) for key, one in value.items()})
    if depth > MOST_DEPTH:
        raise Failure(f"data nests deeper than {MOST_DEPTH}")
    if isinstance(value, Mapping):
        return {_given_key(key): _given(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_given(one, depth + 1) for one in value]
    if type(value) is Optional:
        return Optional(_given(value.value, depth + 1), value.present)
    raise Failure(f"{type(value).__name__} is no value of CEL")


def _text(value: str) -> str:
    if "\0" in value:
        raise Failure("a text holds a NUL character")
    return value


def _int(value: int) -> int:
    if not SMALLEST <= value <= LARGEST:
        raise Failure("a whole number outgrows 64 bits")
    return value


def _number(value: float) -> int | float:
    return int(value) if value.is_integer() and SMALLEST <= value < LARGEST else value


_PLAIN: Final[Mapping[type, Callable[[Runtime], Runtime]]] = {
    str: _text,
    int: _int,
    float: _number,
    bool: lambda value: value,
    type(None): lambda value: value,
}


def _given_key(key: Runtime) -> Runtime:
    if type(key) is not str and type(key) is not Key:
        raise Failure("a map has a key that is no text")
    return _text(key) if type(key) is str else key


def finished(value: Runtime, meter: Meter, depth: int = 0) -> Runtime:
    """The result of an evaluation, looked through: Failure where it holds what nobody could use."""
    kind = type(value)
    if kind is str:
        if "\0" in value:
            raise Failure("the result holds a NUL character")
    elif kind is list or kind is dict or kind is Strings:
        if depth > MOST_DEPTH:
            raise Failure(f"the result nests deeper than {MOST_DEPTH}")
        meter.spend(len(value))
        for one in value if kind is list else value.values():
            finished(one, meter, depth + 1)
    elif kind is Failure:
        raise Failure(value.message, value.node)
    elif kind is Optional:
        finished(value.value, meter, depth + 1)
    return value
