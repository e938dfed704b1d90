"""One step of delivery: what it writes, what it leaves alone, and when it writes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core import words
from bot.core.build import Memo
from bot.core.memory import CURSOR, KEPT, cursor_bytes
from bot.core.model.delivery import Evidence, Step, Unchanged
from tests.core.made import (
    BROKEN,
    CONFIG,
    DB,
    HOLD,
    PLATFORM,
    Delivery,
    approved,
    codes,
    commit_of,
    reasons,
    refused,
    service,
    stepped,
    tree_of,
)

A, B = service("a"), service("b")
EMPTIED = "destroy:\n" + "".join(
    f"- {{removals: {{environment: {environment}, at_most: 3}}, reason: we close, until: 2027-06-30}}\n"
    for environment in ("dev", "prod")
)
HELD = {**PLATFORM, "platform/config.yaml": HOLD}
FOLDER = "environments/prod/payments/a"
DEPLOYMENT = f"{FOLDER}/kubernetes/deployment-a.yaml"


def _both(platform: dict[str, str] | None = None) -> tuple[Delivery, dict[str, str]]:
    world = Delivery()
    files = {**(platform or PLATFORM), **A, **B}
    world.land(files)
    return world, files


# What is written


def test_a_step_says_which_commit_and_pull_request_it_delivers() -> None:
    world, files = _both()
    done = stepped(world.land({**files, **service("a", image="2.0.0")}))
    assert dict(done.trailers) == {
        "Platform-Commit": commit_of(2),
        "Pull-Request": "2",
        "Author-Id": "7",
        "Kit": str(world.cursor.renderer),
    }
    assert words.commit_message(done).splitlines()[0] == "Deliver a to dev, prod"
    assert world.cursor.commit == commit_of(2)
    assert world.cursor.repository == "123"


def test_one_edit_writes_only_what_it_changes() -> None:
    world, files = _both()
    done = stepped(world.land({**files, **service("a", "environments: {dev: {size: m}}")}))
    assert set(done.edits) == {"environments/dev/payments/a", CURSOR, KEPT}


def test_what_changes_no_owned_byte_makes_no_commit() -> None:
    world, files = _both()
    head = world.files
    path = "services/a/platform.yaml"
    for edits in ({"README.md": "# x"}, {"services/README.md": "x"}, {path: f"# x\n{files[path]}"}):
        assert isinstance(world.land({**files, **edits}), Unchanged)
        assert world.files == head


def test_a_step_is_the_same_whatever_is_remembered() -> None:
    world, files = _both()
    world.land({**files, **service("a", BROKEN)})
    world.land({**files, **service("a", DB)})
    after = {**files, **service("c", "uses: [a]")}
    world.commits[commit_of(4)] = tree_of(after)
    warm = world.step(commit_of(4), Evidence())
    world.memo = Memo()
    cold = world.step(commit_of(4), Evidence())
    assert isinstance(warm, Step)
    assert warm == cold


def test_a_revert_gives_the_same_bytes() -> None:
    world, files = _both()
    before = world.owned
    world.land({**files, **service("c", "uses: [a]"), **service("a", "size: l")})
    world.land(files)
    assert (world.owned, world.kept) == (before, {})


# A first delivery, and what cannot be read


def test_a_first_delivery_leaves_what_is_there_alone() -> None:
    world = Delivery()
    foreign = {"README.md": b"hello", "apps/other/x.yaml": b"a: 1", "environments/prod/payments/note.txt": b"n"}
    world.files = dict(foreign)
    world.land({**PLATFORM, **A})
    assert {path: world.files.get(path) for path in foreign} == foreign


def test_a_base_that_cannot_be_read_founds_itself() -> None:
    world = Delivery()
    assert refused(world.land({"README.md": "x"}))
    assert refused(world.land({**PLATFORM, "platform/teams.yaml": "teams: [", **A}))
    done = stepped(world.land({**PLATFORM, **A}))
    assert codes(done) == []
    assert DEPLOYMENT in world.files


def test_a_change_is_judged_by_the_tip_before_it_and_not_by_itself() -> None:
    world = Delivery()
    fleet = {path: text for n in range(3) for path, text in service(f"s{n}").items()}
    world.land({**PLATFORM, **fleet})
    own = {"platform/config.yaml": CONFIG.replace("platform_team: platform", "platform_team: payments")}
    empty = {**PLATFORM, **own, "platform/destroy.yaml": EMPTIED}
    assert codes(refused(world.land(empty, approvals=approved("payments")))) == ["CW0704"]
    assert isinstance(world.land({**PLATFORM, **own, **fleet}), Unchanged)
    stepped(world.land(empty, approvals=approved("payments")))


# Drift


@pytest.mark.parametrize(
    "edits",
    [
        {DEPLOYMENT: b"kind: Other\n"},
        {DEPLOYMENT: None},
        {f"{FOLDER}/kubernetes/more.yaml": b"kind: ConfigMap\n"},
        {"apps/prod/services/payments/a.yaml": b"x"},
        {"apps/prod/root.yaml": None},
        {KEPT: b'{"version": 1, "kept": {}}'},
    ],
)
def test_a_foreign_edit_in_an_owned_path_is_restored(edits: dict[str, bytes | None]) -> None:
    world, _ = _both()
    before = dict(world.files)
    world.foreign(edits)
    done = stepped(world.again())
    assert world.files == before
    assert [p for p in done.problems if p.severity == "error"] == []
    assert isinstance(world.again(), Unchanged)


def test_a_foreign_edit_is_restored_by_the_next_change_too_and_is_told() -> None:
    world, files = _both()
    before = world.files[DEPLOYMENT]
    world.foreign({DEPLOYMENT: b"kind: Other\n", "notes.txt": b"n"})
    done = stepped(world.land({**files, **service("b", image="2.0.0")}))
    assert codes(done, "warning") == ["CW0804"]
    assert world.files[DEPLOYMENT] == before
    assert world.files["notes.txt"] == b"n"


def test_a_held_edit_stays_until_the_render_says_the_same() -> None:
    world, files = _both(HELD)
    good = world.files[DEPLOYMENT]
    world.foreign({DEPLOYMENT: b"kind: Other\n"})
    done = stepped(world.again())
    assert codes(done, "warning") == ["CW0804"]
    assert reasons(world.kept) == {FOLDER: "held"}
    assert world.files[DEPLOYMENT] == b"kind: Other\n"
    assert isinstance(world.again(), Unchanged)
    stepped(world.land({**files, **service("b", image="2.0.0")}))
    assert world.files[DEPLOYMENT] == b"kind: Other\n"
    world.foreign({DEPLOYMENT: b"kind: Third\n"})
    stepped(world.again())
    assert world.files[DEPLOYMENT] == b"kind: Third\n"
    world.foreign({DEPLOYMENT: good})
    stepped(world.again())
    assert world.kept == {}
    assert world.files[DEPLOYMENT] == good


def test_a_held_edit_makes_no_commit_of_its_own_when_nothing_else_changes() -> None:
    world, files = _both(HELD)
    world.foreign({DEPLOYMENT: b"kind: Other\n"})
    stepped(world.again())
    assert isinstance(world.land({**files, "services/README.md": "x"}), Unchanged)


def test_a_held_edit_stays_while_its_service_is_refused_and_after() -> None:
    world, files = _both(HELD)
    world.foreign({DEPLOYMENT: b"kind: Other\n"})
    stepped(world.again())
    stepped(world.land({**files, **service("a", BROKEN)}))
    assert world.files[DEPLOYMENT] == b"kind: Other\n"
    stepped(world.land({**files, **service("a", BROKEN), **service("b", image="2.0.0")}))
    assert world.files[DEPLOYMENT] == b"kind: Other\n"
    stepped(world.land(files))
    assert world.files[DEPLOYMENT] == b"kind: Other\n"
    assert reasons(world.kept) == {FOLDER: "held"}


def test_an_edit_that_comes_with_a_refusal_is_held_too() -> None:
    world, files = _both(HELD)
    world.foreign({DEPLOYMENT: b"kind: Other\n"})
    stepped(world.land({**files, **service("a", BROKEN)}))
    assert world.files[DEPLOYMENT] == b"kind: Other\n"


def test_a_removal_by_hand_is_held_too() -> None:
    world, _ = _both(HELD)
    world.foreign({path: None for path in list(world.files) if path.startswith(FOLDER + "/")})
    stepped(world.again())
    assert world.kept[FOLDER].id is None
    assert isinstance(world.again(), Unchanged)


def test_what_is_held_goes_with_its_service() -> None:
    world, _ = _both(HELD)
    world.foreign({DEPLOYMENT: b"kind: Other\n"})
    stepped(world.again())
    stepped(world.land({**HELD, **B}))
    assert FOLDER not in world.kept
    assert DEPLOYMENT not in world.files


def test_held_edits_are_restored_once_config_says_so() -> None:
    world, files = _both(HELD)
    good = world.files[DEPLOYMENT]
    world.foreign({DEPLOYMENT: b"kind: Other\n"})
    stepped(world.again())
    stepped(world.land({**files, **PLATFORM}))
    assert (world.files[DEPLOYMENT], world.kept) == (good, {})


# Halts


def test_a_kit_that_this_bot_does_not_carry_halts_and_names_the_command() -> None:
    world, files = _both()
    world.foreign({CURSOR: cursor_bytes(replace(world.cursor, digest="0" * 64))})
    before = world.files
    found = refused(world.land({**files, **service("a", image="2.0.0")}))
    assert codes(found) == ["CW0802"]
    assert f"causeway resume {commit_of(1)}" in found.problems[0].fix
    assert world.files == before
    stepped(world.land({**files, **service("a", image="2.0.0")}, resume=True))
    assert world.breaches() == ()


def test_what_history_has_lost_of_a_refused_service_leaves_its_output_as_it_is() -> None:
    world, files = _both()
    before = {path: data for path, data in world.files.items() if "/a/" in path}
    world.land({**files, **service("a", BROKEN)})
    del world.commits[commit_of(1)]
    done = stepped(world.land({**files, **service("a", BROKEN), **service("b", image="2.0.0")}))
    assert codes(done) == []
    assert {path: world.files.get(path) for path in before} == before


def test_what_is_kept_of_a_commit_that_history_has_lost_stays() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    world.land({**PLATFORM, **B})
    before = world.owned
    del world.commits[commit_of(1)]
    done = world.land({**PLATFORM, **service("b", image="2.0.0")})
    assert codes(done) == []
    assert {p: t for p, t in world.owned.items() if p.startswith("data/")} == {
        p: t for p, t in before.items() if p.startswith("data/")
    }


def test_resuming_without_a_cursor_takes_over_what_carries_our_provenance() -> None:
    world, files = _both()
    more = {**files, **service("c"), **service("d", DB)}
    world.land(more)
    kept_d = {path: data for path, data in world.files.items() if path.startswith("data/prod/d/")}
    world.foreign({CURSOR: None, KEPT: None})
    done = stepped(world.land({**files, **service("a", image="2.0.0")}, resume=True))
    assert codes(done) == []
    assert not [
        path
        for path in world.files
        if path.startswith(("environments/prod/payments/c/", "environments/prod/payments/d/"))
    ]
    assert b"a:2.0.0" in world.files[DEPLOYMENT]
    assert {path: world.files.get(path) for path in kept_d} == kept_d, "nobody confirmed that state may go"


def test_resuming_without_a_cursor_leaves_foreign_files_alone() -> None:
    world, files = _both()
    world.foreign({CURSOR: None, "environments/prod/payments/x/y.yaml": b"mine", "data/prod/x/y/z.tf": b"mine"})
    stepped(world.land(files, resume=True))
    assert world.files["environments/prod/payments/x/y.yaml"] == b"mine"
    assert world.files["data/prod/x/y/z.tf"] == b"mine"


def test_no_resume_takes_over_what_is_foreign() -> None:
    world = Delivery()
    world.files = {"apps/prod/root.yaml": b"mine", "README.md": b"x"}
    assert codes(refused(world.land({**PLATFORM, **A}, resume=True))) == ["CW0803"]


def test_a_removal_by_hand_stays_held_while_its_service_is_refused_and_after() -> None:
    world, files = _both(HELD)
    world.foreign({path: None for path in list(world.files) if path.startswith(FOLDER + "/")})
    stepped(world.again())
    stepped(world.land({**files, **service("a", BROKEN)}))
    stepped(world.land({**files, **service("a", BROKEN), **service("b", image="2.0.0")}))
    stepped(world.land(files))
    assert reasons(world.kept) == {FOLDER: "held"}
    assert DEPLOYMENT not in world.files
