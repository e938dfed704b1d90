"""Room 07, the part of policies: what a policy refuses, and what is wrong with a policy."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import Entry

_FILE = "platform/policies/replicas.yaml"
_PARAMS = "platform/policies/params/limits.yaml"
_BINDING = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replicas}
spec: {policyName: replicas, validationActions: [Deny]}
"""


def _policy(
    validation: str = "{expression: object.spec.replicas <= 5}",
    more: str = "",
    rule: str = "{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}",
    binding: str = _BINDING,
) -> Mapping[str, str]:
    return {
        _FILE: "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\n"
        f"metadata: {{name: replicas}}\nspec:\n{more}  matchConstraints:\n    resourceRules:\n    - {rule}\n"
        f"  validations:\n  - {validation}\n{binding}"
    }


def _kyverno(more: str) -> Mapping[str, str]:
    return {
        _FILE: "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {name: replicas}\nspec:\n"
        f"{more}  matchConstraints:\n    resourceRules:\n    - {{apiGroups: [apps], apiVersions: [v1], "
        "operations: [CREATE], resources: [deployments]}\n  validations:\n  - {expression: object.spec.replicas <= 5}\n"
    }


_KIND = "  paramKind: {apiVersion: v1, kind: ConfigMap}\n"
_LIMITS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: limits, namespace: policies}\ndata: {replicas: '5'}\n"
_BY_LIMITS = "{expression: object.spec.replicas <= int(params.data.replicas)}"
_REF = _BINDING.replace(
    "Deny]}", "Deny], paramRef: {name: limits, namespace: policies, parameterNotFoundAction: Allow}}"
)

