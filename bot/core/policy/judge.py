"""Policies against cases, in the order and with the meaning of the cluster's own validator.

Source: `k8s.io/apiserver`, its validating admission policy. `schemas/policies.md` says it line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from bot.core.cel import CelValue, prepared
from bot.core.cel.failures import Failure
from bot.core.cel.values import Runtime, Strings
from bot.core.model.values import Pointer, Value
from bot.core.policy.asking import Request, requests_of
from bot.core.policy.kinds import as_map
from bot.core.policy.matching import matches
from bot.core.policy.model import Binding, Case, Effect, Param, Place, Policy, PolicySet, Validation, Verdict
from bot.core.policy.params import params_for
from bot.core.policy.pointing import pointers_in
from bot.core.policy.run import Failed, Run, Watch, unwatched

MOST_MESSAGE: Final = 5 * 1024
"""Bytes of a message that an expression makes; a longer one gives way to the next, as in the cluster."""
MOST_AUDIT: Final = 10 * 1024
"""Characters of an audit annotation."""

_Given = Mapping[str, Runtime]


def judge_cases(policies: PolicySet, cases: Sequence[Case]) -> tuple[Verdict, ...]:
    """`judge_case` over all of them: an `Engine` that runs in this very process, without limits of memory or time."""
    return tuple(verdict for case in cases for verdict in judge_case(policies, case))


def judge_case(policies: PolicySet, case: Case, watch: Watch = unwatched) -> tuple[Verdict, ...]:
    """All that the policies have against the case, by policy, binding and the order of the policy; none where it
    passes. Never raises for what a policy or an object holds. `watch` hears which expression is about to run."""
    found: dict[Verdict, None] = {}
    for request in requests_of(case):
        given: _Given | Failure | None = None
        for policy in policies.policies:
            bound = policies.bindings.get(policy.name, ())
            if not bound or not matches(policy.match, request):
                continue
            for binding in bound:
                if matches(binding.match, request):
                    given = _given(request) if given is None else given
                    for verdict in _Judging(policies, policy, binding, case, request, watch).verdicts(given):
                        found.setdefault(verdict)
    return tuple(found)


def _given(request: Request) -> _Given | Failure:
    """What every policy sees of the request, or what CEL cannot hold of it."""
    try:
        return prepared(
            {
                "object": request.object, "oldObject": request.old, "request": request.told(),
                "namespaceObject": _with_strings(request.namespace_object),
            }
        ).values  # fmt: skip
    except Failure as failure:
        return failure


def _with_strings(namespace: Any) -> Runtime:
    """The Namespace with its maps of texts as the cluster holds them: in a Go type of their own."""
    metadata = as_map(as_map(namespace).get("metadata"))
    maps = {key: Strings(one) for key in ("labels", "annotations") if (one := _texts(metadata.get(key))) is not None}
    return {**namespace, "metadata": {**metadata, **maps}} if maps else namespace


def _texts(value: Value) -> dict[str, str] | None:
    found = {key: one for key, one in as_map(value).items() if isinstance(one, str)}
    return found if isinstance(value, Mapping) and len(found) == len(value) else None


class _Judging:
    """One policy by one of its bindings over one request."""

    def __init__(
        self, policies: PolicySet, policy: Policy, binding: Binding, case: Case, request: Request, watch: Watch
    ) -> None:
        self._policies = policies
        self._policy = policy
        self._binding = binding
        self._case = case
        self._request = request
        self._watch = watch

    def verdicts(self, given: _Given | Failure) -> Iterator[Verdict]:
        if isinstance(given, Failure):
            yield self._error("case", f"the object cannot be judged: {given.message}", self._first(), "deny")
            return
        params = self._params()
        if isinstance(params, Verdict):
            yield params
            return
        for param in params:
            try:
                own = prepared({"params": None if param is None else param.value}).values
            except Failure as failure:
                where = Place(param.path, 1, 1) if param is not None else self._first()
                yield self._error("params", f"the parameters cannot be read: {failure.message}", where, "deny")
                continue
            yield from self._with({**given, **own})

    def _with(self, given: _Given) -> Iterator[Verdict]:
        # A cluster works out the conditions before it looks for the namespace.
        before = Run(self._policy, self._binding.name, {**given, "namespaceObject": None}, self._watch)
        matched = self._conditions(before)
        if isinstance(matched, Verdict):
            yield matched
        if matched is not True:
            return
        run = Run(self._policy, self._binding.name, given, self._watch)
        found = [verdict for at, one in enumerate(self._policy.validations) for verdict in self._one(run, at, one)]
        audit, wrong = self._audit(run)
        for verdict in (*found, *wrong):
            yield replace(verdict, audit=audit) if audit else verdict

    def _conditions(self, run: Run) -> bool | Verdict:
        """True where all hold, False where one does not, whatever the others do; else the error of the first."""
        error: Verdict | None = None
        for at, one in enumerate(self._policy.conditions):
            part = f"matchConditions[{at}]"
            found = run.value(part, one.expression)
            if isinstance(found, CelValue) and found.type == "bool":
                if found.value is not True:
                    return False
            elif error is None:
                failed = found if isinstance(found, Failed) else _no_boolean(found, one.expression.place)
                error = self._error(part, failed.message, failed.place, self._binding.effect, one.expression.reads)
        return error if error is not None else True

    def _one(self, run: Run, at: int, one: Validation) -> Iterator[Verdict]:
        part, expression = f"validations[{at}]", one.expression
        found = run.value(part, expression)
        if isinstance(found, CelValue) and found.type == "bool":
            if found.value is not True:
                message = self._message(run, at, one)
                yield self._verdict(
                    part, message, expression.place, self._binding.effect, "violation", expression.reads
                )
            return
        failed = found if isinstance(found, Failed) else _no_boolean(found, expression.place)
        yield self._error(part, failed.message, failed.place, self._binding.effect, expression.reads)

    def _message(self, run: Run, at: int, one: Validation) -> str:
        said = ""
        if one.message_expression is not None:
            made = run.value(f"validations[{at}].messageExpression", one.message_expression)
            if isinstance(made, CelValue) and made.type == "string":
                said = str(made.value).strip()
                if "\n" in said or len(said.encode(errors="replace")) > MOST_MESSAGE:
                    said = ""
        return said or one.message.strip() or f"failed expression: {one.expression.text.strip()}"

    def _audit(self, run: Run) -> tuple[Mapping[str, str], list[Verdict]]:
        said: dict[str, str] = {}
        wrong: list[Verdict] = []
        for at, one in enumerate(self._policy.audit):
            part = f"auditAnnotations[{at}]"
            found = run.value(part, one.expression)
            if isinstance(found, CelValue) and found.type == "string":
                if str(found.value).strip():
                    said[f"{self._policy.name}/{one.name}"] = str(found.value).strip()[:MOST_AUDIT]
            elif isinstance(found, Failed):
                wrong.append(self._error(part, found.message, found.place, "deny", one.expression.reads))
            elif found.type != "null_type":
                message = f"the expression gives {found.type}, neither text nor null"
                wrong.append(self._error(part, message, one.expression.place, "deny", one.expression.reads))
        return said, wrong

    def _params(self) -> Sequence[Param | None] | Verdict:
        kind, ref = self._policy.param_kind, self._binding.param_ref
        if kind is None or ref is None:
            return (None,)
        if kind.namespaced and not ref.namespace and not self._request.namespace:
            message = "its parameters lie in a namespace, and this object in none"
            return self._error("params", f"{message}: the binding must name one", ref.place, "deny")
        found = params_for(self._policies.params, kind, ref, self._request.namespace)
        if found or ref.allow_missing:
            return found
        wanted = f"`{ref.name}`" if ref.name is not None else "selected"
        place = f" in namespace `{ref.namespace or self._request.namespace}`" if kind.namespaced else ""
        return self._error("params", f"there is no {kind.kind} {wanted}{place}", ref.place, "deny")

    def _first(self) -> Place:
        places = [one.expression.place for one in (*self._policy.conditions, *self._policy.audit)] + [
            one.expression.place for one in self._policy.validations
        ]
        return min(places, key=lambda place: (place.line, place.column), default=self._policy.place)

    def _error(
        self, part: str, message: str, place: Place, effect: Effect, reads: Sequence[Pointer] = ()
    ) -> Verdict:  # fmt: skip
        return self._verdict(part, message, place, effect, "error", reads)

    def _verdict(
        self, part: str, message: str, place: Place, effect: Effect, kind: Literal["violation", "error"],
        reads: Sequence[Pointer],
    ) -> Verdict:  # fmt: skip
        pointers = pointers_in(self._case.object, self._request.prefix, reads)
        return Verdict(
            self._policy.name, self._binding.name, part, effect, message, place, self._case.key, kind, pointers
        )


def _no_boolean(found: CelValue, place: Place) -> Failed:
    return Failed(f"the expression gives {found.type}, not a boolean", place)
