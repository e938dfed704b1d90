"""Templates: real YAML whose scalars may hold `{{ expression }}`. Values go in as data: none can change structure.

`$if: expression` in a map removes the map where it is false; with `$do` beside it, the whole is what `$do` holds. A
list item `{$for: x in expression, $do: node}` expands in place. Nothing else begins with `$`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.model.values import Pointer, Pos, Value
from bot.core.problem import Problem, Refusal
from bot.core.template.limits import TemplateError
from bot.core.template.nodes import Absent, LocatedError, Node, Reads, Run, walk
from bot.core.template.reader import read_template
from bot.core.template.scope import LOOKUP, Traced

__all__ = ["Template", "compile_template", "expand", "traced"]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template that was read and compiled; compared by identity. It does not pickle."""

    path: str
    root: Node
    run: Run
    parts: frozenset[str]
    """Names of the parts (`parts.x`) that it reads."""


def compile_template(path: str, data: bytes) -> Template | Refusal:
    """The template in `data`, or every problem of it with its place. `path` is how problems name the file."""
    made = read_template(path, data)
    return made if isinstance(made, Refusal) else Template(path, *made)


def expand(template: Template, scope: Mapping[str, Value]) -> Value | Refusal:
    """What the template makes of `scope`; None where the whole is left out. Parts may be shared with the template and
    the scope, so the result is read and never changed."""
    try:
        value = template.run(dict(scope))
    except (*LOOKUP, TemplateError):
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
