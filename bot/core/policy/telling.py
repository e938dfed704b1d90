"""What a policy sees of one case, step by step: for whoever asks why it judged so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.core.cel import CelValue, prepared
from bot.core.cel.failures import Failure
from bot.core.policy.asking import Request, requests_of
from bot.core.policy.matching import matches
from bot.core.policy.model import Binding, Case, Expression, Match, Param, Policy, PolicySet
from bot.core.policy.params import params_for
from bot.core.policy.run import Failed, Run, Watch, unwatched

MOST_SHOWN: Final = 300
"""Characters of a value."""

Told = Mapping[str, Any]


def tell_case(policies: PolicySet, case: Case, watch: Watch = unwatched) -> list[Told]:
    """One entry for each policy and each request that the case is to a cluster, as plain data: `policy`, `request`,
    `binding`, `left_out` (why it is not judged, empty where it is) and `steps` (`part`, `name`, `expression`, `value`,
    `failed`, in the order of the policy). Never raises for what a policy or an object holds."""
    found: list[Told] = []
    for request in requests_of(case):
        for policy in policies.policies:
            for binding in policies.bindings.get(policy.name, ()):
                left_out = _left_out(policy, binding, request)
                steps = [] if left_out else list(_steps(policies, policy, binding, request, watch))
                found.append({
                    "policy": policy.name, "binding": binding.name, "request": _request(request),
                    "left_out": left_out or _unmet(steps), "steps": steps,
                })  # fmt: skip
    return found


def _request(request: Request) -> str:
    name = f"{request.namespace}/{request.name}" if request.namespace else request.name
    return f"{request.operation} {request.resource} {name}".rstrip("/ ")


def _left_out(policy: Policy, binding: Binding, request: Request) -> str:
    for who, match in (("its rules", policy.match), ("its binding", binding.match)):
        for what, part in (
            (f"{who}: the namespace selector leaves it out", Match(namespaces=match.namespaces)),
            (f"{who}: the object selector leaves it out", Match(objects=match.objects)),
            (f"{who}: it is among what is excluded", Match(excluded=match.excluded)),
            (f"{who} are about other kinds or operations", Match(rules=match.rules)),
        ):
            if not matches(part, request):
                return what
    return ""


def _unmet(steps: list[Told]) -> str:
    unmet = (one["name"] for one in steps if one["part"].startswith("matchConditions") and one["value"] == "false")
    name = next(unmet, None)
    return f"its condition `{name}` does not hold" if name is not None else ""


def _steps(policies: PolicySet, policy: Policy, binding: Binding, request: Request, watch: Watch) -> Iterator[Told]:
    try:
        run = Run(policy, binding.name, _given(policies, policy, binding, request), watch)
    except Failure as failure:
        yield {"part": "object", "name": "", "expression": "", "value": "", "failed": failure.message}
        return
    for part, name, expression in _parts(policy):
        found = run.value(part, expression)
        failed = found.message if isinstance(found, Failed) else ""
        value = shown(found) if isinstance(found, CelValue) else ""
        yield {"part": part, "name": name, "expression": expression.text, "value": value, "failed": failed}


def _parts(policy: Policy) -> Iterator[tuple[str, str, Expression]]:
    for at, condition in enumerate(policy.conditions):
        yield f"matchConditions[{at}]", condition.name, condition.expression
    for at, variable in enumerate(policy.variables):
        yield f"variables[{at}]", variable.name, variable.expression
    for at, validation in enumerate(policy.validations):
        yield f"validations[{at}]", "", validation.expression


def _given(policies: PolicySet, policy: Policy, binding: Binding, request: Request) -> Mapping[str, Any]:
    found: tuple[Param, ...] = ()
    if policy.param_kind is not None and binding.param_ref is not None:
        found = params_for(policies.params, policy.param_kind, binding.param_ref, request.namespace)
    return prepared({
        "object": request.object, "oldObject": request.old, "request": request.told(),
        "namespaceObject": request.namespace_object, "params": dict(found[0].value) if found else None,
    }).values  # fmt: skip


def shown(found: CelValue) -> str:
    """A value for people: JSON where it is that, cut where it is long; else its type."""
    try:
        text = json.dumps(found.value, ensure_ascii=False, default=lambda one: f"<{type(one).__name__.lower()}>")
    except (TypeError, ValueError, RecursionError):
        text = f"<{found.type}>"
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
