"""What an expression can see, and the form of it that remembers what was looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from bot.core.model.values import Pointer, Value
from bot.core.template.limits import TemplateError

Scope = dict[str, Value]
"""What an expression can name. Never changed by an expression; a loop makes a new one."""

Evaluate = Callable[[Scope], Value]

LOOKUP: Final = (KeyError, IndexError, TypeError)
"""What looking up a name that is not there raises."""


class Traced(Scope):
    """A scope that remembers what was looked up in it. `pointers` says where each name's value stands in the outermost
    scope; `seen` collects, in order, the pointers that were read."""

    def __init__(self, values: Mapping[str, Value], pointers: Mapping[str, Pointer], seen: list[Pointer]) -> None:
        super().__init__(values)
        self.pointers = dict(pointers)
        self.seen = seen

    def read(self, root: str, keys: Sequence[str | int]) -> Value:
        """The value at a path; TemplateError says which part of it is missing, and what is there instead."""
        if root not in self:
            raise TemplateError(f"`{root}` is not defined", did_you_mean(root, self))
        value, path = self[root], root
        for key in keys:
            try:
                value = value[key]  # type: ignore[index]  # a wrong kind is one of LOOKUP
            except LOOKUP:
                raise TemplateError(f"`{key}` is not in `{path}`", did_you_mean(str(key), value)) from None
            path += f".{key}"
        self.seen.append((*self.pointers.get(root, (root,)), *keys))
        return value


def did_you_mean(name: str, among: object) -> str:
    """What to write instead of a name that is not among `among`."""
    names = sorted(str(key) for key in among) if isinstance(among, Mapping) else []
    close = get_close_matches(name, names, 1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"there is: {', '.join(names[:20])}" if names else "there is nothing of that name"
