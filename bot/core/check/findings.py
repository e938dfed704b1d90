"""From the validator's errors to problems: every error at once, each at the key or value it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import jsonschema_rs

from bot.core.check import words
from bot.core.check.schema import Node, Schema
from bot.core.check.words import Said
from bot.core.model.values import Doc, Pointer
from bot.core.problem import Problem

Error = jsonschema_rs.ValidationError


def check(doc: Doc, schema: Schema) -> tuple[Problem, ...]:
    """All that the schema has against the document, in the order of the file; empty means valid.

    The document's value is plain data (dict, list, str, int, float, bool, None), as `parse` makes it.
    """
    found: dict[tuple[Pointer, bool, Said], None] = {}
    for error in schema.validator.iter_errors(doc.value):
        for finding in _findings(error, schema):
            found[finding] = None
    misspelt = {(pointer[:-1], said.field) for pointer, _, said in found if said.code == "CW0104"}
    of_wrong_kind = {pointer for pointer, _, said in found if said.code == "CW0112"}
    problems = set()
    for pointer, on_key, said in found:
        if pointer in of_wrong_kind and said.code in _ABOUT_CONTENT:
            continue  # of a number where text belongs, only that is worth saying
        if said.code == "CW0111" and (pointer, said.field) in misspelt:
            continue  # it is there under a wrong name, and that is said
        pos = doc.at(pointer, key=on_key)
        instead = None if said.field and _stands(doc.value, (*pointer[:-1], said.field)) else said.instead
        problems.add(
            Problem(doc.path, pos.line, pos.column, said.code, said.message, said.why, said.fix, instead=instead)
        )
    return tuple(sorted(problems))


def _stands(value: Any, pointer: Pointer) -> bool:
    """A field that was misspelt may stand there in its right spelling too."""
    try:
        for part in pointer:
            value = value[part]
    except (IndexError, KeyError, TypeError):
        return False
    return True


_ABOUT_CONTENT: Final = frozenset({"CW0113", "CW0114", "CW0115", "CW0116"})

_Finding = tuple[Pointer, bool, Said]
"""Where, whether at the key and not at its value, and what to say."""


def _findings(error: Error, schema: Schema) -> Iterator[_Finding]:
    pointer = tuple(error.instance_path)
    node, location = schema.holder(error.absolute_keyword_location)
    keyword = str(error.schema_path[-1]) if error.schema_path else ""
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=names):
            yield from _unknown(pointer, names, schema, node, location)
        case jsonschema_rs.ValidationErrorKind.UnevaluatedProperties(unexpected=names):
            yield from _unknown(pointer, names, schema, node, location)
        case jsonschema_rs.ValidationErrorKind.Required(property=name):
            known = schema.known(*_whole(schema, node, location))
            yield pointer, True, words.missing(pointer, name, known.get(name, {}))
        case jsonschema_rs.ValidationErrorKind.PropertyNames(error=inner):
            inner_node, _ = schema.holder(inner.absolute_keyword_location)
            yield (*pointer, str(inner.instance)), True, words.bad_name(pointer, inner.instance, inner_node)
        case jsonschema_rs.ValidationErrorKind.AnyOf(context=branches):
            yield from _best_branch(error, branches, schema, node, location, "anyOf")
        case jsonschema_rs.ValidationErrorKind.OneOfNotValid(context=branches):
            yield from _best_branch(error, branches, schema, node, location, "oneOf")
        case jsonschema_rs.ValidationErrorKind.OneOfMultipleValid():
            yield pointer, False, words.several_forms(pointer, node, _only_required(node.get("oneOf")))
        case jsonschema_rs.ValidationErrorKind.FalseSchema():
            yield pointer, True, words.not_here(pointer, node)
        case _:
            say = _BY_KEYWORD.get(keyword, words.otherwise)
            yield pointer, False, say(pointer, error.instance, node, keyword)


Sayer = Callable[[Pointer, Any, Node, str], Said]

_BY_KEYWORD: Final[Mapping[str, Sayer]] = {
    "type": words.wrong_kind,
    "enum": words.not_listed,
    "const": words.not_listed,
    "pattern": words.breaks_rule,
    "minimum": words.out_of_limits,
    "maximum": words.out_of_limits,
    "exclusiveMinimum": words.out_of_limits,
    "exclusiveMaximum": words.out_of_limits,
    "multipleOf": words.out_of_limits,
    "minLength": words.wrong_count,
    "maxLength": words.wrong_count,
    "minItems": words.wrong_count,
    "maxItems": words.wrong_count,
    "minProperties": words.wrong_count,
    "maxProperties": words.wrong_count,
    "uniqueItems": words.twice,
}


def _unknown(pointer: Pointer, names: list[str], schema: Schema, node: Node, location: str) -> Iterator[_Finding]:
    known = schema.known(node, location)
    for name in names:
        yield (*pointer, name), True, words.unknown(pointer, name, known)


def _whole(schema: Schema, node: Node, location: str) -> tuple[Node, str]:
    """The schema that describes the whole object. A `required` inside a combination often stands in a fragment that
    names no properties; the description is then further out."""
    while location and not schema.known(node, location):
        outer = location.rpartition("/")[0]
        if "#" not in outer:
            break
        location = outer
        found = schema.at(location)
        node = found if isinstance(found, Mapping) else {}
    return node, location


def _best_branch(
    error: Error, branches: list[list[Error]], schema: Schema, node: Node, location: str, keyword: str
) -> Iterator[_Finding]:
    """What is wrong with the branch that the author most likely meant."""
    pointer = tuple(error.instance_path)
    required = _only_required(node.get(keyword))
    if required:
        known = schema.known(*_whole(schema, node, location))
        yield pointer, True, words.one_missing(pointer, required, known)
        return
    here = len(pointer)
    closed = [_shuts(branch, here) for branch in branches]
    if all(shut == "kind" for shut in closed):
        parts = [schema.followed(part, location)[0] for part in node.get(keyword, ())]
        yield pointer, False, words.no_kind_fits(pointer, error.instance, node, parts)
        return
    if all(shut == "choice" or shut == "kind" for shut in closed):
        options = [option for branch in branches for option in _options(branch, here, schema)]
        yield pointer, False, words.not_listed(pointer, error.instance, {**node, "enum": options}, "enum")
        return
    best = min(branches, key=lambda branch: _distance(branch, here))
    for inner in best:
        yield from _findings(inner, schema)


def _shuts(branch: list[Error], here: int) -> str:
    """Whether a branch rejects the value as a whole: by its kind, by a list of values, or not at once."""
    keywords = {str(e.schema_path[-1]) for e in branch if len(e.instance_path) == here and e.schema_path}
    return "kind" if "type" in keywords else "choice" if keywords & {"enum", "const"} else ""


def _options(branch: list[Error], here: int, schema: Schema) -> Iterator[Any]:
    for error in branch:
        if len(error.instance_path) == here:
            node, _ = schema.holder(error.absolute_keyword_location)
            if "const" in node:
                yield node["const"]
            yield from node.get("enum", ())


def _distance(branch: list[Error], here: int) -> tuple[int, ...]:
    """How far the value is from a branch: another kind of thing is furthest, then another value of the field that
    tells the branches apart, then fields that do not belong, then all that is merely wrong."""
    shut, marks, strange = 0, 0, 0
    for error in branch:
        keyword = str(error.schema_path[-1]) if error.schema_path else ""
        depth = len(error.instance_path) - here
        shut += depth == 0 and keyword in ("type", "enum", "const")
        marks += depth == 1 and keyword in ("enum", "const")
        strange += depth == 0 and keyword in ("additionalProperties", "unevaluatedProperties", "required")
    return shut, marks, strange, len(branch)


def _only_required(branches: Any) -> tuple[str, ...]:
    """The field names where each branch is nothing but `required: [name]`: the idiom for one of several fields."""
    if not isinstance(branches, list) or not branches:
        return ()
    names: list[str] = []
    for part in branches:
        if not (isinstance(part, Mapping) and set(part) == {"required"} and len(part["required"]) == 1):
            return ()
        names.extend(part["required"])
    return tuple(names)
