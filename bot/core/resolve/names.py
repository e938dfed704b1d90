"""Names that are put together from others."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.model.platform import Environment

LONGEST = 63
"""What Kubernetes allows for a namespace or a label."""


def namespace_of(environment: Environment, service: str, team: str) -> str:
    """The namespace by the environment's rule."""
    rule = str(environment.value["namespace"])
    return filled(rule, {"service": service, "team": team, "env": environment.name})


def filled(text: str, names: Mapping[str, str]) -> str:
    """`text` with `{service}` and the like filled in; other braces stay. The names hold no braces themselves."""
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
