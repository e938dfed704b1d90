"""Which requests a policy and a binding are about, as the cluster decides it."""

from __future__ import annotations

from bot.core.policy.asking import Request, labels_of
from bot.core.policy.model import Match, ResourceRule
from bot.core.policy.selecting import selects


def matches(match: Match, request: Request) -> bool:
    """Whether the request is one of those. Selectors first, then what is excluded, then the rules; no rules: all."""
    inside = bool(request.namespace) or request.is_namespace
    if inside and not selects(match.namespaces, request.namespace_labels):
        return False
    if match.objects and not any(
        isinstance(side, dict) and selects(match.objects, labels_of(side)) for side in (request.object, request.old)
    ):
        return False
    if any(_rule(rule, request) for rule in match.excluded):
        return False
    return not match.rules or any(_rule(rule, request) for rule in match.rules)


def _rule(rule: ResourceRule, request: Request) -> bool:
    return (
        _scope(rule.scope, request)
        and _in(rule.operations, request.operation)
        and _in(rule.groups, request.group)
        and _in(rule.versions, request.version)
        and _in(rule.resources, request.resource)
        and (not rule.names or request.name in rule.names)
    )


def _in(words: frozenset[str], word: str) -> bool:
    return "*" in words or word in words


def _scope(scope: str, request: Request) -> bool:
    cluster = request.is_namespace or not request.namespace
    return scope == "*" or cluster == (scope == "Cluster")
