"""Kubernetes' named formats: what a name, a label or a date must look like, and what is said where it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.rows import rows
from bot.core.cel.urls import read_request
from bot.core.cel.values import NONE, Opaque, Optional

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_ASCII_WORDS: Final = "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
_UUID = re.compile("[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_BASE64 = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})", re.ASCII)
_DATE = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))", re.ASCII)

Said = list[str]


def _pattern_said(must: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{one}', " for one in examples)
    return f"{must} (e.g. {shown}regex used for validation is '{pattern}')"


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.ASCII) is not None


def _size(text: str, most: int) -> Said:
    return [f"must be no more than {most} characters"] if len(text.encode()) > most else []


def _label(text: str) -> Said:
    said = _size(text, 63)
    if not _matches(_LABEL, text):
        said.append(
            "must not contain dots"
            if _matches(_SUBDOMAIN, text)
            else _pattern_said(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start"
                " and end with an alphanumeric character",
                _LABEL,
                "my-name",
                "123-abc",
            )
        )
    return said


def _label_1035(text: str) -> Said:
    said = _size(text, 63)
    if not _matches(_LABEL_1035, text):
        said.append(
            _pattern_said(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic"
                " character, and end with an alphanumeric character",
                _LABEL_1035,
                "my-name",
                "abc-123",
            )
        )
    return said


def _subdomain(text: str) -> Said:
    said = _size(text, 253)
    if not _matches(_SUBDOMAIN, text):
        said.append(
            _pattern_said(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and"
                " must start and end with an alphanumeric character",
                _SUBDOMAIN,
                "example.com",
            )
        )
    return said


def _name_said() -> str:
    return _pattern_said(f"must consist of {_ASCII_WORDS}", _QUALIFIED, "MyName", "my.name", "123-abc")


def _qualified(text: str) -> Said:
    parts = text.split("/")
    if len(parts) > 2:
        optional = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a qualified name {_name_said()}{optional}"]
    said: Said = []
    if len(parts) == 2:
        wrong = _subdomain(parts[0]) if parts[0] else ["must be non-empty"]
        said += [f"prefix part {one}" for one in wrong]
    name = parts[-1]
    if name == "":
        said.append("name part must be non-empty")
    else:
        said += [f"name part {one}" for one in _size(name, 63)]
    if not _matches(_QUALIFIED, name):
        said.append(f"name part {_name_said()}")
    return said


def _label_value(text: str) -> Said:
    said = _size(text, 63)
    if not _matches(f"({_QUALIFIED})?", text):
        said.append(
            _pattern_said(
                f"a valid label must be an empty string or consist of {_ASCII_WORDS}",
                f"({_QUALIFIED})?",
                "MyValue",
                "my_value",
                "12345",
            )
        )
    return said


def _uri(text: str) -> Said:
    try:
        read_request(text)
    except Failure as failure:
        return [failure.message]
    return []


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    try:
        # Year 0 is a leap year of Go's calendar; 2000 has the same days.
        date(year or 2000, month, day)
    except ValueError:
        return False
    return True


def _is_datetime(text: str) -> bool:
    parts = text.lower().split("t")
    if len(text) < 4 or len(parts) < 2 or not _is_date(parts[0]):
        return False
    found = _CLOCK.fullmatch(parts[1])
    return found is not None and found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


def _test(works: Callable[[str], bool], said: str) -> Callable[[str], Said]:
    return lambda text: [] if works(text) else [said]


def _prefix(check: Callable[[str], Said]) -> Callable[[str], Said]:
    """A prefix may end in a dash, since something will follow it."""
    return lambda text: check(f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text)


FORMATS: Final[Mapping[str, Callable[[str], Said]]] = {
    "dns1123Label": _label,
    "dns1123Subdomain": _subdomain,
    "dns1035Label": _label_1035,
    "qualifiedName": _qualified,
    "dns1123LabelPrefix": _prefix(_label),
    "dns1123SubdomainPrefix": _prefix(_subdomain),
    "dns1035LabelPrefix": _prefix(_label_1035),
    "labelValue": _label_value,
    "uri": _uri,
    "uuid": _test(lambda text: _UUID.fullmatch(text) is not None, "does not match the UUID format"),
    "byte": _test(lambda text: _BASE64.fullmatch(text) is not None, "invalid base64"),
    "date": _test(_is_date, "invalid date"),
    "datetime": _test(_is_datetime, "invalid datetime"),
}
"""Name -> what is wrong with a text; nothing where it is valid."""


@dataclass(frozen=True, slots=True)
class Format(Opaque):
    """One of FORMATS."""

    name: str

    type_name = "kubernetes.NamedFormat"


def _validate(format_: Format, text: str) -> Optional:
    said = FORMATS[format_.name](text)
    return Optional(said, True) if said else NONE


NAMED: Final = rows(
    {
        "Format.validate(string) -> optional(list(string))": _validate,
        "format.named(string) -> optional(Format)": lambda name: (
            Optional(Format(name), True) if name in FORMATS else NONE
        ),
        **{f"format.{name}() -> Format": (lambda found: lambda: found)(Format(name)) for name in FORMATS},
    }
)
