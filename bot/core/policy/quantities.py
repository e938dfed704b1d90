"""Quantities as Kubernetes writes them: `0.5` is `500m`, `1024Mi` is `1Gi`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?")
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BY_POWER: Final = {power: sign for sign, power in _DECIMAL.items()}


def canonical(value: Any) -> Any:
    """The quantity in its canonical form; what is none is given back as it is, for the cluster to refuse."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    found = _QUANTITY.fullmatch(str(value))
    if found is None or len(str(value)) > 64:
        return value
    number, sign = Decimal(found[1]), found[2] or ""
    if sign in _BINARY and sign:
        amount = number * 1024 ** _BINARY.index(sign)
        if amount == amount.to_integral_value() and (abs(amount) >= 1024 or not amount):
            return _binary(int(amount))
        return _decimal(amount, "")
    if sign[:1] in ("e", "E") and len(sign) > 1:
        return _decimal(number.scaleb(int(sign[1:])), "e")
    return _decimal(number.scaleb(_DECIMAL[sign]), "")


def _binary(amount: int) -> str:
    power = 0
    while amount and amount % 1024 == 0 and power < len(_BINARY) - 1:
        amount, power = amount // 1024, power + 1
    return f"{amount}{_BINARY[power]}"


def _decimal(amount: Decimal, form: str) -> str:
    if not amount:
        return "0"
    nano = amount.scaleb(9)
    whole = int(nano.to_integral_value(rounding="ROUND_UP"))
    power = -9
    while whole % 1000 == 0 and power < 18:
        whole, power = whole // 1000, power + 3
    sign = _BY_POWER[power]
    if form == "e":
        return f"{whole}e{power}" if power else str(whole)
    return f"{whole}{sign}"
