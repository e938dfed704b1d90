"""Fields that need nothing but the manifest and the blueprint's defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from bot.core.model.values import Value
from bot.core.resolve.scene import Scene

_Map = Mapping[str, Value]


def plain(scene: Scene) -> dict[str, Value]:
    """Fields that the manifest replaces whole or leaves to the default."""
    said, base = scene.said, scene.settled.value
    metrics = cast("_Map | None", said.get("metrics", base.get("metrics")))
    return {
        "port": said.get("port", base.get("port", 8080)),
        "metrics": None if metrics is None else {"port": metrics["port"], "path": metrics.get("path", "/metrics")},
        "command": said.get("command", base.get("command") or []),
        "args": said.get("args", base.get("args") or []),
        "migrate": said.get("migrate", base.get("migrate")),
        "user": said.get("user", base.get("user", 10001)),
        "writable": _writable(said.get("writable", base.get("writable") or [])),
        "health": {**dict.fromkeys(("ready", "live", "start")), **_both(scene, "health")},
    }


def catalog(scene: Scene) -> dict[str, Value]:
    """What only people read."""
    said, base = scene.said, scene.settled.value
    return {
        "description": said.get("description", base.get("description", "")),
        "system": said.get("system", base.get("system")),
        "lifecycle": said.get("lifecycle", base.get("lifecycle", "production")),
        "urls": dict(sorted(cast(_Map, said.get("urls", base.get("urls") or {})).items())),
    }


def size(scene: Scene) -> _Map:
    """A named size as the blueprint defines it, or one's own, completed by the default size."""
    default = cast(_Map, scene.settled.value["size"])
    given = scene.said.get("size")
    if given is None:
        return default
    if not isinstance(given, Mapping):
        return {**default, "name": given}
    return {
        "name": None,
        "cpu": str(given.get("cpu", default["cpu"])),
        "memory": given.get("memory", default["memory"]),
    }


def scale(scene: Scene) -> _Map:
    """How many replicas. An end that only the default names gives way to one that somebody wrote."""
    default = cast(Mapping[str, int], scene.settled.value["scale"])
    given = scene.said.get("scale")
    if not isinstance(given, Mapping):
        return default if given is None else {**default, "min": given, "max": given}
    both = {**default, **cast(Mapping[str, int], given)}
    if both["min"] > both["max"]:
        if "max" not in given:
            both["max"] = both["min"]
        elif "min" not in given:
            both["min"] = both["max"]
        else:
            scene.refuse(
                ("scale", "max"), "CW0416", f"`max` ({both['max']}) is less than `min` ({both['min']})",
                "no number of replicas satisfies both", f"write `max: {both['min']}` or more, or a lower `min`",
            )  # fmt: skip
    return both


def stop(scene: Scene) -> _Map:
    """Seconds. It must be able to drain before it is killed."""
    both = cast(dict[str, int], _both(scene, "stop"))
    if both["grace"] <= both["drain"]:
        written = cast(_Map, scene.said["stop"])
        if "grace" not in written:
            both["grace"] = both["drain"] + _TO_FINISH
        else:
            at = "drain" if "drain" in written else "grace"
            scene.refuse(
                ("stop", at), "CW0416", f"it drains for {both['drain']} seconds but is killed after {both['grace']}",
                "requests in flight would be cut off", f"write `grace: {both['drain'] + _TO_FINISH}`, or drain less",
            )  # fmt: skip
    return cast(_Map, both)


def slo(scene: Scene) -> _Map | None:
    """The service level; None where neither manifest nor tier promises one. Availability is a decimal string."""
    default = cast("_Map | None", scene.settled.value.get("slo"))
    given = cast("_Map | None", scene.said.get("slo"))
    if default is None and given is None:
        return None
    both = {**(default or {}), **(given or {})}
    availability = both.get("availability")
    if availability is None:
        scene.refuse(
            ("slo",), "CW0422", "the service level names no availability, and tier 4 has none by default",
            "alerts are made from it", "add `availability: 99.0` or what you can promise",
        )  # fmt: skip
        availability = "99"
    return {"availability": _decimal(availability), "latency_ms": both.get("latency_ms")}


_TO_FINISH = 30
"""Seconds that a program gets after draining where only `drain` is written."""


def _both(scene: Scene, field: str) -> dict[str, Value]:
    return {**cast(_Map, scene.settled.value.get(field) or {}), **cast(_Map, scene.said.get(field) or {})}


def _writable(paths: Value) -> list[Value]:
    given = list(cast(Sequence[Value], paths))
    return given if "/tmp" in given else ["/tmp", *given]  # noqa: S108  a path in the container


def _decimal(number: Value) -> str:
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
