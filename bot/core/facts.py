"""What others may know of a unit-environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.unit import DataFact, Effective, Facts
from bot.core.model.values import Value
from bot.core.resolve import namespace_of

_Map = Mapping[str, Value]


def facts_of(effective: Effective, platform: Platform, kit: Kit) -> Facts:  # noqa: ARG001  kits may add facts of types
    """The facts of a resolved unit. Hosts are claimed only where the cluster makes routes at all."""
    value = effective.value
    environment = platform.environments[effective.environment]
    features = cast(Mapping[str, bool], environment.value["features"])
    metrics = cast("Mapping[str, int] | None", value["metrics"])
    ports = {"http": cast(int, value["port"])}
    if metrics is not None and metrics["port"] != ports["http"]:
        ports["metrics"] = metrics["port"]
    routes = cast(Sequence[_Map], value["routes"]) if features["gateway"] else ()
    return Facts(
        unit=(effective.folder, effective.environment),
        name=effective.name,
        owner=effective.owner,
        type=effective.type,
        namespace=namespace_of(environment, effective.name, effective.owner),
        target=environment.target,
        ports=ports,
        hosts=tuple(sorted((str(r["host"]), str(r["path"]), bool(r["public"])) for r in routes)),
        uses=tuple(sorted(cast(_Map, value["uses"]))),
        callers=tuple(cast(Sequence[str], cast(_Map, value["allow"])["callers"])),
        data=tuple(_data(name, cast(_Map, need)) for name, need in sorted(cast(_Map, value["needs"]).items())),
        waiting=effective.waiting,
        cost=str(value["cost"]),
        migrates=value["migrate"] is not None,
        cluster=str(cast(_Map, environment.value["cluster"])["name"]),
        system=cast("str | None", value["system"]),
        objects=_objects(effective) if "{service}" not in str(environment.value["namespace"]) else (),
    )


def _objects(effective: Effective) -> tuple[str, ...]:
    needs = cast(_Map, effective.value["needs"])
    return tuple(sorted({effective.name, *(f"{effective.name}-{need}" for need in needs)}))


def _data(name: str, need: _Map) -> DataFact:
    return DataFact(
        need=name,
        type=str(need["type"]),
        recipe=str(need["recipe"]),
        stateful=bool(need["stateful"]),
        protected=bool(need["protected"]),
        form=str(need["form"]),
    )
