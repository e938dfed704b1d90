"""One step of delivery: from what is live at the cursor to what one platform commit says. Pure; pushes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.core.build import Build, Memo, fill, outlines
from bot.core.build.fill import Each
from bot.core.keeping import Keeping, Scene, keep
from bot.core.kit import Kit, kit_of
from bot.core.load import load_platform
from bot.core.memory import CURSOR, KEPT, cursor_bytes, kept_bytes
from bot.core.model.delivery import Actual, Cursor, Edit, Evidence, Kept, Landed, Step, Unchanged
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Outline, Rendered
from bot.core.owned import Own, Owned, actual_id, adopted, drifted, moving, obstructed, owned
from bot.core.plan import plan
from bot.core.policy.found import policies_of
from bot.core.policy.judge import judge_cases
from bot.core.policy.model import Engine, PolicySet
from bot.core.policy.rego import judged_by
from bot.core.problem import Problem, Refusal
from bot.core.rules import Judges
from bot.core.rules.consent import judges_of
from bot.core.rules.shrink import SHRINK
from bot.core.settle import Settled, Sides, Trees, base_build, build_at, refused_units, settle
from bot.core.tree import Oid, Tree, blob_id


@dataclass(frozen=True, slots=True)
class World:
    """What a step stands on, beside the trees: everything that decides comes in here."""

    shipped: Tree
    target: str
    trees: Trees
    memo: Memo
    each: Each[Inputs, Rendered | Refusal] = map
    """For renders of which only ids are wanted."""
    writing: Each[Inputs, Rendered | Refusal] = map
    """For renders that will be written. One that leaves no bytes has them stored."""
    stored: Callable[[Oid], bool] = lambda _: False
    """Whether a file or folder is in the GitOps repository's store already, so that its id says enough."""
    engine: Engine = judge_cases


def step(
    before: Tree | None,
    after: Tree,
    judging: Tree | None,
    actual: Actual,
    evidence: Evidence,
    landed: Landed,
    world: World,
) -> Step | Unchanged | Refusal:
    """The commit that brings the GitOps head from the cursor's render to the render of `after`.

    `before` is the platform tree at the cursor, None for a first delivery; `judging` the tree whose platform judges
    (the first-parent tip before the change landed), None where the tree founds itself. Unchanged: no owned path and no
    kept entry would differ. Refusal: nothing may be written for this commit; its problems say why.
    """
    kit = kit_of(after, world.shipped)
    if isinstance(kit, Refusal):
        return kit
    base = _base(before, actual, evidence.resumed == landed.commit, world)
    if isinstance(base, Refusal):
        return base
    older = cache(lambda commit: build_at(commit, world.shipped, world.trees, world.memo))
    change = _Change(base, before, after, judging, kit, actual, evidence, landed, world, older)
    blocked: dict[str, Problem] = {}
    while True:
        found = _settle(change, blocked)
        if isinstance(found, Refusal):
            return found
        whole = tuple(p for p in found.whole if p.severity == "error" and not (change.confirmed and p.code == SHRINK))
        if whole:
            return Refusal(whole)
        made = _make(change, found)
        new = {
            own.unit: _in_the_way(path, own)
            for path, own in made.obstacles.items()
            if own.unit is not None and own.unit not in blocked and path not in made.before
        }
        # A service whose paths exist already cannot step aside: what it had cannot be put back either.
        aggregate = [
            _in_the_way(path, own) for path, own in made.obstacles.items() if own.unit is None or path in made.before
        ]
        if aggregate:
            return Refusal(tuple(sorted(aggregate)))
        if not new:
            return _finish(change, found, made)
        blocked.update(new)


@dataclass(frozen=True, slots=True)
class _Change:
    """What `step` was asked, with what it knows before it judges."""

    base: Build | None
    before: Tree | None
    after: Tree
    judging: Tree | None
    kit: Kit
    actual: Actual
    evidence: Evidence
    landed: Landed
    world: World
    older: Callable[[Oid], Build | None]

    @property
    def confirmed(self) -> bool:
        """A person resumed with exactly this commit."""
        return self.evidence.resumed == self.landed.commit


def _base(before: Tree | None, actual: Actual, resumed: bool, world: World) -> Build | Refusal | None:
    if before is None:
        return None
    kit = kit_of(before, world.shipped)
    if isinstance(kit, Refusal):
        return kit
    cursor = actual.cursor
    if cursor is not None and not resumed and (cursor.renderer, cursor.digest) != (kit.renderer, kit.digest):
        return Refusal((_foreign_kit(cursor),))
    return base_build(before, kit, actual.kept, world.trees, world.memo)


