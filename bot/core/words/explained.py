"""Answers to "why?": who gave a value, and what a problem code means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.codes import CHECKOUT, Entry, Files
from bot.core.emit import canonical
from bot.core.explain import Explained, Spot, Unknown, dotted
from bot.core.model.values import Layer, Origin, Value
from bot.core.text import visible
from bot.core.words.inline import Line, code, joined, line, plain, prose

LAYERS: Final[Mapping[Layer, str]] = {
    "release": "release",
    "override": "override for this environment",
    "manifest": "manifest",
    "team": "team",
    "environment": "environment",
    "recipe": "recipe",
    "link": "neighbour",
    "platform": "platform",
    "blueprint": "blueprint's default",
}
"""Who gave a value, in words."""

OWN: Final[Mapping[Layer, str]] = {
    "blueprint": "blueprint's own",
    "recipe": "recipe's own",
    "platform": "platform's own",
}
"""Who says a value that no line of the platform repository says."""

Row = tuple[str, str, str, str, str]
"""Place, value, who, where, why."""


def row(found: Explained) -> Row:
    """One value as a row of a table. The file stands in the table's head."""
    origin = found.origin
    place = _text(dotted(found.pointer), 160) if found.pointer else "the whole file"
    return (place, shown(found.value), who(found), _text(at(origin), 200), _why(found))


def answer(found: Explained) -> str:
    """One value, in full."""
    place = dotted(found.pointer)
    lines = [
        line(code(place, 300), " is left out") if found.left_out else (),
        line(code(place, 300), " = ", code(shown(found.value), 600)) if place and not found.left_out else (),
        line(code(found.file, 300)) if not place else (),
        line("  in        ", code(found.file, 300)) if found.file and place else (),
        line("  from      ", code(at(found.origin), 300), "  ", who(found)),
        line("  because   ", prose(_why(found))) if _why(found) else (),
        line("  if        ", code(found.left_out, 300), "  which does not hold") if found.left_out else (),
        *_also(found.also),
        line("  written by ", code(_place(found.template), 300)) if found.template and not found.fixed else (),
    ]
    return "\n".join(plain(one) for one in lines if one) + "\n"


def listing(rows: Sequence[Explained]) -> str:
    """Many values, one a line, for a pipe: place, value, who, where, why, between two spaces and a bar."""
    out: list[str] = []
    file = None
    for found in rows:
        if found.file != file:
            file = found.file
            out += [f"{_text(file, 300)}:"] if file else []
        out.append(" | ".join(part for part in row(found) if part))
    return "\n".join(out) + "\n"


def lines(rows: Sequence[Explained]) -> str:
    """Many values for a narrow terminal: two lines for each, the place and value, then who gave it."""
    out: list[str] = []
    file = ""
    for found in rows:
        if found.file != file:
            file = found.file
            out.append(f"{_text(file, 300)}:")
        place, value, layer, where, why = row(found)
        out += [f"{place} = {value}", f"    {layer}  {where}", *([f"    {why}"] if why else [])]
    return "\n".join(out) + "\n"


def unknown(found: Unknown) -> str:
    """Nothing of that name, and what there is instead."""
    said = line("There is no ", found.what, " ", code(found.name, 120), ".")
    if found.near:
        instead = line(" Did you mean ", joined([line(code(name, 200)) for name in found.near], ", ", " or "), "?")
    elif found.there:
        instead = line(" There is: ", joined([line(code(name, 200)) for name in found.there]), ".")
    else:
        instead = ()
    return plain(line(said, instead), ticks=True)


def entry(number: str, found: Entry) -> str:
    """What is written about a problem code."""
    same = found.around
    around = _files("Around both", same, {}) if same else ""
    return (
        f"{number}: {found.title}\n\n{found.what}\n{found.why}\n"
        f"{_files('Wrong', found.wrong, same)}{_files('Right', found.right, same)}{around}"
    )


def who(found: Explained) -> str:
    """The layer in words."""
    return (OWN if found.fixed else LAYERS).get(found.origin.layer, LAYERS[found.origin.layer])


def at(origin: Origin) -> str:
    """`file:line:column`."""
    return f"{origin.path}:{origin.line}:{origin.column}"


def shown(value: Value) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return _text(value, 200) if value else '""'
    if isinstance(value, Sequence | Mapping) and not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    return canonical(value).decode()


def _why(found: Explained) -> str:
    """The reason that a layer gave; what a template says itself has none, and the name of its layer says so already."""
    return "" if found.fixed and found.origin.reason.endswith("'s own") else found.origin.reason


def _also(origins: Sequence[Origin]) -> list[Line]:
    lines = [
        line("  and       ", code(at(one), 300), "  ", LAYERS[one.layer], _because(one)) for one in origins[:_MOST]
    ]
    more = len(origins) - _MOST
    return [*lines, line(f"            and {more} more")] if more > 0 else lines


def _because(origin: Origin) -> Line:
    return line("; ", prose(origin.reason)) if origin.reason else ()


_MOST: Final = 4


def _place(spot: Spot) -> str:
    return f"{spot.path}:{spot.at.line}:{spot.at.column}"


def _text(words: str, most: int) -> str:
    return plain(line(code(words, most)))


def _files(head: str, files: Files, but: Files) -> str:
    blocks = [(path, words) for path, words in files.items() if path not in but]
    return "".join(
        f"\n{head}{'' if path == CHECKOUT else f', {path}'}:\n\n"
        + "".join(f"    {visible(words)}\n" for words in text.splitlines())
        for path, text in blocks
    )
