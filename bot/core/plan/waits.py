"""What must be there before a service can start, and what it goes without in a cluster that lacks a feature."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping

from bot.core.model.plan import DataChange, Wait
from bot.core.model.values import Value
from bot.core.plan.rows import Seen, secret_path
from bot.core.plan.shape import as_list, as_map, at

BLANK = "…"
"""Where a person puts the value into a command."""


def waits(
    before: Seen | None,
    after: Seen,
    environment: Mapping[str, Value],
    data: Iterable[DataChange],
    objects: Iterable[Value],
) -> Iterator[Wait]:
    """Secrets that are new, by path, with the command that writes each; data that takes its time; the first release.

    `objects` are the service's own on the side after: where no operator fetches secrets, they say which Secret a
    person has to make.
    """
    if after.effective.waiting:
        yield Wait("release", str(at(after.effective.value, ("image", "repository")) or after.effective.name))
    if at(environment, ("features", "external_secrets")) is True:
        yield from _in_store(before, after, as_map(environment.get("secrets")))
    else:
        yield from _by_hand(before, after, list(objects))
    for change in data:
        if change.ready_in:
            yield Wait("data", change.need, time=change.ready_in)


def _in_store(before: Seen | None, after: Seen, store: Mapping[str, Value]) -> Iterator[Wait]:
    """One wait a path. A field that joins a value which exists has no safe command: writing would lose the others."""
    old, new = _secrets(before), _secrets(after)
    known = {str(secret.get("path")) for secret in old.values()}
    had = {secret_path(secret) for secret in old.values()}
    paths: dict[str, list[str]] = {}
    for secret in new.values():
        if secret_path(secret) not in had:
            paths.setdefault(str(secret.get("path")), []).append(str(secret.get("key") or ""))
    for path in sorted(paths):
        fields = sorted(field for field in paths[path] if field)
        write = STORES.get(str(store.get("store")))
        command = write(path, fields, store) if write is not None and path not in known else ""
        yield Wait("secret", path + (f"#{','.join(fields)}" if fields else ""), command)


def _aws(path: str, fields: list[str], store: Mapping[str, Value]) -> str:
    value = json.dumps(dict.fromkeys(fields, BLANK), ensure_ascii=False) if fields else BLANK
    region = store.get("region")
    return shlex.join(
        ["aws", "secretsmanager", "create-secret", "--name", path]
        + (["--region", str(region)] if region else [])
        + ["--secret-string", value]
    )


STORES: Mapping[str, Callable[[str, list[str], Mapping[str, Value]], str]] = {"aws-secretsmanager": _aws}
"""Kind of secret store -> the command that puts a value (or a value with fields) at a path."""


def _by_hand(before: Seen | None, after: Seen, objects: list[Value]) -> Iterator[Wait]:
    """Nothing fetches them here: one Secret of the namespace, made or added to by a person."""
    old = _secrets(before)
    names: dict[str, dict[str, str]] = {}
    existing: set[str] = set()
    for variable, (secret, key) in sorted(_references(objects).items()):
        if variable in _secrets(after):
            if variable in old:
                existing.add(secret)
            else:
                names.setdefault(secret, {})[key] = BLANK
    for secret, keys in sorted(names.items()):
        where = ["--namespace", after.facts.namespace]
        if secret in existing:
            patch = json.dumps({"stringData": keys}, ensure_ascii=False)
            command = shlex.join(["kubectl", "patch", "secret", secret, *where, "--patch", patch])
        else:
            values = [f"--from-literal={key}={blank}" for key, blank in keys.items()]
            command = shlex.join(["kubectl", "create", "secret", "generic", secret, *where, *values])
        yield Wait("secret", f"{after.facts.namespace}/{secret}", command)


def _references(objects: list[Value]) -> Mapping[str, tuple[str, str]]:
    """Variable -> (Secret, key) that the pods read it from."""
    found: dict[str, tuple[str, str]] = {}
    for thing in objects:
        for container in as_list(at(thing, ("spec", "template", "spec", "containers"))):
            for entry in as_list(as_map(container).get("env")):
                source = as_map(at(entry, ("valueFrom", "secretKeyRef")))
                if source:
                    found[str(as_map(entry).get("name"))] = (str(source.get("name")), str(source.get("key")))
    return found


def _secrets(seen: Seen | None) -> Mapping[str, Mapping[str, Value]]:
    found = as_map(seen.effective.value.get("secrets")) if seen is not None else {}
    return {name: as_map(secret) for name, secret in found.items()}


def missing(before: Seen | None, after: Seen, was: Mapping[str, Value], now: Mapping[str, Value]) -> tuple[str, ...]:
    """Features that the cluster lacks and the service misses by it; of a service that runs, only what is news."""
    gone = _missing(after, now)
    return tuple(sorted(gone - (_missing(before, was) if before is not None else set())))


def _missing(seen: Seen, features: Mapping[str, Value]) -> set[str]:
    return {name for name, misses in MISSES.items() if features.get(name) is not True and misses(seen)}


def _reads_store(seen: Seen) -> bool:
    value = seen.effective.value
    outputs = (as_map(o) for need in as_map(value.get("needs")).values() for o in as_list(as_map(need).get("outputs")))
    return bool(value.get("secrets") or value.get("pull_secrets")) or any(o.get("from") == "store" for o in outputs)


MISSES: Mapping[str, Callable[[Seen], bool]] = {
    "external_secrets": _reads_store,
    "gateway": lambda seen: bool(seen.effective.value.get("routes")),
    "prometheus_operator": lambda seen: True,  # noqa: ARG005 - every service has alerts
}
"""Feature -> does this service miss it. What no blueprint uses yet is missed by none."""
