"""From objects to bytes, ids and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from bot.core.emit import canonical, emit_json, emit_yaml
from bot.core.model.render import Inputs, Item, Objects, Rendered
from bot.core.model.values import Value
from bot.core.tree import Entry, MemoryTree, blob_id, tree_id

PROVENANCE = "provenance.json"


def digest(inputs: Inputs) -> str:
    """The input digest: equal digests mean equal bytes."""
    record: Value = [list(inputs.key), inputs.value, list(inputs.content), inputs.content_digest, inputs.renderer]
    return sha256(canonical(record)).hexdigest()


def written(path: str, value: Value) -> bytes:
    """The bytes of one output file: text as it is, JSON where the path ends so, else YAML; a list is a YAML stream."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return b"---\n".join([emit_yaml(item) for item in value])
    return emit_json(value) if path.endswith(".json") else emit_yaml(value)


def finished(inputs: Inputs, objects: Objects, folder: str | None) -> Rendered:
    """The bytes of a key and what it owns. Where it owns a folder, that gets its provenance: the input digest, the id
    of the folder without this file, content and renderer; no commit and no time, else a revert would leave a trace."""
    files = {path: written(path, value) for path, value in objects.items()}
    items: list[Item] = []
    if folder is not None:
        inside = f"{folder}/"
        own = {path[len(inside) :]: data for path, data in files.items() if path.startswith(inside)}
        entries: dict[str, Entry] = dict(MemoryTree(own).list(""))
        proof = _provenance(inputs, tree_id(entries))
        entries[PROVENANCE] = Entry("file", blob_id(proof))
        items.append(Item(folder, tree_id(entries), "folder"))
        files[inside + PROVENANCE] = proof
        items += [Item(path, blob_id(data), "file") for path, data in files.items() if not path.startswith(inside)]
    else:
        items += [Item(path, blob_id(data), "file") for path, data in files.items()]
    return Rendered(files, tuple(sorted(items, key=lambda item: item.path)))


def _provenance(inputs: Inputs, output: str) -> bytes:
    record: Mapping[str, Value] = {
        "inputs": digest(inputs),
        "output": output,
        "content": list(inputs.content),
        "renderer": inputs.renderer,
    }
    return emit_json(record)
