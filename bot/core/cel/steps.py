"""How the parts of a call are put together: what each kind of call does with the closures of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bot.core.cel.failures import Failure, Meter
from bot.core.cel.nodes import Call
from bot.core.cel.signatures import Signature
from bot.core.cel.values import Optional, Runtime, key_in, key_out, type_name

Slots: TypeAlias = list[Runtime]
Run: TypeAlias = Callable[[Slots], Runtime]
Overload: TypeAlias = tuple[Signature, Callable[..., Runtime]]

METER: Final = 0
"""The slot that holds the evaluation's meter; the variables follow."""
_SIZED: Final = frozenset([str, bytes, list, dict])
_PATTERNED: Final = frozenset(["matches", "find", "findAll"])
_PATTERN: Final = 20
"""What reading a pattern costs beside a step: RE2 reads it anew each time."""
_DEEP: Final = frozenset(
    [
        "_==_", "_!=_", "@in", "indexOf", "lastIndexOf", "join", "format", "sets.contains", "sets.equivalent",
        "sets.intersects",
    ]
)  # fmt: skip
"""What looks at the whole of its values."""
_FREE: Final = 16
"""So many characters cost nothing beyond the step itself."""


def placed(failure: Failure, number: int) -> Failure:
    return Failure(failure.message, failure.node or number)


def append(target: Run, items: Run) -> Run:
    def run(slots: Slots) -> Runtime:
        found: list[Runtime] = target(slots)
        found.extend(items(slots))
        return found

    return run


def binary(name: str, number: int, step: Callable[[Runtime, Runtime], Runtime], left: Run, right: Run) -> Run:
    weight = _whole_weight if name in _DEEP else _weight

    def run(slots: Slots) -> Runtime:
        one, two = left(slots), right(slots)
        slots[METER].spend(1 + weight(one) + weight(two))
        try:
            return step(one, two)
        except Failure as failure:
            raise placed(failure, number) from None

    return run


def look(number: int, step: Callable[[Runtime, Runtime], Runtime], left: Run, right: Run) -> Run:
    """Like `binary`, at one price however much lies in what is looked into. Behind an optional without a value no
    further step is looked at."""

    def run(slots: Slots) -> Runtime:
        slots[METER].spend(1)
        one = left(slots)
        if type(one) is Optional and not one.present:
            return one
        two = right(slots)
        try:
            return step(one, two)
        except Failure as failure:
            raise placed(failure, number) from None

    return run


def otherwise(name: str, number: int, optional: Run, other: Run) -> Run:
    """`or` and `orValue`: what stands in for a value is computed only where there is none."""

    def run(slots: Slots) -> Runtime:
        slots[METER].spend(1)
        found = optional(slots)
        if type(found) is not Optional:
            raise Failure("no such overload", number)
        if found.present:
            return found.value if name == "orValue" else found
        return other(slots)

    return run


def unary(number: int, step: Callable[[Runtime], Runtime], part: Run) -> Run:
    def run(slots: Slots) -> Runtime:
        slots[METER].spend(1)
        try:
            return step(part(slots))
        except Failure as failure:
            raise placed(failure, number) from None

    return run


def function(node: Call, overloads: tuple[Overload, ...], parts: list[Run]) -> Run:
    number, name, member = node.id, node.function, node.target is not None
    weight = _whole_weight if name in _DEEP else _weight
    pairs = name.startswith("sets.")
    price = _PATTERN if name in _PATTERNED else 1
    fitting = [(one, step) for one, step in overloads if one.member == member and len(one.arguments) == len(parts)]

    def run(slots: Slots) -> Runtime:
        values = [part(slots) for part in parts]
        meter: Meter = slots[METER]
        meter.spend(price + sum(map(weight, values)))
        for signature, step in fitting:
            if signature.takes(values):
                if pairs:
                    meter.spend(len(values[0]) * len(values[1]))
                try:
                    found = step(*values)
                except Failure as failure:
                    raise placed(failure, number) from None
                meter.spend(_weight(found))
                return found
        kinds = ", ".join(map(type_name, values))
        raise Failure(f"no such overload: {name}({kinds})", number)

    return run


def _weight(value: Runtime) -> int:
    """A tenth for each character or item that a step may read or copy."""
    kind = type(value)
    if kind is int or kind is bool:
        return 0
    if kind in _SIZED:
        size = len(value)
        return 0 if size < _FREE else size // 10
    return 0


def _whole_weight(value: Runtime) -> int:
    """The same for what looks at all that is in a value, however deep."""
    kind = type(value)
    if kind is list:
        return sum(map(_whole_weight, value), len(value))
    if kind is dict:
        return sum(map(_whole_weight, value.values()), len(value))
    return _weight(value)


def _and(number: int, parts: list[Run]) -> Run:
    return _either(number, parts, deciding=False)


def _or(number: int, parts: list[Run]) -> Run:
    return _either(number, parts, deciding=True)


def _either(number: int, parts: list[Run], deciding: bool) -> Run:
    def run(slots: Slots) -> Runtime:
        wrong: Failure | None = None
        for part in parts:
            try:
                value = part(slots)
            except Failure as failure:
                wrong = wrong or placed(failure, number)
                continue
            if value is deciding:
                return deciding
            if type(value) is not bool:
                wrong = wrong or Failure("no such overload", number)
        if wrong is not None:
            raise wrong
        return not deciding

    return run


def _choice(number: int, parts: list[Run]) -> Run:
    test, yes, no = parts

    def run(slots: Slots) -> Runtime:
        found = test(slots)
        if found is True:
            return yes(slots)
        if found is False:
            return no(slots)
        raise Failure("no such overload", number)

    return run


def _not_strictly_false(_: int, parts: list[Run]) -> Run:
    (part,) = parts

    def run(slots: Slots) -> Runtime:
        try:
            return part(slots) is not False
        except Failure:
            return True

    return run


def _map_insert(number: int, parts: list[Run]) -> Run:
    """The step of `transformMap` and `transformMapEntry`; the map is the loop's own and grows where it is."""

    def run(slots: Slots) -> Runtime:
        target, *rest = [part(slots) for part in parts]
        if len(rest) == 1:
            if not isinstance(rest[0], Mapping):
                raise Failure("no such overload", number)
            added = dict(rest[0])
        else:
            key = None if type(rest[0]) is float else key_in(rest[0])
            if key is None:
                raise Failure(f"unsupported key type: {type_name(rest[0])}", number)
            added = {key: rest[1]}
        for key, value in added.items():
            if key in target:
                raise Failure(f"insert failed: key {key_out(key)} already exists", number)
            target[key] = value
        return target

    return run


SPECIAL: Final[Mapping[str, Callable[[int, list[Run]], Run]]] = {
    "_&&_": _and,
    "_||_": _or,
    "_?_:_": _choice,
    "@not_strictly_false": _not_strictly_false,
    "cel.@mapInsert": _map_insert,
}
"""What does not simply take the values of its parts, or belongs to a macro."""
