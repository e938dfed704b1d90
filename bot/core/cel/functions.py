"""Everything that an expression may call: Kubernetes 1.34's environment for policies, without its authorizer.

What is in none of these tables is refused when a policy is loaded, by name. `reverse`, `cel.bind`, `math.` and
`base64.` exist in CEL and not there; `sort`, `slice`, `distinct` and `flatten` come with a later cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.cel.addresses import ADDRESSES, NETWORKS
from bot.core.cel.formats import NAMED
from bot.core.cel.lists import LISTS, OPTIONALS, SETS, UNWRAPPED
from bot.core.cel.operators import BINARY, UNARY
from bot.core.cel.quantities import QUANTITIES
from bot.core.cel.rows import Row
from bot.core.cel.signatures import Signature, read_signature
from bot.core.cel.standard import ORDER, STANDARD, TEXTS_OF
from bot.core.cel.steps import SPECIAL, Overload
from bot.core.cel.texts import PATTERNS, STRINGS
from bot.core.cel.times import TEXTS_OF_TIMES, TIMES
from bot.core.cel.urls import URLS
from bot.core.cel.versions import SEMVERS


@dataclass(frozen=True, slots=True)
class Library:
    """Functions that belong together. `since` is the first cluster that has them, `cases` the file of examples."""

    name: str
    where: str
    since: str
    cases: str
    rows: tuple[Row, ...]


LIBRARIES: Final[tuple[Library, ...]] = (
    Library("standard", "CEL's own definition", "1.25", "standard", (*STANDARD, *TEXTS_OF)),
    Library("times", "CEL's own definition", "1.25", "times", (*TIMES, *TEXTS_OF_TIMES)),
    Library("optionals", "cel-go, optional types", "1.28", "optionals", (*OPTIONALS, *UNWRAPPED)),
    Library("strings", "cel-go, extended strings, version 2", "1.29", "strings", STRINGS),
    Library("lists", "Kubernetes, lists", "1.25", "lists", LISTS),
    Library("sets", "cel-go, sets", "1.29", "sets", SETS),
    Library("regex", "Kubernetes, regex", "1.25", "regex", PATTERNS),
    Library("url", "Kubernetes, URLs", "1.25", "url", URLS),
    Library("quantity", "Kubernetes, quantities", "1.28", "quantity", QUANTITIES),
    Library("ip", "Kubernetes, IP addresses", "1.30", "ip", ADDRESSES),
    Library("cidr", "Kubernetes, networks", "1.30", "cidr", NETWORKS),
    Library("format", "Kubernetes, named formats", "1.31", "format", NAMED),
    Library("semver", "Kubernetes, semantic versions", "1.33", "semver", SEMVERS),
)


@dataclass(frozen=True, slots=True)
class Macro:
    """A form that is written out before anything runs."""

    form: str
    meaning: str
    since: str


MACROS: Final[tuple[Macro, ...]] = (
    Macro("has(e.f)", "whether the field is there", "1.25"),
    Macro("e.all(x, p)", "whether p holds for each item or key", "1.25"),
    Macro("e.exists(x, p)", "whether p holds for one at least", "1.25"),
    Macro("e.exists_one(x, p)", "whether p holds for exactly one", "1.25"),
    Macro("e.map(x, t)", "a list of t for each", "1.25"),
    Macro("e.map(x, p, t)", "a list of t for each where p holds", "1.25"),
    Macro("e.filter(x, p)", "a list of those where p holds", "1.25"),
    Macro("o.optMap(x, t)", "an optional of t, where o has a value x", "1.28"),
    Macro("o.optFlatMap(x, t)", "the optional t, where o has a value x", "1.28"),
    Macro("e.all(i, x, p)", "the same with the index or key i", "1.32"),
    Macro("e.exists(i, x, p)", "the same with the index or key i", "1.32"),
    Macro("e.existsOne(i, x, p)", "the same with the index or key i", "1.32"),
    Macro("e.transformList(i, x, t)", "a list of t for each", "1.32"),
    Macro("e.transformList(i, x, p, t)", "a list of t for each where p holds", "1.32"),
    Macro("e.transformMap(i, x, t)", "a map from each key or index to t", "1.32"),
    Macro("e.transformMap(i, x, p, t)", "a map from each key or index to t where p holds", "1.32"),
    Macro("e.transformMapEntry(i, x, m)", "a map of the one entry of m for each", "1.32"),
    Macro("e.transformMapEntry(i, x, p, m)", "a map of the one entry of m for each where p holds", "1.32"),
)


@dataclass(frozen=True, slots=True)
class Function:
    """One name that may be called."""

    name: str
    library: Library
    signatures: tuple[str, ...]


def _functions() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for library in LIBRARIES:
        for row in library.rows:
            name = row.signature.name
            before = found.get(name)
            texts = (*(before.signatures if before else ()), row.signature.text)
            found[name] = Function(name, before.library if before else library, texts)
    return found


FUNCTIONS: Final[Mapping[str, Function]] = _functions()
"""Name -> where it belongs and how it is called. The first library that has the name is the one that is named."""

_ROWS: Final = tuple(row for library in LIBRARIES for row in library.rows)


def _overloads() -> dict[str, tuple[Overload, ...]]:
    found: dict[str, tuple[Overload, ...]] = {}
    for row in _ROWS:
        found[row.signature.name] = (*found.get(row.signature.name, ()), (row.signature, row.step))
    return found


OVERLOADS: Final[Mapping[str, tuple[Overload, ...]]] = _overloads()
"""Name -> what can be run under it."""


def declarations() -> dict[str, tuple[Signature, ...]]:
    """Name -> what the checker must be told, since its own standard lacks it."""
    found: dict[str, tuple[Signature, ...]] = {}
    for signature in (*(row.signature for row in _ROWS if not row.standard), *map(read_signature, ORDER)):
        found[signature.name] = (*found.get(signature.name, ()), signature)
    return found


REPLACED: Final = ("_<_", "_<=_", "_>_", "_>=_", "string")
"""Standard functions whose overloads are all declared anew, since the cluster has more of them."""

TYPES: Final = ("net.IP", "net.CIDR")
"""Types of Kubernetes that an expression can name, as in `type(x) == net.IP`."""

OPERATORS: Final = frozenset([*BINARY, *UNARY, *SPECIAL])