def _settle(change: _Change, blocked: Mapping[str, Problem]) -> Settled | Refusal:
    base, kept, landed, world = change.base, change.actual.kept, change.landed, change.world
    judge_platform = _judge_platform(change.judging, world)
    policies = _policies(change)
    if isinstance(policies, Refusal):
        return policies

    def judges_for(wanted: Build) -> Judges:
        platform = judge_platform or (base.platform if base is not None else wanted.platform)
        owner = owner_of((base, wanted), kept, change.older)
        judges = judges_of(platform, wanted.platform, change.evidence, landed.head_sha, landed.time, owner)
        return replace(judges, policies=policies, engine=world.engine)

    sides = Sides(
        base, change.before, change.after, change.kit, kept, world.trees, world.memo, change.older, world.writing
    )
    return settle(sides, judges_for, blocked)


def _policies(change: _Change) -> PolicySet | Refusal:
    """Those of whoever judges; a tree that founds itself is judged by its own."""
    if change.judging is None:
        return judged_by(policies_of(change.after, change.kit), change.world.engine)
    kit = kit_of(change.judging, change.world.shipped)
    return kit if isinstance(kit, Refusal) else judged_by(policies_of(change.judging, kit), change.world.engine)


def _judge_platform(judging: Tree | None, world: World) -> Platform | None:
    if judging is None:
        return None
    kit = kit_of(judging, world.shipped)
    platform = load_platform(judging, kit) if not isinstance(kit, Refusal) else kit
    return None if isinstance(platform, Refusal) else platform


def owner_of(builds: Iterable[Build | None], kept: Kept, older: Callable[[Oid], Build | None]) -> Callable[[str], str]:
    """Who owns `env/service/need`: by the first build that knows the service, else by the commit it is kept from."""

    def find(name: str) -> str:
        env, service, _ = name.split("/", 2)
        commit = next((entry.commit for entry in kept.values() if entry.unit == name), None)
        for build in (*builds, older(commit) if commit is not None else None):
            for state in build.units.values() if build is not None else ():
                if state.unit is not None and state.unit.name == service and env in state.environments:
                    return state.unit.owner
        return ""

    return find


@dataclass(frozen=True, slots=True)
class _Made:
    before: Owned
    want: Owned
    keeping: Keeping
    obstacles: Mapping[str, Own]
    drift: tuple[str, ...]
    paths: Sequence[str]
    """Where the head may not be what is wanted, sorted."""


def _make(change: _Change, found: Settled) -> _Made:
    actual, world = change.actual, change.world
    had: Owned = {}
    if change.base is not None:
        refused = frozenset(refused_units(actual.kept))
        had = owned(change.base, world.target, actual.kept, refused, world.memo, world.each)
    render = owned(found.after, world.target, {}, found.refused, world.memo, world.writing)
    if change.base is None and change.confirmed:
        had = adopted(actual, render)
    keeping = keep(_scene(change, found, had, render))
    stays: dict[str, Own | None] = {}
    for path, entry in keeping.kept.items():
        old = render.get(path)
        stays[path] = Own(entry.id, entry.kind, None, old.unit if old is not None else None)
    want = render.derive(stays)
    drift = drifted(actual.head, had, world.memo) if change.base is not None else ()
    # A head that keeps the law differs from what is wanted only where the two sides do.
    lawful = change.base is not None and not drift
    paths = sorted(moving(had, want) if lawful else had.keys() | want.keys())
    return _Made(had, want, keeping, obstructed(actual.head, had, want, paths), drift, paths)


def _scene(change: _Change, found: Settled, had: Owned, render: Owned) -> Scene:
    actual, world = change.actual, change.world

    def outline(build: Build, key: Key) -> Outline:
        done = outlines(build, [key], world.memo, world.each)[key]
        return () if isinstance(done, Refusal) else done

    return Scene(
        before=change.base,
        settled=found,
        owned_before=had,
        rendered_after=render,
        actual=actual,
        judges=found.judges,
        evidence=change.evidence,
        before_commit=actual.cursor.commit if actual.cursor is not None else None,
        commit=change.landed.commit,
        drift=found.after.platform.targets[world.target].drift,
        outline=outline,
        older=change.older,
        leaving=sorted(path for path in moving(had, render) if path in had and path not in render),
    )


