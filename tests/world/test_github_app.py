"""The bot as a GitHub App: tokens of one repository with the least rights, renewed in time, whatever our clock says."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from bot.core.tree import Oid
from bot.forges.github import GitHub
from bot.forges.github_app import GITOPS_RIGHTS, PLATFORM_RIGHTS, AppCredentials
from bot.forges.github_calls import UnprovenError
from bot.ports import GoneError, OutsideWorldError, Status
from bot.sandbox import Fault, Sandbox
from bot.sandbox.apps import App, Grant

pytestmark = pytest.mark.world
NAME, OTHER, SECRET = "acme/platform", "acme/gitops", "a secret of sixteen characters"


@dataclass
class Clock:
    """Our two clocks: the calendar may be wrong, the steady one only runs."""

    wrong_by: float = 0.0
    passed: float = 0.0

    def calendar(self) -> float:
        return time.time() + self.wrong_by

    def steady(self) -> float:
        return time.monotonic() + self.passed


@dataclass
class World:
    """A sandbox with an App that is installed for two repositories of three."""

    forge: Sandbox
    clock: Clock = field(default_factory=Clock)
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (NAME, OTHER, "acme/elsewhere"):
            self.ids[name] = str(self.forge.create_repository(name, {"README.md": "hello\n"}))
        self.app, self.key = self.forge.github.create_app("causeway-app", "acme", PLATFORM_RIGHTS)
        self.there = self.forge.github.install(self.app, [NAME, OTHER])

    def credentials(self, name: str = NAME, app: App | None = None, **more: object) -> AppCredentials:
        number = (app or self.app).id
        rights = {"clock": self.clock.calendar, "steady": self.clock.steady, "sleep": lambda _seconds: None}
        return AppCredentials(self.forge.api_url, number, self.key, self.ids[name], **(rights | more))  # type: ignore[arg-type]

    def grants(self) -> list[Grant]:
        return list(self.forge.world.apps.grants.values())

    def asked(self) -> list[str]:
        found = [one.path.removeprefix("/api/v3") for one in self.forge.requests]
        self.forge.requests.clear()
        return found


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return World(sandbox)


def test_a_token_is_for_one_repository_and_no_more_than_needed(world: World) -> None:
    world.credentials()()
    world.credentials(OTHER, permissions=GITOPS_RIGHTS)()
    platform, gitops = world.grants()
    assert platform.repositories == frozenset({int(world.ids[NAME])})
    assert platform.permissions == PLATFORM_RIGHTS
    assert gitops.repositories == frozenset({int(world.ids[OTHER])})
    assert gitops.permissions == GITOPS_RIGHTS


def test_a_token_is_used_until_ten_minutes_are_left(world: World) -> None:
    credentials = world.credentials()
    first = credentials()
    world.clock.passed = 49 * 60
    assert credentials() == first
    world.clock.passed = 51 * 60
    assert credentials() != first
    assert len(world.grants()) == 2


@pytest.mark.parametrize("hours", [-3, -0.03, 0.03, 5])
def test_a_clock_that_is_wrong_is_noticed_by_githubs_date(world: World, hours: float) -> None:
    world.clock.wrong_by = hours * 3600
    credentials = world.credentials()
    first = credentials()
    assert credentials() == first
    world.clock.passed = 55 * 60
    world.asked()
    assert credentials() != first
    assert len(world.asked()) == 1, "what was learned about the clock is kept"


def test_a_foreign_key_is_told_and_not_retried_for_ever(world: World) -> None:
    _, other_key = world.forge.github.create_app("another", "acme", PLATFORM_RIGHTS)
    stranger = AppCredentials(world.forge.api_url, world.app.id, other_key, world.ids[NAME])
    with pytest.raises(UnprovenError, match="401"):
        stranger()
    assert len(world.asked()) == 1


def test_a_key_that_is_none_is_refused_at_once_and_never_shown() -> None:
    with pytest.raises(ValueError, match="RSA key") as refused:
        AppCredentials("https://api.github.com", 1, "hunter2-is-no-key", "1")
    assert "hunter2" not in str(refused.value)


def test_neither_key_nor_token_is_in_the_repr(world: World) -> None:
    credentials = world.credentials()
    token = credentials()
    assert token not in repr(credentials)
    assert "PRIVATE" not in repr(credentials)
    assert "PRIVATE" not in repr(GitHub(world.forge.api_url, world.ids[NAME], credentials, SECRET))


def test_where_the_app_is_not_installed_it_says_what_to_do(world: World) -> None:
    with pytest.raises(GoneError, match="add the repository to its installation"):
        world.credentials("acme/elsewhere")()


def test_the_installation_is_found_where_the_short_question_is_not_answered(world: World) -> None:
    world.forge.faults.append(Fault("GET", r".*/repositories/\d+/installation", before=404))
    assert world.credentials()().startswith("ghs_")


def test_an_installation_that_the_settings_name_is_not_looked_for(world: World) -> None:
    world.credentials(installation=str(world.there.id))()
    assert world.asked() == [f"/app/installations/{world.there.id}/access_tokens"]


def test_a_right_that_was_not_given_is_named(world: World) -> None:
    with pytest.raises(OutsideWorldError, match="permissions requested are not granted"):
        world.credentials(permissions={"administration": "write"})()


def test_a_suspended_installation_is_told(world: World) -> None:
    world.forge.github.suspend(world.there)
    with pytest.raises(OutsideWorldError, match="suspended"):
        world.credentials()()


def test_tokens_that_were_revoked_are_replaced_without_a_word(world: World) -> None:
    github = GitHub(world.forge.api_url, world.ids[NAME], world.credentials(), SECRET, sleep=lambda _seconds: None)
    head = world.forge.head(NAME)
    assert head is not None
    assert github.repository().full_name == NAME
    world.forge.github.revoke_tokens()
    assert github.repository().full_name == NAME
    world.forge.github.revoke_tokens()
    github.ensure_issue("halt", "Halted", "Run this.")
    assert len(world.forge.issues(NAME)) == 1


def test_the_bot_knows_its_own_words_though_it_has_no_account(world: World) -> None:
    github = GitHub(world.forge.api_url, world.ids[NAME], world.credentials(), SECRET)
    world.forge.create_user("ada")
    world.forge.commit(NAME, "topic", {"a": "1"}, "One", "ada")
    number = world.forge.open_pull(NAME, "One", "topic", "main", "ada")
    assert github.ensure_comment(number, "plan", "aa" * 8, "One") is True
    assert github.ensure_comment(number, "plan", "aa" * 8, "One") is False
    assert [one.user.login for one in world.forge.comments(NAME, number)] == ["causeway-app[bot]"]
    assert "/user" not in world.asked()


def test_a_token_of_one_repository_opens_no_other(world: World) -> None:
    token = world.credentials()()
    with pytest.raises(GoneError):
        GitHub(world.forge.api_url, world.ids[OTHER], lambda: token, SECRET).repository()
    reader = world.credentials(permissions={"metadata": "read"})()
    head = world.forge.head(NAME)
    assert head is not None
    github = GitHub(world.forge.api_url, world.ids[NAME], lambda: reader, SECRET)
    with pytest.raises(OutsideWorldError, match="not accessible by integration"):
        github.ensure_status(Oid(head), Status("causeway", "success", "Ready"))


def test_git_takes_the_token_of_an_app(world: World) -> None:
    github = GitHub(world.forge.api_url, world.ids[NAME], world.credentials(), SECRET)
    remote = github.remote()
    assert remote.url == world.forge.clone_url(NAME)
    assert remote.authorization is not None
