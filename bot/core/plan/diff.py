"""What differs between two values, leaf by leaf, in the way a person would name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from bot.core.emit import canonical
from bot.core.model.values import Pointer, Value
from bot.core.plan.shape import as_list, is_list, same


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. None stands for absent.

    `pointer` names list items by their `name` where all have one, so that an item that is put before another changes
    one line and not all; `was` and `now` are the places with indexes on either side.
    """

    pointer: Pointer
    was: Pointer
    now: Pointer
    before: Value
    after: Value


def differences(before: Value, after: Value) -> Iterator[Difference]:
    """Every difference, in the order of the keys' names. A subtree that is new or gone is one difference, and so is
    a list of plain values."""
    yield from _differ(before, after, (), (), ())


def _differ(before: Value, after: Value, pointer: Pointer, was: Pointer, now: Pointer) -> Iterator[Difference]:
    if before is after:
        return  # what a template fixes is one value on both sides
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            deeper = ((*pointer, key), (*was, key), (*now, key))
            if key in before and key in after:
                yield from _differ(before[key], after[key], *deeper)
            else:
                yield Difference(*deeper, before.get(key), after.get(key))
    elif is_list(before) and is_list(after):
        yield from _lists(as_list(before), as_list(after), pointer, was, now)
    elif not same(before, after):
        yield Difference(pointer, was, now, before, after)


def _lists(
    before: Sequence[Value], after: Sequence[Value], pointer: Pointer, was: Pointer, now: Pointer
) -> Iterator[Difference]:
    if not all(isinstance(item, Mapping) for item in (*before, *after)):
        if not same(before, after):
            yield Difference(pointer, was, now, before, after)
        return
    old, new = _names(before), _names(after)
    if old is None or new is None:
        yield from _unnamed(before, after, pointer, was, now)
        return
    for name in (*new, *(name for name in old if name not in new)):
        yield from _items((*pointer, name), (before, old.get(name), was), (after, new.get(name), now))
    if [name for name in old if name in new] != [name for name in new if name in old]:
        # The same items in another order: to kubelet, order decides which variable may name which.
        yield Difference(pointer, was, now, [*old], [*new])


def _unnamed(
    before: Sequence[Value], after: Sequence[Value], pointer: Pointer, was: Pointer, now: Pointer
) -> Iterator[Difference]:
    """By index, but past items that are the same: one put in between is one difference."""
    matcher = SequenceMatcher(None, [canonical(i) for i in before], [canonical(i) for i in after], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            for x, y in zip_longest(range(a, b), range(c, d)):
                yield from _items((*pointer, x if y is None else y), (before, x, was), (after, y, now))


_Side = tuple[Sequence[Value], int | None, Pointer]
"""A list, the index of the item in it (None: absent), and the place of the list."""


def _items(pointer: Pointer, old: _Side, new: _Side) -> Iterator[Difference]:
    was, now = _step(old[2], old[1]), _step(new[2], new[1])
    if old[1] is not None and new[1] is not None:
        yield from _differ(old[0][old[1]], new[0][new[1]], pointer, was, now)
    else:
        yield Difference(pointer, was, now, _item(old[0], old[1]), _item(new[0], new[1]))


def _names(items: Sequence[Value]) -> dict[str, int] | None:
    """Name -> index, where every item has a name of its own."""
    found: dict[str, int] = {}
    for index, item in enumerate(items):
        name = item.get("name") if isinstance(item, Mapping) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = index
    return found


def _step(place: Pointer, index: int | None) -> Pointer:
    return place if index is None else (*place, index)


def _item(items: Sequence[Value], index: int | None) -> Value:
    return None if index is None else items[index]
