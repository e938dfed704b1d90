"""From templates and a scope to objects at their paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final

from bot.core.emit import canonical
from bot.core.model.render import Objects
from bot.core.model.values import Value
from bot.core.problem import Problem, Refusal
from bot.core.template import Template, expand

Place = Callable[[str, Mapping[str, Value]], str]
"""(template's name, object) -> output path."""

_DNS_LABEL: Final = frozenset({"Namespace", "Service", "Job", "CronJob", "Deployment", "StatefulSet", "Pod"})
"""Kinds whose name becomes a label or a host name, so that it has 63 characters at most; others have 253."""


def name_of(template: Template) -> str:
    """A template's path inside `templates/`, without its ending: `deployment`, `environment/root`."""
    return template.path.rpartition("templates/")[2].removesuffix(".yaml")


def expanded(templates: Iterable[Template], scope: Mapping[str, Value], place: Place) -> Objects | Refusal:
    """Every object that `templates` make of `scope`, by output path.

    A template whose name begins with `_` is a part: it makes no object, the others find its value at `parts.<name>`.
    Parts come first, in the order of their names. A template that makes a list makes several objects.
    """
    made = with_parts(templates, scope)
    if isinstance(made, Refusal):
        return made
    whole, rest = made
    objects: dict[str, Value] = {}
    problems: list[Problem] = []
    for template in rest:
        value = expand(template, whole)
        if isinstance(value, Refusal):
            problems += value.problems
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                item, path = placed(template, item, place, problems)
                if path in objects:
                    problems.append(_problem(template, "CW0603", f"two objects want to be `{path}`", _TWICE, _RENAME))
                objects[path] = item
    return Refusal(tuple(sorted(problems))) if problems else objects


_TWICE: Final = "One would silently replace the other."
_RENAME: Final = "Give one of them another name."


def with_parts(
    templates: Iterable[Template], scope: Mapping[str, Value]
) -> tuple[dict[str, Value], list[Template]] | Refusal:
    """The scope with `parts`, and the templates that are none."""
    parts: dict[str, Value] = {}
    whole = {**scope, "parts": parts}
    rest: list[Template] = []
    for template in templates:
        name = short_name(template.path)
        if not name.startswith("_"):
            rest.append(template)
            continue
        value = expand(template, whole)
        if isinstance(value, Refusal):
            return value
        parts[name[1:]] = value
    return whole, rest


@lru_cache(maxsize=4096)
def short_name(path: str) -> str:
    """The last part of a template's path, without its ending."""
    return path.rpartition("/")[2].removesuffix(".yaml")


def placed(
    template: Template, item: Mapping[str, Value], place: Place, problems: list[Problem]
) -> tuple[Mapping[str, Value], str]:
    """The object with its name settled, and its path. Adds a problem where a name is not legal."""
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping):
        return item, place(short_name(template.path), item)
    start = metadata.get("generateName")
    if isinstance(start, str):
        # Named after its own content: an object that cannot be changed in place becomes another one instead.
        mark = sha256(canonical(item)).hexdigest()[:10]
        metadata = {"name": f"{start}{mark}", **{k: v for k, v in metadata.items() if k != "generateName"}}
        item = {**item, "metadata": metadata}
    name, kind = metadata.get("name"), item.get("kind")
    if not (isinstance(name, str) and isinstance(kind, str) and legal_name(kind, name)):
        problems.append(_problem(template, "CW0601", f"`{name}` is no legal name of a {kind}", _NAMES, _SHORTER))
    labels = metadata.get("labels")
    for key, label in labels.items() if isinstance(labels, Mapping) else ():
        if not (isinstance(label, str) and legal_label(label)):
            problems.append(
                _problem(template, "CW0602", f"`{label}` is no legal value of label `{key}`", _NAMES, _SHORTER)
            )
    return item, place(short_name(template.path), item)


_NAMES: Final = "Kubernetes refuses it: at most 63 characters (253 for some kinds), lower-case letters, digits, `-`."
_SHORTER: Final = "Shorten the name of the service, the need or the environment that it is made of."


@lru_cache(maxsize=65536)
def legal_name(kind: str, name: str) -> bool:
    """Whether Kubernetes takes this name for an object of this kind."""
    if kind in _DNS_LABEL:
        return re.fullmatch(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", name) is not None
    return len(name) <= 253 and re.fullmatch(r"[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?", name) is not None


@lru_cache(maxsize=65536)
def legal_label(value: str) -> bool:
    """Whether Kubernetes takes this label value."""
    return re.fullmatch(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", value) is not None


def in_folder(folder: str) -> Place:
    """One object a file, `<kind>-<name>.yaml`."""

    def place(_: str, item: Mapping[str, Value]) -> str:
        metadata = item.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        return f"{folder}/{str(item.get('kind')).lower()}-{name}.yaml"

    return place


def _problem(template: Template, code: str, message: str, why: str, fix: str) -> Problem:
    return Problem(template.path, template.root.at.line, template.root.at.column, code, message, why, fix)
