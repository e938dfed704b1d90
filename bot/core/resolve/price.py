"""What a unit-environment costs a month."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from bot.core.kit.content import money
from bot.core.model.values import Value

_Map = Mapping[str, Value]


def monthly(prices: _Map, size: _Map, scale: _Map, needs: _Map) -> str:
    """The environment's price of the size times the fewest replicas, plus every need, as a decimal string in the
    platform's currency. A size of one's own, or one without a price, counts nothing: an estimate must not pretend."""
    name = size["name"]
    each = Decimal(str(prices[str(name)])) if name is not None and name in prices else Decimal(0)
    total = each * cast(int, scale["min"])
    total += sum((Decimal(str(cast(_Map, need)["price"])) for need in needs.values()), Decimal(0))
    return money(str(total))
