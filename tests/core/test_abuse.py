"""Every bad file a person can write has a clear answer in review and in delivery, and nothing is lost by it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from bot.core import words
from bot.core.model.conversation import Conversation, Dialect, Shas
from bot.core.model.delivery import Evidence, Landed, Step
from bot.core.problem import Refusal
from bot.core.propose import Proposal, propose
from bot.core.step import World, step
from bot.core.tree import Entry, MemoryTree, Oid, Tree
from bot.shipped import shipped_tree
from tests.core.made import DB, PLATFORM, REPOSITORY, START, Delivery, Files, commit_of, service, tree_of
from tests.core.mutations import assert_inside

SHOP = "services/shop/platform.yaml"
BEFORE: Files = {**PLATFORM, **service("shop", DB), **service("stock")}
GOOD = BEFORE[SHOP].encode()
_BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"b%d: &b%d [%s]\n" % (n, n, b",".join([b"*b%d" % (n - 1) if n else b"*a"] * 9)) for n in range(30)
)

BAD: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "CW0109"),
    "comments alone": (b"# later\n", "CW0109"),
    "binary": (bytes(range(256)) * 8, "CW0102"),
    "binary that is UTF-8": (b"\x00\x01\x02" * 50, "CW0001"),
    "two megabytes": (GOOD + b"# " + b"x" * 2_000_000, "CW0103"),
    "a hundred thousand levels": (b"[" * 100_000, "CW0103"),
    "levels of maps": (b"{a: " * 50_000, "CW0103"),
    "an alias bomb": (_BOMB, "CW0107"),
    "a key twice": (GOOD + b"tier: 1\ntier: 2\n", "CW0105"),
    "a tab": (GOOD + b"env:\n\tA: b\n", "CW0101"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, "CW0001"),
    "NEL": (GOOD.replace(b"web\n", b"web\xc2\x85"), "CW0001"),
    "a lone carriage return": (GOOD.replace(b"\n", b"\r"), "CW0001"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "CW0102"),
    "an unknown key": (GOOD + b"replica: 3\n", "CW0104"),
    "a wrong type": (GOOD + b"port: eighty\n", "CW0112"),
    "a list": (b"- name: shop\n", "CW0112"),
    "text": (b"name\n", "CW0112"),
    "no team": (GOOD.replace(b"owner: payments", b"owner: ghosts"), "CW0401"),
    "no environment": (GOOD + b"deploy_to: [moon]\n", "CW0402"),
    "a name over the limit": (GOOD.replace(b"name: shop", b"name: " + b"s" * 41), "CW0114"),
    "another name than the folder": (GOOD.replace(b"name: shop", b"name: till"), "CW0313"),
    "two documents": (GOOD + b"---\n" + GOOD, "CW0108"),
    "a tag": (GOOD + b"env: !!python/object/apply:os.system [id]\n", "CW0107"),
    "a reference to a file": (GOOD + b"env: {A: '${file(\"x\")}'}\n", "CW0407"),
}
"""What a file can be, with the code of the first problem."""


class Odd(MemoryTree):
    """A tree in which one name is no regular file."""

    def __init__(self, files: Mapping[str, bytes], path: str, entry: Entry) -> None:
        # Stands in for the entry, so that folders around it have an id that no tree of plain files has.
        super().__init__({**files, path: f"{path} {entry}".encode()})
        self._odd, self._entry = path, entry

    def get(self, path: str) -> Entry | None:
        return self._entry if path == self._odd else super().get(path)

    def list(self, folder: str) -> Mapping[str, Entry]:
        parent, _, name = self._odd.rpartition("/")
        found = dict(super().list(folder))
        return {**found, name: self._entry} if folder == parent else found

    def read(self, path: str) -> bytes:
        if path == self._odd:
            raise KeyError(path)
        return super().read(path)


def _with(path: str, data: bytes, files: Files = BEFORE) -> MemoryTree:
    return MemoryTree({**{name: text.encode() for name, text in files.items()}, path: data})


def _moved(files: Files) -> Files:
    """The same change with news of the neighbour, which must get through."""
    return {**files, **service("stock", image="2.0.0")}


def _land(world: Delivery, tree: Tree) -> Step:
    """A delivery of any tree; the law is checked after it."""
    world.number += 1
    commit = commit_of(world.number)
    world.commits[commit] = tree
    found = world.step(commit, Evidence())
    assert isinstance(found, Step), found
    world.apply(found.edits)
    assert world.breaches() == ()
    return found


def _proposed(world: Delivery, tree: Tree) -> Proposal | Refusal:
    base = world.commits[commit_of(world.number)]
    sha = Oid("f" * 40)
    kept = {"main": world.kept}
    return propose(
        base, tree, shipped_tree(), kept, Evidence(), sha, START + 9_000, world.commits.__getitem__, world.memo
    )


def _told(outcome: Proposal | Refusal) -> tuple[str, str, str]:
    """State, status and comment."""
    plan = outcome.plan if isinstance(outcome, Proposal) else outcome
    said = words.say(
        Conversation(plan, "open", Dialect("github"), Shas("a" * 40, "main", "f" * 40, "https://f/blob/x"))
    )
    return said.state, said.status, said.comment or ""


def _of(world: Delivery, name: str) -> dict[str, bytes]:
    return {path: data for path, data in world.owned.items() if f"/{name}/" in path or f"/{name}." in path}


def _no_commit(commit: Oid) -> Tree:
    raise KeyError(commit)


@pytest.fixture
def world() -> Delivery:
    made = Delivery()
    made.land(BEFORE)
    return made


def _holds(world: Delivery, tree: Tree, code: str, path: str = SHOP) -> None:
    """The change is told at its line, fails, and takes nothing from what runs; the neighbour's news goes live."""
    found = _proposed(world, tree)
    assert isinstance(found, Proposal)
    errors = [problem for problem in found.plan.problems if problem.severity == "error"]
    assert errors[0].code == code, errors
    assert {problem.path for problem in errors} == {path}
    for problem in errors:
        if isinstance(tree, MemoryTree) and not isinstance(tree, Odd):
            assert_inside(problem, tree)
    state, status, comment = _told(found)
    assert state == "failure"
    assert "problem" in status
    assert code in comment
    running = _of(world, "shop")
    done = _land(world, tree)
    assert code in {problem.code for problem in done.problems}
    assert _of(world, "shop") == running
    assert b"stock:2.0.0" in world.files["environments/prod/payments/stock/kubernetes/deployment-stock.yaml"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_manifest_is_told_and_what_runs_goes_on(world: Delivery, name: str) -> None:
    data, code = BAD[name]
    started = time.process_time()
    _holds(world, _with(SHOP, data, _moved(BEFORE)), code)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", [name for name in BAD if BAD[name][1] not in ("CW0401", "CW0402", "CW0313", "CW0407")])
def test_a_bad_file_of_the_platform_refuses_the_change_whole_and_nothing_moves(world: Delivery, name: str) -> None:
    data, _ = BAD[name]
    before = dict(world.files)
    tree = _with("platform/teams.yaml", data, _moved(BEFORE))
    found = _proposed(world, tree)
    assert isinstance(found, Refusal)
    assert {problem.path for problem in found.problems} == {"platform/teams.yaml"}
    for problem in found.problems:
        assert_inside(problem, tree)
    state, status, comment = _told(found)
    assert (state, "platform/teams.yaml" in status, "platform/teams.yaml" in comment) == ("failure", True, True)
    world.number += 1
    world.commits[commit_of(world.number)] = tree
    assert isinstance(world.step(commit_of(world.number), Evidence()), Refusal)
    assert world.files == before


@pytest.mark.parametrize("kind", ["symlink", "submodule", "folder"])
@pytest.mark.parametrize("name", ["platform.yaml", "releases.yaml"])
def test_a_link_or_a_submodule_in_the_place_of_a_file_is_refused_and_never_followed(
    world: Delivery, kind: Any, name: str
) -> None:
    files = {path: text.encode() for path, text in _moved(BEFORE).items() if path != f"services/shop/{name}"}
    path = f"services/shop/{name}"
    _holds(world, Odd(files, path, Entry(kind, Oid("1" * 40))), "CW0302", path)


@pytest.mark.parametrize("kind", ["symlink", "submodule"])
def test_a_linked_service_folder_is_no_service_and_removes_none(world: Delivery, kind: Any) -> None:
    files = {path: text.encode() for path, text in BEFORE.items()}
    before = world.owned
    tree = Odd(files, "services/elsewhere", Entry(kind, Oid("1" * 40)))
    found = _proposed(world, tree)
    assert isinstance(found, Proposal)
    assert (found.plan.services, found.plan.errors) == ((), ())
    world.number += 1
    world.commits[commit_of(world.number)] = tree
    world.step(commit_of(world.number), Evidence())
    assert world.owned == before


def test_windows_line_ends_are_the_same_manifest(world: Delivery) -> None:
    before = world.owned
    found = _proposed(world, _with(SHOP, GOOD.replace(b"\n", b"\r\n")))
    assert isinstance(found, Proposal)
    assert (found.plan.services, found.plan.problems) == ((), ())
    assert world.owned == before


def test_a_service_inside_another_is_refused_and_the_outer_one_goes_on(world: Delivery) -> None:
    inner = {f"services/shop/inner/{name.rpartition('/')[2]}": text for name, text in service("inner").items()}
    _holds(world, tree_of({**_moved(BEFORE), **inner}), "CW0314", "services/shop/inner/platform.yaml")
    assert not _of(world, "inner")


def test_a_second_service_of_one_name_is_refused_and_the_first_keeps_it(world: Delivery) -> None:
    twin = service("shop", folder="services/a/shop", image="6.6.6")
    _holds(world, tree_of({**_moved(BEFORE), **twin}), "CW0501", "services/a/shop/platform.yaml")
    assert b"6.6.6" not in b"".join(world.files.values())


def test_a_second_service_of_one_host_is_refused_and_the_first_keeps_it(world: Delivery) -> None:
    taken = service("a", "routes: [{host: shop.acme.com}]", "deploy_to: [prod]")
    _holds(world, tree_of({**_moved(BEFORE), **taken}), "CW0502", "services/a/platform.yaml")
    assert not _of(world, "a")


def test_a_change_that_deletes_every_manifest_is_refused_as_data_and_removals_that_nobody_confirmed(
    world: Delivery,
) -> None:
    more = {**BEFORE, **{path: text for n in range(9) for path, text in service(f"svc-{n}").items()}}
    world.land(more)
    before = dict(world.files)
    nothing = tree_of(PLATFORM)
    found = _proposed(world, nothing)
    assert isinstance(found, Proposal)
    state, _, comment = _told(found)
    assert state == "failure"
    assert "platform/destroy.yaml" in comment
    world.number += 1
    world.commits[commit_of(world.number)] = nothing
    assert isinstance(world.step(commit_of(world.number), Evidence()), Refusal)
    assert world.files == before


def test_an_unreadable_platform_in_the_base_is_mended_by_a_change_that_founds_itself() -> None:
    broken, mended = _with("platform/teams.yaml", b"teams: [\n"), tree_of(BEFORE)
    sha = Oid("f" * 40)
    for base in (broken, None):
        found = propose(base, mended, shipped_tree(), {"main": {}}, Evidence(), sha, START, _no_commit, Delivery().memo)
        assert isinstance(found, Proposal), base
        assert {service.name for service in found.plan.services} == {"shop", "stock"}
    worse = propose(broken, broken, shipped_tree(), {"main": {}}, Evidence(), sha, START, _no_commit, Delivery().memo)
    assert isinstance(worse, Refusal)


def test_an_empty_tree_is_refused_with_what_to_write_first() -> None:
    found = propose(
        None,
        MemoryTree({}),
        shipped_tree(),
        {"main": {}},
        Evidence(),
        Oid("f" * 40),
        START,
        _no_commit,
        Delivery().memo,
    )
    assert isinstance(found, Refusal)
    assert {problem.path for problem in found.problems} == {
        "platform/config.yaml", "platform/environments.yaml", "platform/teams.yaml"
    }  # fmt: skip
    landed = Landed(REPOSITORY, commit_of(1), START)
    world = World(shipped_tree(), "main", _no_commit, Delivery().memo)
    actual = Delivery().actual
    assert isinstance(step(None, MemoryTree({}), None, actual, Evidence(), landed, world), Refusal)
