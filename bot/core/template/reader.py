"""From a template file to nodes: finds expressions, `$if` and `$for`, and collects every mistake with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bot.core.emit import shared
from bot.core.model.values import Doc, Pointer, Pos, Value
from bot.core.parse import parse
from bot.core.problem import Problem, Refusal
from bot.core.template.expression import Expression, read_expression, read_text
from bot.core.template.limits import TemplateError
from bot.core.template.nodes import Fixed, For, Hole, If, Items, Map, Node, Run, Text, compiled

_LOOP: Final = re.compile(r"\s*([a-z][a-z0-9_]*)(?:\s*,\s*([a-z][a-z0-9_]*))?\s+in\s+(.+)", re.DOTALL)
_WHY_EXPRESSION: Final = "Expressions are checked when the template is read, so that no service finds the mistake."
_WHY_DOLLAR: Final = "Keys that begin with `$` steer the template; a mistyped one would end up in the output."


def read_template(path: str, data: bytes) -> tuple[Node, Run, frozenset[str]] | Refusal:
    """The nodes of a template, their compiled form and the parts they name, or all that is wrong with it."""
    doc = parse(path, data)
    if isinstance(doc, Refusal):
        return doc
    reader = _Reader(doc)
    if not isinstance(doc.value, dict | list):
        reader.problem((), "CW0251", "this is not a map and not a list", "A template makes objects.", "write an object")
    node = reader.node(doc.value, ())
    if reader.problems:
        return Refusal(tuple(sorted(reader.problems)))
    return node, compiled(node), frozenset(reader.parts)


class _Reader:
    """One reading of one file: a method for each form, and the problems so far."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.problems: list[Problem] = []
        self.parts: set[str] = set()

    def problem(self, at: Pointer, code: str, what: str, why: str, fix: str, key: bool = False) -> None:
        place = self.doc.at(at, key)
        self.problems.append(Problem(self.doc.path, place.line, place.column, code, what, why, fix))

    def node(self, value: Value, at: Pointer) -> Node:
        place = self.doc.at(at)
        if isinstance(value, str):
            return self._scalar(value, at, place)
        if isinstance(value, Mapping):
            return self._map(value, at, place)
        if isinstance(value, list | tuple):
            items = tuple(self._item(item, (*at, index)) for index, item in enumerate(value))
            fixed = [item.value for item in items if isinstance(item, Fixed)]
            return Fixed(place, shared(fixed)) if len(fixed) == len(items) else Items(place, items)
        return Fixed(place, value)

    def _scalar(self, value: str, at: Pointer, place: Pos, key: bool = False) -> Fixed | Hole | Text:
        if "{{" not in value:
            return Fixed(place, value)
        try:
            parts = read_text(value)
        except TemplateError as fault:
            self.problem(at, "CW0252", fault.what, _WHY_EXPRESSION, fault.fix, key)
            return Fixed(place, value)
        self.parts.update(name for part in parts if isinstance(part, Expression) for name in part.parts)
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return Text(place, parts) if key else Hole(place, parts[0])
        return Text(place, parts)

    def _map(self, value: Mapping[str, Value], at: Pointer, place: Pos) -> Node:
        for key in value:
            if key.startswith("$") and key not in ("$if", "$do"):
                fix = "use `$for` and `$do` in a list item, or `$if`"
                self.problem((*at, key), "CW0253", f"`{key}` cannot stand here", _WHY_DOLLAR, fix, key=True)
        if "$do" in value and set(value) != {"$if", "$do"}:
            fix = "put all of the content below `$do`, beside `$if` or `$for` alone"
            self.problem((*at, "$do"), "CW0253", "`$do` has other keys beside it", _WHY_DOLLAR, fix, key=True)
        inner = self.node(value["$do"], (*at, "$do")) if "$do" in value else self._pairs(value, at, place)
        if "$if" not in value:
            return inner
        test = self._expression(value["$if"], (*at, "$if"))
        return inner if test is None else If(place, test, inner)

    def _pairs(self, value: Mapping[str, Value], at: Pointer, place: Pos) -> Node:
        pairs: list[tuple[str | Text, Node]] = []
        for key, item in value.items():
            if key.startswith("$"):
                continue
            name = self._scalar(key, (*at, key), self.doc.at((*at, key), key=True), key=True)
            pairs.append((name if isinstance(name, Text) else key, self.node(item, (*at, key))))
        if all(isinstance(key, str) and isinstance(node, Fixed) for key, node in pairs):
            return Fixed(place, shared({str(key): node.value for key, node in pairs if isinstance(node, Fixed)}))
        return Map(place, tuple(pairs))

    def _item(self, value: Value, at: Pointer) -> Node:
        if not (isinstance(value, Mapping) and "$for" in value):
            return self.node(value, at)
        place = self.doc.at(at)
        if set(value) != {"$for", "$do"}:
            fix = "write exactly `$for: x in …` and `$do: …`"
            self.problem((*at, "$for"), "CW0253", "`$for` needs `$do` and nothing else", _WHY_DOLLAR, fix, key=True)
            return Fixed(place, None)
        words, source = value["$for"], (*at, "$for")
        found = _LOOP.fullmatch(words) if isinstance(words, str) else None
        if found is None:
            fix = "write `x in expression`, or `key, value in expression` for a map"
            self.problem(source, "CW0252", "this is not a loop", _WHY_EXPRESSION, fix)
            return Fixed(place, None)
        over = self._expression(found[3], source)
        node = self.node(value["$do"], (*at, "$do"))
        names = tuple(name for name in found.groups()[:2] if name is not None)
        return Fixed(place, None) if over is None else For(place, names, over, node)

    def _expression(self, source: Value, at: Pointer) -> Expression | None:
        if isinstance(source, bool):
            source = "true" if source else "false"
        if not isinstance(source, str) or "{{" in source:
            fix = "write the expression without `{{` and `}}`"
            self.problem(at, "CW0252", "this is not an expression", _WHY_EXPRESSION, fix)
            return None
        try:
            found = read_expression(source)
        except TemplateError as fault:
            self.problem(at, "CW0252", fault.what, _WHY_EXPRESSION, fault.fix)
            return None
        self.parts.update(found.parts)
        return found
