"""Random policies: expressions of every shape as validations, variables, conditions and messages."""

from __future__ import annotations

from random import Random
from typing import Any

from bot.core.cel import Program, compile_cel
from bot.core.policy.model import Case
from bot.core.policy.reading import ROOTS
from tests.core.cel_expressions import OBJECT, expression
from tests.core.policy_world import binding, policy
from tests.tools.cluster_pairs import Pair

THING: dict[str, Any] = {
    "apiVersion": "acme.com/v1", "kind": "Thing", "metadata": {"name": "x", "namespace": "a", "labels": {"app": "web"}},
    **OBJECT,  # type: ignore[dict-item]
}  # fmt: skip
NAMESPACE: Any = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": {"env": "prod"}}}
PLACES = (
    "request.operation", "request.namespace", "request.kind.kind", "namespaceObject.metadata.labels",
    "namespaceObject.metadata.name", "oldObject", "oldObject.spec.r", "has(request.name)",
)  # fmt: skip


def random_pair(random: Random, at: int) -> Pair:
    """A policy of random expressions on an object that they find something in."""
    names = tuple(f"v{number}" for number in range(random.choice((0, 0, 1, 2, 3))))
    spec: dict[str, Any] = {}
    if names:
        spec["variables"] = [
            {"name": name, "expression": _text(random, names[:number])} for number, name in enumerate(names)
        ]
    if random.random() < 0.2:
        spec["matchConditions"] = [{"name": "c", "expression": _boolean(random, names)}]
    validations = []
    for _ in range(random.choice((1, 1, 2))):
        one = {"expression": _boolean(random, names), "message": "no"}
        if random.random() < 0.3:
            one["messageExpression"] = f"'%s'.format([{_text(random, names)}])"
        validations.append(one)
    spec["validations"] = validations
    old = random.choice((None, THING))
    case = Case("x.yaml", THING, old, NAMESPACE, "things", None, "prod")
    return Pair(f"random {at}", policy(failurePolicy="Fail", **spec), binding(), case)


def _text(random: Random, names: tuple[str, ...]) -> str:
    """Most of them read well by themselves: what is refused by both sides proves little."""
    every = (*(f"variables.{name}" for name in names), *(PLACES if random.random() < 0.3 else ()))
    for _ in range(1 if random.random() < 0.1 else 20):
        text = expression(random, random.randint(0, 3), every)
        if isinstance(compile_cel(text, ROOTS), Program):
            break
    return text.replace("\\u0000", "a")  # NUL is refused here, as the page says


def _boolean(random: Random, names: tuple[str, ...]) -> str:
    """Most of them of a kind that a cluster takes."""
    one, two = _text(random, names), _text(random, names)
    shape = random.random()
    if shape < 0.25:
        return f"{one} == {two}"
    if shape < 0.4:
        return f"type({one}) != type({two})"
    if shape < 0.5:
        return f"!({one} == {two}) || {_text(random, names)} in ['a', 'abc']"
    if shape < 0.7:
        return f"[dyn({one})].all(q, q != {two})"
    if shape < 0.95:
        return f"dyn({one}) == dyn({two})"
    return one
