"""The law after any sequence of edits: hypothesis plays a platform repo and a careless GitOps repo against `step`."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.build import Build, Memo, build
from bot.core.kit import kit_of
from bot.core.memory import CURSOR, KEPT
from bot.core.model.delivery import ApplyReport, Evidence, Step
from bot.core.owned import owned
from bot.core.problem import Refusal
from bot.core.settle import base_build, refused_units
from bot.core.tree import MemoryTree, Oid
from bot.shipped import shipped_tree
from tests.core.made import (
    BROKEN,
    CONFIG,
    DB,
    ENVIRONMENTS,
    FILES_NEED,
    HOLD,
    IN_CLUSTER,
    PLATFORM,
    RECIPES,
    SECRET,
    TEAMS,
    Delivery,
    approved,
    commit_of,
    service,
)

BOTH = approved("payments", "shop", "platform")
FOLDERS = ("services/a", "services/b", "services/z/a", "services/m/c", "services/a-db")
LINES = (
    (),
    (DB,),
    (FILES_NEED,),
    ("needs: {db: postgres, files: bucket}",),
    (BROKEN,),
    (SECRET,),
    (DB, BROKEN),
    (DB, SECRET),
    ("uses: [a]",),
    ("allow: {callers: [b, c]}",),
    ("routes: [{host: shop.acme.com}]", "deploy_to: [prod]"),
    ("routes: [{host: a.acme.net}]", "deploy_to: [prod]"),
    ("deploy_to: [dev]",),
    ("size: l", "tier: 1"),
    ("migrate: [run]", DB),
)
SHARED = ENVIRONMENTS.replace("    domain: acme.com\n", '    domain: acme.com\n    namespace: "{team}-{env}"\n')
HOSTS = TEAMS.replace("acme/payments}", "acme/payments, hosts: [a.acme.net]}")
"""With a host that is another service's default once the domain changes."""

PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "platform/config.yaml": (CONFIG, HOLD, CONFIG + "# a word\n"),
    "platform/teams.yaml": (
        TEAMS,
        HOSTS,
        TEAMS + "  growth: {forge_team: acme/growth}\n",
        TEAMS.replace("  shop: {forge_team: acme/shop}\n", ""),
        "teams: [\n",
    ),
    "platform/recipes.yaml": (RECIPES, RECIPES, IN_CLUSTER, "recipes: []\n"),
    "platform/environments.yaml": (
        ENVIRONMENTS,
        ENVIRONMENTS,
        ENVIRONMENTS.replace("protect_data: true", "protect_data: false"),
        ENVIRONMENTS.replace("domain: acme.com", "domain: acme.net"),
        SHARED,
        "environments:\n  prod:" + ENVIRONMENTS.partition("  prod:")[2].partition("  dev:")[0],
    ),
    "platform/destroy.yaml": (
        "",
        *(
            f"destroy:\n- {{data: prod/{name}/{need}, action: {action}, reason: x, until: 2027-06-30}}\n"
            for name, need, action in (("a", "db", "destroy"), ("b", "db", "forget"), ("a", "files", "destroy"))
        ),
    ),
}
FOREIGN = (
    "README.md",
    "notes/x.txt",
    "environments/prod/payments/a/kubernetes/deployment-a.yaml",
    "environments/prod/payments/a/more.txt",
    "environments/dev/payments/c/mine.txt",
    "environments/prod/payments/b/mine.txt",
    "catalog/components/c.yaml",
    "apps/prod/root.yaml",
    "apps/dev/services/payments/b.yaml",
    "data/prod/a/db/terraform/main.tf.json",
    "data/prod/b/db/mine.txt",
    "catalog/components/a.yaml",
    "environments/prod/_platform/kubernetes/namespace-a-prod.yaml",
)
"""Paths that someone writes to by hand: some are ours, some are not, some stand in the way of what may come."""

BY_HAND = (b"x", b"y: 1\n")
OWN_NAME = {folder: folder.rpartition("/")[2] for folder in FOLDERS}

