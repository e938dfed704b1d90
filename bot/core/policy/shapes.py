"""The shapes of the documents that judge: Kubernetes' own API, closed, so that a misspelt field is found here too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Literal

from bot.core.check import Schema, compile_schema

Shape = Literal["policy", "binding", "kyverno", "param"]

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "object", "additionalProperties": {"type": "string"}}
_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
                "x-words": "use lower-case letters, digits, `-` and `.`"}  # fmt: skip
_EXPRESSION: Final = {"type": "string", "minLength": 1, "maxLength": 16384, "pattern": "\\S",
                      "examples": ["object.spec.replicas <= 5"],
                      "description": "An expression in CEL."}  # fmt: skip
_MESSAGE: Final = {"type": "string", "pattern": "\\S", "x-words": "write a sentence"}
_LABEL_KEY: Final = {"type": "string", "maxLength": 317,
                     "pattern": "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
                     "x-words": "write a label's key, as `app.kubernetes.io/name`"}  # fmt: skip


def _closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def _list(items: Mapping[str, Any], least: int = 0, most: int = 128, unique: bool = False) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most, "uniqueItems": unique}


_REQUIREMENT: Final[Mapping[str, Any]] = {
    **_closed(("key", "operator"), key=_LABEL_KEY,
              operator={"type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"]}, values=_list(_TEXT)),
    "if": {"properties": {"operator": {"enum": ["In", "NotIn"]}}},
    "then": {"required": ["values"], "properties": {"values": {"minItems": 1}}},
    "else": {"properties": {"values": {"maxItems": 0}}},
}  # fmt: skip
_SELECTOR: Final = _closed(
    matchLabels={"type": "object", "propertyNames": _LABEL_KEY, "additionalProperties": {"type": "string"}},
    matchExpressions=_list(_REQUIREMENT),
)
_OPERATIONS: Final = {"type": "string", "enum": ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"]}
_RULE: Final = _closed(
    ("apiGroups", "apiVersions", "operations", "resources"),
    apiGroups=_list(_TEXT, 1), apiVersions=_list(_TEXT, 1), operations=_list(_OPERATIONS, 1),
    resources=_list({"type": "string", "minLength": 1}, 1), resourceNames=_list(_TEXT),
    scope={"type": "string", "enum": ["*", "Namespaced", "Cluster"]},
)  # fmt: skip
_MATCH: Final[Mapping[str, Any]] = _closed(
    resourceRules=_list(_RULE), excludeResourceRules=_list(_RULE), namespaceSelector=_SELECTOR,
    objectSelector=_SELECTOR, matchPolicy={"type": "string", "enum": ["Exact", "Equivalent"]},
)  # fmt: skip
_CONSTRAINTS: Final = {**_MATCH, "required": ["resourceRules"],
                       "properties": {**_MATCH["properties"], "resourceRules": _list(_RULE, 1)}}  # fmt: skip
_VARIABLE: Final = _closed(
    ("name", "expression"),
    name={"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "x-words": "use letters, digits and `_`"},
    expression=_EXPRESSION,
)
_CONDITION: Final = _closed(("name", "expression"), name=_LABEL_KEY, expression=_EXPRESSION)
_VALIDATION: Final = _closed(
    ("expression",), expression=_EXPRESSION, message=_MESSAGE, messageExpression=_EXPRESSION,
    reason={"type": "string", "enum": ["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"]},
)  # fmt: skip
_AUDIT: Final = _closed(("key", "valueExpression"), key=_LABEL_KEY, valueExpression=_EXPRESSION)
_ACTIONS: Final = _list({"type": "string", "enum": ["Deny", "Warn", "Audit"]}, 1, 3, unique=True)
_FAILURE: Final = {"type": "string", "enum": ["Fail", "Ignore"]}
_SHARED: Final[Mapping[str, Any]] = {
    "matchConstraints": _CONSTRAINTS,
    "matchConditions": _list(_CONDITION, 0, 64),
    "variables": _list(_VARIABLE),
    "validations": _list(_VALIDATION),
    "auditAnnotations": _list(_AUDIT, 0, 20),
    "failurePolicy": _FAILURE,
}
_SAYS_SOMETHING: Final = {"anyOf": [{"required": ["validations"]}, {"required": ["auditAnnotations"]}]}

_SERVER: Final = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName",
                  "generation", "managedFields", "namespace", "ownerReferences", "resourceVersion", "selfLink",
                  "uid")  # fmt: skip
"""What a cluster adds; a policy that was read from one has it."""
_METADATA: Final = _closed(
    ("name",), name=_NAME, labels=_TEXTS, annotations=_TEXTS, **dict.fromkeys(_SERVER, True)
)  # fmt: skip


def _document(api_version: str, kind: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return _closed(
        ("apiVersion", "kind", "metadata", "spec"), apiVersion={"type": "string", "const": api_version},
        kind={"type": "string", "const": kind}, metadata=_METADATA, spec=spec, status={"type": ["object", "null"]},
    )  # fmt: skip


_ADMISSION: Final = "admissionregistration.k8s.io/v1"
_KYVERNO: Final = "policies.kyverno.io/v1"

_SHAPES: Final[Mapping[Shape, Mapping[str, Any]]] = {
    "policy": _document(_ADMISSION, "ValidatingAdmissionPolicy", {
        **_closed(("matchConstraints",), paramKind=_closed(("apiVersion", "kind"), apiVersion=_TEXT, kind=_TEXT),
                  **_SHARED),
        **_SAYS_SOMETHING,
    }),
    "binding": _document(_ADMISSION, "ValidatingAdmissionPolicyBinding", _closed(
        ("policyName", "validationActions"), policyName=_NAME, validationActions=_ACTIONS, matchResources=_MATCH,
        paramRef={
            **_closed(name=_TEXT, namespace=_TEXT, selector=_SELECTOR,
                      parameterNotFoundAction={"type": "string", "enum": ["Allow", "Deny"]}),
            "oneOf": [{"required": ["name"]}, {"required": ["selector"]}],
        },
    )),
    "kyverno": _document(_KYVERNO, "ValidatingPolicy", {
        **_closed(("matchConstraints",), validationActions=_ACTIONS, autogen={"type": "object"},
                  evaluation={"type": "object"}, webhookConfiguration={"type": "object"}, **_SHARED),
        **_SAYS_SOMETHING,
    }),
    "param": {
        "type": "object", "required": ["apiVersion", "kind", "metadata"],
        "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"},
            "metadata": {"type": "object", "required": ["name"],
                         "properties": {"name": _NAME, "namespace": _TEXT, "labels": _TEXTS}},
        },
    },
}  # fmt: skip

KINDS: Final[Mapping[tuple[str, str], Shape]] = {
    (_ADMISSION, "ValidatingAdmissionPolicy"): "policy",
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): "binding",
    (_KYVERNO, "ValidatingPolicy"): "kyverno",
}
"""(apiVersion, kind) of a document that judges -> its shape."""


@lru_cache(maxsize=8)
def schema(shape: Shape) -> Schema:
    """The compiled schema of a shape."""
    return compile_schema(_SHAPES[shape])
