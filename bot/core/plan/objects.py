"""What happens to the objects: both sides of the keys that differ, rendered and compared as decoded values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from bot.core.build import Build, Memo, fill, inputs_of, outlines
from bot.core.build.fill import FEW, Each
from bot.core.model.plan import ObjectChange, ValueChange
from bot.core.model.render import Key, Objects, Outline
from bot.core.model.unit import Origins
from bot.core.model.values import ObjectKey, Origin, Pointer, Value
from bot.core.plan.diff import Difference, differences
from bot.core.plan.pods import WORKLOADS
from bot.core.plan.rows import LAYERS
from bot.core.plan.shape import as_map, at, same
from bot.core.plan.sides import OF_SERVICE, KeyPair, Sides
from bot.core.problem import Refusal
from bot.core.render import trace
from bot.core.template import Drawn

NOWHERE = (1, 1)
"""The place of a default that nothing states: no line to look at."""

MOST_TRACED: Final = 192
"""Keys whose values are put down to a line: that is a second render of each."""
MOST_COMPARED: Final = 6_000
"""Keys whose objects are compared: about ten seconds."""
THAT_RUN: Final = WORKLOADS | {"HorizontalPodAutoscaler", "Job"}

Traced = Mapping[tuple[ObjectKey, Pointer], Origin]
Identity = tuple[str, str, str, str]
"""API version, kind, namespace, name: what an object is to a cluster, wherever its file stands."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One key's objects on both sides, and what happens to each."""

    before: Objects
    after: Objects
    changes: tuple[ObjectChange, ...]


def compare(
    sides: Sides, pairs: Iterable[KeyPair], stay: frozenset[Key], memo: Memo, each: Each[Any, Any] = map
) -> Mapping[KeyPair, Compared]:
    """Every pair's objects and changes. Keys in `stay` go from the render and are kept all the same. A key that does
    not render on the side after changes nothing: its unit is refused.

    A change of the whole fleet is compared slice by slice, since its objects would take a hundred times the memory of
    what is said of them: beyond the first slice only those that run are kept, and from `MOST_TRACED` keys on nobody is
    told which line made a value. Beyond `MOST_COMPARED` keys only what each key owns is compared, folder by folder."""
    pairs = list(pairs)
    found: dict[KeyPair, Compared] = {}
    for start in range(0, min(len(pairs), MOST_COMPARED), FEW):
        part = pairs[start : start + FEW]
        done = _slice(sides, part, stay, memo, each, traced=start < MOST_TRACED)
        found.update(done if start == 0 else {pair: _running(one) for pair, one in done.items()})
    found.update(_owned(sides, pairs[MOST_COMPARED:], stay, memo, each))
    return found


def _slice(
    sides: Sides, pairs: list[KeyPair], stay: frozenset[Key], memo: Memo, each: Each[Any, Any], *, traced: bool
) -> Mapping[KeyPair, Compared]:
    old = _objects(sides.before, [pair.before for pair in pairs if pair.before is not None], memo, each)
    new = _objects(sides.after, [pair.after for pair in pairs if pair.after is not None], memo, each)
    found: dict[KeyPair, Compared] = {}
    for pair in pairs:
        was = old.get(pair.before) if pair.before is not None else {}
        now = new.get(pair.after) if pair.after is not None else {}
        if now is None:
            found[pair] = Compared({}, {}, ())
        else:
            kept = pair.before in stay and pair.after is None
            origins = _Origins(sides, pair, traced)
            found[pair] = Compared(was or {}, now, tuple(_changes(origins, was or {}, now, kept)))
    return found


def _running(one: Compared) -> Compared:
    """Only the objects by which restarts, and Secrets that pods wait for, are told."""
    before, after = (
        {path: value for path, value in side.items() if as_map(value).get("kind") in THAT_RUN}
        for side in (one.before, one.after)
    )
    return replace(one, before=before, after=after)


def _owned(
    sides: Sides, pairs: list[KeyPair], stay: frozenset[Key], memo: Memo, each: Each[Any, Any]
) -> Mapping[KeyPair, Compared]:
    """What each key owns, by id: a folder that differs is one change."""
    if not pairs:
        return {}
    before = [pair.before for pair in pairs if pair.before is not None] if sides.before is not None else []
    old = outlines(sides.before, before, memo, each) if sides.before is not None else {}
    new = outlines(sides.after, [pair.after for pair in pairs if pair.after is not None], memo, each)
    found: dict[KeyPair, Compared] = {}
    for pair in pairs:
        was = old.get(pair.before, ()) if pair.before is not None else ()
        now = new.get(pair.after, ()) if pair.after is not None else ()
        refused = isinstance(now, Refusal)
        kept = pair.before in stay and pair.after is None
        changes = () if refused else tuple(_items(() if isinstance(was, Refusal) else was, now, kept))
        found[pair] = Compared({}, {}, changes)
    return found


def _items(was: Outline, now: Outline | Refusal, kept: bool) -> Iterator[ObjectChange]:
    old = {item.path: item for item in was}
    new = {} if isinstance(now, Refusal) else {item.path: item for item in now}
    for path in sorted(old.keys() | new.keys()):
        if path not in new or path not in old:
            action = "create" if path in new else "keep" if kept else "delete"
        elif old[path].id != new[path].id:
            action = "change"
        else:
            continue
        kind = (new.get(path) or old[path]).kind.capitalize()
        yield ObjectChange(path, kind, path.rpartition("/")[2], cast("Any", action))


