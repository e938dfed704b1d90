"""Many objects at once, as one pack: a first delivery of 360,000 files would take half a minute as loose files.

Written from gitformat-pack(5): version 2 packs without deltas (git finds deltas when it pushes), version 2 index.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1
from itertools import accumulate
from pathlib import Path
from uuid import uuid4

Objects = Mapping[bytes, tuple[int, bytes]]
"""By raw id: git's number of the type (1 commit, 2 tree, 3 blob) and the content."""

LARGEST = 2**30
"""Bytes of content in one pack; the index's short offsets end at 2 GiB."""


def write_packs(folder: Path, objects: Objects) -> None:
    """Puts `objects` into `folder` (`objects/pack` of a repository). Each pack appears whole: a reader knows it by its
    index, which comes last. OSError where the disk refuses."""
    for part in _parts(objects):
        _write_pack(folder, part)


def _parts(objects: Objects) -> Iterator[Sequence[tuple[bytes, int, bytes]]]:
    part: list[tuple[bytes, int, bytes]] = []
    size = 0
    for oid, (kind, data) in objects.items():
        if part and size + len(data) > LARGEST:
            yield part
            part, size = [], 0
        part.append((oid, kind, data))
        size += len(data)
    if part:
        yield part


def _write_pack(folder: Path, part: Sequence[tuple[bytes, int, bytes]]) -> None:
    folder.mkdir(exist_ok=True)
    pack, index = folder / f"tmp_pack_{uuid4().hex}", folder / f"tmp_idx_{uuid4().hex}"
    try:
        digest, rows = _written(pack, part)
        index.write_bytes(_index(sorted(rows), digest))
        for new, suffix in ((pack, "pack"), (index, "idx")):
            new.chmod(0o444)
            new.rename(folder / f"pack-{digest.hex()}.{suffix}")
    finally:
        # A full disk is not to be made fuller by what came to nothing.
        pack.unlink(missing_ok=True)
        index.unlink(missing_ok=True)


def _written(pack: Path, part: Sequence[tuple[bytes, int, bytes]]) -> tuple[bytes, list[tuple[bytes, int, int]]]:
    """Writes the pack; its checksum, and for every object id, checksum and offset."""
    rows: list[tuple[bytes, int, int]] = []
    head = struct.pack(">4sII", b"PACK", 2, len(part))
    digest = sha1(head, usedforsecurity=False)
    offset = len(head)
    with pack.open("xb") as file:
        file.write(head)
        for oid, kind, data in part:
            entry = _header(kind, len(data)) + _deflated(data)
            rows.append((oid, zlib.crc32(entry), offset))
            offset += len(entry)
            digest.update(entry)
            file.write(entry)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    return digest.digest(), rows


def _deflated(data: bytes) -> bytes:
    # A compressor for the usual 15 bits and memory level 8 clears 256 KiB first: five times the work of a small file.
    small = len(data) < 4096
    shrink = zlib.compressobj(1, zlib.DEFLATED, 12 if small else 15, 5 if small else 8)
    return shrink.compress(data) + shrink.flush()


def _header(kind: int, size: int) -> bytes:
    byte = kind << 4 | size & 15
    size >>= 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    out.append(byte)
    return bytes(out)


def _index(rows: Sequence[tuple[bytes, int, int]], pack: bytes) -> bytes:
    counts = [0] * 256
    for oid, _, _ in rows:
        counts[oid[0]] += 1
    body = b"".join(
        (
            b"\xfftOc\0\0\0\x02",
            struct.pack(">256I", *accumulate(counts)),
            b"".join(oid for oid, _, _ in rows),
            struct.pack(f">{len(rows)}I", *(crc for _, crc, _ in rows)),
            struct.pack(f">{len(rows)}I", *(offset for _, _, offset in rows)),
            pack,
        )
    )
    return body + sha1(body, usedforsecurity=False).digest()
