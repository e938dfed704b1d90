"""From templates and a scope to objects at their paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final

from bot.core.emit import canonical, shared
from bot.core.model.render import Objects
from bot.core.model.values import Value
from bot.core.problem import Problem, Refusal
from bot.core.template import FAILS, Drawn, Parts, Template, expand

Place = Callable[[str, Mapping[str, Value]], str]
"""(template's name, object) -> output path."""

_LONGEST: Final = {
    "Namespace": 63,
    "Service": 63,
    "Job": 63,
    "CronJob": 52,
    "Deployment": 63,
    "StatefulSet": 52,
    "Cluster": 50,
}
"""Kinds whose name becomes a label or a host name, alone or with something behind it. Others have 253 characters."""


def name_of(template: Template) -> str:
    """A template's path inside `templates/`, without its ending: `deployment`, `environment/root`."""
    return template.path.rpartition("templates/")[2].removesuffix(".yaml")


def expanded(templates: Iterable[Template], scope: Mapping[str, Value], place: Place) -> Objects | Refusal:
    """Every object that `templates` make of `scope`, by output path.

    A template whose name begins with `_` is a part: it makes no object, the others find its value at `parts.<name>`.
    A template that makes a list makes several objects.
    """
    parts, rest = _sorted_out(tuple(templates))
    try:
        return _drawn(parts, rest, scope, place)
    except FAILS:
        return _valued(parts, rest, scope, place)


def _drawn(
    parts: tuple[Template, ...], rest: tuple[Template, ...], scope: Mapping[str, Value], place: Place
) -> Objects | Refusal:
    """The fast form: texts without objects, where a template allows it. Raises one of FAILS, without saying where."""
    whole = Parts({short_name(part.path)[1:]: part for part in parts}, dict(scope)).scope()
    objects: dict[str, Value] = {}
    problems: list[Problem] = []
    for template in rest:
        for item in _made(template, whole):
            if type(item) is Drawn or isinstance(item, Mapping):
                item, path = placed(template, item, place, problems)
                if isinstance(item, Drawn) and path.endswith(".yaml"):
                    item.draw()
                _add(objects, path, item, template, problems)
    return Refusal(tuple(sorted(problems))) if problems else objects


def _made(template: Template, whole: dict[str, Value]) -> Iterable[object]:
    made = template.run(whole) if template.sketch is None else template.sketch(whole)
    return made if isinstance(made, list | tuple) else [made]


def maker(templates: Iterable[Template], scope: Mapping[str, Value], place: Place, path: str) -> tuple[Template, ...]:
    """The template whose object stands at `path`: one, as no two objects share a path; all where one of them fails."""
    parts, rest = _sorted_out(tuple(templates))
    whole = Parts({short_name(part.path)[1:]: part for part in parts}, dict(scope)).scope()
    try:
        for template in rest:
            for item in _made(template, whole):
                if isinstance(item, Mapping) and placed(template, item, place, [])[1] == path:
                    return (template,)
    except FAILS:
        return rest
    return ()


def _valued(
    parts: tuple[Template, ...], rest: tuple[Template, ...], scope: Mapping[str, Value], place: Place
) -> Objects | Refusal:
    """The slow form: says what is wrong in which line of which template."""
    whole = with_parts(parts, scope)
    if isinstance(whole, Refusal):
        return whole
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
                _add(objects, path, item, template, problems)
    return Refusal(tuple(sorted(problems))) if problems else objects


def _add(objects: dict[str, Value], path: str, item: Value, template: Template, problems: list[Problem]) -> None:
    if path in objects:
        problems.append(_problem(template, "CW0603", f"two objects want to be `{path}`", _TWICE, _RENAME))
    objects[path] = item


_TWICE: Final = "One would silently replace the other."
_RENAME: Final = "Give one of them another name."


def with_parts(parts: Iterable[Template], scope: Mapping[str, Value]) -> dict[str, Value] | Refusal:
    """The scope with the values of `parts`, which come in an order that `wanted_parts` gives."""
    values: dict[str, Value] = {}
    whole: dict[str, Value] = {**scope, "parts": values}
    for template in parts:
        value = expand(template, whole)
        if isinstance(value, Refusal):
            return value
        # A part stands in many objects: its text is made once.
        items = [shared(item) for item in value] if isinstance(value, list) else value
        values[short_name(template.path)[1:]] = shared(items)
    return whole


@lru_cache(maxsize=1024)
def _sorted_out(templates: tuple[Template, ...]) -> tuple[tuple[Template, ...], tuple[Template, ...]]:
    """Parts that are read, each after those that it reads itself, and the templates that are none."""
    rest = tuple(template for template in templates if not short_name(template.path).startswith("_"))
    return wanted_parts(templates, frozenset(name for template in rest for name in template.parts)), rest


@lru_cache(maxsize=1024)
def wanted_parts(templates: tuple[Template, ...], names: frozenset[str]) -> tuple[Template, ...]:
    """The parts of these names and all that they read, each after those that it reads. What is not there, or part of a
    circle, is left to the template that reads it: it finds nothing, and says so."""
    known = {short_name(template.path)[1:]: template for template in templates if short_name(template.path)[0] == "_"}
    made: dict[str, Template] = {}

    def add(name: str, above: frozenset[str]) -> None:
        if name in known and name not in made and name not in above:
            for needed in sorted(known[name].parts):
                add(needed, above | {name})
            made[name] = known[name]

    for name in sorted(names):
        add(name, frozenset())
    return tuple(made.values())


@lru_cache(maxsize=4096)
def short_name(path: str) -> str:
    """The last part of a template's path, without its ending."""
    return path.rpartition("/")[2].removesuffix(".yaml")


def placed(
    template: Template, item: Mapping[str, Value], place: Place, problems: list[Problem]
) -> tuple[Mapping[str, Value], str]:
    """The object with its name settled, and its path. Adds a problem where a name is not legal."""
    if isinstance(item, Drawn):
        _check(template, item.kind, item.name, item.labels, problems)
        # A place looks at these two alone; the object itself would have to be made first.
        return item, place(short_name(template.path), {"kind": item.kind, "metadata": {"name": item.name}})
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping):
        return item, place(short_name(template.path), item)
    start = metadata.get("generateName")
    if isinstance(start, str):
        # Named after its own content: an object that cannot be changed in place becomes another one instead. Labels and
        # annotations can be.
        fixed = {key: value for key, value in item.items() if key != "metadata"}
        mark = sha256(canonical(fixed)).hexdigest()[:10]
        metadata = {"name": f"{start}{mark}", **{k: v for k, v in metadata.items() if k != "generateName"}}
        item = {**item, "metadata": metadata}
    _check(template, item.get("kind"), metadata.get("name"), metadata.get("labels"), problems)
    return item, place(short_name(template.path), item)