ENTRIES: Mapping[str, Entry] = {
    "CW0709": Entry(
        "a policy advises otherwise",
        "An expression of a policy that only warns is not true for something that this change brings.",
        "Nothing waits for it. It is told with the change that brings it, and not with each later one.",
        {"services/checkout/platform.yaml": "scale: 9\n", **_policy(binding=_BINDING.replace("[Deny]", "[Warn]"))},
        {"services/checkout/platform.yaml": "scale: 5\n", **_policy(binding=_BINDING.replace("[Deny]", "[Warn]"))},
    ),
    "CW0710": Entry(
        "a policy refuses this",
        "An expression of a policy is not true for an object that this change renders.",
        "The platform team wrote the policy; its own message says what it guards. A cluster that holds the same policy "
        "would refuse the object too.",
        {"services/checkout/platform.yaml": "scale: 9\n", **_policy()},
        {"services/checkout/platform.yaml": "scale: 5\n", **_policy()},
    ),
    "CW0711": Entry(
        "a policy cannot be worked out",
        "An expression of a policy ends in an error, gives no boolean, or takes too much time or memory. That denies.",
        "A policy that lets pass what it cannot judge would guard nothing.",
        _policy("{expression: object.metadata.annotations.owner != ''}"),
        _policy("{expression: \"object.metadata.?annotations.owner.orValue('') != ''\"}"),
    ),
    "CW0712": Entry(
        "a document that is no policy",
        "A file of `platform/policies` holds a document of another kind than policies and bindings.",
        "It would judge nothing, and nobody would notice. Parameters belong into the folder `params`.",
        {_FILE: _LIMITS, _PARAMS: _LIMITS.replace("limits", "others")},
        {_PARAMS: _LIMITS},
    ),
    "CW0713": Entry(
        "an expression that cannot be read",
        "An expression is not written in CEL, or names a variable that is not there.",
        "An expression that cannot be worked out denies everything that the policy matches.",
        _policy("{expression: object.spec.replicas <}"),
        _policy("{expression: object.spec.replicas < 9}"),
    ),
    "CW0714": Entry(
        "a function that is not there",
        "An expression calls a function that is not in the published table of CEL functions.",
        "An expression that cannot be worked out denies everything that the policy matches.",
        _policy("{expression: object.metadata.name.toLower() == 'a'}"),
        _policy("{expression: object.metadata.name.lowerAscii() == 'a'}"),
    ),
    "CW0715": Entry(
        "a policy asks for what no review knows",
        "An expression reads who asks (`authorizer`, `request.userInfo`) or how, or a rule names a subresource.",
        "A review sees what will be applied, and not who applies it; a policy that needs this belongs to the cluster "
        "alone.",
        _policy("{expression: \"'admins' in request.userInfo.groups\"}"),
        _policy("{expression: request.operation == 'CREATE'}"),
    ),
    "CW0716": Entry(
        "a binding of no policy",
        "A binding names a policy that is in none of the files.",
        "It puts nothing to work, and nobody would notice.",
        _policy(binding=_BINDING.replace("policyName: replicas", "policyName: replica")),
        _policy(),
    ),
    "CW0717": Entry(
        "a name that stands twice",
        "Two policies, two bindings, two parameters, or two variables or conditions of a policy have one name.",
        "Which of the two counts would be chance; a cluster holds only one.",
        _policy(binding=_BINDING + _BINDING),
        _policy(),
    ),
    "CW0718": Entry(
        "a field of Kyverno without a meaning here",
        "A Kyverno policy says something that a ValidatingAdmissionPolicy has no field for.",
        "The policy would judge otherwise in a review than Kyverno does in the cluster.",
        _kyverno("  evaluation: {mode: JSON}\n"),
        _kyverno("  evaluation: {mode: Kubernetes}\n"),
    ),
    "CW0719": Entry(
        "a policy that contradicts itself",
        "Fields of a policy or a binding exclude each other.",
        "A cluster refuses such a policy, so it would guard only half of what it should.",
        _policy(binding=_BINDING.replace("[Deny]", "[Deny, Warn]")),
        _policy(binding=_BINDING.replace("[Deny]", "[Deny, Audit]")),
    ),
    "CW0720": Entry(
        "a policy that would ignore its errors",
        "A policy says `failurePolicy: Ignore`. It is judged as `Fail`, and this is a warning.",
        "An error of the policy would let everything pass.",
        _policy(more="  failurePolicy: Ignore\n"),
        _policy(more="  failurePolicy: Fail\n"),
    ),
    "CW0721": Entry(
        "a policy without a binding",
        "No binding names the policy. This is a warning.",
        "It judges nothing, here and in a cluster.",
        _policy(binding=""),
        _policy(),
    ),
    "CW0722": Entry(
        "a policy that matches nothing",
        "The rules of a policy match no kind that is rendered. This is a warning.",
        "It judges nothing in a review; often a plural or a group is misspelt.",
        _policy(rule="{apiGroups: [app], apiVersions: [v1], operations: [CREATE], resources: [deployments]}"),
        _policy(),
    ),
    "CW0723": Entry(
        "a variable in an unusual way",
        "An expression uses `variables` otherwise than as `variables.name`.",
        "A cluster refuses such an expression.",
        _policy(
            "{expression: \"object.spec.replicas <= variables['most']\"}",
            "  variables: [{name: most, expression: '5'}]\n",
        ),
        _policy(
            "{expression: object.spec.replicas <= variables.most}", "  variables: [{name: most, expression: '5'}]\n"
        ),
    ),
    "CW0724": Entry(
        "a version that is not written",
        "A rule names only another version of a kind than the one that is rendered.",
        "A cluster would convert the object before it judges; a review does not convert.",
        _policy(
            rule="{apiGroups: [autoscaling], apiVersions: [v1], operations: [CREATE], "
            "resources: [horizontalpodautoscalers]}"
        ),
        _policy(
            rule="{apiGroups: [autoscaling], apiVersions: [v2], operations: [CREATE], "
            "resources: [horizontalpodautoscalers]}"
        ),
    ),
    "CW0725": Entry(
        "parameters that are missing",
        "A binding finds no parameters and says `parameterNotFoundAction: Allow`. This is a warning.",
        "The policy lets everything pass.",
        _policy(_BY_LIMITS, _KIND, binding=_REF),
        {**_policy(_BY_LIMITS, _KIND, binding=_REF), _PARAMS: _LIMITS},
    ),
}
