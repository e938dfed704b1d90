"""Numbers in words: counts, money, lists of names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

from bot.core.words.inline import Line, code, joined, line, own, user

# By name, since they are easily taken for a hyphen and the letter x.
MINUS, DASH, TIMES = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"

_IRREGULAR = {"is": "are", "changes": "change", "leaves": "leave", "does": "do"}


def count(number: int, thing: str) -> str:
    """`1 service`, `2 services`, `1,200 services`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def verb(number: int, word: str) -> str:
    """`changes` for one, `change` for more."""
    return word if number == 1 else _IRREGULAR.get(word, word)


def amount(value: object) -> Decimal:
    """A decimal string as a number; 0 for anything else."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() and abs(number) < Decimal("1e15") else Decimal(0)


def money(number: Decimal, signed: bool = False) -> str:
    """`$214`, `$4.50`, `+$222`, minus `$3`."""
    digits = f"{abs(number):,.2f}".removesuffix(".00")
    sign = MINUS if number < 0 else "+" if signed else ""
    return f"{sign}${digits}"


def about(time: str) -> Line:
    """`≈ 15 min` from the `15m` of a recipe; other forms as they are."""
    units = {"s": "s", "m": "min", "h": "h", "d": "days"}
    digits, unit = time[:-1], time[-1:]
    if digits.isascii() and digits.isdigit() and unit in units and len(digits) < 6:
        return (own(f"≈ {int(digits)} {units[unit]}"),)
    return line("≈ ", user(time, 20))


def names(items: Sequence[str], most: int = 6, as_code: bool = False, last: str | None = None) -> Line:
    """`a, b, c`; beyond `most`, the first ones `and 7 more`."""
    show: list[Line] = [(code(item, 120) if as_code else user(item, 60),) for item in items[:most]]
    rest = len(items) - len(show)
    return line(joined(show), f" and {rest:,} more") if rest else joined(show, last=last)


def places(environments: Sequence[str]) -> Line:
    """`dev, staging, prod`; a number of them beyond six."""
    if len(environments) > 6:
        return (own(count(len(environments), "environment")),)
    return names(environments)


def unique(items: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order of first appearance."""
    return tuple(dict.fromkeys(items))
