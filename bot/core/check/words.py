"""The words for what a schema has against a value: what, why, and what to write instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from bot.core.check.schema import EMPTY, Node
from bot.core.check.showing import cut, example, found, inline, it, key_of, listed, path, shape, to_write, types
from bot.core.model.values import Pointer


@dataclass(frozen=True, slots=True)
class Said:
    """A problem without its place. `field` is the field that is missing, or that an unknown one was meant to be."""

    code: str
    message: str
    why: str
    fix: str
    field: str = ""
    instead: tuple[str, str] | None = None
    """What is written, and what certainly mends it in its place."""


_KINDS: Final[Mapping[str, str]] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a map of fields",
    "null": "nothing",
}
_MOST_NAMES = 20
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def unknown(at: Pointer, name: str, known: Mapping[str, Node]) -> Said:
    """A field that the schema does not name; the nearest that it does."""
    meant = _nearest(name, known)
    shown = cut(name)
    if meant is not None:
        fix = f"did you mean `{meant}`? {to_write(meant, known[meant])}"
    elif known:
        names = sorted(known)
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        fix = f"the fields here are {listed(names[:_MOST_NAMES])}{more}"
    else:
        fix = "remove it"
    message = f"unknown field `{shown}`{f' in `{path(at)}`' if at else ''}"
    return Said(
        "CW0104", message, "it would be passed over without a word, and nothing would come of it", fix, meant or "",
        (name, meant) if meant is not None and _certain(name, meant) else None,
    )  # fmt: skip


def missing(at: Pointer, name: str, node: Node) -> Said:
    """A required field that is not there."""
    message = f"`{path((*at, name))}` is missing"
    return Said("CW0111", message, _why(node, "it has no default"), to_write(name, node), name)


def one_missing(at: Pointer, names: Sequence[str], known: Mapping[str, Node]) -> Said:
    """None of several fields of which one is needed."""
    place = f" in `{path(at)}`" if at else ""
    fix = " or ".join(to_write(name, known.get(name, EMPTY)) for name in names)
    return Said("CW0111", f"one of {listed(names)} is missing{place}", "one of them has to decide", fix)


def several_forms(at: Pointer, node: Node, names: Sequence[str]) -> Said:
    """More than one of several forms that exclude each other."""
    if names:
        message = f"only one of {listed(names)} may stand{f' in `{path(at)}`' if at else ''}"
        return Said("CW0118", message, _why(node, "they contradict each other"), _advice(node, "keep one of them"))
    message = f"{it(at)} can be read as more than one of its forms"
    return Said("CW0118", message, _why(node, "what is meant would be a guess"), _advice(node, shape(at, node)))


def bad_name(at: Pointer, name: Any, node: Node) -> Said:
    """A key that breaks the rule for names in this map."""
    place = f" in `{path(at)}`" if at else ""
    fix = _advice(node, _pattern(node))
    if "enum" in node:
        fix = _choose(str(name), node["enum"])
    return Said("CW0114", f"`{cut(str(name))}` is not a name that may stand{place}", _why(node, _NAMES_WHY), fix)


_NAMES_WHY = "names go into other systems that take no others"


def not_here(at: Pointer, node: Node) -> Said:
    """A field or item that is excluded here."""
    return Said(
        "CW0119", f"{it(at)} may not stand here", _why(node, "it has no meaning here"), _advice(node, "remove it")
    )


def wrong_kind(at: Pointer, value: Any, node: Node, _: str) -> Said:
    """Text where a number belongs, and so on."""
    return _kind(at, value, node, types(node))


def no_kind_fits(at: Pointer, value: Any, node: Node, parts: Iterable[Node]) -> Said:
    """None of several forms is of the value's kind."""
    parts = list(parts)
    wanted = list(dict.fromkeys(kind for part in parts for kind in types(part)))
    telling = (part for keyword in ("examples", "enum") for part in parts if part.get(keyword))
    own = node if node.get("examples") else next(telling, EMPTY)
    return _kind(at, value, {**own, **node}, wanted)


def _kind(at: Pointer, value: Any, node: Node, wanted: Sequence[str]) -> Said:
    *most, last = (_KINDS.get(kind, kind) for kind in wanted or ("another kind",))
    kinds = f"{', '.join(most)} or {last}" if most else last
    message = f"{it(at)} is {found(value)}; {kinds} is wanted" if value is not None else f"{it(at)} has no value"
    why = _why(node, "another kind of value has no meaning here")
    return Said("CW0112", message, why, _mend(at, value, node, wanted), instead=_meant(value, wanted))


def _meant(value: Any, wanted: Sequence[str]) -> tuple[str, str] | None:
    """A value of the wrong kind whose right form is beyond doubt."""
    if "string" in wanted and isinstance(value, int | float):
        return inline(value), json.dumps(inline(value))
    text = value.strip() if isinstance(value, str) else ""
    if "integer" in wanted and _NUMBER.fullmatch(text):
        return value, text
    if "boolean" in wanted and text.lower() in ("true", "false"):
        return value, text.lower()
    return None


def _mend(at: Pointer, value: Any, node: Node, wanted: Sequence[str]) -> str:
    key = key_of(at)
    if value is None:
        return f"{shape(at, node, wanted)}, or remove the line"
    if "string" in wanted and isinstance(value, bool | int | float):
        return f"put it in quotes: `{key}{json.dumps(json.dumps(value))}`"
    if isinstance(value, str):
        text = value.strip()
        if "integer" in wanted and text.lstrip("-").isdecimal():
            return f"write it without quotes: `{key}{int(text)}`" if len(text) < 20 else shape(at, node, wanted)
        if "boolean" in wanted and text.lower() in ("yes", "on", "y", "true", "no", "off", "n", "false"):
            return f"write `{key}{'true' if text.lower() in ('yes', 'on', 'y', 'true') else 'false'}`"
    if "array" in wanted and not isinstance(value, list | dict) and not node.get("examples"):
        return f"write a list: `{key}[{inline(value)}]`"
    return shape(at, node, wanted)


