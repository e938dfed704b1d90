"""What `kept` becomes in a step: data that outlives its need, roots that drain, units that are refused, held edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.build import Build, inputs_of
from bot.core.model.delivery import Actual, Evidence, Kept, KeptEntry
from bot.core.model.render import Key, Outline, Rendered
from bot.core.model.unit import DataFact
from bot.core.owned import Own, Owned, actual_id
from bot.core.problem import Refusal
from bot.core.render import companions, drained, rendered
from bot.core.rules import Judges
from bot.core.rules.data import data_id
from bot.core.settle import Settled, unit_of
from bot.core.tree import Oid


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
    old_build: Callable[[Oid], Build | None]
    """The build of an earlier platform commit, for roots that drain long after their need went."""


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
    if scene.drift == "hold":
        _held(scene, kept)
    return Keeping(dict(sorted(kept.items())), contents)


def _refused(scene: Scene, kept: dict[str, KeptEntry]) -> None:
    """Every path that a refused unit had stays as it was; one that never ran owns its paths by their absence."""
    old = scene.actual.kept
    ran: set[str] = set()
    for path, own in scene.owned_before.items():
        entry = old.get(path)
        if own.unit in scene.settled.refused and own.unit is not None and (entry is None or entry.reason == "refused"):
            ran.add(own.unit)
            commit = entry.commit if entry is not None else scene.before_commit
            if commit is not None:
                kept[path] = KeptEntry(own.id, own.kind, "refused", commit, own.unit)
    for key in scene.settled.wanted.digests:
        folder = unit_of(key)
        if folder in scene.settled.refused and folder not in ran and folder is not None:
            for item in scene.outline(scene.settled.wanted, key):
                if item.path not in scene.rendered_after and item.path not in scene.owned_before:
                    kept[item.path] = KeptEntry(None, item.kind, "refused", scene.commit, folder)


def _data_gone(scene: Scene, kept: dict[str, KeptEntry], contents: dict[str, Mapping[str, bytes]]) -> None:
    """State that the side before had and this one has not: protected state stays, Terraform drains, the rest goes."""
    if scene.before is None or scene.before_commit is None:
        return
    now = data_in(scene.settled.after, scene.settled.refused)
    for name, data in data_in(scene.before, scene.settled.refused).items():
        if name in now:
            continue
        if data.fact.stateful and data.fact.protected:
            if (name, "forget") not in scene.judges.destroys_allowed:
                _retain(scene, name, data, kept)
                if (name, "destroy") in scene.judges.destroys_allowed:
                    _drain(
                        name, scene.before, data, "lifted", scene.rendered_after, scene.before_commit, kept, contents
                    )
        elif data.fact.form == "terraform":
            _drain(name, scene.before, data, "empty", scene.rendered_after, scene.before_commit, kept, contents)


def _retain(scene: Scene, name: str, data: Data, kept: dict[str, KeptEntry]) -> None:
    assert scene.before is not None and scene.before_commit is not None  # noqa: S101, PT018 - its only caller has both
    for key in (data.key, *data.extra):
        unit = name if key == data.key else _companion(name)
        for item in scene.outline(scene.before, key):
            if item.path not in scene.rendered_after:
                kept.setdefault(item.path, KeptEntry(item.id, item.kind, "data", scene.before_commit, unit))


def _companion(name: str) -> str:
    return name.rpartition("/")[0] + "/*"


def _data_kept(scene: Scene, kept: dict[str, KeptEntry], contents: dict[str, Mapping[str, bytes]]) -> None:
    """What was kept before: back in the render, further on its way out, or as it was."""
    now = data_in(scene.settled.after, scene.settled.refused)
    for path, entry in scene.actual.kept.items():
        if entry.reason not in ("data", "draining") or entry.unit.endswith("/*") or entry.unit in now or path in kept:
            continue
        if entry.reason == "draining":
            _advance(scene, path, entry, kept, contents)
        elif (entry.unit, "destroy") in scene.judges.destroys_allowed:
            old = scene.old_build(entry.commit)
            data = data_in(old).get(entry.unit)
            if old is not None and data is not None:
                _drain(entry.unit, old, data, "lifted", scene.rendered_after, entry.commit, kept, contents)
            kept.setdefault(path, entry)
        elif (entry.unit, "forget") not in scene.judges.destroys_allowed:
            kept[path] = entry
    live = {_companion(entry.unit) for entry in kept.values() if entry.reason in ("data", "draining")}
    for path, entry in scene.actual.kept.items():
        if entry.unit.endswith("/*") and entry.unit in live and path not in scene.rendered_after:
            kept.setdefault(path, entry)


def _advance(
    scene: Scene, path: str, entry: KeptEntry, kept: dict[str, KeptEntry], contents: dict[str, Mapping[str, bytes]]
) -> None:
    """A draining root moves on only by the report of the apply of exactly its content."""
    report = scene.evidence.applies.get((path, entry.id)) if entry.id is not None else None
    if report is None or not report.success:
        kept[path] = entry
        return
    if report.state_empty:
        return
    old = scene.old_build(entry.commit)
    data = data_in(old).get(entry.unit)
    if old is None or data is None:
        kept[path] = entry
        return
    _drain(entry.unit, old, data, "empty", scene.rendered_after, entry.commit, kept, contents)


def _drain(
    name: str,
    build: Build,
    data: Data,
    phase: Literal["lifted", "empty"],
    rendered_after: Mapping[str, Own],
    commit: Oid,
    kept: dict[str, KeptEntry],
    contents: dict[str, Mapping[str, bytes]],
) -> None:
    """Writes the root of `data` in another phase: protection lifted, or empty."""
    for key in (data.key, *data.extra):
        done = rendered(drained(inputs_of(build, key), phase), build.kit)
        if isinstance(done, Refusal):
            raise ValueError(f"{name} rendered before and does not in phase {phase}: {done.problems[0].message}")
        unit = name if key == data.key else _companion(name)
        for item in done.outline:
            if key == data.key or item.path not in rendered_after:
                kept[item.path] = KeptEntry(item.id, item.kind, "draining", commit, unit)
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
        still_ours = path in scene.rendered_after
        if path not in kept and still_ours and (found != own.id or was_held) and found != scene.rendered_after[path].id:
            kept[path] = KeptEntry(found, own.kind, "held", scene.commit, "")
