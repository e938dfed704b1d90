"""Waivers where the cluster judges, too: a label on every object that they cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.values import Value
from bot.core.policy.kinds import as_map
from bot.core.policy.pods import template_of
from bot.core.render.policies import asked_for
from bot.core.render.shapes import World

WAIVED: Final = "waived.causeway.dev/"
"""Start of a label's key; the policy's name follows. Shipped bindings leave out what carries it."""


def excused(key: Key, world: World) -> dict[str, Value]:
    """The inputs that labels are made of; nothing where the clusters get no policies, so that a waiver then changes no
    byte. A label has no date: it stands until the waiver is taken out of the manifest."""
    waived = world.effective((key[1], key[2])).waived if asked_for(world.platform) else ()
    return {"waived": list(waived)} if waived else {}


def labelled(objects: Objects, inputs: Inputs) -> Objects:
    """The objects, and the pods that they make, with a label for each policy that need not be kept."""
    waived = cast(Sequence[str], inputs.value.get("waived") or ())
    if not waived:
        return objects
    labels: Mapping[str, Value] = {f"{WAIVED}{policy}": "true" for policy in waived}
    return {path: _with(cast("Mapping[str, Value]", one), labels) for path, one in objects.items()}


def _with(one: Mapping[str, Value], labels: Mapping[str, Value]) -> Value:
    made = _labelled(one, labels)
    where = template_of(one)
    return made if where is None else _at(made, where, labels)


def _at(value: Mapping[str, Value], where: Sequence[str | int], labels: Mapping[str, Value]) -> Mapping[str, Value]:
    if not where:
        return _labelled(value, labels)
    step = str(where[0])
    return {**value, step: _at(as_map(value[step]), where[1:], labels)}


def _labelled(one: Mapping[str, Value], labels: Mapping[str, Value]) -> Mapping[str, Value]:
    metadata = as_map(one.get("metadata"))
    return {**one, "metadata": {**metadata, "labels": {**as_map(metadata.get("labels")), **labels}}}


def unlabelled(one: Value) -> Value:
    """The object without labels of waivers: a review asks who agreed, and to what day, and no label says either."""
    where = template_of(one)
    made = _cleared(one, ())
    return made if where is None else _cleared(made, where)


def _cleared(value: Value, where: Sequence[str | int]) -> Value:
    found = as_map(value)
    if where:
        step = str(where[0])
        inner = found.get(step)
        made = _cleared(inner, where[1:])
        return value if made is inner else {**found, step: made}
    metadata = as_map(found.get("metadata"))
    labels = as_map(metadata.get("labels"))
    left = {key: value for key, value in labels.items() if not key.startswith(WAIVED)}
    return value if len(left) == len(labels) else {**found, "metadata": {**metadata, "labels": left}}