def _finish(change: _Change, found: Settled, made: _Made) -> Step | Unchanged:
    actual, landed, kit, world = change.actual, change.landed, change.kit, change.world
    edits = _edits(found.after, made, actual, world)
    problems = (*found.problems, *(_drift(path, made, path in made.keeping.kept) for path in made.drift))
    if not edits and dict(made.keeping.kept) == dict(actual.kept) and _as_written(actual):
        return Unchanged(problems)
    cursor = Cursor(landed.repository, landed.commit, kit.renderer, kit.digest)
    edits[CURSOR] = cursor_bytes(cursor)
    edits[KEPT] = kept_bytes(made.keeping.kept)
    what = plan(
        change.base,
        found.after,
        world.memo,
        destroys=found.judges.destroys_allowed,
        refused=found.refused - found.standing,
        problems=found.problems,
        kept=actual.kept,
        objects=False,
    )
    return Step(edits, made.keeping.kept, cursor, what, _trailers(landed, kit), problems)


def _as_written(actual: Actual) -> bool:
    """True where `.causeway/` holds exactly the bytes that its content has in our own hand."""
    if actual.cursor is None:
        return False
    ours = {CURSOR: cursor_bytes(actual.cursor), KEPT: kept_bytes(actual.kept)}
    return all(actual_id(actual.head, path) == blob_id(data) for path, data in ours.items())


def _edits(after: Build, made: _Made, actual: Actual, world: World) -> dict[str, Edit]:
    """What differs between the head as it stands and what it should be, on owned paths only."""
    edits: dict[str, Edit] = {}
    wanted = ((path, made.want.get(path)) for path in made.paths)
    differs = {path: own for path, own in wanted if own is not None and actual_id(actual.head, path) != own.id}
    keys = {own.key for own in differs.values() if own.key is not None and not _stored(own, world)}
    filled = fill(after, sorted(keys), world.memo, world.writing)
    for path, own in differs.items():
        if own.id is None:
            edits[path] = None
        elif path in made.keeping.contents:
            content = made.keeping.contents[path]
            edits[path] = content[""] if own.kind == "file" else content
        elif own.key is None or _stored(own, world):
            edits[path] = own.id
        else:
            edits[path] = _bytes(filled[own.key], path, own)
    for path in made.paths:
        if path in made.before and path not in made.want and actual_id(actual.head, path) is not None:
            edits[path] = None
    return edits


def _stored(own: Own, world: World) -> bool:
    return own.id is not None and world.stored(own.id)


def _bytes(done: Rendered | Refusal, path: str, own: Own) -> Edit:
    if isinstance(done, Refusal):
        raise ValueError(f"{path} is owned by a key that does not render")
    if own.kind == "file":
        return done.files[path]
    prefix = path + "/"
    return {name[len(prefix) :]: data for name, data in done.files.items() if name.startswith(prefix)}


def _trailers(landed: Landed, kit: Kit) -> tuple[tuple[str, str], ...]:
    rows = [("Platform-Commit", str(landed.commit))]
    if landed.number:
        rows.append(("Pull-Request", str(landed.number)))
    if landed.author_id:
        rows.append(("Author-Id", landed.author_id))
    return (*rows, ("Kit", str(kit.renderer)))


def _foreign_kit(cursor: Cursor) -> Problem:
    return Problem(
        CURSOR,
        1,
        1,
        "CW0802",
        f"the GitOps repo was written by kit {cursor.renderer} with other content than this Causeway carries",
        "Rendering on with another kit would change every service without a plan that shows it.",
        f"Run the Causeway that carries it, or accept what this one renders: `causeway resume {cursor.commit}`.",
    )


def _in_the_way(path: str, own: Own) -> Problem:
    return Problem(
        path,
        1,
        1,
        "CW0803",
        f"something that Causeway did not write stands at {path} in the GitOps repo",
        "Only owned paths are ever written or removed, so that nobody's files are lost.",
        f"Move or remove {path} there, or rename the {'service' if own.unit else 'environment or team'}.",
    )


def _drift(path: str, made: _Made, held: bool) -> Problem:
    return replace(
        _in_the_way(path, made.before[path]),
        code="CW0804",
        message=f"{path} was changed in the GitOps repo by someone else; it is {'left so' if held else 'restored'}",
        why="What runs must be what the platform repo says.",
        fix="Make the change in the platform repo instead.",
        severity="warning",
    )
