"""Templates straight to text. What is fixed in a template is written once, when the template is first drawn; a service
then pays for its holes alone: a quarter of making an object and writing that.

The text is exactly what `emit` makes of the value that `compiled` makes; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from bot.core.emit import after, item, json_after, json_item, json_key, key, short_line
from bot.core.model.values import Value
from bot.core.template.expression import Expression
from bot.core.template.limits import MOST_ITEMS, TemplateError, capped
from bot.core.template.nodes import (
    PARTS,
    Fixed,
    For,
    Hole,
    If,
    Items,
    Map,
    Node,
    Text,
    ordered,
    pair_of,
    text_run,
    turns,
)
from bot.core.template.scope import Scope

Draw = Callable[[Scope], "str | None"]
"""Text as a form's `value` makes it; None where an `$if` leaves it out."""

Sure = Callable[[Scope], str]
"""Text that is there in any scope; it may be empty."""

Segments = list["str | Sure"]
"""Text in pieces, fixed and computed."""

At = tuple[str, str]
"""A newline and the indentation: of the value's keys if it is a map, of its items if it is a list."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write. Texts of keys and items follow each other as they are; a bracket may stand around all."""

    name: str
    value: Callable[[object, str, str], str]
    key: Callable[[object, str], str]
    item: Callable[[str, str], str]
    flat: bool
    """Whether a list stands as deep as its key."""
    brackets: tuple[str, str]
    """What opens and what closes a map and a list; nothing in YAML's block style."""
    ordered: bool = False
    """Whether maps come sorted, as where a value passes through a hole (`nodes.ordered`)."""

    def below(self, rest: str) -> At:
        """Where the value of a key at `rest` stands."""
        return rest + "  ", rest if self.flat else rest + "  "

    def enclosed(self, text: str, rest: str, kind: int) -> str:
        """All entries of a map (`kind` 0) or a list (1), or the form of an empty one."""
        return f"{self.opened(text, kind)}{self.closing(rest, kind)}" if text else (" {}", " []")[kind]

    def opened(self, text: str, kind: int) -> str:
        """The beginning of the entries, with their bracket instead of the comma before the first."""
        return f" {self.brackets[kind][0]}{text[1:]}" if self.brackets[kind] else text

    def closing(self, rest: str, kind: int) -> str:
        """What stands behind the last entry."""
        return f"{rest[:-2]}{self.brackets[kind][1]}" if self.brackets[kind] else ""


YAML: Final = Form("yaml", after, key, item, True, ("", ""))
ORDERED_YAML: Final = replace(YAML, name="ordered yaml", ordered=True)
JSON: Final = Form("json", json_after, json_key, json_item, False, ("{}", "[]"))
MARGIN: Final[At] = ("\n", "\n")
JSON_MARGIN: Final[At] = ("\n  ", "\n  ")


def drawn(node: Node, form: Form, at: At) -> Draw:
    """What stands behind a key or a dash for `node`. It raises what `compiled(node)` raises."""
    if isinstance(node, If):
        check, inner = node.test.run, drawn(node.node, form, at)
        return lambda scope: inner(scope) if check(scope) else None
    return _joined(_segments(node, form, at))


def _segments(node: Node, form: Form, at: At) -> Segments:
    match node:
        case Fixed(_, value):
            return [form.value(ordered(value) if form.ordered else value, *at)]
        case Hole(_, expression):
            return [_hole(expression, form, at)]
        case Text(_, parts):
            return [_text(parts, form, at)]
        case Map(_, pairs) if all(isinstance(name, str) for name, _ in pairs):
            rows = sorted(pairs, key=lambda pair: str(pair[0])) if form.ordered else pairs
            made = [segment for name, inner in rows for segment in _entry(str(name), inner, form, at[0])]
            return _enclosed(made, [inner for _, inner in pairs], form, at[0], 0)
        case Map(_, pairs):
            return [_open_map(pairs, form, at[0])]
        case Items(_, items):
            made = [segment for inner in items for segment in _item(inner, form, at[1])]
            return _enclosed(made, items, form, at[1], 1)
        case _:
            raise AssertionError("conditions and loops are drawn where they stand")


def _enclosed(made: Segments, nodes: Iterable[Node], form: Form, rest: str, kind: int) -> Segments:
    if any(not isinstance(node, If | For) for node in nodes) and isinstance(made[0], str):
        return [form.opened(made[0], kind), *made[1:], form.closing(rest, kind)]
    whole = _joined(made)
    return [lambda scope: form.enclosed(whole(scope), rest, kind)]


def _entry(name: str, node: Node, form: Form, rest: str) -> Segments:
    head = form.key(name, rest)
    if not isinstance(node, If):
        return [head, *_segments(node, form, form.below(rest))]
    check, inner = node.test.run, drawn(node.node, form, form.below(rest))

    def entry(scope: Scope) -> str:
        if not check(scope):
            return ""
        text = inner(scope)
        return "" if text is None else head + text

    return [entry]


