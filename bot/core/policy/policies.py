"""One document to one compiled policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.core.model.values import Doc, Pointer, Value
from bot.core.policy.compiled import Compiler
from bot.core.policy.constraints import match_of
from bot.core.policy.documents import Document
from bot.core.policy.kinds import CLUSTER_WIDE, as_list, as_map, text_of
from bot.core.policy.kyverno import check_kyverno
from bot.core.policy.model import Match, Named, Param, ParamKind, Place, Policy, Validation
from bot.core.problem import Problem

_Map = Mapping[str, Value]


def policy_of(one: Document, params: Sequence[Param], problems: list[Problem]) -> Policy | None:
    """The policy, None where its document has problems, all of which are added to `problems`. Of one whose shape is
    wrong, what is wrong in its expressions is told too."""
    doc, before = one.doc, len(problems)
    spec = as_map(as_map(doc.value).get("spec"))
    param_kind = _param_kind(spec, params)
    match = Match()
    if one.sound:
        _names_once(doc, spec, problems)
        _messages(doc, spec, problems)
        match = match_of(doc, ("spec", "matchConstraints"), as_map(spec["matchConstraints"]), problems)
    if one.sound and one.shape == "kyverno":
        check_kyverno(doc, spec, problems)
    compiler = Compiler(doc, one.source, param_kind is not None, problems)
    variables = tuple(
        Named(text_of(item, "name"), made)
        for index, item in enumerate(as_list(spec.get("variables")))
        if (made := compiler.variable(text_of(item, "name"), ("spec", "variables", index, "expression")))
    )
    conditions = _named(spec, "matchConditions", "name", "expression", compiler, "bool")
    validations = _validations(spec, compiler)
    audit = _named(spec, "auditAnnotations", "key", "valueExpression", compiler, "string", "null_type")
    if len(problems) > before or not one.sound:
        return None
    place = doc.at(("metadata", "name"))
    return Policy(
        one.name, Place(doc.path, place.line, place.column), "kyverno" if one.shape == "kyverno" else "vap", match,
        variables, conditions, validations, audit, param_kind, spec.get("failurePolicy") == "Ignore", one.shipped, doc,
    )  # fmt: skip


def _param_kind(spec: _Map, params: Sequence[Param]) -> ParamKind | None:
    written = spec.get("paramKind")
    if written is None:
        return None
    api_version, kind = text_of(written, "apiVersion"), text_of(written, "kind")
    # Of a kind of their own nothing says whether it lives in namespaces, but its objects do.
    own = "/" in api_version and not api_version.endswith(".k8s.io/v1")
    inside = any(param.namespace for param in params if (param.api_version, param.kind) == (api_version, kind))
    return ParamKind(api_version, kind, inside if own else kind not in CLUSTER_WIDE)


def _named(spec: _Map, where: str, key: str, expression: str, compiler: Compiler, *types: str) -> tuple[Named, ...]:
    made = (
        (text_of(item, key), compiler.expression(("spec", where, index, expression), *types))
        for index, item in enumerate(as_list(spec.get(where)))
    )
    return tuple(Named(name, found) for name, found in made if found is not None)


def _validations(spec: _Map, compiler: Compiler) -> tuple[Validation, ...]:
    found: list[Validation] = []
    for index, item in enumerate(as_list(spec.get("validations"))):
        at: Pointer = ("spec", "validations", index)
        written = as_map(item)
        expression = compiler.expression((*at, "expression"), "bool")
        message = compiler.expression((*at, "messageExpression"), "string") if "messageExpression" in written else None
        if expression is not None:
            reason = text_of(item, "reason") or "Invalid"
            found.append(Validation(expression, text_of(item, "message"), message, reason))
    return tuple(found)


def _names_once(doc: Doc, spec: _Map, problems: list[Problem]) -> None:
    for where, key in (("variables", "name"), ("matchConditions", "name"), ("auditAnnotations", "key")):
        seen: set[str] = set()
        for index, item in enumerate(as_list(spec.get(where))):
            name = text_of(item, key)
            if name in seen:
                place = doc.at(("spec", where, index, key))
                problems.append(
                    Problem(
                        doc.path, place.line, place.column, "CW0717", f"`{name}` stands twice in `{where}`",
                        "a cluster refuses such a policy", "choose another name, or remove one",
                    )
                )  # fmt: skip
            seen.add(name)


def _messages(doc: Doc, spec: _Map, problems: list[Problem]) -> None:
    for index, item in enumerate(as_list(spec.get("validations"))):
        message, expression = text_of(item, "message"), text_of(item, "expression")
        if "\n" in message.strip():
            _contradiction(doc, ("spec", "validations", index, "message"), problems, "`message` has several lines",
                           "write it on one line")  # fmt: skip
        if "\n" in expression.strip() and not message and "messageExpression" not in as_map(item):
            _contradiction(
                doc, ("spec", "validations", index), problems, "an expression of several lines has no `message`",
                "add `message`: what is wrong, in one line",
            )  # fmt: skip


def _contradiction(doc: Doc, at: Pointer, problems: list[Problem], message: str, fix: str) -> None:
    place = doc.at(at)
    problems.append(
        Problem(doc.path, place.line, place.column, "CW0719", message, "a cluster refuses such a policy", fix)
    )
