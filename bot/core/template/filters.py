"""The filters and tests of the template language: all there are, and each is pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import sha256
from typing import Final

from bot.core import text as encoders
from bot.core.emit import canonical, emit_json
from bot.core.model.values import Value
from bot.core.template.limits import MOST_ITEMS, TemplateError, capped, text, whole

_LABEL: Final = 63


def _join(value: Value, between: Value = "") -> str:
    return capped(text(between).join([text(item) for item in _items(value)]))


def _length(value: Value) -> int:
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise TemplateError("only texts, lists and maps have a length", "give one of them")


def _replace(value: Value, old: Value, new: Value) -> str:
    if not text(old):
        raise TemplateError("`replace` looks for an empty text", "name what is replaced")
    source = text(value)
    if len(source) + source.count(text(old)) * len(text(new)) > 2**20:
        raise TemplateError("`replace` would make a text of more than a million characters", "replace less")
    return capped(source.replace(text(old), text(new)))


def _sort(value: Value) -> list[Value]:
    items = _items(value)
    if all(isinstance(item, str) for item in items):
        return sorted(items, key=str)
    return sorted(items, key=whole)


def _items(value: Value) -> list[Value]:
    if not isinstance(value, list | tuple):
        raise TemplateError("this is not a list", "give a list")
    if len(value) > MOST_ITEMS:
        raise TemplateError(f"a list of {len(value)} items", f"keep it under {MOST_ITEMS}")
    return list(value)


def _keys(value: Value) -> list[Value]:
    if not isinstance(value, Mapping):
        raise TemplateError("this is not a map", "give a map")
    return [*sorted(value)]


def _tojson(value: Value) -> str:
    return capped(canonical(value).decode())


def _tojson_lines(value: Value) -> str:
    return capped(emit_json(value).decode())


def _digest(value: Value, digits: Value = 10) -> str:
    return sha256(canonical(value)).hexdigest()[: whole(digits)]


def _pairs(value: Value, key: Value, item: Value) -> dict[str, Value]:
    """A list of maps as one map: the field `key` of each names its field `item`."""
    made: dict[str, Value] = {}
    for row in _items(value):
        if not isinstance(row, Mapping):
            raise TemplateError("an item is not a map", "give a list of maps")
        made[text(row[text(key)])] = row[text(item)]
    return made


def _without(value: Value, start: Value) -> str:
    """The text without its beginning `start`; TemplateError where it begins otherwise."""
    if not text(value).startswith(text(start)):
        raise TemplateError(f"{value!r} does not begin with {start!r}", "test with `is under(…)` first")
    return text(value)[len(text(start)) :]


def _label(value: Value) -> str:
    """A legal label value. Text that is one already stays as it is; other text is changed and gets a hash, so that two
    texts never become one label."""
    return _labelled(text(value))


@lru_cache(maxsize=4096)
def _labelled(source: str) -> str:
    if re.fullmatch(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", source):
        return source
    return _hashed(re.sub(r"[^-A-Za-z0-9_.]+", "-", source), source)


def _slug(value: Value) -> str:
    """A DNS-1123 label for a path: `/var/cache` is `var-cache`. What would be ambiguous gets a hash."""
    source = text(value)
    if re.fullmatch(r"(?:/[a-z0-9]+)+", source) and len(source) <= _LABEL:
        return source[1:].replace("/", "-")
    return _hashed(re.sub(r"[^a-z0-9]+", "-", source.lower()), source)


def _hashed(readable: str, source: str) -> str:
    mark = sha256(source.encode()).hexdigest()[:8]
    head = readable.strip("-_.")[: _LABEL - 9].rstrip("-_.")
    return f"{head}-{mark}" if head else f"x{mark}"


def _number(value: Value) -> Decimal:
    if isinstance(value, str) or type(value) is int:
        try:
            made = Decimal(value)
        except InvalidOperation:
            made = Decimal("NaN")
        if made.is_finite() and -30 < made.adjusted() < 30 and len(made.as_tuple().digits) <= 30:
            return made
    raise TemplateError(f"{value!r} is not a decimal number", 'write it as text, such as "99.9"')


def _plain(value: Decimal) -> str:
    shown = format(value, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _plus(value: Value, other: Value) -> str:
    return _plain(_number(value) + _number(other))


def _minus(value: Value, other: Value) -> str:
    return _plain(_number(value) - _number(other))


def _times(value: Value, other: Value) -> str:
    return _plain(_number(value) * _number(other))


def _upper(value: Value) -> str:
    return text(value).upper()


def _lower(value: Value) -> str:
    return text(value).lower()


def _string(value: Value) -> str:
    if isinstance(value, str):
        return value
    return str(whole(value))


def _encoder(encode: Callable[[str], str]) -> Callable[[Value], str]:
    # The same few names of a service are encoded in dozens of places.
    remembered = lru_cache(maxsize=4096)(encode)

    def run(value: Value) -> str:
        return capped(remembered(text(value)))

    return run


FILTERS: Final[Mapping[str, Callable[..., Value]]] = {
    "digest": _digest,
    "go_template": _encoder(encoders.go_template),
    "grafana": _encoder(encoders.grafana),
    "join": _join,
    "keys": _keys,
    "kubelet": _encoder(encoders.kubelet),
    "label": _label,
    "length": _length,
    "lower": _lower,
    "minus": _minus,
    "pairs": _pairs,
    "plus": _plus,
    "promql": _encoder(encoders.prometheus_string),
    "replace": _replace,
    "slug": _slug,
    "sort": _sort,
    "string": _string,
    "terraform": _encoder(encoders.terraform),
    "times": _times,
    "tojson": _tojson,
    "tojson_lines": _tojson_lines,
    "upper": _upper,
    "url_path": _encoder(encoders.url_path),
    "without": _without,
}
"""By name; `default` is beside them, since it looks at a name that may be missing."""

TESTS: Final[Mapping[str, Callable[..., bool]]] = {
    "mapping": lambda value: isinstance(value, Mapping),
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "under": lambda value, start: text(value).startswith(text(start)),
}
"""By name; `defined` is beside them."""