def _objects(build: Build | None, keys: list[Key], memo: Memo, each: Each[Any, Any]) -> Mapping[Key, Objects | None]:
    if build is None:
        return {}
    made = fill(build, keys, memo, each)
    return {key: None if isinstance(done, Refusal) else done.objects for key, done in made.items()}


def _changes(origins: _Origins, old: Objects, new: Objects, kept: bool) -> Iterator[ObjectChange]:
    if kept:
        yield from (_named(path, old[path], "keep") for path in sorted(old))
        return
    moved = _moved(old, new)
    left = frozenset(moved.values())
    for path in sorted(old.keys() | new.keys()):
        was = moved.get(path, path)
        if path in new and was in old:
            if was != path or not _alike(old[was], new[path]):
                change = _named(path, new[path], "change")
                values = tuple(_values(was, old[was], path, new[path], origins))
                yield replace(change, changes=values, was=was if was != path else "")
        elif path in new:
            yield _named(path, new[path], "create")
        elif path not in left:
            yield _named(path, old[path], "delete")


def _alike(was: Value, now: Value) -> bool:
    """The same as data. Equal texts say so at once, and spare making the two values."""
    if isinstance(was, Drawn) and isinstance(now, Drawn) and was.text is not None and was.text == now.text:
        return True
    return same(was, now)


def _named(path: ObjectKey, value: Value, action: Any) -> ObjectChange:
    kind, name = _title(path, value)
    return ObjectChange(path, kind, name, action)


def _title(path: ObjectKey, value: Value) -> tuple[str, str]:
    """Kind and name as a person would call it: the object's own, else by what the file is."""
    found = as_map(value)
    kind, name = found.get("kind"), as_map(found.get("metadata")).get("name")
    if isinstance(kind, str) and isinstance(name, str):
        return kind, name
    folder, _, file = path.rpartition("/")
    if "terraform" in folder.split("/"):
        return "Terraform", file
    return ("Catalog" if path.startswith("catalog/") else "File"), file


def _moved(old: Objects, new: Objects) -> Mapping[ObjectKey, ObjectKey]:
    """New path -> old path of objects that only their file's place changes: to the cluster they are the same."""
    was, now = _only(old, new), _only(new, old)
    return {now[identity]: was[identity] for identity in now.keys() & was.keys()}


def _only(objects: Objects, without: Objects) -> Mapping[Identity, ObjectKey]:
    """Objects whose path only this side has, by identity, where that is unique."""
    named = [(path, _identity(value)) for path, value in objects.items() if path not in without]
    times = Counter(identity for _, identity in named)
    return {identity: path for path, identity in named if identity is not None and times[identity] == 1}


def _identity(value: Value) -> Identity | None:
    found, meta = as_map(value), as_map(as_map(value).get("metadata"))
    if not isinstance(found.get("kind"), str) or not isinstance(meta.get("name"), str):
        return None
    return str(found.get("apiVersion")), str(found["kind"]), str(meta.get("namespace")), str(meta["name"])


def _values(was: ObjectKey, before: Value, path: ObjectKey, after: Value, origins: _Origins) -> Iterator[ValueChange]:
    if isinstance(before, str) or isinstance(after, str):
        return  # whole files: their diff is made from bytes
    for found in differences(before, after):
        yield ValueChange(found.pointer, found.before, found.after, origins.of(was, path, found, after))


class _Origins:
    """Where values of one key's objects come from; traced only when somebody asks, since it is a second render."""

    __slots__ = ("pair", "seen", "sides", "wanted")

    def __init__(self, sides: Sides, pair: KeyPair, wanted: bool = True) -> None:
        self.sides = sides
        self.wanted = wanted
        self.pair = pair
        self.seen: dict[tuple[str, ObjectKey], Traced] = {}

    def of(self, was: ObjectKey, path: ObjectKey, found: Difference, after: Value) -> Origin | None:
        """The side after says who gave a value; the side before only where the value is gone. None for all where it is
        not wanted."""
        if not self.wanted:
            return None
        if found.after is not None or at(after, found.now[:-1]) is None:
            return _nearest(self._traced("after", self.sides.after, self.pair.after, path), path, found.now)
        return _nearest(self._traced("before", self.sides.before, self.pair.before, was), was, found.was)

    def _traced(self, side: str, build: Build | None, key: Key | None, path: ObjectKey) -> Traced:
        if (side, path) not in self.seen:
            self.seen[side, path] = _trace(build, key, path) if build is not None and key is not None else {}
        return self.seen[side, path]


def _trace(build: Build, key: Key, path: ObjectKey) -> Traced:
    return trace(inputs_of(build, key), build.kit, _origins_of(build, key), path)


def _origins_of(build: Build, key: Key) -> Origins:
    if key[0] in ("service", "data"):
        return build.origins((key[1], key[2]))
    members = build.members[key]
    return build.origins(members[0]) if members and key[0] in OF_SERVICE | {"namespace"} else {}


def _nearest(traced: Traced, path: ObjectKey, pointer: Pointer) -> Origin | None:
    """Who gave the value at `pointer`, or what stands below it: of several, the one nearest to a person."""
    below = [place for name, place in traced if name == path and place[: len(pointer)] == pointer]
    found = [
        o for o in (traced[path, place] for place in sorted(below, key=_sortable)) if (o.line, o.column) != NOWHERE
    ]
    return min(found, key=lambda origin: LAYERS[origin.layer]) if found else None


def _sortable(pointer: Pointer) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in pointer)
