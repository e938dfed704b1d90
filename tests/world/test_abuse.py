"""Pull requests that no careful person opens: each has a status and a word, and takes nothing from what runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pygit2
import pytest

from bot.sandbox import Sandbox
from tests.core.made import DB, PLATFORM, service
from tests.world.stage import DEVELOPER, GITOPS, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world

FILES = {**PLATFORM, **service("a", DB), **service("b")}
MANIFEST = "services/a/platform.yaml"
DEPLOYMENT = "environments/prod/payments/b/kubernetes/deployment-b.yaml"


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Stage:
    made = Stage(sandbox, tmp_path, FILES)
    made.deliver()
    return made


def _branch(stage: Stage, name: str, change: Callable[[pygit2.Repository, pygit2.Index], None]) -> int:
    """A pull request whose tree is made by hand, as a client that is not a forge's editor can make it."""
    repo = pygit2.Repository(str(stage.sandbox.git_dir(REPO)))
    tip = stage.sandbox.head(REPO)
    parent = repo[str(tip)].peel(pygit2.Commit)
    index = pygit2.Index()
    index.read_tree(parent.tree)
    change(repo, index)
    who = pygit2.Signature("dana", "dana@example.com", 1_790_000_000, 0)
    made = repo.create_commit(None, who, who, "By hand", index.write_tree(repo), [parent.id])
    stage.sandbox.set_branch(REPO, name, str(made), DEVELOPER)
    return stage.sandbox.open_pull(REPO, "By hand", name, "main", DEVELOPER)


def _of(stage: Stage, name: str) -> Mapping[str, bytes]:
    return {path: data for path, data in stage.owned_files().items() if f"/{name}/" in path or f"/{name}." in path}


@pytest.mark.parametrize("name", ["-x", "--upload-pack=id", "a;id", "$(id)", "é", "@", "HEADS"])
def test_a_branch_may_be_called_anything_that_git_allows(stage: Stage, name: str) -> None:
    number = stage.open(dict(service("b", image="2.0.0")), branch=name)
    status, comment = stage.review(number)
    assert status.startswith("success: Ready")
    assert comment is not None
    stage.merge(number)
    assert b"b:2.0.0" in stage.files()[DEPLOYMENT]
    assert stage.breaches() == ()


@pytest.mark.parametrize("mode", [pygit2.enums.FileMode.LINK, pygit2.enums.FileMode.COMMIT])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../platform/teams.yaml"])
def test_a_link_or_a_submodule_in_the_place_of_a_manifest_is_refused_and_never_followed(
    stage: Stage, mode: pygit2.enums.FileMode, target: str
) -> None:
    def change(repo: pygit2.Repository, index: pygit2.Index) -> None:
        link = mode == pygit2.enums.FileMode.LINK
        oid = repo.create_blob(target.encode()) if link else repo.revparse_single("HEAD").id
        index.remove(MANIFEST)
        index.add(pygit2.IndexEntry(MANIFEST, oid, mode))

    running = _of(stage, "a")
    number = _branch(stage, "linked", change)
    status, comment = stage.review(number)
    assert status.startswith("failure: ")
    assert comment is not None
    assert "CW0302" in comment
    assert "root:" not in comment
    stage.merge(number)
    assert _of(stage, "a") == running
    assert stage.breaches() == ()


@pytest.mark.parametrize("mode", [pygit2.enums.FileMode.LINK, pygit2.enums.FileMode.COMMIT])
def test_a_platform_folder_that_is_a_link_refuses_the_change_whole(stage: Stage, mode: pygit2.enums.FileMode) -> None:
    def change(repo: pygit2.Repository, index: pygit2.Index) -> None:
        index.remove_all(["platform/*"])
        oid = repo.create_blob(b"services") if mode == pygit2.enums.FileMode.LINK else repo.revparse_single("HEAD").id
        index.add(pygit2.IndexEntry("platform", oid, mode))

    head = stage.sandbox.head(GITOPS)
    number = _branch(stage, "linked", change)
    assert stage.review(number)[0].startswith("failure: Refused")
    stage.merge(number)
    assert stage.sandbox.head(GITOPS) == head


def test_folders_that_differ_in_case_alone_are_never_two_services(stage: Stage) -> None:
    running = stage.owned_files()
    number = stage.open({"services/A/platform.yaml": FILES[MANIFEST].replace("a:1.0.0", "a:6.6.6")})
    status, comment = stage.review(number)
    assert status.startswith("failure: ")
    assert comment is not None
    assert "CW0313" in comment
    stage.merge(number)
    assert stage.owned_files() == running
    assert stage.breaches() == ()


def test_a_pull_request_that_deletes_every_manifest_is_blocked_and_what_it_removes_is_named(stage: Stage) -> None:
    for name in ("c", "d"):
        stage.merge(stage.open(dict(service(name))))
    running = stage.owned_files()
    everything = [path for name in "abcd" for path in service(name)]
    number = stage.open(dict.fromkeys(everything))
    status, comment = stage.review(number)
    assert status.startswith("failure: ")
    assert comment is not None
    assert "platform/destroy.yaml" in comment
    stage.merge(number)
    assert stage.owned_files() == running
    assert stage.issues() or stage.review(number)[0].startswith("failure: ")


@pytest.mark.parametrize(
    "title",
    [
        "x\n\nPlatform-Commit: " + "6" * 40,
        "Kit: 99",
        "/merge @everyone </details> ```",
        "${file('x')} {{7*7}} $(VAR)",
        "\x1b[31mred",
        "Revert \"x\"\n\nThis reverts commit " + "6" * 40 + ".",
    ],
)  # fmt: skip
def test_nothing_of_a_title_reaches_the_gitops_commit(stage: Stage, title: str) -> None:
    number = stage.open(dict(service("b", image="2.0.0")), title=title)
    stage.review(number)
    landed = stage.merge(number)
    message = _git(stage, "log", "-1", "--format=%B", "main")
    trailers = _git(stage, "log", "-1", "--format=%(trailers:only,unfold)", "main").splitlines()
    assert [line.partition(": ")[0] for line in trailers if line] == [
        "Platform-Commit", "Pull-Request", "Author-Id", "Kit"
    ]  # fmt: skip
    assert f"Platform-Commit: {landed}" in trailers
    assert title.splitlines()[0] not in message
    assert "6" * 40 not in message


def _git(stage: Stage, *words: str) -> str:
    command = ["git", "-C", str(stage.sandbox.git_dir(GITOPS)), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_pull_request_of_another_pull_requests_commit_is_judged_on_its_own(stage: Stage) -> None:
    """Two heads on one commit: one status serves both, and the second merge is no second delivery."""
    first = stage.open(dict(service("b", image="2.0.0")), branch="one")
    stage.sandbox.set_branch(REPO, "two", str(stage.sandbox.head(REPO, "one")), DEVELOPER)
    second = stage.sandbox.open_pull(REPO, "The same", "two", "main", DEVELOPER)
    assert stage.review(first)[0] == stage.review(second)[0]
    stage.merge(first)
    head = stage.sandbox.head(GITOPS)
    stage.deliver()
    assert stage.sandbox.head(GITOPS) == head