LIKELY = ((), (), (DB,), (DB,), (BROKEN,), (SECRET,), ("uses: [a]",))
HERE = st.sampled_from((*FOLDERS[:2] * 3, *FOLDERS))
SERVICE = st.tuples(
    st.just("service"),
    HERE,
    st.none()
    | st.tuples(st.sampled_from(LIKELY) | st.sampled_from(LINES), st.sampled_from(("1", "2")), st.just("payments"))
    | st.tuples(st.sampled_from(LINES), st.just("1"), st.sampled_from(("payments", "shop"))),
)
MOVES = st.one_of(
    SERVICE,
    SERVICE,
    SERVICE,
    st.sampled_from([("platform", path, text) for path, texts in PLATFORMS.items() for text in texts]),
    st.tuples(st.just("platform"), st.just("platform/recipes.yaml"), st.sampled_from((RECIPES, "recipes: []\n"))),
    st.tuples(st.just("foreign"), st.sampled_from(FOREIGN), st.none() | st.sampled_from(BY_HAND)),
    st.tuples(st.just("readme"), st.just("README.md"), st.sampled_from(("x", "y"))),
    st.tuples(st.just("back"), st.integers(1, 6), st.none()),
    st.tuples(st.just("applied"), st.booleans(), st.none()),
)
STARTS = st.fixed_dictionaries(
    {
        "platform/config.yaml": st.sampled_from((CONFIG, HOLD)),
        "platform/recipes.yaml": st.sampled_from((RECIPES, IN_CLUSTER)),
        "platform/environments.yaml": st.sampled_from((ENVIRONMENTS, SHARED)),
        "platform/teams.yaml": st.sampled_from((TEAMS, HOSTS)),
        "services/a/platform.yaml": st.sampled_from([*service("a").values(), *service("a", DB).values()]),
        "services/b/platform.yaml": st.sampled_from([*service("b").values(), *service("b", DB).values()]),
    }
)


class Play:
    """A sequence of moves, and what must hold after each."""

    def __init__(self, start: Mapping[str, str]) -> None:
        self.world = Delivery(memo=Memo())
        self.files: dict[str, str] = {**PLATFORM, **start}
        self.history = [dict(self.files)]
        self.world.land(self.files)
        self.cursor = 1

    def move(self, kind: str, what: object, how: object) -> None:
        """Makes one move and delivers."""
        world = self.world
        if kind == "foreign":
            self._foreign(str(what), how if isinstance(how, bytes) else None)
            return
        if kind == "applied":
            self._applied(bool(what))
            return
        if kind == "back":
            assert isinstance(what, int)
            self.files = dict(self.history[max(0, len(self.history) - 1 - what)])
        elif kind == "service" and how is None:
            self.files.pop(f"{what}/platform.yaml", None)
        elif kind == "service":
            assert isinstance(how, tuple)
            lines, image, owner = how
            name = OWN_NAME[str(what)]
            self.files.update(service(name, *lines, image=image, owner=owner, folder=str(what)))
        else:
            self.files[str(what)] = str(how)
            if how == "":
                del self.files[str(what)]
        self.history.append(dict(self.files))
        outside = self._outside()
        before = dict(world.files)
        done = world.land(self.files, approvals=BOTH)
        self._hold(done, before, outside)

    def _foreign(self, path: str, data: bytes | None) -> None:
        files = self.world.files
        blocked = any(other.startswith(path + "/") or path.startswith(other + "/") for other in files)
        if (data is None and path not in files) or blocked:
            return
        self.world.foreign({path: data})
        outside, before = self._outside(), dict(self.world.files)
        done = self.world.again()
        self._hold(done, before, outside)
        live = self.world.commits[self.world.cursor.commit].read("platform/config.yaml")
        state = [entry for own, entry in self.world.kept.items() if path.startswith(own) and entry.reason != "held"]
        if b"hold" in live and not state and isinstance(done, Step):
            assert self.world.files.get(path) == data, "config says to leave it"

    def _rooms_stand(self) -> None:
        """Whatever runs has its namespace, and so has state that is kept in the cluster."""
        files = self.world.files
        by_hand = {path for path, entry in self.world.kept.items() if entry.reason == "held" or entry.id is None}
        spaces = {path.rpartition("/namespace-")[2] for path in files.keys() | by_hand if "/namespace-" in path}
        for path in files:
            top, env, team, name, *rest = [*path.split("/"), *[""] * 4][:5]
            if top == "environments" and rest == ["provenance.json"] and team != "_platform":
                assert {f"{name}-{env}.yaml", f"{team}-{env}.yaml"} & spaces, f"{path} runs nowhere"
            if top == "data" and env == "prod" and path.endswith(f"kubernetes/cluster-{team}-{name}.yaml"):
                text = files[path].decode()
                (space,) = [line.split()[1] for line in text.splitlines() if line.startswith("  namespace:")]
                assert f"{space}.yaml" in spaces, f"{path} stands nowhere"

    def _applied(self, empty: bool) -> None:
        applies = {
            (path, entry.id): ApplyReport(success=True, state_empty=empty)
            for path, entry in self.world.kept.items()
            if entry.reason == "draining" and entry.id is not None
        }
        outside, before = self._outside(), dict(self.world.files)
        self._hold(self.world.again(applies), before, outside)

    def _hold(self, done: object, before: dict[str, bytes], outside: dict[str, bytes]) -> None:
        """The law, I2 and I6, whatever the answer was."""
        world = self.world
        if not isinstance(done, Step):
            assert world.files == before
            return
        assert world.breaches() == ()
        for path, data in outside.items():
            assert world.files.get(path) == data, f"{path} is not ours"
        assert int(world.cursor.commit, 16) in (world.number, self.cursor), "only on, or for kept and drift"
        self.cursor = int(world.cursor.commit, 16)
        self._rooms_stand()
        state = [path for path, data in before.items() if path.startswith("data/prod/") and data not in BY_HAND]
        for name in [path for path in state if path not in world.files]:
            unit = "/".join(name.split("/")[1:4])
            assert self._may_go(unit), f"{name} went without a word"

    def _may_go(self, unit: str) -> bool:
        """State of production leaves only after a destroy.yaml that named it, or where it was not protected."""
        texts = [files.get("platform/destroy.yaml", "") for files in self.history]
        unprotected = any("protect_data: false" in files["platform/environments.yaml"] for files in self.history)
        return any(unit in text for text in texts) or unprotected

    def _owned(self) -> set[str]:
        world = self.world
        tree = world.commits[world.cursor.commit]
        kit = kit_of(tree, shipped_tree())
        assert not isinstance(kit, Refusal)
        made = base_build(tree, kit, world.kept, world.commits.__getitem__, world.memo)
        assert not isinstance(made, Refusal)
        return {*owned(made, "main", world.kept, frozenset(refused_units(world.kept)), world.memo), CURSOR, KEPT}

    def _outside(self) -> dict[str, bytes]:
        """What is not owned now."""
        mine = self._owned()
        return {
            path: data
            for path, data in self.world.files.items()
            if not any(path == own or path.startswith(own + "/") for own in mine)
        }


