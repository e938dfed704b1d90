"""A recipe's own options: each is a JSON Schema that a platform engineer wrote, so it is judged before it judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from bot.core.check import BadSchemaError, compile_schema
from bot.core.kit.schemas import options_schema
from bot.core.model.values import Doc, Pointer, Value
from bot.core.problem import Problem
from bot.core.text import visible

OF_EVERY_NEED = frozenset({"type", "class", "size"})
"""Fields that a need has whatever its recipe; an option of that name would replace them."""


def option_problems(doc: Doc) -> Iterator[Problem]:
    """What is wrong with the options of a recipe.yaml that its schema accepts."""
    meta = cast(Mapping[str, Value], doc.value)
    for name, option in cast(Mapping[str, Mapping[str, Value]], meta.get("options") or {}).items():
        yield from _problems(doc, name, option)


def _problems(doc: Doc, name: str, option: Mapping[str, Value]) -> Iterator[Problem]:
    if name in OF_EVERY_NEED:
        yield _problem(
            doc, (name,), f"an option cannot be called `{name}`", "every need has a field of that name already",
            "choose another name",
        )  # fmt: skip
        return
    steering = next(_steering(option), None)
    if steering is not None:
        yield _problem(
            doc, (name,), f"the option `{name}` holds `{visible(steering)}`",
            "it becomes part of the manifest's schema, where a reference would lead elsewhere",
            "write out what it stands for",
        )  # fmt: skip
        return
    try:
        schema = compile_schema(options_schema({name: option}))
    except BadSchemaError as error:
        said = " ".join(visible(str(error).partition(": ")[2]).split())[:200]
        yield _problem(
            doc, (name,), f"the option `{name}` is no JSON Schema: {said}", "needs are judged by it",
            "write a schema such as `{type: integer, minimum: 0, default: 1, description: …}`",
        )  # fmt: skip
        return
    if not schema.validator.is_valid({name: option["default"]}):
        yield _problem(
            doc, (name, "default"), f"the default of `{name}` breaks its own rule",
            "a need that leaves the option out would get it", "change the default or the rule",
        )  # fmt: skip


def _steering(node: Value) -> Iterator[str]:
    """Keywords with which one schema reaches another."""
    if isinstance(node, Mapping):
        for key, inner in node.items():
            if key.startswith("$"):
                yield key
            yield from _steering(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _steering(inner)


def _problem(doc: Doc, pointer: Pointer, message: str, why: str, fix: str) -> Problem:
    pos = doc.at(("options", *pointer))
    return Problem(doc.path, pos.line, pos.column, "CW0205", message, why, fix)
