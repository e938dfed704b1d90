"""From objects to bytes, ids and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha1, sha256

from bot.core.emit import canonical, emit_json, emit_yaml
from bot.core.model.render import Inputs, Item, Objects, Rendered
from bot.core.model.values import Value
from bot.core.template import Drawn
from bot.core.tree import Oid, blob_id

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
        return b"---\n".join([_yaml(item) for item in value])
    return emit_json(value) if path.endswith(".json") else _yaml(value)


def _yaml(value: Value) -> bytes:
    return value.text if isinstance(value, Drawn) and value.text is not None else emit_yaml(value)


def finished(inputs: Inputs, objects: Objects, folder: str | None, proof: str | None = None) -> Rendered:
    """The bytes of a key and what it owns. Where it owns a folder, that gets its provenance: the input digest, the id
    of the folder without this file, content and renderer; no commit and no time, else a revert would leave a trace.
    `proof` is the input digest where the caller knows it."""
    files = {path: written(path, value) for path, value in objects.items()}
    if folder is None:
        items = [Item(path, blob_id(data), "file") for path, data in files.items()]
        return Rendered(files, tuple(sorted(items, key=_path)))
    inside = f"{folder}/"
    own = {path[len(inside) :]: data for path, data in files.items() if path.startswith(inside)}
    items = [Item(path, blob_id(data), "file") for path, data in files.items() if not path.startswith(inside)]
    entries = _rows(own)
    said = _provenance(inputs, _tree(entries).hex(), proof or digest(inputs))
    entries[PROVENANCE.encode()] = _FILE, _hash(b"blob", said)
    items.append(Item(folder, Oid(_tree(entries).hex()), "folder"))
    files[inside + PROVENANCE] = said
    return Rendered(files, tuple(sorted(items, key=_path)))


def _path(item: Item) -> str:
    return item.path


_FILE, _FOLDER = b"100644", b"40000"
_Rows = dict[bytes, tuple[bytes, bytes]]
"""The names of a folder with mode and raw id."""


def _rows(files: Mapping[str, bytes]) -> _Rows:
    """What a folder holds, by id, like `tree.folder_id`. It makes no tree to walk and no id in hexadecimal, which took
    half as long as the bytes themselves."""
    rows: _Rows = {}
    below: dict[str, dict[str, bytes]] = {}
    for path, data in files.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = data
        else:
            rows[name.encode()] = _FILE, _hash(b"blob", data)
    for name, inner in below.items():
        rows[name.encode()] = _FOLDER, _tree(_rows(inner))
    return rows


def _tree(rows: _Rows) -> bytes:
    ordered = sorted(rows.items(), key=_git_order)
    return _hash(b"tree", b"".join([b"%s %s\0%s" % (mode, name, oid) for name, (mode, oid) in ordered]))


def _git_order(row: tuple[bytes, tuple[bytes, bytes]]) -> bytes:
    return row[0] + b"/" if row[1][0] is _FOLDER else row[0]


def _hash(kind: bytes, data: bytes) -> bytes:
    return sha1(b"%s %d\0%s" % (kind, len(data), data), usedforsecurity=False).digest()


def _provenance(inputs: Inputs, output: str, proof: str) -> bytes:
    record: Mapping[str, Value] = {
        "inputs": proof,
        "output": output,
        "content": list(inputs.content),
        "renderer": inputs.renderer,
    }
    return emit_json(record)
