"""The only room that names concrete classes and reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property

from bot import logs
from bot.configured import SettingsError, configured
from bot.flows.place import GitOps, Place
from bot.forges.github import GitHub
from bot.git import Mirror
from bot.isolation import IsolatedCore
from bot.ports import Forge, OutsideWorldError
from bot.settings import ForgeSettings, Settings
from bot.wakeups import RqWakeups

_ADAPTERS: Mapping[str, Callable[[str, str, Callable[[], str], str], Forge]] = {"github": GitHub}
"""Forge kind -> adapter, made from API URL, repository id, token and marker secret."""


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the file that CAUSEWAY_CONFIG names and from CAUSEWAY_* variables (JSON where not plain text)."""
    return configured(os.environ if environment is None else environment)


class Wiring:
    """One process's concrete world. Places are made on first use and kept: their children hold warm facts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._forges: dict[tuple[str, str], Forge] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._cores: list[IsolatedCore] = []
        logs.hide(*settings.secrets())

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
        core = IsolatedCore(self.settings.child_seconds, self.settings.child_memory_mib)
        self._cores.append(core)
        return Place(
            forge_name=forge,
            repository=repository,
            forge=self._forge(found, repository),
            git=self._mirror(found, repository),
            core=core,
            gitops=lambda name: self._gitops(found, allowed, name),
        )

    def _gitops(self, forge: ForgeSettings, allowed: tuple[str, ...], name: str) -> GitOps | None:
        """Names can be taken over, ids cannot: a name counts only where an allowed id bears it now."""
        for repository in allowed:
            there = self._forge(forge, repository)
            try:
                bears = there.repository().full_name.lower() == name.lower()
            except OutsideWorldError:
                if repository == allowed[-1]:
                    raise
                continue
            if bears:
                return GitOps(there, self._mirror(forge, repository))
        return None

    def _forge(self, forge: ForgeSettings, repository: str) -> Forge:
        key = (forge.name, repository)
        if key not in self._forges:
            secret = self.settings.marker_secret.get_secret_value()
            self._forges[key] = _ADAPTERS[forge.kind](forge.api_url, repository, self._credentials(forge), secret)
        return self._forges[key]

    def _credentials(self, forge: ForgeSettings) -> Callable[[], str]:
        if forge.token is None:
            raise SettingsError(f"forge {forge.name} has no token")
        return forge.token.get_secret_value

    def _mirror(self, forge: ForgeSettings, repository: str) -> Mirror:
        return Mirror(self.settings.data_dir / "mirrors" / f"{forge.name}-{repository}.git")
