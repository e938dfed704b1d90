"""Cron lines of five fields: minute, hour, day of month, month, day of week. Only what freezes and schedules need."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:(?P<all>\*)|(?P<low>\w{1,3})(?:-(?P<high>\w{1,3}))?)(?:/(?P<step>[0-9]{1,3}))?", re.ASCII)
_MOST_DAYS = 366 * 9
"""How far back a start is looked for: the 29th of February can be eight years away."""


@dataclass(frozen=True, slots=True)
class Cron:
    """When something begins, in wall-clock time. `either`: a day fits by its number or by its weekday, as in cron where
    both are given; else it must fit by both."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either: bool

    def latest(self, now: int, zone: tzinfo) -> int | None:
        """The last start at or before `now`, both seconds since 1970; None where there is none in nine years."""
        today = datetime.fromtimestamp(now, zone).date()
        for back in range(_MOST_DAYS):
            day = today - timedelta(days=back)
            if self._on(day):
                found = [at for at in self._starts(day, zone) if at <= now]
                if found:
                    return max(found)
        return None

    def following(self, now: int, zone: tzinfo) -> int | None:
        """The first start after `now`; None where there is none in nine years."""
        today = datetime.fromtimestamp(now, zone).date()
        for ahead in range(_MOST_DAYS):
            day = today + timedelta(days=ahead)
            found = [at for at in self._starts(day, zone) if at > now] if self._on(day) else []
            if found:
                return min(found)
        return None

    def _on(self, day: date) -> bool:
        number, weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (number or weekday if self.either else number and weekday)

    def _starts(self, day: date, zone: tzinfo) -> list[int]:
        # A time that a change of clocks skips begins an hour later, one that comes twice begins at the first.
        return [
            int(datetime.combine(day, time(hour, minute), zone).astimezone(UTC).timestamp())
            for hour in self.hours
            for minute in self.minutes
        ]


def parse_cron(line: str) -> Cron | str:
    """The line read, or what is wrong with it, as words."""
    parts = line.split()
    if len(parts) != len(_FIELDS):
        return f"it has {len(parts)} fields, a cron line has five"
    sets: list[frozenset[int]] = []
    for text, (name, low, high, names) in zip(parts, _FIELDS, strict=True):
        found = _field(text, low, high, names)
        if found is None:
            return f"`{text}` is no {name}"
        sets.append(found)
    minutes, hours, days, months, weekdays = sets
    weekdays = frozenset(day % 7 for day in weekdays)
    if not any(day <= monthrange(2024, month)[1] for month in months for day in days):
        return f"no month of it has a day {min(days)}"
    either = parts[2] != "*" and parts[4] != "*"
    return Cron(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, either)


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of that name in the IANA database, None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A folder of the database, or a name that is no path, is no zone either.
        return None


def _field(text: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int] | None:
    found: set[int] = set()
    for part in text.lower().split(","):
        some = _part(part, low, high, names)
        if not some:
            return None
        found |= some
    return frozenset(found)


def _part(text: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    """The values of one part; empty where it is none."""
    match = _PART.fullmatch(text)
    if match is None:
        return set()
    step = int(match["step"] or 1)
    first, last = low, high
    if match["all"] is None:
        start = _number(match["low"], low, names)
        # `5/15` goes on to the end, `5` does not.
        end = _number(match["high"], low, names) if match["high"] else (high if match["step"] else start)
        if start is None or end is None:
            return set()
        first, last = start, end
    if step < 1 or not low <= first <= last <= high:
        return set()
    return set(range(first, last + 1, step))


def _number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text in names:
        return names.index(text) + low
    return int(text) if text.isdecimal() and text.isascii() else None
