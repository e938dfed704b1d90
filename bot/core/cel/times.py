"""Timestamps and durations."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.operators import MOST_NANOS, moment
from bot.core.cel.rows import rows
from bot.core.cel.values import Duration, Timestamp

_SECOND: Final = 10**9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {
    "ns": 1, "us": 10**3, "\u00b5s": 10**3, "\u03bcs": 10**3, "ms": 10**6, "s": _SECOND, "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}  # fmt: skip
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)", re.ASCII)
_DURATION = re.compile(rf"[+-]?(?:{_PART.pattern})+", re.ASCII)
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
_ZONE = re.compile(r"([+-]?)([0-9]+):([+-]?[0-9]+)", re.ASCII)
_LONGEST: Final = 100


def read_duration(text: str) -> Duration:
    """`1h30m`, `-1.5s`, `0`: what Go's time package reads. Failure for anything else."""
    if text in ("0", "+0", "-0"):
        return Duration(0)
    if len(text) > _LONGEST or not _DURATION.fullmatch(text):
        raise Failure("type conversion error from 'string' to 'google.protobuf.Duration'")
    nanos = 0
    for amount, unit in _PART.findall(text):
        front, _, back = amount.partition(".")
        nanos += int(front or 0) * _UNITS[unit] + int(back or 0) * _UNITS[unit] // 10 ** len(back)
    nanos = -nanos if text[0] == "-" else nanos
    if not -MOST_NANOS - 1 <= nanos <= MOST_NANOS:
        raise Failure("type conversion error from 'string' to 'google.protobuf.Duration'")
    return Duration(nanos)


def read_timestamp(text: str) -> Timestamp:
    """RFC 3339, as Go reads it. Failure for anything else."""
    wrong = Failure("type conversion error from 'string' to 'google.protobuf.Timestamp'")
    found = _MOMENT.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise wrong
    year, month, day, hour, minute, second = (int(found[at]) for at in range(1, 7))
    sign, zone_hour, zone_minute = found[8] or "+", int(found[9] or 0), int(found[10] or 0)
    if zone_hour > 24 or zone_minute > 59:
        raise wrong
    try:
        # Year 0 exists in the calendar of Go and not in Python's; it lies before the first moment anyway.
        at = datetime(year or 1, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise wrong from None
    if year == 0:
        raise Failure("timestamp overflow")
    fraction = int((found[7] or "0")[:9].ljust(9, "0"))
    shift = (zone_hour * 3600 + zone_minute * 60) * (1 if sign == "+" else -1)
    return moment((int((at - _EPOCH).total_seconds()) - shift) * _SECOND + fraction, shift)


def text_of_timestamp(value: Timestamp) -> str:
    """RFC 3339 in the zone in which it was written; as many decimals as it needs."""
    seconds, nanos = divmod(value.nanos, _SECOND)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    hours, minutes = divmod(abs(value.shift) // 60, 60)
    zone = f"{'-' if value.shift < 0 else '+'}{hours:02d}:{minutes:02d}" if value.shift else "Z"
    try:
        local = _EPOCH + timedelta(seconds=seconds + value.shift)
    except OverflowError:
        raise Failure("timestamp overflow") from None
    return f"{local.replace(tzinfo=None).isoformat()}{fraction}{zone}"


def text_of_duration(value: Duration) -> str:
    """Seconds with as many decimals as a double needs, and an `s`."""
    whole, rest = divmod(abs(value.nanos), _SECOND)
    seconds = whole + rest / _SECOND
    with localcontext(prec=40):
        text = f"{Decimal(repr(seconds)):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{'-' if value.nanos < 0 else ''}{text}s"


def _local(value: Timestamp, zone: str) -> datetime:
    shift = timedelta()
    if zone not in ("UTC", ""):
        found = _ZONE.fullmatch(zone)
        if found is None:
            # Names of zones need a file of the machine, and the same policy must mean the same everywhere.
            raise Failure(f"unknown time zone {zone}")
        minutes = int(found[2]) * 60
        minutes = -minutes - int(found[3]) if found[1] == "-" else minutes + int(found[3])
        if abs(minutes) >= 24 * 60:
            raise Failure(f"unknown time zone {zone}")
        shift = timedelta(minutes=minutes)
    try:
        return _EPOCH + timedelta(seconds=value.nanos // _SECOND) + shift
    except OverflowError:
        raise Failure("timestamp overflow") from None


_FIELDS: Final[dict[str, Callable[[datetime], int]]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
}


def _field(read: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda value, zone="UTC": read(_local(value, zone))


def _millis(value: Timestamp, zone: str = "UTC") -> int:
    _local(value, zone)
    return value.nanos % _SECOND // 10**6


def _towards_zero(unit: int) -> Callable[[Duration], int]:
    return lambda value: (abs(value.nanos) // unit) * (-1 if value.nanos < 0 else 1)


TIMES: Final = rows(
    {
        "timestamp(timestamp) -> timestamp": lambda value: value,
        "timestamp(string) -> timestamp": read_timestamp,
        "timestamp(int) -> timestamp": lambda value: moment(value * _SECOND),
        "duration(duration) -> duration": lambda value: value,
        "duration(string) -> duration": read_duration,
        "int(timestamp) -> int": lambda value: value.nanos // _SECOND,
        "int(duration) -> int": lambda value: value.nanos,
        **{f"timestamp.{name}() -> int": _field(read) for name, read in _FIELDS.items()},
        **{f"timestamp.{name}(string) -> int": _field(read) for name, read in _FIELDS.items()},
        "timestamp.getMilliseconds() -> int": _millis,
        "timestamp.getMilliseconds(string) -> int": _millis,
        "duration.getHours() -> int": _towards_zero(3600 * _SECOND),
        "duration.getMinutes() -> int": _towards_zero(60 * _SECOND),
        "duration.getSeconds() -> int": _towards_zero(_SECOND),
        "duration.getMilliseconds() -> int": _towards_zero(10**6),
    },
    standard=True,
)

TEXTS_OF_TIMES: Final = rows(
    {
        "string(timestamp) -> string": text_of_timestamp,
        "string(duration) -> string": text_of_duration,
    }
)
