"""Runs a checked expression: each part becomes a closure once, and an evaluation is one call.

As in the cluster, `&&` and `||` absorb an error beside a value that decides, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.core.cel.failures import Failure, Meter
from bot.core.cel.nodes import Call, Items, Literal, Loop, Message, Name, Node, Pairs, Select
from bot.core.cel.operators import BINARY, UNARY, has, select
from bot.core.cel.steps import (
    METER,
    SPECIAL,
    Overload,
    Run,
    Slots,
    append,
    binary,
    function,
    look,
    otherwise,
    placed,
    unary,
)
from bot.core.cel.values import Optional, Runtime, TypeName, key_in, key_out, type_name

_LOOKS: Final = frozenset(["_[_]", "_?._", "_[?_]"])
_OPTIONAL_ELSE: Final = frozenset(["or", "orValue"])


class Compiler:
    """Makes closures. `variables` are the names of the slots from 1 on."""

    def __init__(self, variables: tuple[str, ...], functions: Mapping[str, tuple[Overload, ...]]) -> None:
        self._functions = functions
        self._scope = {name: at for at, name in enumerate(variables, start=1)}
        self._next = self.size = len(variables) + 1
        """How many slots an evaluation needs."""

    def compile(self, node: Node) -> Run:
        """The closure of a part and of all below it."""
        match node:
            case Literal():
                value = node.value
                return lambda _: value
            case Name():
                return self._name(node)
            case Select():
                return self._select(node)
            case Items():
                return self._items(node)
            case Pairs():
                return self._pairs(node)
            case Loop():
                return self._loop(node)
            case Call():
                return self._call(node)
            case Message():
                raise ValueError("messages are refused before they are compiled")

    def _name(self, node: Name) -> Run:
        at = self._scope.get(node.name)
        if at is None:
            value = TypeName(node.name)
            return lambda _: value
        number = node.id

        def run(slots: Slots) -> Runtime:
            found = slots[at]
            if type(found) is Failure:
                raise Failure(found.message, found.node or number)
            return found

        return run

    def _select(self, node: Select) -> Run:
        operand, field, number = self.compile(node.operand), node.field, node.id
        step = has if node.test else select

        def run(slots: Slots) -> Runtime:
            meter: Meter = slots[METER]
            meter.left -= 1
            value = operand(slots)
            if type(value) is dict and not node.test:
                found = value.get(field, meter)
                if found is not meter:
                    return found
            try:
                return step(value, field)
            except Failure as failure:
                raise placed(failure, number) from None

        return run

    def _items(self, node: Items) -> Run:
        parts = [self.compile(part) for part in node.elements]
        if not node.optional:
            return lambda slots: [part(slots) for part in parts]
        optional, number = node.optional, node.id

        def run(slots: Slots) -> Runtime:
            found: list[Runtime] = []
            for at, part in enumerate(parts):
                value = part(slots)
                if at not in optional:
                    found.append(value)
                elif type(value) is not Optional:
                    raise Failure(f"cannot initialize optional list element from non-optional value {value}", number)
                elif value.present:
                    found.append(value.value)
            return found

        return run

    def _pairs(self, node: Pairs) -> Run:
        parts = [(self.compile(one.key), self.compile(one.value), one.optional) for one in node.entries]
        number = node.id

        def run(slots: Slots) -> Runtime:
            found: dict[Runtime, Runtime] = {}
            for key_of, value_of, optional in parts:
                raw = key_of(slots)
                key = None if type(raw) is float else key_in(raw)
                if key is None:
                    raise Failure(f"unsupported key type: {type_name(raw)}", number)
                value = value_of(slots)
                if not optional:
                    found[key] = value
                elif type(value) is not Optional:
                    raise Failure(f"cannot initialize optional entry '{raw}' from non-optional value", number)
                elif value.present:
                    found[key] = value.value
            return found

        return run

    def _loop(self, node: Loop) -> Run:
        over, start, number = self.compile(node.over), self.compile(node.start), node.id
        outer, before = dict(self._scope), self._next
        total, first, second = before, before + 1, before + 2
        self._next += 3
        self.size = max(self.size, self._next)
        # The result sees the sum alone, the loop's own variables only condition and step do.
        self._scope[node.sum_name] = total
        result = self.compile(node.result)
        self._scope[node.first] = first
        if node.second:
            self._scope[node.second] = second
        condition, step = self.compile(node.condition), self.compile(node.step)
        self._scope, self._next = outer, before
        two = bool(node.second)

        def run(slots: Slots) -> Runtime:
            meter: Meter = slots[METER]
            pairs = _elements(over(slots), two, number)
            slots[total] = start(slots)
            for one, other in pairs:
                meter.spend(1)
                slots[first] = one
                slots[second] = other
                if condition(slots) is not True:
                    break
                try:
                    slots[total] = step(slots)
                except Failure as failure:
                    slots[total] = Failure(failure.message, failure.node)
            return result(slots)

        return run

    def _call(self, node: Call) -> Run:
        special = SPECIAL.get(node.function)
        if special is not None:
            return special(node.id, [self.compile(part) for part in node.arguments])
        parts = ([node.target] if node.target is not None else []) + list(node.arguments)
        runs = [self.compile(part) for part in parts]
        if node.function == "_+_" and _appends(node):
            return append(runs[0], runs[1])
        if node.function in _OPTIONAL_ELSE and node.target is not None:
            return otherwise(node.function, node.id, *runs)
        if node.function in _LOOKS:
            return look(node.id, BINARY[node.function], *runs)
        if node.function in BINARY:
            return binary(node.function, node.id, BINARY[node.function], *runs)
        if node.function in UNARY:
            return unary(node.id, UNARY[node.function], *runs)
        return function(node, self._functions[node.function], runs)


def _elements(value: Runtime, two: bool, number: int) -> list[tuple[Runtime, Runtime]]:
    if isinstance(value, Mapping):
        return [(key_out(key), found) for key, found in value.items()]
    if isinstance(value, list | tuple):
        return list(enumerate(value)) if two else [(found, None) for found in value]
    raise Failure("no such overload", number)


def _appends(node: Call) -> bool:
    """Whether this is the step of a `map` or `filter`: only there does a name with @ stand, and nothing else holds
    that list, so that it may grow where it is."""
    one, two = node.arguments
    return isinstance(one, Name) and one.name.startswith("@") and isinstance(two, Items)
