"""Which names differ between two versions of a folder, from git's own tree objects.

A folder of ten thousand services is some 400 KB of rows. Two versions of it that differ in one service share all bytes
before and behind it; finding these by halving costs microseconds, parsing every row would cost milliseconds.
"""

from __future__ import annotations


def differing(old: bytes, new: bytes) -> frozenset[bytes]:
    """Names whose row is not the same in both tree objects, or that only one has."""
    if old == new:
        return frozenset()
    start = _boundary(old, _shared(old, new))
    tail = _shared_end(old, new, start)
    a: dict[bytes, bytes] = {}
    b: dict[bytes, bytes] = {}
    at, to = start, start
    # Until both stand at the end of a row, as far from the end, within what they share: from there on all is the same.
    while len(old) - at != len(new) - to or len(old) - at > tail:
        if len(old) - at >= len(new) - to:
            at = _row(old, at, a)
        else:
            to = _row(new, to, b)
    return frozenset(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def _shared(old: bytes, new: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        # Copies, not views: two views are compared item by item, fifty times slower than bytes.
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _shared_end(old: bytes, new: bytes, start: int) -> int:
    """How many bytes both end with, not counting what lies before `start`."""
    low, high = 0, min(len(old), len(new)) - start
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _boundary(rows: bytes, limit: int) -> int:
    """Where the row begins that holds byte `limit`. Rows can only be told apart from the start on."""
    at = 0
    while True:
        end = rows.find(b"\0", at) + 21
        if end == 20 or end > limit:
            return at
        at = end


def _row(rows: bytes, at: int, found: dict[bytes, bytes]) -> int:
    """Notes the row at `at`, name -> mode and id; where the next one begins."""
    gap = rows.index(b"\0", at)
    mode, _, name = rows[at:gap].partition(b" ")
    found[name] = mode + rows[gap : gap + 21]
    return gap + 21
