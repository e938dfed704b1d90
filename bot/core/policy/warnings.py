"""What is no error in policies, but not what somebody expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.core.policy.kinds import EXEMPT, KINDS
from bot.core.policy.model import Binding, Match, Param, Policy
from bot.core.policy.params import params_for
from bot.core.problem import Problem


def warnings(
    policies: Sequence[Policy], bindings: Mapping[str, tuple[Binding, ...]], params: Sequence[Param]
) -> Iterator[Problem]:
    """A warning for each policy that judges otherwise than it seems to, or nothing at all."""
    for policy in policies:
        bound = bindings.get(policy.name, ())
        if policy.ignores_failure:
            place = policy.doc.at(("spec", "failurePolicy"))
            yield _warning(
                policy.path, place.line, place.column, "CW0720", f"`{policy.name}` says `failurePolicy: Ignore`",
                "an error of the policy would let everything pass; here an error denies",
                "write `Fail`, or leave it out, so that the cluster does the same",
            )  # fmt: skip
        if not bound:
            yield _at(policy, "CW0721", f"`{policy.name}` has no binding", "it judges nothing",
                      "add a ValidatingAdmissionPolicyBinding that names it")  # fmt: skip
        elif not any(reaches(policy.match) and reaches(binding.match) for binding in bound):
            yield _at(
                policy, "CW0722", f"`{policy.name}` matches no kind that is rendered here",
                "it judges nothing in a review", "check `apiGroups`, `apiVersions`, `resources` and `operations`",
            )  # fmt: skip
        for binding in bound:
            yield from _params(policy, binding, params)


def _params(policy: Policy, binding: Binding, params: Sequence[Param]) -> Iterator[Problem]:
    ref = binding.param_ref
    if policy.param_kind is None or ref is None or not ref.allow_missing:
        return
    if ref.namespace is None and policy.param_kind.namespaced:
        return  # which namespace, only the object says
    if not params_for(params, policy.param_kind, ref, None):
        yield _warning(
            ref.place.path, ref.place.line, ref.place.column, "CW0725",
            f"`{binding.name}` finds no parameters and says `parameterNotFoundAction: Allow`",
            "the policy lets everything pass", "add the parameters below `params`, or write `Deny`",
        )  # fmt: skip


def reaches(match: Match) -> bool:
    """Whether the rules can match anything that a review sees."""
    return not match.rules or any(
        rule.groups & {group, "*"} and rule.versions & {kind.versions[0], "*"} and rule.resources & {kind.plural, "*"}
        and rule.operations & {"CREATE", "UPDATE", "DELETE", "*"}
        and rule.scope in ("*", "Namespaced" if kind.namespaced else "Cluster")
        for rule in match.rules for (group, _), kind in KINDS.items() if group != EXEMPT
    )  # fmt: skip


def _at(policy: Policy, code: str, message: str, why: str, fix: str) -> Problem:
    return _warning(policy.path, policy.place.line, policy.place.column, code, message, why, fix)


def _warning(path: str, line: int, column: int, code: str, message: str, why: str, fix: str) -> Problem:
    return Problem(path, line, column, code, message, why, fix, "warning")
