"""The only room that names concrete classes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property

from bot import logs
from bot.configured import SettingsError, read_settings
from bot.core.model.conversation import Dialect
from bot.flows.place import GitOps, Place
from bot.forges.github import GitHub, default_pace
from bot.forges.github_app import GITOPS_RIGHTS, PLATFORM_RIGHTS, AppCredentials
from bot.forges.github_inspect import GitHubInspect
from bot.forges.github_pace import Pace
from bot.forges.gitlab import GitLab
from bot.forges.gitlab_inspect import GitLabInspect
from bot.git import Mirror
from bot.inspects import Inspects
from bot.isolation import IsolatedCore
from bot.ports import Forge, OutsideWorldError
from bot.settings import ForgeSettings, Settings
from bot.wakeups import RqWakeups

__all__ = ["Wiring", "read_settings"]


_BORNE_SECONDS = 60.0
"""For so long an allowed repository is believed to be called what it was: whatever happens to the name meanwhile, what
is written goes to the id that the settings allow."""


class Wiring:
    """One process's concrete world. Places are made on first use and kept: their children hold warm facts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._forges: dict[tuple[str, str], Forge] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._cores: list[IsolatedCore] = []
        self._borne: dict[tuple[str, str], tuple[str, float]] = {}
        self._paces: dict[tuple[str, str], Pace] = {}
        logs.hide(*settings.secrets())
        for forge in settings.forges:
            if forge.app is not None:
                # An App's key that is none is told at the start, not at the first pull request.
                self._credentials(forge, "1")

    @cached_property
    def wakeups(self) -> RqWakeups:
        return RqWakeups(self.settings.redis_url)

    def place(self, forge: str, repository: str) -> Place | None:
        """The platform repository of that id at that forge; None where the settings do not name it."""
        key = (forge, repository)
        if key not in self._places:
            made = self._make(forge, repository)
            if made is None:
                return None
            self._places[key] = made
        return self._places[key]

    def places(self) -> list[Place]:
        """Every platform repository of the settings."""
        found = [self.place(f.name, t.repository) for f in self.settings.forges for t in f.tenants]
        return [place for place in found if place is not None]

    def inspecting(self, forge: str) -> Callable[[str], Inspects]:
        """Who examines a repository of that forge, by numeric id. KeyError for a forge that no setting names."""
        found = {one.name: one for one in self.settings.forges}[forge]
        return lambda repository: _INSPECTORS[found.kind](self, found, repository)

    def interrupt(self) -> None:
        """Ends the children and what they work at, from any thread; no place can be asked anything afterwards."""
        for core in self._cores:
            core.close()

    def close(self) -> None:
        """Ends the children and closes connections."""
        self.interrupt()
        self.wakeups.close()

    def _make(self, forge: str, repository: str) -> Place | None:
        found = next((f for f in self.settings.forges if f.name == forge), None)
        tenant = next((t for t in found.tenants if t.repository == repository), None) if found is not None else None
        if found is None or tenant is None:
            return None
        allowed = tenant.gitops
        core = IsolatedCore(self.settings.child_seconds, self.settings.child_memory_mib, opa=self.settings.opa)
        self._cores.append(core)
        return Place(
            forge_name=forge,
            repository=repository,
            forge=self._forge(found, repository),
            git=self._mirror(found, repository),
            core=core,
            gitops=lambda name: self._gitops(found, allowed, name),
            dialect=Dialect(found.kind),
        )

    def _gitops(self, forge: ForgeSettings, allowed: tuple[str, ...], name: str) -> GitOps | None:
        """Names can be taken over, ids cannot: a name counts only where an allowed id bears it now."""
        for repository in allowed:
            there = self._forge(forge, repository)
            key = (forge.name, repository)
            borne = self._borne.get(key)
            if borne is None or borne[0] != name.lower() or time.monotonic() - borne[1] > _BORNE_SECONDS:
                try:
                    borne = (there.repository().full_name.lower(), time.monotonic())
                except OutsideWorldError:
                    if repository == allowed[-1]:
                        raise
                    continue
                self._borne[key] = borne
            if borne[0] == name.lower():
                return GitOps(there, self._mirror(forge, repository))
        return None

    def _forge(self, forge: ForgeSettings, repository: str) -> Forge:
        key = (forge.name, repository)
        if key not in self._forges:
            self._forges[key] = _ADAPTERS[forge.kind](self, forge, repository)
        return self._forges[key]

    def _github(self, forge: ForgeSettings, repository: str) -> Forge:
        secret = self.settings.marker_secret.get_secret_value()
        credentials, pace = self._credentials(forge, repository), self._pace(forge, repository)
        return GitHub(forge.api_url, repository, credentials, secret, pace=pace)

    def _gitlab(self, forge: ForgeSettings, repository: str) -> Forge:
        secret = self.settings.marker_secret.get_secret_value()
        return GitLab(forge.api_url, repository, self._credentials(forge, repository), secret)

    def _github_inspect(self, forge: ForgeSettings, repository: str) -> Inspects:
        needed = _rights(forge, repository)
        return GitHubInspect(forge.api_url, repository, self._credentials(forge, repository), needed)

    def _gitlab_inspect(self, forge: ForgeSettings, repository: str) -> Inspects:
        return GitLabInspect(forge.api_url, repository, self._credentials(forge, repository))

    def _credentials(self, forge: ForgeSettings, repository: str) -> Callable[[], str]:
        if forge.app is None:
            # The settings hold exactly one of the two.
            return forge.token.get_secret_value if forge.token is not None else str
        rights = _rights(forge, repository)
        key = forge.app.private_key.get_secret_value()
        # A GitOps repository may belong to another installation of the same App; it is looked for.
        where = next((one.installation for one in forge.tenants if one.repository == repository), None)
        try:
            return AppCredentials(forge.api_url, forge.app.id, key, repository, rights, where)
        except ValueError as wrong:
            raise SettingsError(f"forge {forge.name}, app.private_key: {wrong}") from wrong

    def _pace(self, forge: ForgeSettings, repository: str) -> Pace:
        """One for each installation: what one repository writes, another's budget has less. Each worker takes its part,
        since none of them knows what the others write."""
        key = (forge.name, _installation(forge, repository) or "")
        if key not in self._paces:
            usual = default_pace(forge.api_url, self.settings.workers)
            self._paces[key] = usual if forge.write_budget else Pace(None, None)
        return self._paces[key]

    def _mirror(self, forge: ForgeSettings, repository: str) -> Mirror:
        return Mirror(self.settings.data_dir / "mirrors" / f"{forge.name}-{repository}.git")


_ADAPTERS: Mapping[str, Callable[[Wiring, ForgeSettings, str], Forge]] = {
    "github": Wiring._github,
    "gitlab": Wiring._gitlab,
}
"""Forge kind -> how its adapter for one repository is made."""

_INSPECTORS: Mapping[str, Callable[[Wiring, ForgeSettings, str], Inspects]] = {
    "github": Wiring._github_inspect,
    "gitlab": Wiring._gitlab_inspect,
}
"""Forge kind -> how one of its repositories is examined."""


def _rights(forge: ForgeSettings, repository: str) -> Mapping[str, str]:
    return PLATFORM_RIGHTS if any(one.repository == repository for one in forge.tenants) else GITOPS_RIGHTS


def _installation(forge: ForgeSettings, repository: str) -> str | None:
    """The App's installation that the settings give a repository, platform's or GitOps; None where they give none."""
    here = (one.installation for one in forge.tenants if repository in (one.repository, *one.gitops))
    return next(here, None)
