"""Label selectors, as Kubernetes reads them."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.policy.model import Requirement, Selector


def selects(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether the labels satisfy every requirement. `NotIn` holds where the label is absent."""
    return all(_holds(one, labels) for one in selector)


def _holds(one: Requirement, labels: Mapping[str, str]) -> bool:
    match one.operator:
        case "In":
            return labels.get(one.key) in one.values
        case "NotIn":
            return labels.get(one.key) not in one.values
        case "Exists":
            return one.key in labels
        case "DoesNotExist":
            return one.key not in labels
        case _:
            raise ValueError(f"{one.operator} is no operator of a selector")
