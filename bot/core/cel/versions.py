"""Semantic versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.rows import rows
from bot.core.cel.values import LARGEST, LARGEST_UINT, Opaque

_NUMBER: Final = "(0|[1-9][0-9]*)"
_PART: Final = "[0-9A-Za-z-]+"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+({_PART}(?:\.{_PART})*))?", re.ASCII
)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_LONGEST: Final = 1_000

Release = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Semver(Opaque):
    """A version. `ahead` are the parts of a pre-release, in a form that sorts as versions do."""

    numbers: tuple[int, int, int]
    ahead: Release

    type_name = "kubernetes.Semver"

    def same(self, other: Opaque) -> bool:
        return isinstance(other, Semver) and _compare(self, other) == 0


def _semver(text: str, normalize: bool = False) -> Semver:
    if len(text) > _LONGEST:
        raise Failure(f"a version of more than {_LONGEST} characters")
    found = _VERSION.fullmatch(_normal(text) if normalize else text)
    if found is None:
        raise Failure(f'no semantic version: "{text}"')
    numbers = (int(found[1]), int(found[2]), int(found[3]))
    parts = found[4].split(".") if found[4] else []
    digits = [part for part in parts if _DIGITS.fullmatch(part)]
    if any(len(part) > 1 and part[0] == "0" for part in digits):
        raise Failure(f'numeric pre-release parts have no leading zeros: "{text}"')
    if max((*numbers, *map(int, digits))) > LARGEST_UINT:
        raise Failure(f'a number of the version outgrows 64 bits: "{text}"')
    return Semver(numbers, tuple(_sortable(part) for part in parts))


def _sortable(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if _DIGITS.fullmatch(part) else (1, 0, part)


def _normal(text: str) -> str:
    """Without a leading v and leading zeros, with all three numbers."""
    parts = text.removeprefix("v").split(".", 2)
    for at, part in enumerate(parts):
        if len(part) > 1:
            rest = part.lstrip("0")
            parts[at] = rest if rest and rest[0] in "0123456789" else f"0{rest}"
    if len(parts) < 3:
        if "+" in parts[-1] or "-" in parts[-1]:
            raise Failure("short version cannot contain PreRelease/Build meta data")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def _signed(number: int) -> int:
    """The cluster takes the 64 bits of the number for an int, so the largest come out negative."""
    return number - 2**64 if number > LARGEST else number


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _semver(text, normalize)
    except Failure:
        return False
    return True


def _compare(one: Semver, two: Semver) -> int:
    # A version without a pre-release comes after every pre-release of it.
    left, right = ((part.numbers, not part.ahead, part.ahead) for part in (one, two))
    return int(left > right) - int(left < right)


SEMVERS: Final = rows(
    {
        "semver(string) -> Semver": _semver,
        "semver(string, bool) -> Semver": _semver,
        "isSemver(string) -> bool": _is_semver,
        "isSemver(string, bool) -> bool": _is_semver,
        "Semver.major() -> int": lambda one: _signed(one.numbers[0]),
        "Semver.minor() -> int": lambda one: _signed(one.numbers[1]),
        "Semver.patch() -> int": lambda one: _signed(one.numbers[2]),
        "Semver.compareTo(Semver) -> int": _compare,
        "Semver.isGreaterThan(Semver) -> bool": lambda one, two: _compare(one, two) == 1,
        "Semver.isLessThan(Semver) -> bool": lambda one, two: _compare(one, two) == -1,
    }
)
