"""Deliveries of GitLab that are genuine and damaged: the same damage, under GitLab's two proofs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from bot.core.event import Denied, Event, Ignored
from bot.core.wake import parse_wake, wakes_of
from bot.forges.gitlab_delivery import parse_delivery
from tests.damaged import TOKEN, damage
from tests.reference import folder
from tests.test_delivery_gitlab import GENUINE, NOW, SECRET, SIGNING, signed, tokened


def bodies() -> Sequence[bytes]:
    """One of ours for each kind, and the captured ones where they are."""
    own = [json.dumps(payload).encode() for payload in GENUINE]
    return own + [file.read_bytes() for file in sorted(folder("gitlab-webhooks").glob("*.json"))]


def damaged(seed: int, count: int) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """Headers and body, proven as GitLab would: by the token, or by a signature."""
    dice, sources = Random(seed), bodies()
    spans = [[found.span() for found in TOKEN.finditer(body)] for body in sources]
    for _ in range(count):
        which = dice.randrange(len(sources))
        body = damage(dice, sources[which], spans[which])
        yield (signed(body) if dice.random() < 0.5 else tokened(), body)


def held(seed: int, count: int) -> Mapping[str, int]:
    """Parses them all. AssertionError, with what was sent, where one is answered by anything but an answer."""
    seen = {"Event": 0, "Ignored": 0, "Denied": 0}
    for headers, body in damaged(seed, count):
        try:
            answer = parse_delivery(headers, body, [SECRET, SIGNING], NOW)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {body[:2000]!r}") from error
        assert isinstance(answer, Event | Ignored | Denied), (headers, body)
        if isinstance(answer, Event):
            assert all(parse_wake(str(wake)) == wake for wake in wakes_of(answer, "gitlab")), (headers, body)
        if isinstance(answer, Denied):
            assert answer.status == 400, (headers, body)
        seen[type(answer).__name__] += 1
    return seen
