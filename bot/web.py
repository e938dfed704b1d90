"""The door: bytes in, a signature proven, a name rung, 202. No forge is called and no payload goes further."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from flask import Flask, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from werkzeug.exceptions import RequestEntityTooLarge

from bot.core.event import Denied, Ignored
from bot.core.wake import FORGE_NAME, wake_of
from bot.forges import FORGES
from bot.ports import OutsideWorldError, Wakeups

BODY_LIMIT = 25 * 1024 * 1024
"""Bytes. No forge sends more."""

_WORD = re.compile(r"[a-z_]{1,40}")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """How one forge instance knocks: which kind of forge it is, and the secrets its webhooks are signed with."""

    kind: str
    secrets: tuple[str, ...] = field(repr=False)


def create_app(
    doors: Mapping[str, Door],
    wakeups: Wakeups,
    ready: Callable[[], list[str]],
    body_limit: int = BODY_LIMIT,
) -> Flask:
    """The WSGI application: `POST /webhooks/<forge>` for each of `doors` by name, `/healthz`, `/readyz`, `/metrics`.

    A webhook is answered 202 with `{"wake": name}` (rung, or queued already), 204 (genuine, nobody is concerned), 401
    (not proven), 400 (proven but unreadable), 413 (longer than `body_limit`, before anything is read into it), 404 (no
    such door) or 503 (the queue is away: the forge shows the failure, and the sweep finds what was missed). `ready`
    gives the reasons why work could not be done now. ValueError for a door that would let anyone in.
    """
    for name, door in doors.items():
        if FORGE_NAME.fullmatch(name) is None or door.kind not in FORGES:
            raise ValueError(f"no forge can be named {name!r} and of kind {door.kind!r}; kinds are {', '.join(FORGES)}")
        if not door.secrets or not all(door.secrets):
            raise ValueError(f"forge {name} has no webhook secret, so anyone could wake the bot")
    app = Flask(__name__, static_folder=None)
    # One more than allowed: a stream without a length is cut there in silence, and must still be seen to be too long.
    app.config["MAX_CONTENT_LENGTH"] = body_limit + 1
    meters = _Meters(tuple(doors))

    @app.post("/webhooks/<forge>")
    def webhook(forge: str) -> Response | tuple[Response, int]:
        if forge not in doors:
            return jsonify(error="no forge of this name"), 404
        started = time.perf_counter()
        answer, status, outcome = _receive(forge, doors[forge], wakeups, body_limit)
        # The header comes from outside, so it is logged only in the alphabet that forges use.
        kind, delivery = (request.headers.get(f"X-GitHub-{name}", "") for name in ("Event", "Delivery"))
        log.info(
            "delivery",
            forge=forge,
            kind=kind if _WORD.fullmatch(kind) else "-",
            delivery=delivery if _ID.fullmatch(delivery) else "-",
            outcome=outcome,
        )
        meters.count(forge, outcome, time.perf_counter() - started)
        return answer, status

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(alive=True)

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        reasons = ready()
        return jsonify(ready=not reasons, reasons=reasons), 503 if reasons else 200

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(meters.registry), content_type=CONTENT_TYPE_LATEST)

    return app


def _receive(forge: str, door: Door, wakeups: Wakeups, body_limit: int) -> tuple[Response, int, str]:
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return _too_long()
    if len(body) > body_limit:
        return _too_long()
    headers = {name.lower(): value for name, value in request.headers}
    delivery = FORGES[door.kind](headers, body, door.secrets)
    if isinstance(delivery, Denied):
        return jsonify(error=delivery.why), delivery.status, "denied"
    if isinstance(delivery, Ignored):
        return Response(), 204, "ignored"
    name = str(wake_of(delivery, forge))
    try:
        wakeups.ring(name)
    except OutsideWorldError as err:
        return jsonify(error=str(err)), 503, "queue_away"
    return jsonify(wake=name), 202, "rung"


def _too_long() -> tuple[Response, int, str]:
    return jsonify(error="longer than any webhook"), 413, "too_long"


class _Meters:
    """What is counted. A registry of its own, so that two applications in one process do not meet."""

    def __init__(self, forges: tuple[str, ...]) -> None:
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            "causeway_deliveries", "Webhooks by answer.", ["forge", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "causeway_delivery_seconds",
            "Time from the last byte of a webhook to its answer.",
            ["forge"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
            registry=self.registry,
        )
        for forge in forges:
            self._seconds.labels(forge)

    def count(self, forge: str, outcome: str, seconds: float) -> None:
        """One answered webhook."""
        self._deliveries.labels(forge, outcome).inc()
        self._seconds.labels(forge).observe(seconds)
