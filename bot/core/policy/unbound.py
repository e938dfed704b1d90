"""Policies that nothing binds, put to work: to try one before its binding is written."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.core.policy.load import load_policies
from bot.core.policy.model import Policy, PolicySet
from bot.core.problem import Refusal


def all_bound(policies: PolicySet) -> PolicySet | Refusal:
    """The set, with a binding that denies for each policy that has none. It gives every parameter that is there, and
    where the policy wants one and there is none, it denies."""
    files = {
        f"bindings/{policy.name}.yaml": json.dumps(_binding(policy)).encode()
        for policy in policies.policies
        if not policies.bindings.get(policy.name)
    }
    return load_policies({**policies.files, **files}, policies.shipped) if files else policies


def _binding(policy: Policy) -> Mapping[str, object]:
    params: Mapping[str, object] = (
        {} if policy.param_kind is None else {"paramRef": {"selector": {}, "parameterNotFoundAction": "Deny"}}
    )
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": policy.name},
        "spec": {"policyName": policy.name, "validationActions": ["Deny"], **params},
    }
