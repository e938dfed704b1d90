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

from bot.core.event import Delivery, Denied, Event, Ignored
from bot.core.wake import FORGE_NAME, wakes_of
from bot.forges import FORGES
from bot.ports import OutsideWorldError, Wakeups

BODY_LIMIT = 25 * 1024 * 1024
"""Bytes. No forge sends more."""

_METERS = "causeway.meters"
"""Where an application keeps what it counts."""

_TOLD = (("X-GitHub-Event", "X-Gitlab-Event"), ("X-GitHub-Delivery", "X-Gitlab-Event-UUID"))
"""Headers that say what a delivery is and which, by forge."""
_WORD = re.compile(r"[A-Za-z_ ]{1,40}")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What a webhook about one repository must bring: a secret of this repository's own where it has any, and the id of
    the App's installation where that is set."""

    secrets: tuple[str, ...] = field(default=(), repr=False)
    installation: str | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """How one forge instance knocks: which kind of forge it is, the secrets its webhooks are signed with, and whose
    webhooks are taken, by numeric repository id. Where `tenants` is None the door takes any repository's, and the
    worker drops what is not ours."""

    kind: str
    secrets: tuple[str, ...] = field(repr=False)
    tenants: Mapping[str, Tenant] | None = None

    def every_secret(self) -> tuple[str, ...]:
        """The forge's and all tenants'."""
        return (*self.secrets, *(secret for tenant in (self.tenants or {}).values() for secret in tenant.secrets))


def create_app(
    doors: Mapping[str, Door],
    wakeups: Wakeups,
    ready: Callable[[], list[str]],
    body_limit: int = BODY_LIMIT,
) -> Flask:
    """The WSGI application: `POST /webhooks/<forge>` for each of `doors` by name, `/healthz`, `/readyz`.

    A webhook is answered 202 with `{"wake": name}` (rung, or queued already), 204 (genuine, nobody is concerned), 401
    (not proven, or proven for somebody else's repository), 400 (proven but unreadable), 413 (longer than `body_limit`,
    before anything is read into it), 404 (no such door) or 503 (the queue is away: the forge shows the failure, and the
    sweep finds what was missed). `ready` gives the reasons why work could not be done now. ValueError for a door that
    would let anyone in. What is counted is for `metrics_app`.
    """
    for name, door in doors.items():
        if FORGE_NAME.fullmatch(name) is None or door.kind not in FORGES:
            raise ValueError(f"no forge can be named {name!r} and of kind {door.kind!r}; kinds are {', '.join(FORGES)}")
        if not door.every_secret() or not all(door.every_secret()):
            raise ValueError(f"forge {name} has no webhook secret, so anyone could wake the bot")
    app = Flask(__name__, static_folder=None)
    # One more than allowed: a stream without a length is cut there in silence, and must still be seen to be too long.
    app.config["MAX_CONTENT_LENGTH"] = body_limit + 1
    meters = app.extensions[_METERS] = _Meters(tuple(doors))

    @app.post("/webhooks/<forge>")
    def webhook(forge: str) -> Response | tuple[Response, int]:
        if forge not in doors:
            return jsonify(error="no forge of this name"), 404
        started = time.perf_counter()
        answer, status, outcome = _receive(forge, doors[forge], wakeups, body_limit)
        # The header comes from outside, so it is logged only in the alphabet that forges use.
        kind, delivery = (next(filter(None, map(request.headers.get, names)), "") for names in _TOLD)
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

    return app


def metrics_app(door: Flask) -> Flask:
    """An application of its own for `/metrics` of that door: what it counts is nobody's business on the public port."""
    meters: _Meters = door.extensions[_METERS]
    app = Flask(__name__, static_folder=None)

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
    delivery = _proven(door, headers, body)
    if isinstance(delivery, Denied):
        return jsonify(error=delivery.why), delivery.status, "denied"
    if isinstance(delivery, Ignored):
        return Response(), 204, "ignored"
    names = [str(wake) for wake in wakes_of(delivery, forge)]
    try:
        for name in names:
            wakeups.ring(name)
    except OutsideWorldError as err:
        return jsonify(error=str(err)), 503, "queue_away"
    return jsonify(wake=names[0]), 202, "rung"


def _proven(door: Door, headers: Mapping[str, str], body: bytes) -> Delivery:
    """What the delivery says, if whoever signed it may speak for the repository that it names."""
    parse, now = FORGES[door.kind], time.time()
    delivery = parse(headers, body, door.every_secret(), now)
    if not isinstance(delivery, Event) or door.tenants is None:
        return delivery
    tenant = door.tenants.get(delivery.repository)
    if tenant is None:
        return Ignored("not a repository that the settings name")
    if tenant.installation is not None and delivery.installation != tenant.installation:
        return Denied(401, "sent by another installation than this repository's")
    # The first reading proved that some tenant knows its secret; only this one's own counts for its repository.
    allowed = tenant.secrets or door.secrets
    return delivery if set(allowed) == set(door.every_secret()) else parse(headers, body, allowed, now)


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
