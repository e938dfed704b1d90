"""One document to one binding or one parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from bot.core.model.values import Value
from bot.core.policy.constraints import match_of, selector_of
from bot.core.policy.documents import Document
from bot.core.policy.kinds import as_list, as_map, text_of
from bot.core.policy.model import Binding, Effect, Match, Param, ParamRef, Place
from bot.core.problem import Problem

_STRONGEST: Final[tuple[tuple[str, Effect], ...]] = (("Deny", "deny"), ("Warn", "warn"), ("Audit", "audit"))


def binding_of(one: Document, problems: list[Problem]) -> Binding:
    """The binding; what contradicts itself is added to `problems`."""
    doc = one.doc
    spec = as_map(as_map(doc.value)["spec"])
    actions = cast("Sequence[str]", spec["validationActions"])
    _contradicts(one, actions, problems)
    place = doc.at(("metadata", "name"))
    match = match_of(doc, ("spec", "matchResources"), as_map(spec.get("matchResources")), problems)
    return Binding(
        one.name, text_of(spec, "policyName"), Place(doc.path, place.line, place.column), match, _effect(actions),
        _param_ref(one, spec),
    )  # fmt: skip


def kyverno_binding(one: Document) -> Binding:
    """What a Kyverno policy says of its own effect; it denies where it says nothing, as Kyverno has it."""
    spec = as_map(as_map(one.doc.value)["spec"])
    place = one.doc.at(("metadata", "name"))
    actions = [str(action) for action in as_list(spec.get("validationActions"))] or ["Deny"]
    where = Place(one.doc.path, place.line, place.column)
    return Binding(one.name, one.name, where, Match(), _effect(actions))


def param_of(one: Document) -> Param:
    """The parameter."""
    value = as_map(one.doc.value)
    namespace = text_of(value, "metadata", "namespace") or None
    return Param(one.doc.path, text_of(value, "apiVersion"), text_of(value, "kind"), one.name, namespace, value)


def _effect(actions: Sequence[str]) -> Effect:
    return next(effect for action, effect in _STRONGEST if action in actions)


def _param_ref(one: Document, spec: Mapping[str, Value]) -> ParamRef | None:
    written = spec.get("paramRef")
    if written is None:
        return None
    ref, place = as_map(written), one.doc.at(("spec", "paramRef"))
    selector = selector_of(as_map(ref["selector"])) if "selector" in ref else None
    return ParamRef(
        text_of(ref, "name") or None, text_of(ref, "namespace") or None, selector,
        ref.get("parameterNotFoundAction") == "Allow", Place(one.doc.path, place.line, place.column),
    )  # fmt: skip


def _contradicts(one: Document, actions: Sequence[str], problems: list[Problem]) -> None:
    if "Deny" in actions and "Warn" in actions:
        place = one.doc.at(("spec", "validationActions"))
        problems.append(
            Problem(
                one.doc.path, place.line, place.column, "CW0719", "`Deny` and `Warn` stand together",
                "a cluster refuses such a binding: who is denied would be warned of the same", "keep one of them",
            )
        )  # fmt: skip
