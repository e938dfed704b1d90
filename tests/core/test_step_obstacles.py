"""What stands in the way of a step: only what it blocks is refused, and nothing foreign is removed."""

from __future__ import annotations

from tests.core.made import (
    DB,
    SECRET,
    TEAMS,
    codes,
    refused,
    service,
    stepped,
)
from tests.core.test_step import _both

# Something in the way


def test_something_in_the_way_of_a_service_blocks_only_that_service() -> None:
    world, files = _both()
    world.foreign({"environments/prod/payments/c/mine.txt": b"mine"})
    done = stepped(world.land({**files, **service("c"), **service("b", image="2.0.0")}))
    assert codes(done) == ["CW0803"]
    assert world.files["environments/prod/payments/c/mine.txt"] == b"mine"
    assert "catalog/components/c.yaml" not in world.files
    assert b"b:2.0.0" in world.files["environments/prod/payments/b/kubernetes/deployment-b.yaml"]
    assert world.breaches() == ()


def test_what_is_in_the_way_stays_until_someone_moves_it() -> None:
    world, files = _both()
    world.foreign({"environments/prod/payments/c/mine.txt": b"mine"})
    more = {**files, **service("c")}
    world.land(more)
    for image in ("2.0.0", "3.0.0"):
        done = world.land({**more, **service("b", image=image)})
        assert codes(done) == []
        assert codes(done, "warning") == ["CW0803"]
        assert world.files["environments/prod/payments/c/mine.txt"] == b"mine"
        assert "catalog/components/c.yaml" not in world.files
    world.foreign({"environments/prod/payments/c/mine.txt": None})
    stepped(world.again())
    assert "environments/prod/payments/c/kubernetes/deployment-c.yaml" in world.files
    assert world.kept == {}


def test_a_file_where_a_folder_must_be_is_in_the_way() -> None:
    world, files = _both()
    world.foreign({"data/prod": b"a file"})
    done = stepped(world.land({**files, **service("c", DB)}))
    assert codes(done) == ["CW0803"]
    assert world.files["data/prod"] == b"a file"


def test_the_very_same_bytes_are_not_in_the_way() -> None:
    world, files = _both()
    world.land({**files, **service("c")})
    there = {path: data for path, data in world.files.items() if "/c/" in path or "/c." in path}
    world.land(files)
    world.foreign(there)
    done = stepped(world.land({**files, **service("c")}))
    assert codes(done) == []
    assert world.kept == {}


def test_something_in_the_way_of_the_platforms_own_output_refuses_the_whole_change() -> None:
    world, files = _both()
    world.foreign({"apps/prod/project-money.yaml": b"mine"})
    before = world.files
    found = refused(world.land({**files, "platform/teams.yaml": TEAMS + "  money: {forge_team: acme/money}\n"}))
    assert [(p.code, p.path) for p in found.problems] == [("CW0803", "apps/prod/project-money.yaml")]
    assert world.files == before


def test_foreign_files_in_a_namespace_of_a_refused_service_are_never_removed() -> None:
    world, files = _both()
    world.foreign({"environments/prod/payments/c/mine.txt": b"mine"})
    world.land({**files, **service("c", SECRET)})
    world.land({**files, **service("c", SECRET), **service("b", image="2.0.0")})
    assert world.files["environments/prod/payments/c/mine.txt"] == b"mine"


def test_a_file_where_the_folder_of_something_live_must_be_refuses_the_whole_change() -> None:
    world, files = _both()
    world.foreign({path: None for path in list(world.files) if path.startswith("environments/prod/payments/")})
    world.foreign({"environments/prod/payments": b"mine"})
    found = refused(world.land({**files, **service("c")}))
    assert {problem.code for problem in found.problems} == {"CW0803"}
    assert world.files["environments/prod/payments"] == b"mine"
    assert codes(refused(world.again()))
