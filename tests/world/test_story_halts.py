"""What stops a delivery or comes between: races, lost answers, halts and how they end, drift."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bot.core.memory import CURSOR, KEPT
from bot.core.policy.judge import judge_cases
from bot.core.tree import Oid
from bot.flows.deliver import deliver
from bot.flows.place import Place
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.thinking import Thinking
from tests.core.made import CONFIG, DB, HOLD, service
from tests.world.stage import DEVELOPER, GITOPS, Bell, Stage
from tests.world.stage import PLATFORM as REPO
from tests.world.test_story import DEPLOYMENT, FILES, PUSH, Make, _image

pytestmark = pytest.mark.world


@pytest.fixture
def make(sandbox: Sandbox, tmp_path: Path) -> Make:
    """A stage with these files, already delivered."""

    def begin(files: dict[str, str] | None = None, delivered: bool = True) -> Stage:
        stage = Stage(sandbox, tmp_path, FILES if files is None else files)
        if delivered:
            stage.deliver()
        return stage

    return begin


# Races and lost answers


def test_a_refused_push_is_made_again_from_the_new_head(make: Make) -> None:
    stage = make()
    stage.push(_image("a", "2"))
    stage.sandbox.faults.append(Fault("POST", PUSH, before=502))
    (outcome,) = stage.deliver()
    assert outcome.pushed
    assert stage.breaches() == ()
    assert len(stage.made()) == 2


@pytest.mark.parametrize("fault", [{"after": 502}, {"drop": "after"}, {"truncate": True}])
def test_a_push_whose_answer_is_lost_is_not_made_twice(make: Make, fault: dict) -> None:  # type: ignore[type-arg]
    stage = make()
    sha = stage.push(_image("a", "2"))
    stage.sandbox.faults.append(Fault("POST", PUSH, **fault))
    stage.deliver()
    assert stage.cursors()[1:] == [sha]
    assert stage.breaches() == ()


def test_a_foreign_commit_between_is_kept_and_delivered_upon(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = make()
    stage.push(_image("a", "2"))
    gitops = stage.place.gitops(GITOPS)
    assert gitops is not None
    push = gitops.git.push
    times: list[str] = []

    def pushed(*given: object) -> object:
        if not times:
            times.append(stage.foreign({"notes.txt": b"mine"}))
        return push(*given)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(type(gitops.git), "push", lambda _self, *given: pushed(*given))
    (outcome,) = stage.deliver()
    assert outcome.pushed
    assert stage.files()["notes.txt"] == b"mine"
    assert b"a:2" in stage.files()[DEPLOYMENT]
    assert stage.commits()[-2].id == times[0]
    assert stage.breaches() == ()


def test_two_workers_at_once_lose_nothing_and_make_nothing_twice(make: Make, tmp_path: Path) -> None:
    stage = make()
    wanted = []
    failures: list[BaseException] = []

    def work(place: Place) -> None:
        try:
            deliver(place, Bell())
        except BaseException as error:  # noqa: BLE001 - told below, in the thread that can fail the test
            failures.append(error)

    for version in ("2", "3", "4"):
        wanted.append(stage.push(_image("a", version)))
        places = [stage.worker(tmp_path / f"{version}-{n}", Thinking(judge_cases)) for n in range(2)]
        threads = [threading.Thread(target=work, args=(place,)) for place in places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
    assert stage.cursors()[1:] == wanted
    assert stage.breaches() == ()


# Halts


def test_a_lost_cursor_halts_with_one_issue_and_resume_goes_on(make: Make) -> None:
    stage = make({**FILES, **service("c", DB)})
    stage.push({"services/c/platform.yaml": None})
    stage.deliver()
    kept = {path: text for path, text in stage.files().items() if path.startswith("data/prod/c/")}
    stage.foreign({CURSOR: None})
    tip = stage.push({"services/b/platform.yaml": None, **_image("a", "2")})
    head = stage.sandbox.head(GITOPS)
    for _ in range(2):
        stage.deliver()
        assert stage.sandbox.head(GITOPS) == head
        assert [f"causeway resume {tip}" in issue for issue in stage.issues()] == [True]
    stage.deliver(resumed=tip)
    assert stage.issues() == []
    assert stage.breaches() == ()
    assert b"a:2" in stage.files()[DEPLOYMENT]
    assert not [path for path in stage.files() if "/b/" in path or "/b." in path]
    assert {path: text for path, text in stage.files().items() if path.startswith("data/prod/c/")} == kept
    assert kept


@pytest.mark.parametrize("path", [CURSOR, KEPT])
def test_memory_that_cannot_be_read_halts_until_it_is_restored_or_resumed(make: Make, path: str) -> None:
    stage = make()
    good = stage.files()[path]
    stage.foreign({path: b"<<<<<<< HEAD\n"})
    stage.push(_image("a", "2"))
    head = stage.sandbox.head(GITOPS)
    stage.deliver()
    assert stage.sandbox.head(GITOPS) == head
    assert path in stage.issues()[0]
    stage.foreign({path: good})
    stage.deliver()
    assert stage.issues() == []
    stage.foreign({path: b"{}"})
    tip = stage.push(_image("a", "3"))
    stage.deliver()
    assert len(stage.issues()) == 1
    stage.deliver(resumed=tip)
    assert stage.issues() == []
    assert b"a:3" in stage.files()[DEPLOYMENT]
    assert stage.breaches() == ()


def test_a_forced_push_that_takes_the_live_commit_away_halts_and_resume_goes_on(make: Make) -> None:
    stage = make()
    first = stage.sandbox.head(REPO)
    stage.push(_image("a", "2"))
    stage.deliver()
    assert first is not None
    stage.sandbox.set_branch(REPO, "main", first, DEVELOPER)
    tip = stage.push(_image("b", "2"))
    head = stage.sandbox.head(GITOPS)
    stage.deliver()
    assert stage.sandbox.head(GITOPS) == head
    assert f"causeway resume {tip}" in stage.issues()[0]
    stage.deliver(resumed=tip)
    assert stage.issues() == []
    assert stage.breaches() == ()
    assert b"a:1.0.0" in stage.files()[DEPLOYMENT]
    assert b"b:2" in stage.files()["environments/prod/payments/b/kubernetes/deployment-b.yaml"]


def test_only_a_commit_of_the_default_branch_can_be_resumed(make: Make) -> None:
    stage = make()
    number = stage.open(_image("a", "2"))
    stage.review(number)
    head = stage.sandbox.head(GITOPS)
    for sha in (Oid(stage.sandbox.pull(REPO, number).head_sha), Oid("1" * 40)):
        with pytest.raises(KeyError):
            deliver(stage.place, stage.bell, sha)
    assert stage.sandbox.head(GITOPS) == head


def test_another_platforms_gitops_repo_is_never_written(make: Make) -> None:
    stage = make()
    other = stage.files()[CURSOR].replace(stage.platform_id.encode(), b"99999")
    stage.foreign({CURSOR: other})
    stage.push(_image("a", "2"))
    head = stage.sandbox.head(GITOPS)
    stage.deliver()
    assert stage.sandbox.head(GITOPS) == head
    assert "99999" in stage.issues()[0]


def test_kept_that_names_an_object_which_nobody_has_halts(make: Make) -> None:
    stage = make()
    good = stage.files()[KEPT]
    entry = b'"data/prod/x/y": {"id": "%s", "kind": "folder", "reason": "data", "commit": "%s", "unit": "prod/x/y"}' % (
        b"1" * 40,
        stage.cursors()[-1].encode(),
    )
    stage.foreign({KEPT: b'{"version": 1, "kept": {%s}}' % entry})
    stage.push(_image("a", "2"))
    head = stage.sandbox.head(GITOPS)
    stage.deliver()
    assert stage.sandbox.head(GITOPS) == head
    assert KEPT in stage.issues()[0]
    stage.foreign({KEPT: good})
    stage.deliver()
    assert stage.issues() == []
    assert stage.breaches() == ()


# Drift


def test_a_foreign_edit_is_restored_by_a_delivery_without_news(make: Make) -> None:
    stage = make()
    before = stage.owned_files()
    stage.foreign({DEPLOYMENT: b"kind: Other\n", "apps/prod/root.yaml": None, "mine.txt": b"mine"})
    stage.deliver()
    assert stage.owned_files() == {**before, "mine.txt": b"mine"}
    assert stage.breaches() == ()


def test_a_foreign_edit_is_held_where_config_says_so(make: Make) -> None:
    stage = make({**FILES, "platform/config.yaml": HOLD})
    stage.foreign({DEPLOYMENT: b"kind: Other\n"})
    stage.deliver()
    assert stage.files()[DEPLOYMENT] == b"kind: Other\n"
    assert stage.breaches() == ()
    stage.push(_image("b", "2"))
    stage.deliver()
    assert stage.files()[DEPLOYMENT] == b"kind: Other\n"
    stage.push({"platform/config.yaml": CONFIG})
    stage.deliver()
    assert b"Deployment" in stage.files()[DEPLOYMENT]
    assert stage.breaches() == ()
