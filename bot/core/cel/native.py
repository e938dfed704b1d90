"""The one door to cel-expr-python: it reads and type-checks expressions, and brings RE2, whose patterns are CEL's.

It does not run expressions here. Its runtime has no value for Kubernetes' own types, gives no place for an error, cuts
text at NUL, counts down the references of None, and cannot be told a budget; its parser and checker have none of this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import count, islice
from typing import Final

from cel_expr_python import cel

from bot.core.cel.failures import Failure
from bot.core.cel.nodes import Checked
from bot.core.cel.signatures import Signature, declared_type
from bot.core.cel.wire import read_checked
from bot.core.emit import emit_yaml
from bot.core.model.values import Value

_ERROR = re.compile(r"^(?:INVALID_ARGUMENT: )?ERROR: [^:\n]*:(-?\d+):(-?\d+): (.*)$", re.MULTILINE)
_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")
_CODE = re.compile(r"^[A-Z_]+: |(?: \[[A-Z_]+\])$")
_EXTENSIONS: Final = ("optional", "two-var-comprehensions")


_NO_TYPES: Final[Mapping[str, str]] = {}


class RefusedError(Exception):
    """The checker does not accept the text: `found` are (line, column, message), in the order of the text."""

    def __init__(self, found: tuple[tuple[int, int, str], ...]) -> None:
        super().__init__(found[0][2])
        self.found = found


class Checker:
    """Parses and type-checks expressions over some variables, all of type `dyn`, and some functions.

    `functions` are added to the standard ones; `replaced` are the standard ones that they stand for. `typed` are paths
    of variables, as `variables.x`, whose types are known; the tree that comes of them has each as one name.
    """

    def __init__(
        self, variables: frozenset[str], functions: Mapping[str, tuple[Signature, ...]], replaced: tuple[str, ...],
        types: tuple[str, ...], typed: Mapping[str, str] = _NO_TYPES,
    ) -> None:  # fmt: skip
        config: dict[str, Value] = {
            "name": "causeway",
            "stdlib": {"exclude_functions": [{"name": name} for name in replaced]},
            "extensions": [{"name": name} for name in _EXTENSIONS],
            "variables": [{"name": name, "type_name": "dyn"} for name in sorted(variables)]
            + [{"name": name, "type_name": "type"} for name in types]
            + [{"name": path, **declared_type(kind)} for path, kind in typed.items()],
            "functions": [
                {"name": name, "overloads": [one.declared() for one in overloads]}
                for name, overloads in functions.items()
            ],
        }
        self._env = cel.NewEnv(config=cel.NewEnvConfigFromYaml(emit_yaml(config).decode()))

    def check(self, text: str) -> Checked:
        """The tree. RefusedError where the text is no expression over these names, or its types cannot fit."""
        try:
            return read_checked(self._env.compile(text).serialize())
        except RuntimeError as error:
            raise RefusedError(_places(str(error))) from None


def _places(message: str) -> tuple[tuple[int, int, str], ...]:
    found = tuple((max(int(line), 1), max(int(column), 1), said) for line, column, said in _ERROR.findall(message))
    if found:
        return found
    return ((1, 1, _CODE.sub("", _CODE.sub("", message.partition("\n")[0]))),)


_RE2: Final = cel.NewEnv(
    config=cel.NewEnvConfigFromYaml("name: patterns\nextensions:\n- name: optional\n- name: regex\n"),
    variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING, "marks": cel.Type.STRING},
)
_MATCHES: Final = _RE2.compile("text.matches(pattern)")
_MARKED: Final = _RE2.compile("regex.replace(text, pattern, marks)")


def re2_matches(text: str, pattern: str) -> bool:
    """Whether the pattern matches anywhere in the text. Failure where it is no RE2 pattern, or a NUL is in either."""
    return _matched(text, pattern) if len(text) + len(pattern) <= _SHORT else _matched.__wrapped__(text, pattern)


_SHORT: Final = 256
"""Characters of what is remembered: names and images, which come again and again."""


@lru_cache(maxsize=4096)
def _matched(text: str, pattern: str) -> bool:
    found = _MATCHES.eval(data={"text": _whole(text), "pattern": _pattern(pattern)})
    if found.type() != cel.Type.BOOL:
        raise Failure(f"error parsing regexp: {_said(found)}")
    return found.value() is True


def re2_all(text: str, pattern: str, most: int = -1) -> tuple[str, ...]:
    """The matches from left to right, none overlapping, no more than `most` unless that is negative. Failure as above.

    An empty match counts, except directly behind another match.
    """
    if most == 0:
        re2_matches("", pattern)
        return ()
    # RE2 is reached only through a replacement, so each match is put between two characters that the text lacks.
    opened, closed = islice((chr(code) for code in count(0xE000) if chr(code) not in text), 2)
    found = _MARKED.eval(data={"text": _whole(text), "pattern": _pattern(pattern), "marks": f"{opened}\\0{closed}"})
    if found.type() != cel.Type.STRING:
        raise Failure(f"error parsing regexp: {_said(found)}")
    parts = str(found.value()).split(opened)[1:]
    return tuple(part.partition(closed)[0] for part in (parts if most < 0 else parts[:most]))


def _whole(text: str) -> str:
    if "\0" in text:
        raise Failure("a text with a NUL character cannot be searched")
    return text


def _pattern(text: str) -> str:
    """The pattern, without the one thing that RE2 can do here and not in a cluster: match a byte."""
    if _BYTE.search(text):
        raise Failure("error parsing regexp: invalid escape sequence: \\C")
    return _whole(text)


@lru_cache(maxsize=1024)
def re2_fault(pattern: str) -> str | None:
    """Why a text is no RE2 pattern; None where it is one."""
    try:
        re2_matches("", pattern)
    except Failure as failure:
        return failure.message
    return None


def _said(found: cel.Value) -> str:
    said = _CODE.sub("", str(found.plain_value()))
    return said.removeprefix("invalid regular expression: ")
