"""What a case asks of the policies: one request or several, as the cluster would be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.model.values import Pointer, Value
from bot.core.policy.defaults import with_defaults
from bot.core.policy.kinds import EXEMPT, as_map, group_version, is_namespaced, text_of
from bot.core.policy.model import Case, Operation
from bot.core.policy.pods import pod_of, template_of


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a cluster. `prefix` is where the object stands in the case's own: a pod's in its workload."""

    operation: Operation
    group: str
    version: str
    kind: str
    resource: str
    name: str
    """Empty where only the cluster chooses it, as that of a pod."""
    namespace: str
    """Empty for what lives in none; of a Namespace it is its own name, as in the cluster."""
    object: Any
    old: Any
    namespace_object: Any
    """None for what lives in no namespace."""
    namespace_labels: Mapping[str, str]
    """Of the namespace that it lives in, or of itself where it is one; empty for what lives in none."""
    prefix: Pointer = ()

    @property
    def is_namespace(self) -> bool:
        return (self.group, self.resource) == ("", "namespaces")

    def told(self) -> dict[str, Value]:
        """The variable `request`. As in the cluster, what is empty is not there."""
        found: dict[str, Value] = {
            "operation": self.operation,
            "kind": {"group": self.group, "version": self.version, "kind": self.kind},
            "resource": {"group": self.group, "version": self.version, "resource": self.resource},
        }
        if self.name:
            found["name"] = self.name
        if self.namespace:
            found["namespace"] = self.namespace
        return found


def requests_of(case: Case) -> Iterator[Request]:
    """The request for the case's own object, then the one for the pod that it makes, if it makes any. None for a
    policy or a binding, about which a cluster asks no policy."""
    new, old = with_defaults(case.object), with_defaults(case.old)
    if not isinstance(new, dict) and not isinstance(old, dict):
        return
    own = _request(case, new, old, case.resource)
    if own.group == EXEMPT:
        return
    yield own
    if template_of(own.object or own.old) is None:
        return
    pod, gone = pod_of(new), pod_of(old) if new is None else None
    if pod is not None or gone is not None:
        yield _request(case, pod, gone, "pods", template_of(own.object or own.old) or ())


def _request(case: Case, new: Any, old: Any, resource: str, prefix: Pointer = ()) -> Request:
    shown = new if isinstance(new, dict) else old
    operation: Operation = "DELETE" if new is None else "CREATE" if old is None else "UPDATE"
    api_version, kind = text_of(shown, "apiVersion"), text_of(shown, "kind")
    group, version = group_version(api_version)
    name = "" if prefix and operation == "CREATE" else text_of(shown, "metadata", "name")
    place, around = "", None
    labels: Mapping[str, str] = {}
    if resource == "namespaces":
        place, labels = name, _labels(shown)
    elif is_namespaced(api_version, kind):
        place = text_of(shown, "metadata", "namespace") or text_of(case.namespace, "metadata", "name") or "default"
        around = _namespace(case, place)
        labels = _labels(around)
        new, old = _placed(new, place), _placed(old, place)
    return Request(operation, group, version, kind, resource, name, place, new, old, around, labels, prefix)


def _placed(value: Any, namespace: str) -> Any:
    """The object with its namespace, which a cluster writes into it before policies look."""
    metadata = as_map(as_map(value).get("metadata"))
    if not isinstance(value, dict) or text_of(metadata, "namespace"):
        return value
    return {**value, "metadata": {**metadata, "namespace": namespace}}


def _namespace(case: Case, place: str) -> Any:
    """The Namespace as it is rendered. Of one that is not, only the name is known."""
    if text_of(case.namespace, "metadata", "name") == place:
        return with_defaults(case.namespace)
    return with_defaults({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}})


def _labels(value: Any) -> Mapping[str, str]:
    labels = as_map(as_map(as_map(value).get("metadata")).get("labels"))
    return {key: text_of(labels, key) for key in labels}


def labels_of(value: Any) -> Mapping[str, str]:
    """The labels of an object; none for null."""
    return _labels(value)