def _open_map(pairs: tuple[tuple[str | Text, Node], ...], form: Form, rest: str) -> Sure:
    """Some keys are computed; none may be there twice."""
    rows = [
        (text_run(name.parts if isinstance(name, Text) else (name,)), drawn(node, form, form.below(rest)))
        for name, node in pairs
    ]

    def run(scope: Scope) -> str:
        texts: dict[str, str] = {}
        for key_of, draw in rows:
            text = draw(scope)
            if text is not None:
                name = key_of(scope)
                if name in texts:
                    raise TemplateError(f"the key `{name}` is computed twice", "make the keys differ")
                texts[name] = form.key(name, rest) + text
        names = sorted(texts) if form.ordered else texts
        return form.enclosed("".join([texts[name] for name in names]), rest, 0)

    return run


def _item(node: Node, form: Form, rest: str) -> Segments:
    deeper = rest + "  "
    if isinstance(node, For):
        return [_splice(node, form, rest) or _loop(node, drawn(node.node, form, (deeper, deeper)), form, rest)]
    if isinstance(node, If):
        inner = drawn(node, form, (deeper, deeper))
        return [lambda scope: "" if (text := inner(scope)) is None else form.item(text, rest)]
    made = _segments(node, form, (deeper, deeper))
    if isinstance(made[0], str):
        return [form.item(made[0], rest), *made[1:]]
    whole = _joined(made)
    return [lambda scope: form.item(whole(scope), rest)]


def _splice(node: For, form: Form, rest: str) -> Sure | None:
    """`$for: x in parts.y, $do: "{{ x }}"` puts a part's items among others: they are drawn there as they are."""
    path, inner = node.over.path, node.node
    if form is JSON or path is None or path[0] != PARTS or len(path[1]) != 1 or not isinstance(inner, Hole):
        return None
    if len(node.names) != 1 or inner.expression.path != (node.names[0], ()):
        return None
    name, mark = str(path[1][0]), form.item(" ", rest).rstrip()

    def splice(scope: Scope) -> str:
        text: str = scope[PARTS].items_drawn(name, rest)  # type: ignore[union-attr]  # run over Parts only
        if text.count(mark) > MOST_ITEMS:
            raise TemplateError("a loop of too many turns", f"keep it under {MOST_ITEMS}")
        return text

    return splice


def _loop(node: For, inner: Draw, form: Form, rest: str) -> Sure:
    over = node.over.run
    only = node.names[0] if len(node.names) == 1 else ""

    def loop(scope: Scope) -> str:
        value = over(scope)
        out: list[str] = []
        if only and type(value) is list and len(value) <= MOST_ITEMS:
            for found in value:
                text = inner({**scope, only: found})
                if text is not None:
                    out.append(form.item(text, rest))
            return "".join(out)
        for names in turns(node, value):
            text = inner({**scope, **names})
            if text is not None:
                out.append(form.item(text, rest))
        return "".join(out)

    return loop


def _joined(segments: Segments) -> Sure:
    """One closure for all pieces; neighbours that are fixed become one."""
    start: list[str] = []
    slots: list[tuple[int, Sure]] = []
    for segment in segments:
        if not isinstance(segment, str):
            slots.append((len(start), segment))
            start.append("")
        elif start and (not slots or slots[-1][0] != len(start) - 1):
            start[-1] += segment
        else:
            start.append(segment)
    if len(start) == 1:
        whole = start[0]
        return slots[0][1] if slots else lambda scope: whole  # noqa: ARG005

    def run(scope: Scope) -> str:
        out = start.copy()
        for index, draw in slots:
            out[index] = draw(scope)
        return "".join(out)

    return run


def _hole(expression: Expression, form: Form, at: At) -> Sure:
    evaluate, path, value_of = expression.run, expression.path, form.value
    of_map, of_list = at
    if expression.lines_of is not None:
        part = expression.lines_of
        return lambda scope: value_of(capped(scope[PARTS].json_lines(part)), of_map, of_list)  # type: ignore[union-attr]
    if path is not None and path[0] == PARTS:
        if len(path[1]) == 1:
            name = str(path[1][0])
            return lambda scope: scope[PARTS].drawn(name, form, at)  # type: ignore[union-attr]  # run over Parts only
        sort = ordered if form.ordered else _itself
        return lambda scope: value_of(sort(evaluate(scope)), of_map, of_list)
    short = _nothing if form is JSON else short_line
    pair = pair_of(expression)
    if pair is not None:
        return _looked_up(*pair, short, form, at)

    def run(scope: Scope) -> str:
        value = evaluate(scope)
        if type(value) is str:
            return short(value) or value_of(value, of_map, of_list)
        return value_of(ordered(value), of_map, of_list)

    return run


def _looked_up(root: str, key: str | int, short: Callable[[str], str], form: Form, at: At) -> Sure:
    """A hole that is only `a.b`, looked up in place (`nodes.text_run`)."""
    value_of, (of_map, of_list) = form.value, at

    def run(scope: Scope) -> str:
        value: Value = scope[root][key]  # type: ignore[index]  # a wrong kind is one of LOOKUP
        if type(value) is str:
            return short(value) or value_of(value, of_map, of_list)
        return value_of(ordered(value), of_map, of_list)

    return run


def _itself(value: Value) -> Value:
    return value


def _nothing(text: str) -> str:  # noqa: ARG001
    return ""


def _text(parts: tuple[str | Expression, ...], form: Form, at: At) -> Sure:
    run, value_of = text_run(parts), form.value
    of_map, of_list = at
    return lambda scope: value_of(run(scope), of_map, of_list)
