"""Deliveries that are genuine and damaged: real bodies with tokens replaced, cut, doubled or flipped, from a seed."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from bot.core.event import Denied, Event, Ignored
from bot.core.wake import parse_wake, wakes_of
from bot.forges.github_delivery import parse_delivery
from tests.reference import folder
from tests.test_delivery_github import GENUINE, KINDS

SECRET = "a secret of sixteen characters"
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null')
_JUNK = (
    b"null", b"true", b"0", b"-1", b"1e400", b"7.0", b"99999999999999999999999", b'""', b'"x"', b"[]", b"[[]]", b"{}",
    b'{"id":{}}', b"[" * 300, b"NaN", b'"\\ud800"', b'"\\u0000"', b"'", b"\xff\xfe", b"\xe2\x80\xae", b'"a":', b",",
    b'"opened"', b'"created"', b'"rerequested"', b'"submitted"', b'"checks_requested"', b'"refs/heads/main"',
)  # fmt: skip


def bodies() -> Sequence[tuple[str, bytes]]:
    """Kind and body: one of ours for each kind, and the captured ones where they are."""
    own = [(kind, json.dumps(payload).encode()) for kind, payload in GENUINE.items()]
    files = sorted(folder("github-webhooks").glob("*.json"))
    return own + [(KINDS.get(file.stem, file.stem.partition(".")[0]), file.read_bytes()) for file in files]


def damaged(seed: int, count: int) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """Headers and body, signed as GitHub would."""
    dice, sources = Random(seed), bodies()
    spans = [[found.span() for found in TOKEN.finditer(body)] for _, body in sources]
    kinds = sorted({kind for kind, _ in sources})
    for _ in range(count):
        which = dice.randrange(len(sources))
        kind, body = sources[which]
        body = damage(dice, body, spans[which])
        if dice.random() < 0.1:
            kind = dice.choice(kinds)
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        yield (
            {
                "content-type": "application/json",
                "x-github-event": kind,
                "x-hub-signature-256": f"sha256={signature}",
            },
            body,
        )


def damage(dice: Random, body: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """`body` with one to three of its tokens (`spans`) replaced by junk, and now and then cut, flipped or doubled."""
    for start, end in sorted(dice.sample(spans, dice.randint(1, 3)), reverse=True):
        body = body[:start] + dice.choice(_JUNK) + body[end:]
    chance = dice.random()
    if chance < 0.05:
        return body[: dice.randrange(len(body))]
    if chance < 0.1:
        at = dice.randrange(len(body))
        return body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :]
    return body + body if chance < 0.12 else body


def held(seed: int, count: int) -> Mapping[str, int]:
    """Parses them all. AssertionError, with what was sent, where one is answered by anything but an answer."""
    seen = {"Event": 0, "Ignored": 0, "Denied": 0}
    for headers, body in damaged(seed, count):
        try:
            answer = parse_delivery(headers, body, [SECRET])
        except Exception as error:
            raise AssertionError(f"seed {seed}, {headers['x-github-event']}: {body[:2000]!r}") from error
        assert isinstance(answer, Event | Ignored | Denied), (headers, body)
        if isinstance(answer, Event):
            # Whoever is woken has a name that can be read back: nothing of the body goes into the queue.
            assert all(parse_wake(str(wake)) == wake for wake in wakes_of(answer, "github")), (headers, body)
        if isinstance(answer, Denied):
            assert answer.status == 400, (headers, body)
        seen[type(answer).__name__] += 1
    return seen
