"""Reading the files: every document with its kind and its shape, and each name once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.core.check import check
from bot.core.model.values import Doc
from bot.core.parse import parse_stream
from bot.core.policy.kinds import as_map, text_of
from bot.core.policy.shapes import KINDS, Shape, schema
from bot.core.problem import Problem, Refusal


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. `source` is the file's text with `\\n` line ends."""

    doc: Doc
    shape: Shape
    name: str
    source: str
    shipped: bool
    sound: bool = True
    """False where its shape is wrong, which is told; nothing but its name may be used."""


def documents(files: Mapping[str, bytes], shipped: bool, problems: list[Problem]) -> Iterator[Document]:
    """Every document of the YAML files, in the order of their paths. Folders named `cases` hold examples for tests,
    and a document of any kind below a folder named `params` is a parameter."""
    for path in sorted(files):
        parts = path.split("/")
        if not path.endswith((".yaml", ".yml")) or "cases" in parts[:-1]:
            continue
        found = parse_stream(path, files[path])
        if isinstance(found, Refusal):
            problems.extend(found.problems)
            continue
        source = files[path].decode().replace("\r\n", "\n")
        for doc in found:
            shape = _shape(doc, "params" in parts[:-1], problems)
            wrong = check(doc, schema(shape)) if shape is not None else ()
            problems.extend(wrong)
            if shape is not None:
                yield Document(doc, shape, text_of(doc.value, "metadata", "name"), source, shipped, not wrong)


def _shape(doc: Doc, param: bool, problems: list[Problem]) -> Shape | None:
    value = as_map(doc.value)
    api_version, kind = text_of(value, "apiVersion"), text_of(value, "kind")
    shape = KINDS.get((api_version, kind))
    if shape is not None:
        return shape
    # Of a known kind in another version, what is wrong is the version, and the shape says so.
    near = next((found for (_, known), found in KINDS.items() if known == kind), None)
    if near is not None:
        return near
    if param:
        return "param"
    place = doc.at(("kind",))
    problems.append(
        Problem(
            doc.path, place.line, place.column, "CW0712",
            f"a document of kind `{kind[:60]}` is no policy" if kind else "this document is no policy",
            "it would judge nothing, and nobody would notice",
            "write a ValidatingAdmissionPolicy, its binding or a Kyverno ValidatingPolicy here; parameters belong into "
            "a folder `params` beside it",
        )
    )  # fmt: skip
    return None


def is_policy(one: Document) -> bool:
    """Whether it judges by itself or through a binding."""
    return one.shape in ("policy", "kyverno")


def identity(one: Document) -> tuple[str, str, str, str]:
    """What a cluster, or a review, holds only one of: two policies of different kinds take each other's name too."""
    param = one.shape == "param"
    shape = "policy" if is_policy(one) else one.shape
    kind, namespace = text_of(one.doc.value, "kind"), text_of(one.doc.value, "metadata", "namespace")
    return (shape, kind if param else "", one.name, namespace if param else "")


def each_once(found: list[Document], problems: list[Problem]) -> list[Document]:
    """The documents, of those with one kind and name only the first; the others are problems."""
    seen: dict[tuple[str, str, str, str], Document] = {}
    for document in found:
        first = seen.setdefault(identity(document), document)
        if first is not document:
            place, before = document.doc.at(("metadata", "name")), first.doc.at(("metadata", "name"))
            problems.append(
                Problem(
                    document.doc.path, place.line, place.column, "CW0717",
                    f"`{document.name}` stands twice: also at {first.doc.path}:{before.line}",
                    "which of the two judges would be chance", "choose another name, or remove one",
                )
            )  # fmt: skip
    return list(seen.values())
