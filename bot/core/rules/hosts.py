"""Hosts that a service newly takes, and that the base gives to nobody or to other teams."""

from __future__ import annotations

from bot.core.build import Build
from bot.core.model.platform import Platform
from bot.core.resolve.routes import below, owns


def foreign_hosts(before: Build, after: Build, folder: str) -> tuple[str, ...]:
    """Hosts of the unit that it did not have and that are not its team's to take, sorted: by the teams.yaml of the base
    they are another team's and not its own, or they lie outside the environment's domain."""
    state = after.units.get(folder)
    if state is None or state.unit is None:
        return ()
    old = before.units.get(folder)
    found: set[str] = set()
    for name, there in state.environments.items():
        was = old.environments.get(name) if old is not None else None
        had = {host for host, _, _ in was.facts.hosts} if was is not None else set()
        for host, _, _ in there.facts.hosts:
            if host not in had and not _may(before.platform, state.unit.owner, name, host):
                found.add(host)
    return tuple(sorted(found))


def _may(platform: Platform, owner: str, env: str, host: str) -> bool:
    team, environment = platform.teams.get(owner), platform.environments.get(env)
    if environment is None:
        return True  # it comes with the change, which needs the platform team already
    if team is not None and owns(team, host):
        return True
    if any(owns(other, host) for slug, other in platform.teams.items() if slug != owner):
        return False
    return below(environment, host)