def not_listed(at: Pointer, value: Any, node: Node, keyword: str) -> Said:
    """Not one of the values that may stand here."""
    options = [node["const"]] if keyword == "const" and "const" in node else list(node.get("enum", ()))
    message = f"`{inline(value)}` is not a value of {it(at)}" if value is not None else f"{it(at)} has no value"
    near = _near(value, options)
    instead = (value, near) if isinstance(value, str) and isinstance(near, str) and _certain(value, near) else None
    fix = _choose(value, options, key_of(at))
    return Said("CW0113", message, _why(node, "nothing else has a meaning here"), fix, instead=instead)


def breaks_rule(at: Pointer, value: Any, node: Node, _: str) -> Said:
    """Text that does not match the schema's pattern."""
    message = f"`{inline(value)}` does not fit {it(at)}"
    return Said("CW0114", message, _why(node, "another system would refuse it later"), _advice(node, _pattern(node)))


_BOUNDS: Final[Mapping[str, str]] = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}
_COUNTS: Final[Mapping[str, tuple[str, str]]] = {
    "minLength": ("at least", "character"),
    "maxLength": ("at most", "character"),
    "minItems": ("at least", "item"),
    "maxItems": ("at most", "item"),
    "minProperties": ("at least", "field"),
    "maxProperties": ("at most", "field"),
}


def out_of_limits(at: Pointer, value: Any, node: Node, keyword: str) -> Said:
    """A number too small, too large, or between the steps."""
    bound = _BOUNDS[keyword].format(inline(node.get(keyword)))
    message = f"{it(at)} is {inline(value)}; it must be {bound}"
    return Said(
        "CW0115",
        message,
        _why(node, "beyond its limits it cannot work"),
        _advice(node, f"write a number that is {bound}"),
    )


def wrong_count(at: Pointer, value: Any, node: Node, keyword: str) -> Said:
    """Text, a list or a map that is too short or too long."""
    bound, unit = _COUNTS[keyword]
    limit = node.get(keyword, 0)
    plural = "" if limit == 1 else "s"
    has = "is empty" if not value else f"has {len(value)} {unit}{'' if len(value) == 1 else 's'}"
    message = f"{it(at)} {has}; it must have {bound} {limit} {unit}{plural}"
    more = "remove it, or " if not value else ""
    return Said(
        "CW0116", message, _why(node, "beyond its limits it cannot work"), more + _advice(node, shape(at, node))
    )


def twice(at: Pointer, value: Any, node: Node, _: str) -> Said:
    """The same item twice in a list."""
    again = next((item for place, item in enumerate(value) if item in value[:place]), None)
    why = _why(node, "the second says nothing, or was meant to be another")
    return Said("CW0117", f"`{inline(again)}` stands twice in {it(at)}", why, "keep one of them")


def otherwise(at: Pointer, value: Any, node: Node, keyword: str) -> Said:
    """A keyword without words of its own: the schema's own sentence."""
    message = f"{it(at)} is not allowed as it is: `{inline(value)}`"
    return Said("CW0119", message, _why(node, f"the rule is `{keyword}`"), _advice(node, shape(at, node)))


def _why(node: Node, default: str) -> str:
    if isinstance(node.get("x-why"), str):
        return str(node["x-why"])
    first, dot, _ = str(node.get("description", "")).partition(". ")
    return (first + dot).strip() or default


def _advice(node: Node, default: str) -> str:
    said = node.get("x-words")
    shown = example(node)
    if isinstance(said, str):
        return said + (f"; for example `{shown}`" if shown else "")
    return default


def _pattern(node: Node) -> str:
    shown = example(node)
    rule = f"write text that matches `{node.get('pattern', '')}`"
    return rule + (f", for example `{shown}`" if shown else "")


def _nearest(name: str, known: Mapping[str, Node]) -> str | None:
    fields = {_plain(word): field for field in known for word in (*known[field].get("x-aliases", ()), field)}
    near = get_close_matches(_plain(name), fields, n=1, cutoff=0.65)
    return fields[near[0]] if near else None


def _plain(name: str) -> str:
    """Without case and joints: `deployTo` is `deploy_to`."""
    return name.casefold().replace("_", "").replace("-", "")


def _near(value: Any, options: Sequence[Any]) -> Any:
    texts = {_plain(inline(option)): option for option in options}
    near = get_close_matches(_plain(inline(value)), texts, n=1, cutoff=0.6)
    return texts[near[0]] if near else None


def _certain(written: str, meant: str) -> bool:
    """A slip of the keys, and no word of its own: `deployTo`, `postgers`. Beside three letters everything is near."""
    plain = _plain(written)
    return plain == _plain(meant) or (len(plain) > 3 and bool(get_close_matches(plain, [_plain(meant)], cutoff=0.83)))


def _choose(value: Any, options: Sequence[Any], key: str = "") -> str:
    near = _near(value, options)
    if near is not None:
        return f"did you mean `{inline(near)}`? write `{key}{inline(near)}`"
    if len(options) == 1:
        return f"write `{key}{inline(options[0])}`"
    return f"write one of {listed(map(inline, options[:_MOST_NAMES]))}"
