"""What `kept` becomes in a step: data that outlives its need, roots that drain, units that are refused, held edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.build import Build, inputs_of, keys_of_unit
from bot.core.model.delivery import Actual, Evidence, Kept, KeptEntry
from bot.core.model.render import Key, Outline, Rendered
from bot.core.model.unit import DataFact
from bot.core.owned import Own, Owned, actual_id
from bot.core.problem import Refusal
from bot.core.render import companions, drained, rendered
from bot.core.rules import Judges
from bot.core.rules.data import data_id
from bot.core.settle import LOST, Settled, refused_units
from bot.core.tree import Oid

NEVER_RAN = ".causeway/refused"
"""Below it, by unit folder, stands nothing: a refused unit that never ran owns that path by its absence."""


@dataclass(frozen=True, slots=True)
class Data:
    """State in a build."""

    key: Key
    fact: DataFact
    extra: tuple[Key, ...]
    """Keys whose paths must stay with it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the next `kept` depends on."""

    before: Build | None
    settled: Settled
    owned_before: Owned
    rendered_after: Mapping[str, Own]
    """Paths of the render that may go live, without anything kept."""
    actual: Actual
    judges: Judges
    evidence: Evidence
    before_commit: Oid | None
    commit: Oid
    drift: str
    """`restore` or `hold`."""
    outline: Callable[[Build, Key], Outline]
    older: Callable[[Oid], Build | None]
    """The build of an earlier platform commit, for what outlives its need by long, or was refused since."""
    leaving: Sequence[str]
    """Paths of `owned_before` that are not in `rendered_after`, sorted."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """The next `kept`, and the bytes of folders in it that no render makes."""

    kept: Kept
    contents: Mapping[str, Mapping[str, bytes]]


def data_in(build: Build | None, without: frozenset[str] = frozenset()) -> dict[str, Data]:
    """All state of a build by `env/service/need`, except that of units in `without`."""
    found: dict[str, Data] = {}
    for folder, state in build.units.items() if build is not None else ():
        if folder in without:
            continue
        for env, here in state.environments.items():
            for fact in here.facts.data:
                if build is not None and (folder, env) not in build.linked.losers:
                    key = ("data", folder, env, fact.need)
                    extra = tuple(companions(key, here.facts))
                    found[data_id(build, (folder, env), fact)] = Data(key, fact, extra)
    return found


def keep(scene: Scene) -> Keeping:
    """The only place that changes `kept`."""
    kept: dict[str, KeptEntry] = {}
    contents: dict[str, Mapping[str, bytes]] = {}
    _refused(scene, kept)
    _data_gone(scene, kept, contents)
    _data_kept(scene, kept, contents)
    if scene.before is None:
        _adopted(scene, kept)
    elif scene.drift == "hold":
        _held(scene, kept)
    _below(scene, kept)
    return Keeping(dict(sorted(kept.items())), contents)


def _refused(scene: Scene, kept: dict[str, KeptEntry]) -> None:
    """Every path that a refused unit had stays as it was; one that never ran is known by a mark that is never written.

    Its own paths are no such marks: something foreign may stand there, and another unit of its name may own them.
    """
    old, refused = scene.actual.kept, scene.settled.refused
    since = refused_units(old)
    stands_in = _stands_in(scene)
    ran: set[str] = set()
    for path in scene.leaving if refused else ():
        own, entry = scene.owned_before[path], old.get(path)
        unit = own.unit if own.unit in refused else stands_in.get(path)
        commit = (since.get(unit) if unit is not None else None) or scene.before_commit
        # Somebody removed it, before the unit was refused or in between.
        by_hand = entry is not None and entry.reason in ("held", "refused") and not path.startswith(".causeway/")
        if unit is None or commit is None or (own.id is None and not by_hand):
            continue
        if entry is None or entry.reason in ("refused", "held"):
            kept[path] = KeptEntry(own.id, own.kind, "refused", commit, unit)
        if own.id is not None:
            ran.add(unit)
    for folder, env in scene.settled.after.linked.losers:
        if folder in ran:
            mark = f"{LOST}/{env}/{folder}"
            commit = since.get(folder) or scene.before_commit or scene.commit
            kept[mark] = old.get(mark) or KeptEntry(None, "folder", "refused", commit, folder)
    for folder in refused - ran:
        mark = f"{NEVER_RAN}/{folder}"
        kept[mark] = old.get(mark) or KeptEntry(None, "folder", "refused", scene.commit, folder)


def _stands_in(scene: Scene) -> Mapping[str, str]:
    """Paths of the namespaces that a refused unit runs in, with its folder. Where not even its last good version can be
    compiled any more, nothing else names them, and with the namespace would go all that runs there."""
    found: dict[str, str] = {}
    ran = refused_units(scene.actual.kept)
    for folder in sorted(scene.settled.refused):
        commit = ran.get(folder)
        for build in (scene.before, scene.older(commit) if commit is not None else None):
            for key in keys_of_unit(build, folder) if build is not None else ():
                gone = key[0] == "namespace" and key not in scene.settled.after.members
                if build is not None and gone and key in build.members:
                    found.update((item.path, folder) for item in scene.outline(build, key))
    return found


@dataclass(frozen=True, slots=True)
class Ran:
    """State as it runs: of which build, and of which platform commit."""

    data: Data
    build: Build
    commit: Oid


def _ran(scene: Scene) -> dict[str, Ran]:
    """State of the side before. What that side says of a refused unit is its last good version under today's platform;
    its state was made by the platform of its own time."""
    if scene.before is None or scene.before_commit is None:
        return {}
    held = refused_units(scene.actual.kept)
    found = {
        name: Ran(data, scene.before, scene.before_commit)
        for name, data in data_in(scene.before, frozenset(held) | scene.settled.refused).items()
    }
    for folder, commit in held.items():
        build = scene.older(commit) if commit is not None and folder not in scene.settled.refused else None
        for name, data in data_in(build).items():
            if data.key[1] == folder and build is not None and commit is not None:
                found[name] = Ran(data, build, commit)
    return found


def _data_gone(scene: Scene, kept: dict[str, KeptEntry], contents: dict[str, Mapping[str, bytes]]) -> None:
    """State that the side before had and this one has not: protected state stays, Terraform drains, the rest goes."""
    now = data_in(scene.settled.after, scene.settled.refused)
    for name, ran in _ran(scene).items():
        if name in now:
            continue
        if ran.data.fact.stateful and ran.data.fact.protected:
            if (name, "forget") not in scene.judges.destroys_allowed:
                _retain(scene, name, ran, kept)
                if (name, "destroy") in scene.judges.destroys_allowed:
                    _drain(name, ran, "lifted", scene.rendered_after, kept, contents)
        elif ran.data.fact.form == "terraform":
            _drain(name, ran, "empty", scene.rendered_after, kept, contents)


def _retain(scene: Scene, name: str, ran: Ran, kept: dict[str, KeptEntry]) -> None:
    for key in (ran.data.key, *ran.data.extra):
        unit = name if key == ran.data.key else _companion(name)
        for item in scene.outline(ran.build, key):
            stands = scene.owned_before.get(item.path)
            if item.path not in scene.rendered_after and stands is not None and stands.id is not None:
                kept.setdefault(item.path, KeptEntry(stands.id, stands.kind, "data", ran.commit, unit))


def _companion(name: str) -> str:
    return name.rpartition("/")[0] + "/*"


def _data_kept(scene: Scene, kept: dict[str, KeptEntry], contents: dict[str, Mapping[str, bytes]]) -> None:
    """What was kept before: back in the render, further on its way out, or as it was."""
    now = data_in(scene.settled.after, scene.settled.refused)
    told = {entry.unit for entry in kept.values()}
    for unit, entries in _by_unit(scene.actual.kept).items():
        if unit in now or unit in told:
            continue
        if any(entry.reason == "draining" for entry in entries.values()):
            _advance(scene, unit, entries, kept, contents)
        elif (unit, "destroy") in scene.judges.destroys_allowed:
            _lift(scene, unit, entries, kept, contents)
        elif (unit, "forget") not in scene.judges.destroys_allowed:
            kept.update(entries)
    live = {_companion(entry.unit) for entry in kept.values() if entry.reason in ("data", "draining")}
    for path, entry in scene.actual.kept.items():
        if entry.unit.endswith("/*") and entry.unit in live and path not in scene.rendered_after:
            kept.setdefault(path, entry)
    _beside(scene, kept)


def _beside(scene: Scene, kept: dict[str, KeptEntry]) -> None:
    """A namespace that the last render leaves, or that was kept for other state, and that kept state stands in."""
    leaves = {
        path: own
        for path in scene.leaving
        for own in [scene.owned_before[path]]
        if "/_platform/" in path and own.id is not None and path not in kept
    }
    for unit, entries in _by_unit(kept).items() if leaves else ():
        commit = next(iter(entries.values())).commit
        old = scene.older(commit)
        data = data_in(old).get(unit)
        for key in data.extra if data is not None else ():
            for item in scene.outline(old, key) if old is not None else ():
                own = leaves.get(item.path)
                if own is not None:
                    kept.setdefault(item.path, KeptEntry(own.id, own.kind, "data", commit, _companion(unit)))


def _by_unit(kept: Kept) -> Mapping[str, Kept]:
    """Kept state by its name, every path of it; what only stands beside it is left out."""
    found: dict[str, dict[str, KeptEntry]] = {}
    for path, entry in kept.items():
        if entry.reason in ("data", "draining") and not entry.unit.endswith("/*"):
            found.setdefault(entry.unit, {})[path] = entry
    return found


def _lift(
    scene: Scene, unit: str, entries: Kept, kept: dict[str, KeptEntry], contents: dict[str, Mapping[str, bytes]]
) -> None:
    commit = next(iter(entries.values())).commit
    old = scene.older(commit)
    data = data_in(old).get(unit)
    if old is None or data is None:
        kept.update(entries)
        return
    _drain(unit, Ran(data, old, commit), "lifted", scene.rendered_after, kept, contents)


def _advance(
    scene: Scene, unit: str, entries: Kept, kept: dict[str, KeptEntry], contents: dict[str, Mapping[str, bytes]]
) -> None:
    """A draining root moves on only by the report of the apply of exactly its content; with it goes all that it has.
    State in the cluster leaves once its lifted objects are applied: nothing holds them any more, so they are pruned."""
    reports = [scene.evidence.applies.get((path, entry.id)) for path, entry in entries.items() if entry.id is not None]
    report = next((report for report in reports if report is not None), None)
    if report is None or not report.success:
        kept.update(entries)
        return
    if report.state_empty:
        return
    commit = next(iter(entries.values())).commit
    old = scene.older(commit)
    data = data_in(old).get(unit)
    if old is None or data is None:
        kept.update(entries)
        return
    if data.fact.form == "terraform":
        _drain(unit, Ran(data, old, commit), "empty", scene.rendered_after, kept, contents)


def _drain(
    name: str,
    ran: Ran,
    phase: Literal["lifted", "empty"],
    rendered_after: Mapping[str, Own],
    kept: dict[str, KeptEntry],
    contents: dict[str, Mapping[str, bytes]],
) -> None:
    """Writes the root of `ran` in another phase: protection lifted, or empty."""
    for key in (ran.data.key, *ran.data.extra):
        done = rendered(drained(inputs_of(ran.build, key), phase), ran.build.kit)
        if isinstance(done, Refusal):
            raise ValueError(f"{name} rendered before and does not in phase {phase}: {done.problems[0].message}")
        unit = name if key == ran.data.key else _companion(name)
        for item in done.outline:
            if key == ran.data.key or item.path not in rendered_after:
                kept[item.path] = KeptEntry(item.id, item.kind, "draining", ran.commit, unit)
                contents[item.path] = _content(done, item.path)


def _content(done: Rendered, path: str) -> Mapping[str, bytes]:
    if path in done.files:
        return {"": done.files[path]}
    prefix = path + "/"
    return {name[len(prefix) :]: data for name, data in done.files.items() if name.startswith(prefix)}


def _held(scene: Scene, kept: dict[str, KeptEntry]) -> None:
    """A foreign edit in a path that is still ours stays where config says so, until it is the render again."""
    for path, own in scene.owned_before.items():
        found = actual_id(scene.actual.head, path)
        entry = scene.actual.kept.get(path)
        was_held = entry is not None and entry.reason == "held"
        if found == own.id and not was_held:
            continue
        here, meant = kept.get(path), scene.rendered_after.get(path)
        refused = here is not None and here.reason == "refused"
        if refused or (here is None and meant is not None and found != meant.id):
            same = entry if entry is not None and was_held and entry.id == found else None
            kept[path] = same or KeptEntry(found, own.kind, "held", scene.commit, own.unit or "")


def _below(scene: Scene, kept: dict[str, KeptEntry]) -> None:
    """The namespaces that a folder left as edited stands in: its objects still name them when the render has moved to
    others, and with the namespace would go all that runs there."""
    was = scene.actual.kept
    leaves = {path for path in scene.leaving if "/_platform/" in path and path not in kept}
    for path, entry in sorted(kept.items()) if leaves else ():
        if entry.reason not in ("held", "refused") or entry.kind != "folder" or entry.id is None:
            continue
        _, env, *names = path.split("/")
        unit = f"{env}/{names[0] if path.startswith('data/') else names[-1]}/*"
        stands = {place for place in leaves if place in was and was[place].unit == unit}
        # The entry's own commit, too: of services that share a namespace, only one can be its unit.
        for build in (scene.before, scene.older(entry.commit)) if entry.reason == "held" else ():
            for key in keys_of_unit(build, entry.unit) if build is not None else ():
                if build is not None and key[:2] == ("namespace", env):
                    stands.update(item.path for item in scene.outline(build, key))
        for place in stands & leaves:
            own, old = scene.owned_before[place], was.get(place)
            if own.id is not None:
                same = old if old is not None and old.unit == unit else None
                kept.setdefault(place, same or KeptEntry(own.id, own.kind, "data", scene.commit, unit))


def _adopted(scene: Scene, kept: dict[str, KeptEntry]) -> None:
    """Without a side before, state that carries our provenance and is in no render stays: nobody said it may go."""
    for path, own in scene.owned_before.items():
        parts = path.split("/")
        if parts[0] == "data" and own.kind == "folder" and path not in scene.rendered_after and path not in kept:
            kept[path] = KeptEntry(own.id, own.kind, "data", scene.commit, "/".join(parts[1:]))
