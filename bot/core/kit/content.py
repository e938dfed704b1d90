"""Reading one blueprint or recipe folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import cast

from bot.core.check import Schema, check, compile_schema
from bot.core.kit.defaults import settle
from bot.core.kit.folders import Folder, files
from bot.core.kit.options import option_problems
from bot.core.kit.schemas import options_schema
from bot.core.kit.shapes import Blueprint, Form, Output, Recipe
from bot.core.model.values import Doc, Value
from bot.core.parse import parse
from bot.core.problem import Problem, Refusal
from bot.core.template import Template, compile_template

NEEDED: Mapping[str, frozenset[str]] = {
    "tier": frozenset(),
    "size": frozenset({"name", "cpu", "memory"}),
    "scale": frozenset({"min", "max", "cpu"}),
    "stop": frozenset({"grace", "drain"}),
}
"""What every service must get from somewhere, in every situation."""


def workload(name: str, version: int, folder: Folder, schema: Schema) -> Blueprint | Refusal:
    """The golden path in `folder`, with a default for everything that a four-line manifest leaves out."""
    made = blueprint(name, version, folder, schema)
    if isinstance(made, Refusal):
        return made
    lacking = sorted(field for field, parts in NEEDED.items() if not _complete(made, field, parts))
    if not lacking:
        return made
    names = ", ".join(f"`{field}`" for field in lacking)
    problem = Problem(
        made.path, 1, 1, "CW0204", f"no complete default for {names} in every tier, kind and size",
        "a manifest of four lines must be enough", "add it to `defaults`, the first entry without `when`",
    )  # fmt: skip
    return Refusal((problem,))


def _complete(made: Blueprint, field: str, parts: frozenset[str]) -> bool:
    values = [settled.value.get(field) for settled in made.settled.values()]
    return bool(values) and all(
        value is not None and (not parts or (isinstance(value, Mapping) and parts <= value.keys())) for value in values
    )


def blueprint(name: str, version: int, folder: Folder, schema: Schema) -> Blueprint | Refusal:
    """The golden path in `folder`: `blueprint.yaml` and `templates/*.yaml`."""
    read = _read(folder, "blueprint.yaml", schema)
    if isinstance(read, Refusal):
        return read
    doc, templates, _ = read
    meta = cast(Mapping[str, Value], doc.value)
    return Blueprint(
        name, version, folder.id, doc.path, meta, templates, settle(doc),
        frozenset(cast(Sequence[str], meta.get("reserves") or ())),
    )  # fmt: skip


def recipe(name: str, version: int, folder: Folder, schema: Schema) -> Recipe | Refusal:
    """The recipe in `folder`: `recipe.yaml`, `templates/*.yaml`, and whatever else it vendors."""
    read = _read(folder, "recipe.yaml", schema)
    if isinstance(read, Refusal):
        return read
    doc, templates, files = read
    wrong = tuple(sorted(option_problems(doc)))
    if wrong:
        return Refusal(wrong)
    meta = cast(Mapping[str, Value], doc.value)
    options = cast(Mapping[str, Mapping[str, Value]], meta.get("options") or {})
    prices = cast(Mapping[str, int | float | str], meta.get("price") or {})
    return Recipe(
        name=name,
        version=version,
        digest=folder.id,
        path=doc.path,
        meta=meta,
        form=cast(Form, meta["form"]),
        templates=templates,
        files=files,
        type=str(meta["type"]),
        stateful=bool(meta["stateful"]),
        classes=tuple(cast(Sequence[str], meta.get("classes") or ("default",))),
        sizes=tuple(cast(Sequence[str], meta.get("sizes") or ())),
        prices={size: money(price) for size, price in prices.items()},
        outputs=_outputs(cast(Mapping[str, Mapping[str, str]], meta["outputs"])),
        defaults={option: options[option]["default"] for option in sorted(options)},
        options=compile_schema(options_schema(options)),
    )


def money(amount: int | float | str) -> str:
    """An amount as a plain decimal string, without trailing zeros: 45.0 is `45`."""
    text = f"{Decimal(str(amount)):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _outputs(raw: Mapping[str, Mapping[str, str]]) -> tuple[Output, ...]:
    return tuple(
        Output(
            name=name,
            origin=raw[name]["from"],
            source=raw[name].get("source", "/{env}/{service}/{need}" if raw[name]["from"] == "store" else ""),
            key=None if "value" in raw[name] else raw[name].get("key", name),
            value=raw[name].get("value"),
        )
        for name in sorted(raw)
    )


def _read(folder: Folder, main: str, schema: Schema) -> tuple[Doc, tuple[Template, ...], Mapping[str, bytes]] | Refusal:
    content, problems = files(folder)
    doc = _main(folder, main, content, schema)
    if isinstance(doc, Refusal):
        problems += doc.problems
    templates: list[Template] = []
    for path in sorted(content):
        if path.startswith("templates/") and path.endswith(".yaml"):
            template = _template(f"{folder.path}/{path}", content[path])
            if isinstance(template, Refusal):
                problems += template.problems
            else:
                templates.append(template)
    if problems or isinstance(doc, Refusal):
        return Refusal(tuple(sorted(problems)))
    rest = {path: data for path, data in content.items() if path != main and not path.startswith("templates/")}
    return doc, tuple(templates), rest


def _main(folder: Folder, main: str, content: Mapping[str, bytes], schema: Schema) -> Doc | Refusal:
    path = f"{folder.path}/{main}"
    if main not in content:
        problem = Problem(
            path, 1, 1, "CW0202", f"`{folder.path}` has no {main}",
            "it says what the folder is and which defaults hold", f"write {main} with a title and a description",
        )  # fmt: skip
        return Refusal((problem,))
    doc = parse(path, content[main])
    if isinstance(doc, Refusal):
        return doc
    found = check(doc, schema)
    return Refusal(found) if found else doc


@lru_cache(maxsize=4096)
def _template(path: str, data: bytes) -> Template | Refusal:
    return compile_template(path, data)
