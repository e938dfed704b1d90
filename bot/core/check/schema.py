"""A compiled schema: the verdict from jsonschema-rs, and the way from an error back to the schema's own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import unquote, urldefrag, urljoin

import jsonschema_rs

Node = Mapping[str, Any]
"""One schema object inside a document."""

_NO_ID: Final = "https://causeway.invalid/schema"
EMPTY: Final[Node] = {}
_DEEPEST_REF = 20


class BadSchemaError(ValueError):
    """The schema itself is wrong, or refers to something that was not given along with it."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Made by `compile_schema`. Holds no reference to anything outside the process; may be shared by threads."""

    validator: jsonschema_rs.Draft202012Validator
    root: Node
    resources: Mapping[str, Node]
    """Every schema that has an id of its own, by absolute id."""

    def holder(self, location: str | None) -> tuple[Node, str]:
        """The schema object in which a keyword at this absolute location stands, and the object's own location."""
        holder = (location or "").rpartition("/")[0]
        found = self.at(holder)
        return (found if isinstance(found, Mapping) else EMPTY), holder

    def at(self, location: str) -> Any:
        """What stands at an absolute location (`id#/json/pointer`), or None."""
        base, fragment = urldefrag(location)
        node: Any = self.resources.get(base)
        for part in unquote(fragment).split("/")[1:]:
            token = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping):
                node = node.get(token)
            elif isinstance(node, list) and token.isdigit() and int(token) < len(node):
                node = node[int(token)]
            else:
                return None
        return node

    def followed(self, node: Any, location: str) -> tuple[Node, str]:
        """The schema object with its chain of `$ref`s resolved, and where that stands."""
        for _ in range(_DEEPEST_REF):
            if not (isinstance(node, Mapping) and isinstance(node.get("$ref"), str)):
                break
            target = urljoin(location, node["$ref"])
            node, location = self.at(target), target
        return (node if isinstance(node, Mapping) else EMPTY), location

    def known(self, node: Any, location: str) -> dict[str, Node]:
        """Every property that the schema names for an object here, through references and combinations; where it
        is named more than once, the outermost words count."""
        found: dict[str, Node] = {}
        for name, words in self._properties(node, location, 0):
            found.setdefault(name, words)
        return found

    def _properties(self, node: Any, location: str, depth: int) -> Iterator[tuple[str, Node]]:
        node, location = self.followed(node, location)
        named = node.get("properties")
        for name, child in named.items() if isinstance(named, Mapping) else ():
            words, _ = self.followed(child, location)
            yield name, {**words, **child} if isinstance(child, Mapping) else words
        if depth < _DEEPEST_REF:
            parts = [part for keyword in ("allOf", "anyOf", "oneOf") for part in node.get(keyword, ())]
            for part in (*parts, *(node[keyword] for keyword in ("if", "then", "else") if keyword in node)):
                yield from self._properties(part, location, depth + 1)


def compile_schema(schema: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]] = EMPTY) -> Schema:
    """A schema ready to check documents. `$ref` reaches inside `schema` and into `others`, by their `$id` (or, where
    one has none, the key it is given under). Nothing is ever fetched or opened. `BadSchemaError` where it is wrong."""
    root: dict[str, Any] = {"$id": _NO_ID, **schema}
    named = {str(other.get("$id", name)): {"$id": name, **other} for name, other in others.items()}
    try:
        registry = jsonschema_rs.Registry(list(named.items()), retriever=_closed)
        validator = jsonschema_rs.Draft202012Validator(
            root, registry=registry, retriever=_closed, validate_formats=False
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise BadSchemaError(f"{root['$id']}: {getattr(error, 'message', error)}") from error
    resources: dict[str, Node] = {}
    for uri, document in (*named.items(), (str(root["$id"]), root)):
        resources.update(_resources(document, uri))
    return Schema(validator, root, resources)


def _closed(uri: str) -> NoReturn:
    raise ValueError(f"{uri} was not given along with the schema, and nothing is fetched")


def _resources(node: Any, base: str) -> Iterator[tuple[str, Node]]:
    """The document and all schemas embedded in it that have an `$id`."""
    if isinstance(node, Mapping):
        own = node.get("$id")
        if isinstance(own, str):
            base = urldefrag(urljoin(base, own)).url
            yield base, node
        for child in node.values():
            yield from _resources(child, base)
    elif isinstance(node, list):
        for child in node:
            yield from _resources(child, base)