def _check(template: Template, kind: Value, name: Value, labels: Value, problems: list[Problem]) -> None:
    if not (isinstance(name, str) and isinstance(kind, str) and legal_name(kind, name)):
        problems.append(_problem(template, "CW0601", f"`{name}` is no legal name of a {kind}", _NAMES, _SHORTER))
    if isinstance(labels, Mapping) and not legal_labels(tuple(labels.values())):
        problems += [
            _problem(template, "CW0602", f"`{label}` is no legal value of label `{key}`", _NAMES, _SHORTER)
            for key, label in labels.items()
            if not (isinstance(label, str) and legal_label(label))
        ]


_NAMES: Final = "Kubernetes refuses it: at most 63 characters (253 for some kinds), lower-case letters, digits, `-`."
_SHORTER: Final = "Shorten the name of the service, the need or the environment that it is made of."


@lru_cache(maxsize=65536)
def legal_name(kind: str, name: str) -> bool:
    """Whether Kubernetes takes this name for an object of this kind."""
    if kind in _LONGEST:
        return len(name) <= _LONGEST[kind] and re.fullmatch(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", name) is not None
    return len(name) <= 253 and re.fullmatch(r"[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?", name) is not None


@lru_cache(maxsize=4096)
def legal_labels(values: tuple[Value, ...]) -> bool:
    """The same for all labels of an object: most objects of a service have the same ones."""
    return all(isinstance(value, str) and legal_label(value) for value in values)


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
