"""Where a service is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from bot.core.model.platform import Environment, Team
from bot.core.model.values import Value
from bot.core.resolve.scene import Scene

_Map = Mapping[str, Value]


def routes(scene: Scene) -> list[Value]:
    """Every route with its host, path, timeout, and whether the internet reaches it. Without any in the manifest:
    `<name>.<domain>` for the company, where the environment has a domain and an internal gateway."""
    environment = scene.environment.value
    domain = cast("str | None", environment["domain"])
    given = cast("Sequence[_Map] | None", scene.said.get("routes"))
    if given is None:
        internal = "internal" in cast(_Map, environment["gateway"])
        return [_route({}, f"{scene.unit.name}.{domain}")] if domain and internal else []
    found: list[Value] = []
    seen: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(given):
        host = cast("str | None", entry.get("host")) or (f"{scene.unit.name}.{domain}" if domain else None)
        if host is None:
            _no_domain(scene, index)
            continue
        route = _route(entry, host)
        if route["public"] and _stays_inside(scene):
            route["public"] = False
        _allowed(scene, index, host, given=bool(entry.get("host")))
        _attached(scene, index, public=bool(route["public"]))
        first = seen.setdefault((host, str(route["path"])), index)
        if first != index:
            scene.refuse(
                ("routes", index), "CW0421", f"`{host}{route['path']}` stands twice in this list",
                "one of the two would never be used", "drop one, or give it another path",
            )  # fmt: skip
        found.append(route)
    return found


def owns(team: Team, host: str) -> bool:
    """Teams.yaml gives `host` to the team, by name or below a `*.`."""
    hosts = cast(Sequence[str], team.value["hosts"])
    return any(host == own or (own.startswith("*.") and host.endswith(own[1:])) for own in hosts)


def below(environment: Environment, host: str) -> bool:
    """`host` is the environment's domain or lies below it."""
    domain = cast("str | None", environment.value["domain"])
    return domain is not None and (host == domain or host.endswith(f".{domain}"))


def _route(entry: _Map, host: str) -> dict[str, Value]:
    return {
        "host": host,
        "path": entry.get("path", "/"),
        "public": entry.get("public", False),
        "timeout": entry.get("timeout", "30s"),
    }


def _stays_inside(scene: Scene) -> bool:
    """A manifest that says `public: true` for all environments means those that have a way in: a development cluster
    without a public gateway keeps the route for the company. Production never drops it silently, nor is an override's
    own word overruled."""
    gateways = cast(_Map, scene.environment.value["gateway"])
    if "public" in gateways or "internal" not in gateways or scene.environment.kind == "production":
        return False
    return scene.spots.get(("routes",), ())[:1] != ("environments",)


def _allowed(scene: Scene, index: int, host: str, *, given: bool) -> None:
    team = scene.platform.teams.get(scene.unit.owner)
    if team is None or not given or below(scene.environment, host) or owns(team, host):
        return  # an unknown owner is a problem of its own
    domain = scene.environment.value["domain"]
    scene.refuse(
        ("routes", index, "host"), "CW0411", f"`{host}` is not {scene.unit.owner}'s to take",
        f"it lies neither below the domain of {scene.environment.name} nor among the team's hosts",
        (f"use a name below `{domain}`, or ask" if domain else "ask") + " the platform team to add it to `hosts` of the"
        f" team `{scene.unit.owner}` in platform/teams.yaml",
    )  # fmt: skip


def _attached(scene: Scene, index: int, *, public: bool) -> None:
    """A cluster without the gateway feature gets no routes at all, and the plan says so; that is no problem here."""
    features = cast(Mapping[str, bool], scene.environment.value["features"])
    kind = "public" if public else "internal"
    gateways = cast(_Map, scene.environment.value["gateway"])
    if features["gateway"] and kind not in gateways:
        other = "drop `public`" if public else "write `public: true`"
        scene.refuse(
            ("routes", index, "public") if public else ("routes", index), "CW0412",
            f"{scene.environment.name} has no {kind} gateway", "the route could not be attached to anything",
            f"{other}, or ask the platform team for a {kind} gateway there",
        )  # fmt: skip


def _no_domain(scene: Scene, index: int) -> None:
    scene.refuse(
        ("routes", index), "CW0411", f"the route names no host, and {scene.environment.name} has no domain",
        "there is no name under which it could be reached", "add `host: …`",
    )  # fmt: skip
