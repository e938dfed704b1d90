"""How state is destroyed or forgotten: only with both approvals, one step after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.core.model.delivery import Unchanged
from bot.core.tree import Oid
from tests.core.made import (
    DB,
    PLATFORM,
    Delivery,
    Files,
    destroy,
    reasons,
    service,
    stepped,
)
from tests.core.test_keeping import APPLIED, BOTH, CLUSTER, EMPTIED, EVERYBODY, FAILED, B, _below, _folder


@pytest.mark.parametrize("approvals", EVERYBODY)
def test_words_of_destruction_without_both_approvals_destroy_nothing(approvals: tuple) -> None:  # type: ignore[type-arg]
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    world.land({**PLATFORM, **B, **destroy("prod/a/db")}, approvals=approvals)
    assert _below(world, "data/prod/a/") == before
    assert reasons(world.kept) == {"data/prod/a/db": "data"}


@pytest.mark.parametrize("approvals", EVERYBODY)
def test_words_of_destruction_for_what_was_kept_long_ago_need_both_approvals_too(approvals: tuple) -> None:  # type: ignore[type-arg]
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    world.land({**PLATFORM, **B})
    world.land({**PLATFORM, **B, **destroy("prod/a/db")}, approvals=approvals)
    assert _below(world, "data/prod/a/") == before
    assert reasons(world.kept) == {"data/prod/a/db": "data"}


def test_words_of_destruction_end_with_their_date() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    before = _below(world, "data/prod/a/")
    world.land({**PLATFORM, **B, **destroy("prod/a/db", until="2026-01-01")}, approvals=BOTH)
    assert _below(world, "data/prod/a/") == before


def _at_once(world: Delivery, platform: Files) -> None:
    world.land({**platform, **service("a", DB), **B})
    world.land({**platform, **B, **destroy("prod/a/db")}, approvals=BOTH)


def _later(world: Delivery, platform: Files) -> None:
    world.land({**platform, **service("a", DB), **B})
    world.land({**platform, **B})
    world.land({**platform, **B, **destroy("prod/a/db")}, approvals=BOTH)


@pytest.mark.parametrize("way", [_at_once, _later])
def test_destruction_goes_by_lifting_then_emptying_then_leaving(way: Callable[[Delivery, Files], None]) -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    live = _below(world, "data/prod/a/")
    way(world, PLATFORM)
    lifted = _below(world, "data/prod/a/")
    assert reasons(world.kept) == {"data/prod/a/db": "draining"}
    assert lifted.keys() == live.keys()
    assert b'"deletion_protection": false' in lifted["data/prod/a/db/terraform/main.tf.json"]
    at = ("data/prod/a/db", _folder(world, "data/prod/a/db"))

    assert isinstance(world.again(), Unchanged)
    assert isinstance(world.again({at: FAILED}), Unchanged)
    assert isinstance(world.again({(at[0], Oid("0" * 40)): APPLIED}), Unchanged)
    stepped(world.again({at: APPLIED}))
    empty = _below(world, "data/prod/a/")
    assert reasons(world.kept) == {"data/prod/a/db": "draining"}
    assert "data/prod/a/db/terraform/backend.tf.json" in empty
    assert "data/prod/a/db/terraform/main.tf.json" not in empty

    at = ("data/prod/a/db", _folder(world, "data/prod/a/db"))
    assert isinstance(world.again({at: APPLIED}), Unchanged)
    stepped(world.again({at: EMPTIED}))
    assert _below(world, "data/prod/a/") == {}
    assert world.kept == {}


@pytest.mark.parametrize("way", [_at_once, _later])
def test_state_in_the_cluster_is_lifted_then_leaves_with_all_that_it_had(
    way: Callable[[Delivery, Files], None],
) -> None:
    world = Delivery()
    way(world, CLUSTER)
    stays = _below(world, "data/prod/a/", "apps/prod/data/")
    assert stays
    assert not [data for path, data in stays.items() if b"Delete=false" in data and "/kubernetes/" in path]
    assert set(reasons(world.kept).values()) == {"draining"}
    at = ("data/prod/a/db", _folder(world, "data/prod/a/db"))
    stepped(world.again({at: APPLIED}))
    assert not [path for path in world.files if "a-prod-data" in path or "/a.db" in path or "/a/db/kubernetes" in path]
    assert world.kept == {}


def test_what_is_on_its_way_out_and_comes_back_stays() -> None:
    world = Delivery()
    files = {**PLATFORM, **service("a", DB), **B}
    _at_once(world, PLATFORM)
    world.land(files)
    assert world.kept == {}
    assert b'"deletion_protection": true' in world.files["data/prod/a/db/terraform/main.tf.json"]


@pytest.mark.parametrize("platform", [PLATFORM, CLUSTER])
def test_forgotten_state_leaves_git_and_is_not_destroyed(platform: Files) -> None:
    world = Delivery()
    world.land({**platform, **service("a", DB), **B})
    world.land({**platform, **B})
    world.land({**platform, **B, **destroy("prod/a/db", "forget")}, approvals=BOTH)
    assert _below(world, "data/prod/a/", "apps/prod/data/a.") == {}
    assert world.kept == {}


def test_a_last_day_that_no_calendar_has_counts_until_the_month_ends() -> None:
    """The schema holds the form of a date; a person may well write a 31st of February."""
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **B})
    odd = {**PLATFORM, **B, **destroy("prod/a/db", until="2099-02-31")}
    assert not [one for one in world.proposed(odd).plan.problems if one.severity == "error"]
    world.land(odd, approvals=BOTH)
    assert reasons(world.kept) != {"data/prod/a/db": "data"}
