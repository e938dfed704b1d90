"""Random histories of both repositories, on real git: what people do to a default branch, in any order."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from bot.core.tree import Oid
from bot.sandbox import Sandbox
from bot.sandbox.world import WorldError
from tests.core.made import BROKEN, DB, PLATFORM, SECRET, service
from tests.world.stage import BOT, DEVELOPER, GITOPS, Stage
from tests.world.stage import PLATFORM as REPO

FILES = {**PLATFORM, **service("a"), **service("b"), **service("c")}
MINE = {"mine.txt": b"mine", "environments/prod/notes.md": b"notes"}
"""Somebody else's files in the GitOps repo, which no delivery may touch."""

_METHODS = ("merge", "squash", "rebase", "fast_forward")
_BODIES = ("", DB, SECRET, BROKEN)


@dataclass(frozen=True)
class Act:
    """One thing that somebody does. `pick` chooses among what there is to choose from."""

    kind: str
    pick: int


ACTS = st.builds(
    Act,
    kind=st.sampled_from(
        ["land", "land", "land", "push", "revert", "revert", "remove", "foxtrot", "force", "foreign", "deliver"]
    ),
    pick=st.integers(0, 23),
)


def hold_to_the_law(acts: list[Act]) -> None:
    """Plays the history, delivers, and asks: the law holds, from scratch; or it stands still, says so once with the
    command that resumes, and holds after that. Files of others are untouched, and the whole ends where a bot ends that
    saw only the last state."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder) / "forge") as sandbox:
        stage = Stage(sandbox, Path(folder), FILES, gitops=MINE)
        stage.deliver()
        landed: list[int] = []
        for number, act in enumerate(acts):
            _play(stage, act, number, landed)
        stage.deliver()
        if stage.issues():
            (issue,) = stage.issues()
            tip = Oid(str(sandbox.head(REPO)))
            assert "causeway resume" in issue or "platform/" in issue
            stage.deliver(resumed=tip)
        assert stage.breaches() == ()
        assert {path: stage.files().get(path) for path in MINE} == MINE
        head = sandbox.head(GITOPS)
        stage.deliver()
        assert sandbox.head(GITOPS) == head, "a second look changes nothing"
        for pull in landed:
            assert sum(comment.user.login == BOT for comment in sandbox.comments(REPO, pull)) <= 1


def _play(stage: Stage, act: Act, number: int, landed: list[int]) -> None:
    _PLAYS[act.kind](_Scene(stage, act.pick, number, landed))


@dataclass(frozen=True)
class _Scene:
    stage: Stage
    pick: int
    number: int
    landed: list[int]

    @property
    def name(self) -> str:
        return "abc"[self.pick % 3]

    @property
    def edit(self) -> dict[str, str]:
        return dict(service(self.name, _BODIES[self.pick % 4], image=f"{self.number + 2}.0"))


def _land(scene: _Scene) -> None:
    pull = scene.stage.open(scene.edit, branch=f"work-{scene.number}")
    if scene.pick % 2:
        scene.stage.review(pull)
    scene.landed.extend(_merged(scene.stage, pull, scene.pick))


def _push(scene: _Scene) -> None:
    scene.stage.push(scene.edit)


def _remove(scene: _Scene) -> None:
    path = f"services/{scene.name}/platform.yaml"
    if path in scene.stage.sandbox.files(REPO):
        scene.stage.push({path: None})


def _force(scene: _Scene) -> None:
    commits = scene.stage.commits(REPO)
    older = commits[-1 - min(scene.pick % 3, len(commits) - 1)]
    scene.stage.sandbox.set_branch(REPO, "main", older.id, by=DEVELOPER)


def _foreign(scene: _Scene) -> None:
    path = "environments/prod/payments/a/kubernetes/service-a.yaml" if scene.pick % 2 else "their/own.txt"
    scene.stage.foreign({path: b"kind: Other\n# %d\n" % scene.number})


def _deliver(scene: _Scene) -> None:
    scene.stage.deliver()


def _merged(stage: Stage, pull: int, pick: int) -> list[int]:
    try:
        stage.sandbox.merge(REPO, pull, _METHODS[pick % 4], by=DEVELOPER)  # type: ignore[arg-type]  # a literal of four
    except WorldError:
        return []  # a conflict, or nothing to fast-forward: people then leave it
    return [pull]


def _revert(scene: _Scene) -> None:
    if not scene.landed:
        return
    try:
        back = scene.stage.revert(scene.landed[scene.pick % len(scene.landed)])
    except WorldError:
        return  # what it changed has changed again since
    scene.landed.extend(_merged(scene.stage, back, scene.pick))


def _foxtrot(scene: _Scene) -> None:
    """A merge whose first parent is the branch and whose second is the default branch's tip."""
    stage, branch = scene.stage, f"foxtrot-{scene.number}"
    data = {path: text.encode() for path, text in scene.edit.items()}
    theirs = stage.sandbox.commit(REPO, branch, data, "Work", DEVELOPER, base="main")
    ours = stage.push({"README.md": f"{scene.number}\n"})
    tree = _git(stage, "merge-tree", "--write-tree", theirs, ours).split()[0]
    made = _git(stage, "commit-tree", tree, "-p", theirs, "-p", ours, "-m", "Foxtrot").strip()
    stage.sandbox.set_branch(REPO, "main", made, by=DEVELOPER)


def _git(stage: Stage, *arguments: str) -> str:
    who = ["-c", "user.name=Dana", "-c", "user.email=dana@example.com"]
    git = ["git", "-C", str(stage.sandbox.git_dir(REPO)), *who, *arguments]
    return subprocess.run(git, check=True, capture_output=True, text=True).stdout


_PLAYS: Mapping[str, Callable[[_Scene], None]] = {
    "land": _land,
    "push": _push,
    "remove": _remove,
    "revert": _revert,
    "foxtrot": _foxtrot,
    "force": _force,
    "foreign": _foreign,
    "deliver": _deliver,
}
