"""CEL as Kubernetes speaks it in admission policies: compiled with places, run within a budget, errors as values.

An expression passes only where its answer is a `CelValue` of type "bool" whose value `is True`; everything else is no.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from bot.core.cel.failures import MOST_COST, ExhaustedError, Failure, Meter
from bot.core.cel.functions import FUNCTIONS, MACROS, OVERLOADS, REPLACED, TYPES, declarations
from bot.core.cel.gate import faults
from bot.core.cel.native import Checker, RefusedError
from bot.core.cel.prepared import Lazily, Prepared, finished, prepared
from bot.core.cel.reads import Read, reads_of
from bot.core.cel.run import Compiler
from bot.core.cel.steps import Run
from bot.core.cel.typed import known
from bot.core.cel.values import Runtime, type_name

__all__ = [
    "FUNCTIONS",
    "MACROS",
    "MOST_COST",
    "CelError",
    "CelFault",
    "CelValue",
    "Lazily",
    "Prepared",
    "Program",
    "Read",
    "compile_cel",
    "evaluate",
    "prepared",
]

_NO_TYPES: Final[Mapping[str, str]] = {}
MOST_TEXT: Final = 16_384
"""Characters of one expression: far beyond what people write."""


@dataclass(frozen=True, slots=True)
class CelFault:
    """Why a text cannot be compiled. Line and column count from 1 in the text; `function` is the name that is not
    known, where that is what is wrong."""

    message: str
    line: int
    column: int
    function: str | None = None


@dataclass(frozen=True, slots=True)
class CelError:
    """What an evaluation failed with, and which part of the text did. `exhausted`: it cost more than it may, which
    whoever binds one evaluation's answer in another must not let that one absorb."""

    message: str
    line: int
    column: int
    exhausted: bool = False


@dataclass(frozen=True, slots=True)
class CelValue:
    """What an evaluation gave. `type` is CEL's name of it; `value` may be bound in another evaluation as it is."""

    type: str
    value: Runtime


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled expression; compared by identity, and the same text over the same variables gives the same one."""

    text: str
    variables: frozenset[str]
    type: str
    """The checker's type of the result, as far as it is known: `bool`, `string`, `dyn`, `list(int)`."""
    reads: tuple[Read, ...]
    """The paths of the variables that it looks at."""
    names: tuple[str, ...]
    run: Run
    size: int
    places: Mapping[int, int]


def compile_cel(text: str, variables: frozenset[str], types: Mapping[str, str] = _NO_TYPES) -> Program | CelFault:
    """The program, or why the text is none: a syntax error, a name or function that is not there, types that cannot
    fit. Variables have no type (`dyn`), but where `types` knows one of a path of them: `variables.x` -> `list(int)`.
    Never raises."""
    named = frozenset((path, kind) for path, kind in types.items() if kind != "dyn" and path.split(".")[-1] in text)
    return _compiled(text, variables, named)


@lru_cache(maxsize=4096)
def _compiled(text: str, variables: frozenset[str], named: frozenset[tuple[str, str]]) -> Program | CelFault:
    if len(text) > MOST_TEXT:
        return CelFault(f"an expression has at most {MOST_TEXT} characters", 1, 1)
    if "\0" in text:
        at = text.index("\0")
        return CelFault("a NUL character cannot stand in an expression", *_place(text, at))
    try:
        checked = _checker(variables, frozenset()).check(text)
        typed = known(checked, dict(named))
        if typed:
            # The tree stays the one without types: there each path is written out.
            found = _checker(variables, frozenset(typed.items())).check(text).types
            checked = replace(checked, types={**checked.types, **found})
    except RefusedError as error:
        return _unknown(text, error)
    except (ValueError, RecursionError) as error:
        return CelFault(f"the expression cannot be read: {error}", 1, 1)
    quoted = next((found.start() for found in _QUOTED.finditer(text) if found[0] == "`"), None)
    if quoted is not None:
        return CelFault("names in backquotes cannot stand here: write object['name']", *_place(text, quoted))
    for node, message, function in faults(checked):
        return CelFault(message, *_place(text, checked.offsets.get(node, 0)), function)
    names = tuple(sorted(variables))
    compiler = Compiler(names, OVERLOADS)
    run = compiler.compile(checked.root)
    return Program(
        text, variables, checked.types.get(checked.root.id, "dyn"), reads_of(checked, variables, text), names, run,
        compiler.size, checked.offsets,
    )  # fmt: skip


_QUOTED: Final = re.compile(
    r"""
    (?:[rR][bB]?|[bB][rR])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"]*"|'[^']*')
    |\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'
    |//[^\n]*|`
    """,
    re.DOTALL | re.VERBOSE,
)
"""Texts, comments, and backquotes outside of them: those the checker reads and a cluster does not."""


@lru_cache(maxsize=64)
def _checker(variables: frozenset[str], typed: frozenset[tuple[str, str]]) -> Checker:
    return Checker(variables, declarations(), REPLACED, TYPES, dict(sorted(typed)))


def _unknown(text: str, error: RefusedError) -> CelFault:
    """The fault that says most: an unknown function before the names that are only unknown because of it."""
    lines = text.split("\n")
    for line, column, message in error.found:
        called = _UNDECLARED.match(message)
        before = lines[line - 1][: column - 1] if line <= len(lines) else ""
        if called is None or lines[line - 1][column - 1 : column] != "(":
            continue
        name = called[1]
        whole = _DOTTED.search(before)
        if whole is not None and any(
            _UNDECLARED.match(said) and at == whole.start() + 1 for _, at, said in error.found
        ):
            name = whole[0]
        back = len(name) if before.endswith(name) else 0
        return CelFault(f"{name} is no function here", line, column - back, name)
    line, column, message = error.found[0]
    if message.startswith(_LOST):
        message = "the type of what is looped over is not known here: write dyn(…) around it"
    return CelFault(message.removesuffix(" (in container '')"), line, column)


_LOST: Final = "expression of type 'dyn' cannot be the range of a comprehension"
"""The checker loses the type of an optional's value where the optional itself has no known type."""
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']+)'")
_DOTTED: Final = re.compile(r"[A-Za-z_][\w.]*\Z", re.ASCII)


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    line = before.count("\n")
    return line + 1, at - (before.rfind("\n") + 1) + 1


def evaluate(
    program: Program, bindings: Mapping[str, Runtime] | Prepared, most: int = MOST_COST, total: Meter | None = None
) -> CelValue | CelError:
    """Runs the program. A variable that is not bound is null. Never raises. What it costs is taken from `total` too.

    A `CelError` is everything that is no value: an error of CEL, more cost than `most`, data that CEL cannot hold
    (a NUL in a text, a number beyond 64 bits, a thing that is no JSON).
    """
    meter = Meter(most if total is None else min(most, max(total.left, 0)))
    before = meter.left
    try:
        bound = bindings if isinstance(bindings, Prepared) else prepared(bindings)
        slots: list[Runtime] = [meter, *(bound.values.get(name) for name in program.names)]
        slots.extend([None] * (program.size - len(slots)))
        value = finished(program.run(slots), meter)
    except Failure as failure:
        return CelError(failure.message, *_place(program.text, program.places.get(failure.node, 0)))
    except ExhaustedError:
        return CelError(f"the expression costs more than {before}", 1, 1, exhausted=True)
    except (RecursionError, MemoryError) as error:
        return CelError(f"the expression needs too much: {type(error).__name__}", 1, 1)
    finally:
        if total is not None:
            total.left -= before - meter.left
    return CelValue(type_name(value), value)
