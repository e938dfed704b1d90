"""Money: sums of decimal strings, never of floats."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from bot.core.model.unit import Facts


def total(costs: Iterable[str]) -> str:
    """The sum of monthly amounts as a plain decimal string."""
    return plain(sum((Decimal(cost) for cost in costs), Decimal(0)))


def difference(before: str, after: str) -> str:
    """What more is paid a month after than before; negative where it is less."""
    return plain(Decimal(after) - Decimal(before))


def by_environment(facts: Iterable[Facts]) -> Mapping[str, str]:
    """Monthly cost per environment, sorted by name. What waits for its first release runs nowhere and costs nothing
    but its data, which is there before it."""
    sums: dict[str, list[str]] = defaultdict(list)
    for found in facts:
        sums[found.unit[1]].append(found.cost)
    return {environment: total(sums[environment]) for environment in sorted(sums)}


def plain(amount: Decimal) -> str:
    """Without exponent and trailing zeros: 45.00 is `45`, 0 is `0`."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text
