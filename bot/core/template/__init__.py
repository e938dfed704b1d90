"""Templates: real YAML whose scalars may hold `{{ expression }}`. Values go in as data: none can change structure.

`$if: expression` in a map removes the map where it is false; with `$do` beside it, the whole is what `$do` holds. A
list item `{$for: x in expression, $do: node}` expands in place. Nothing else begins with `$`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bot.core.emit import shared
from bot.core.model.values import Pointer, Pos, Value
from bot.core.problem import Problem, Refusal
from bot.core.template.drawing import JSON, JSON_MARGIN, ORDERED_YAML, At, Draw, Form, drawn
from bot.core.template.limits import TemplateError
from bot.core.template.nodes import Absent, Items, LocatedError, Node, Reads, Run, walk
from bot.core.template.reader import read_template
from bot.core.template.scope import LOOKUP, Scope, Traced
from bot.core.template.sketch import Drawn, Sketch, sketched

__all__ = ["FAILS", "Drawn", "Parts", "Template", "compile_template", "expand", "traced"]

FAILS = (*LOOKUP, TemplateError)
"""What the fast forms of a template raise, without saying where: the slow ones then say it."""

A = TypeVar("A")


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template that was read and compiled; compared by identity. It does not pickle."""

    path: str
    root: Node
    run: Run
    parts: frozenset[str]
    """Names of the parts (`parts.x`) that it reads."""
    sketch: Sketch | None
    """Its objects with their text; over a scope whose `parts` are `Parts`."""
    draws: dict[tuple[str, At], Draw] = field(default_factory=dict)

    def draw(self, form: Form, at: At) -> Draw:
        """Its text in this form and place, compiled when it is first wanted there."""
        found = self.draws.get((form.name, at))
        if found is None:
            found = self.draws[form.name, at] = drawn(self.root, form, at)
        return found


class Parts(dict[str, Value]):
    """The values of parts by name, each made when it is first read; most are only ever drawn, and never made."""

    __slots__ = ("_open", "_scope", "_texts", "known")

    def __init__(self, known: Mapping[str, Template], scope: Scope) -> None:
        super().__init__()
        self.known = known
        self._scope = scope
        self._texts: dict[tuple[str, str, At], str] = {}
        self._open: set[str] = set()

    def scope(self) -> Scope:
        """What templates that read these parts see. Made anew each time: if the parts held it, they would hold
        themselves, and thousands of them wait for the collector, at a tenth of a whole render."""
        return {**self._scope, "parts": self}

    def __missing__(self, name: str) -> Value:
        value = self._made(name, self.known[name].run)
        # A part stands in many objects: its text is made once.
        items = [shared(item) for item in value] if isinstance(value, list) else value
        made = self[name] = shared(None if isinstance(items, Absent) else items)
        return made

    def drawn(self, name: str, form: Form, at: At) -> str:
        """The part's text in this form and place."""
        text = self._texts.get((name, form.name, at))
        if text is None:
            made = self._made(name, self.known[name].draw(form, at))
            text = self._texts[name, form.name, at] = " null" if made is None else made
        return text

    def items_drawn(self, name: str, rest: str) -> str:
        """The items of a part that is a list, to stand among others of a YAML list; KeyError for any other part."""
        if not isinstance(self.known[name].root, Items):
            raise KeyError(name)
        text = self.drawn(name, ORDERED_YAML, (rest, rest))
        return "" if text == " []" else text

    def json_lines(self, name: str) -> str:
        """The part as `emit_json` writes it."""
        return f"{self.drawn(name, JSON, JSON_MARGIN)[1:]}\n"

    def _made(self, name: str, make: Callable[[Scope], A]) -> A:
        if name in self._open:
            raise KeyError(name)
        self._open.add(name)
        made = make(self.scope())
        self._open.discard(name)
        return made


def compile_template(path: str, data: bytes) -> Template | Refusal:
    """The template in `data`, or every problem of it with its place. `path` is how problems name the file."""
    made = read_template(path, data)
    return made if isinstance(made, Refusal) else Template(path, *made, sketched(made[0]))


def expand(template: Template, scope: Mapping[str, Value]) -> Value | Refusal:
    """What the template makes of `scope`; None where the whole is left out. Parts may be shared with the template and
    the scope, so the result is read and never changed."""
    try:
        value = template.run(dict(scope))
    except FAILS:
        # The fast form does not know where it is. The slow one fails again, and says.
        found = traced(template, scope)
        if isinstance(found, Refusal):
            return found
        raise
    return None if isinstance(value, Absent) else value


def traced(
    template: Template, scope: Mapping[str, Value]
) -> tuple[Value, Mapping[Pointer, tuple[Pointer, ...]]] | Refusal:
    """The same value, and for each place in it the pointers into `scope` that it was made of."""
    reads: Reads = {}
    try:
        value = walk(template.root, Traced(scope, {}, []), (), reads)
    except LocatedError as found:
        return Refusal((_problem(template.path, found.fault, found.at),))
    return (None if isinstance(value, Absent) else value), reads


def _problem(path: str, fault: TemplateError, at: Pos) -> Problem:
    why = "A template must give one exact answer for every service, or none."
    return Problem(path, at.line, at.column, "CW0255", fault.what, why, fault.fix)
