"""Objects to judge: all that a rich platform renders, and what small accidents make of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, cast

from bot.core.build import Memo, build
from bot.core.kit import kit_of
from bot.core.policy.kinds import text_of
from bot.core.policy.model import Case
from bot.core.problem import Refusal
from bot.core.rules.cases import objects_in, of_unit
from bot.core.tree import MemoryTree
from bot.shipped import shipped_tree
from tests.core.rich import RICH

EXTREMES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 0.5, 1e300, "", " ", "a", "latest", "0", "true",
    "é", "😀", "a" * 300, "line\nbreak", "500m", "1Gi", "ghcr.io/acme/x:latest", "docker.io/x@sha256:" + "0" * 64,
    "default", [], {}, [None], [[]], {"": ""}, {"a": None}, ["ALL"], {"name": "x"},
)  # fmt: skip


@cache
def rendered_cases() -> tuple[Case, ...]:
    """Everything of every service in every environment, each once."""
    tree, memo = MemoryTree({path: text.encode() for path, text in RICH.items()}), Memo()
    kit = kit_of(tree, shipped_tree())
    assert not isinstance(kit, Refusal)
    made = build(tree, kit, memo)
    assert not isinstance(made, Refusal), made
    found = {case.key: case for folder in sorted(made.units) for case in of_unit(made, folder, objects_in(memo))}
    return tuple(found.values())


def mutated(random: Random, case: Case, words: frozenset[str] = frozenset()) -> Case:
    """One to three accidents below `metadata` and `spec`, most of them at keys among `words`; now and then it is an
    update, or goes away."""
    value = copy.deepcopy(cast("dict[str, Any]", case.object))
    for _ in range(random.choice((1, 1, 2, 3))):
        _accident(random, value, words)
    if not isinstance(value.get("metadata"), dict) or not _named(value):
        value["metadata"] = copy.deepcopy(cast("dict[str, Any]", case.object))["metadata"]
    kind = random.random()
    if kind < 0.1:
        return replace(case, object=value, old=case.object)
    if kind < 0.15:
        return replace(case, object=None, old=value)
    return replace(case, object=value)


def _named(value: dict[str, Any]) -> bool:
    """What a cluster reads before any policy sees it: a damaged one never comes that far."""
    metadata = value["metadata"]
    maps = (metadata.get("labels", {}), metadata.get("annotations", {}))
    fine = all(isinstance(one, dict) and all(isinstance(text, str) for text in one.values()) for one in maps)
    return fine and text_of(metadata, "name") != "" and isinstance(metadata.get("namespace", ""), str)


def _accident(random: Random, value: dict[str, Any], words: frozenset[str]) -> None:
    leaves = list(_leaves(value))
    if not leaves:
        return
    near = [leaf for leaf in leaves if leaf[1] in words or (isinstance(leaf[1], int) and leaf[2] in words)]
    holder, key, _ = random.choice(near if near and random.random() < 0.8 else leaves)
    kind = random.random()
    if kind < 0.3:
        del holder[key]
    elif kind < 0.4 and isinstance(holder, dict) and words:
        holder[random.choice(sorted(words))] = copy.deepcopy(random.choice(EXTREMES))
    elif kind < 0.8 or not isinstance(holder, list):
        holder[key] = copy.deepcopy(random.choice(EXTREMES))
    else:
        holder.insert(key, copy.deepcopy(holder[key]))


def _leaves(value: Any, depth: int = 0, above: Any = "") -> Iterator[tuple[Any, Any, Any]]:
    """(map or list, key, key of that), for everything below `metadata` and beside it but what names the kind."""
    for key, one in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        if depth == 0 and key in ("apiVersion", "kind"):
            continue
        if depth > 0:
            yield value, key, above
        if isinstance(one, dict | list):
            yield from _leaves(one, depth + 1, key)
