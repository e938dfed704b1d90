"""The expressions of one policy over one request: its variables are worked out when they are first read, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bot.core.cel import CelError, CelValue, Lazily, Prepared, evaluate
from bot.core.cel.failures import ExhaustedError, Failure, Meter
from bot.core.cel.values import Runtime
from bot.core.policy.model import Expression, Named, Place, Policy

Watch = Callable[[str, str, str, Place], None]
"""Hears the policy, the binding, the part of the policy and the place of an expression right before it runs."""

MOST_IN_ALL: Final = 10_000_000
"""What the expressions of one policy may cost together over one object; the cluster's number."""
_THROUGH: Final = re.compile(r'composited variable "(\w+)" fails to evaluate: ')


def unwatched(_policy: str, _binding: str, _part: str, _place: Place) -> None:
    """Nobody listens."""


class Failed:
    """An expression without a value: why, and the very place."""

    __slots__ = ("exhausted", "message", "place")

    def __init__(self, message: str, place: Place, exhausted: bool = False) -> None:
        self.message = message
        self.place = place
        self.exhausted = exhausted


class Run:
    """Bindings of one evaluation of a policy, with its `variables`."""

    def __init__(
        self, policy: Policy, binding: str, given: Mapping[str, Runtime], watch: Watch = unwatched
    ) -> None:  # fmt: skip
        self._policy = policy
        self._binding = binding
        self._watch = watch
        self._failed: dict[str, Failed] = {}
        self._exhausted: Failed | None = None
        """The variable whose cost just ended the expression that reads it."""
        self._left = Meter(MOST_IN_ALL)
        variables = Lazily({one.name: self._maker(at, one) for at, one in enumerate(policy.variables)})
        self._given = Prepared({**given, "variables": variables})

    def value(self, part: str, expression: Expression) -> CelValue | Failed:
        """What an expression gives, or why it gives nothing. `part` names it within the policy."""
        self._watch(self._policy.name, self._binding, part, expression.place)
        self._exhausted = None
        found = evaluate(expression.program, self._given, total=self._left)
        return self._failure(expression, found) if isinstance(found, CelError) else found

    def _failure(self, expression: Expression, error: CelError) -> Failed:
        if error.exhausted:
            inmost = self._exhausted
            return inmost or Failed(error.message, expression.at(error.line, error.column), exhausted=True)
        through = _THROUGH.match(error.message)
        inner = self._failed.get(through[1]) if through is not None else None
        place = expression.at(error.line, error.column)
        return Failed(error.message, replace(inner.place if inner is not None else place))

    def _maker(self, at: int, one: Named) -> Callable[[], Runtime]:
        def make() -> Runtime:
            failed = self._failed.get(one.name)
            if failed is None:
                found = self.value(f"variables[{at}]", one.expression)
                if isinstance(found, CelValue):
                    return found.value
                failed = self._failed[one.name] = found
            if failed.exhausted:
                self._exhausted = failed
                raise ExhaustedError  # nothing beside it may absorb that, as in the cluster
            if _THROUGH.match(failed.message):
                raise Failure(failed.message)  # of a chain, the variable that failed itself says enough
            raise Failure(f'composited variable "{one.name}" fails to evaluate: {failed.message}')

        return make
