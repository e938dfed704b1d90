"""A service in an environment as policies see it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.model.unit import Effective
from bot.core.model.values import Value
from bot.core.policy.kinds import text_of


def workload_of(
    effective: Effective,
    environment: str,
    team: str,
    tier: int,
    namespace: str | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Value:
    """The service as `causeway.dev/v1`, kind `Workload`: the effective manifest as `spec`, labels `env`, `team` and
    `tier`, and as annotations what the environment says that policies ask about. It lives in the service's namespace
    where one is given, and no cluster ever sees it."""
    metadata: dict[str, Value] = {
        "name": effective.name,
        "labels": {"env": environment, "team": team, "tier": str(tier)},
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    place = namespace or text_of(effective.value, "namespace")
    if place:
        metadata["namespace"] = place
    return {"apiVersion": "causeway.dev/v1", "kind": "Workload", "metadata": metadata, "spec": dict(effective.value)}
