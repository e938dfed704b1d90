"""The platform's policies for the cluster itself, where `cluster_policies` asks for them: the same files, once for each
environment, bound to its namespaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, cast

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Facts
from bot.core.model.values import Value
from bot.core.policy.documents import Document, documents
from bot.core.policy.kinds import as_list, as_map, group_version, is_namespaced, text_of
from bot.core.problem import Problem, Refusal
from bot.core.render.shapes import Renderer, World

KINDS: Final = (
    {"group": "admissionregistration.k8s.io", "kind": "ValidatingAdmissionPolicy"},
    {"group": "admissionregistration.k8s.io", "kind": "ValidatingAdmissionPolicyBinding"},
)
OF_ENVIRONMENT: Final = "causeway.dev/environment"
"""Label of every namespace that we render."""
_REVIEW_ONLY: Final = "causeway.dev"
_Map = Mapping[str, Value]


def asked_for(platform: Platform) -> bool:
    """Whether the clusters get the policies, too."""
    return platform.config.get("cluster_policies") is True


def written(platform: Platform, kit: Kit) -> list[Value]:
    """The documents that clusters get, in the order of their paths: policies over what a cluster knows, their bindings,
    and their parameters. A platform's own policy stands in for the shipped one of its name. Empty where it is off."""
    if not asked_for(platform):
        return []
    return list(_documents(tuple(sorted(platform.policies.items())), tuple(sorted(kit.policies.items()))))


_Files = tuple[tuple[str, bytes], ...]


@lru_cache(maxsize=4)
def _documents(files: _Files, shipped: _Files) -> tuple[Value, ...]:
    problems: list[Problem] = []
    own = list(documents(dict(files), False, problems))
    mine = {one.name for one in own if one.shape in ("policy", "kyverno")}
    pack = [one for one in documents(dict(shipped), True, problems) if _named(one) not in mine]
    if problems:
        # What cannot be read is told by whoever judges, and nothing of it goes live.
        return ()
    every = [*own, *pack]
    wanted = {one.name for one in every if one.shape == "policy" and not _reviews(cast(_Map, one.doc.value))}
    chosen = [one for one in every if _goes(one, wanted)]
    return tuple(one.doc.value for one in chosen)


def _named(one: Document) -> str:
    return one.name if one.shape != "binding" else text_of(one.doc.value, "spec", "policyName")


def _goes(one: Document, wanted: set[str]) -> bool:
    return one.shape == "param" or (one.shape in ("policy", "binding") and _named(one) in wanted)


def _reviews(policy: _Map) -> bool:
    """A policy over Workloads, which exist only in a review: a cluster would refuse the kind."""
    rules = as_list(as_map(as_map(policy.get("spec")).get("matchConstraints")).get("resourceRules"))
    groups = {group for rule in rules for group in as_list(as_map(rule).get("apiGroups"))}
    return groups == {_REVIEW_ONLY}


def whitelists(platform: Platform, kit: Kit) -> Mapping[str, Value]:
    """What the project that writes them must be allowed: kinds of clusters, kinds of namespaces, and namespaces."""
    found = [as_map(one) for one in written(platform, kit)]
    params = [one for one in found if text_of(one, "kind") not in {row["kind"] for row in KINDS}]
    inside = [one for one in params if is_namespaced(text_of(one, "apiVersion"), text_of(one, "kind"))]
    wide = {_group_kind(one) for one in params if one not in inside}
    rows = sorted({*wide, *((row["group"], row["kind"]) for row in KINDS)}) if found else []
    return {
        "cluster_kinds": [{"group": group, "kind": kind} for group, kind in rows],
        "param_kinds": [{"group": g, "kind": k} for g, k in sorted({_group_kind(one) for one in inside})],
        "param_namespaces": sorted({text_of(one, "metadata", "namespace") or "default" for one in inside}),
    }


def _group_kind(one: _Map) -> tuple[str, str]:
    return group_version(text_of(one, "apiVersion"))[0], text_of(one, "kind")


def keys_of_facts(facts: Facts) -> Iterable[Key]:  # noqa: ARG001
    return ()


def keys_of_platform(platform: Platform) -> Iterable[Key]:
    return [("policies", name) for name in platform.environments] if asked_for(platform) else ()


def inputs(key: Key, world: World) -> Inputs:
    value = {"documents": written(world.platform, world.kit)}
    return Inputs(key, value, (), "", world.kit.renderer)


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:  # noqa: ARG001 - the shape of a renderer
    environment = inputs.key[1]
    home = f"environments/{environment}/_platform/kubernetes"
    made: dict[str, Value] = {}
    for document in cast("list[_Map]", inputs.value["documents"]):
        one = _bound(document, environment)
        name = text_of(one, "metadata", "name")
        made[f"{home}/{text_of(one, 'kind').lower()}-{name}.yaml"] = one
    return made


def _bound(document: _Map, environment: str) -> _Map:
    """Named with the environment, so that two may share a cluster; a binding looks only at the environment's own."""
    metadata = {**as_map(document["metadata"]), "name": f"{text_of(document, 'metadata', 'name')}-{environment}"}
    metadata["labels"] = {**as_map(metadata.get("labels")), **dict(_labels(environment))}
    made = {**document, "metadata": metadata}
    if text_of(document, "kind") != "ValidatingAdmissionPolicyBinding":
        return made
    spec = dict(as_map(document.get("spec")))
    spec["policyName"] = f"{text_of(document, 'spec', 'policyName')}-{environment}"
    match = dict(as_map(spec.get("matchResources")))
    selector = dict(as_map(match.get("namespaceSelector")))
    selector["matchLabels"] = {**as_map(selector.get("matchLabels")), OF_ENVIRONMENT: environment}
    spec["matchResources"] = {**match, "namespaceSelector": selector}
    reference = dict(as_map(spec.get("paramRef")))
    if reference.get("name"):
        spec["paramRef"] = {**reference, "name": f"{reference['name']}-{environment}"}
    return {**made, "spec": spec}


def _labels(environment: str) -> Iterator[tuple[str, str]]:
    yield "app.kubernetes.io/managed-by", "causeway"
    yield OF_ENVIRONMENT, environment


POLICIES = Renderer("policies", keys_of_facts, keys_of_platform, inputs, objects, lambda inputs: None)  # noqa: ARG005