def play(start: Mapping[str, str], moves: list[tuple[str, object, object]]) -> None:
    """Plays the moves; then the newest step, made cold, is the one that was made warm."""
    stage = Play(start)
    for kind, what, how in moves:
        stage.move(kind, what, how)
    world = stage.world
    again = world.again()
    assert not isinstance(again, Step), "a delivery without news finds nothing to do"
    commit = commit_of(world.number)
    warm = world.step(commit, Evidence())
    world.memo = Memo()
    assert world.step(commit, Evidence()) == warm
    _cold_equals_warm(stage)


def _cold_equals_warm(stage: Play) -> None:
    """A build that starts from any other one of the sequence equals a cold build."""
    builds: list[Build] = []
    for files in stage.history[-4:]:
        tree = MemoryTree({path: text.encode() for path, text in files.items()})
        kit = kit_of(tree, shipped_tree())
        assert not isinstance(kit, Refusal)
        cold = build(tree, kit, Memo())
        if isinstance(cold, Refusal):
            continue
        for other in builds:
            warm = build(tree, kit, stage.world.memo, since=other)
            assert not isinstance(warm, Refusal)
            assert warm.digests == cold.digests
            assert warm.linked == cold.linked
            assert {f: s.problems for f, s in warm.units.items()} == {f: s.problems for f, s in cold.units.items()}
        builds.append(cold)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(STARTS, st.lists(MOVES, min_size=1, max_size=6))
def test_the_law_holds_after_every_move(start: dict[str, str], moves: list[tuple[str, object, object]]) -> None:
    play(start, moves)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(
    max_examples=int(os.environ.get("CAUSEWAY_EXAMPLES", "1000")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(STARTS, st.lists(MOVES, min_size=1, max_size=14))
def test_the_law_holds_after_every_move_of_long_games(
    start: dict[str, str], moves: list[tuple[str, object, object]]
) -> None:
    play(start, moves)


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_files_are_listed_changes_nothing(order: random.Random) -> None:
    files = {**PLATFORM, **service("a", DB), **service("b", "uses: [a]"), **service("c", SECRET)}
    shuffled = list(files.items())
    order.shuffle(shuffled)
    one, other = Delivery(memo=Memo()), Delivery(memo=Memo())
    for world, given_files in ((one, files), (other, dict(shuffled))):
        world.land({**PLATFORM, **service("a")})
        world.land(given_files)
    assert one.files == other.files
    assert Oid(one.cursor.commit) == other.cursor.commit
