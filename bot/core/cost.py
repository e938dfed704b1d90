"""Money: sums of decimal strings, never of floats."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal


def total(costs: Iterable[str]) -> str:
    """The sum of monthly amounts as a plain decimal string."""
    return plain(sum((Decimal(cost) for cost in costs), Decimal(0)))


def difference(before: str, after: str) -> str:
    """What more is paid a month after than before; negative where it is less."""
    return plain(Decimal(after) - Decimal(before))


def plain(amount: Decimal) -> str:
    """Without exponent and trailing zeros: 45.00 is `45`, 0 is `0`."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text
