"""Bytes on demand: rendering the keys that somebody names, and what a whole build owns by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from bot.core.build.state import Build, Memo, inputs_of
from bot.core.model.render import Inputs, Key, Outline, Rendered
from bot.core.problem import Refusal
from bot.core.render import rendered, target_of

A = TypeVar("A")
B = TypeVar("B")
Each = Callable[[Callable[[A], B], Iterable[A]], Iterable[B]]
"""`map`, or a process pool's."""


FEW = 64
"""Keys of one question whose bytes are worth remembering."""


def fill(
    build: Build, keys: Iterable[Key], memo: Memo, each: Each[Inputs, Rendered | Refusal] = map
) -> Mapping[Key, Rendered | Refusal]:
    """The bytes of `keys`. Remembers their outlines, and the bytes of a few: the many belong to git."""
    wanted = list(keys)
    known = {key: done for key in wanted if (done := memo.rendered.get(build.digests[key])) is not None}
    missing = [key for key in wanted if key not in known]
    made = each(_Render(build, len(missing) <= FEW), (inputs_of(build, key) for key in missing))
    for key, done in zip(missing, made, strict=True):
        known[key] = done
        if len(missing) <= FEW:
            memo.rendered.put(build.digests[key], done)
    for key, done in known.items():
        memo.outlines[build.digests[key]] = done if isinstance(done, Refusal) else done.outline
    return {key: known[key] for key in wanted}


class _Render:
    """A render of one key of a build; a class so that a process pool can carry it."""

    __slots__ = ("digests", "kit", "whole")

    def __init__(self, build: Build, whole: bool) -> None:
        self.kit, self.digests, self.whole = build.kit, build.digests, whole

    def __call__(self, inputs: Inputs) -> Rendered | Refusal:
        done = rendered(inputs, self.kit, self.digests[inputs.key])
        # The objects of a fleet would take a hundred times the memory of its bytes.
        return done if self.whole or isinstance(done, Refusal) else Rendered(done.files, done.outline)


def keys_for(build: Build, target: str) -> Iterator[Key]:
    """The keys that belong to one GitOps target."""
    return (key for key in build.digests if target_of(key, build.platform) == target)


def outlines(
    build: Build, keys: Iterable[Key], memo: Memo, each: Each[Inputs, Rendered | Refusal] = map
) -> Mapping[Key, Outline | Refusal]:
    """What each key owns, rendering only those whose digest is not known yet."""
    wanted = list(keys)
    unknown = [key for key in wanted if build.digests[key] not in memo.outlines]
    if unknown:
        fill(build, unknown, memo, each)
    return {key: memo.outlines[build.digests[key]] for key in wanted}
