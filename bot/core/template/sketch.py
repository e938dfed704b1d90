"""The objects that a template makes, each with its text at once and its value only if somebody looks into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from bot.core.emit import as_document
from bot.core.model.values import Value
from bot.core.template.drawing import MARGIN, YAML, Draw, drawn
from bot.core.template.nodes import For, If, Items, Map, Node, Run, compiled, turns
from bot.core.template.scope import Evaluate, Scope

Sketch = Callable[[Scope], Iterable["Drawn"]]
"""The objects of a template in one scope, in order."""


class Drawn(Mapping[str, Value]):
    """One object. Most are only ever written, so the map is made when somebody reads it."""

    __slots__ = ("_draw", "_run", "_scope", "_value", "kind", "labels", "name", "text")

    def __init__(self, kind: Value, name: Value, labels: Value, draw: Draw, run: Run, scope: Scope) -> None:
        self.kind, self.name, self.labels = kind, name, labels
        self._draw, self._run, self._scope = draw, run, scope
        self._value: Mapping[str, Value] | None = None
        self.text: bytes | None = None
        """The object's YAML file, once it is drawn."""

    def draw(self) -> None:
        """Makes the text; raises what making the object would raise."""
        self.text = as_document(str(self._draw(self._scope)))

    def _all(self) -> Mapping[str, Value]:
        if self._value is None:
            self._value = self._run(self._scope)  # type: ignore[assignment]  # the run of a map gives a map
        return self._value  # type: ignore[return-value]

    def __reduce__(self) -> tuple[type[dict[str, Value]], tuple[dict[str, Value]]]:
        """Between processes it travels as the map that it is: templates do not pickle."""
        return dict, (dict(self._all()),)

    def __getitem__(self, name: str) -> Value:
        # The one field by which objects are told apart; looking for a few of them need not make all.
        if name == "kind" and self.kind is not None:
            return self.kind
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def sketched(root: Node) -> Sketch | None:
    """How to draw a template; None for the few that only show their objects once they are made."""
    match root:
        case If(_, test, inner):
            below, check = sketched(inner), test.run
            return None if below is None else lambda scope: below(scope) if check(scope) else ()
        case For(_, _, over, inner):
            return _loop(root, sketched(inner), over.run)
        case Items(_, items):
            each = [found for one in items if (found := sketched(one)) is not None]
            return None if len(each) < len(items) else lambda scope: [made for one in each for made in one(scope)]
        case Map():
            return _object(root)
        case _:
            return None


def _loop(node: For, below: Sketch | None, over: Evaluate) -> Sketch | None:
    if below is None:
        return None
    sketch = below
    return lambda scope: [made for names in turns(node, over(scope)) for made in sketch({**scope, **names})]


def _object(node: Map) -> Sketch | None:
    fields = dict(node.pairs)
    metadata = fields.get("metadata")
    known = dict(metadata.pairs) if isinstance(metadata, Map) else None
    if known is None or "generateName" in known:
        return None
    heads = [fields.get("kind"), known.get("name"), known.get("labels")]
    if any(isinstance(head, If) for head in heads) or not all(isinstance(name, str) for name in (*fields, *known)):
        return None
    kind, name, labels = (_nothing if head is None else compiled(head) for head in heads)
    draw, run = drawn(node, YAML, MARGIN), compiled(node)
    return lambda scope: (Drawn(kind(scope), name(scope), labels(scope), draw, run, scope),)  # type: ignore[arg-type]


def _nothing(scope: Scope) -> Value:  # noqa: ARG001
    return None
