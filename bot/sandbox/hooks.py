"""Webhooks: signed over the exact bytes, delivered in the background, tried once, kept for redelivery."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Literal
from urllib.parse import urlsplit

from bot.sandbox import bodies, gitlab_hooks
from bot.sandbox.world import Json, Repository, User, World, WorldError

TIMEOUT = 10.0
"""Seconds until GitHub gives up on an answer."""


@dataclass(slots=True, eq=False)
class Hook:
    """A webhook of one repository. Its deliveries go out one after the other."""

    id: int
    repository: int
    url: str
    secret: str
    events: tuple[str, ...]
    created_at: datetime
    active: bool = True
    installation: int | None = None
    """Set for the webhook of an App; its payloads name it."""
    face: Literal["github", "gitlab"] = "github"
    signing: str = ""
    """GitLab's signing token, `whsec_…`; `secret` is then the one it sends along."""
    queue: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "webhook"))

    def hears(self, event: str) -> bool:
        return self.active and (event in self.events or "*" in self.events)


@dataclass(slots=True, eq=False)
class Delivery:
    """One attempt. `status` is 0 until answered, or where nobody answered; `answer` then says why."""

    id: int
    guid: str
    hook: Hook
    event: str
    action: str | None
    payload: bytes
    headers: Mapping[str, str]
    redelivery: bool
    delivered_at: datetime
    status: int = 0
    answer: str = ""
    seconds: float = 0.0


class Hooks:
    """Every webhook of a world and the log of what was sent. `on = False` loses what happens meanwhile."""

    def __init__(self, world: World) -> None:
        self.on = True
        self.hooks: dict[int, Hook] = {}
        self.deliveries: list[Delivery] = []
        self._world = world
        self._under_way: set[Future[None]] = set()
        self._guard = threading.Lock()
        world.announce = self.announce

    def add(
        self,
        repo: Repository,
        url: str,
        secret: str,
        events: tuple[str, ...],
        by: User,
        installation: int | None = None,
    ) -> Hook:
        """A new webhook; it is pinged."""
        hook = Hook(self._world.next_id(), repo.id, url, secret, events, self._world.now(), installation=installation)
        self.hooks[hook.id] = hook
        body = {"zen": "Responsive is better than fast.", "hook_id": hook.id, "hook": self.ping_part(hook)}
        body |= {"repository": bodies.repository(self._world, repo), "sender": bodies.user(self._world, by)}
        if self.on:
            self._send(hook, "ping", json.dumps(body).encode(), str(uuid.uuid4()), redelivery=False)
        return hook

    def add_gitlab(self, repo: Repository, url: str, token: str, events: tuple[str, ...], signing: str = "") -> Hook:
        """A new webhook in GitLab's shapes; nothing is sent until something happens."""
        hook = Hook(
            self._world.next_id(), repo.id, url, token, events, self._world.now(), face="gitlab", signing=signing
        )
        self.hooks[hook.id] = hook
        return hook

    def announce(self, repo: Repository, event: str, payload: Callable[[], Json]) -> None:
        """Queues one delivery for each webhook that listens. The payload is the world as it is now."""
        listening = [hook for hook in self.hooks.values() if hook.repository == repo.id and hook.hears(event)]
        if not self.on or not listening:
            return
        body = payload()
        for hook in listening:
            if hook.face == "gitlab":
                self._announce_gitlab(hook, repo, event, body)
                continue
            told = body
            if hook.installation is not None:
                told = body | {"installation": {"id": hook.installation, "node_id": f"I{hook.installation}"}}
            self._send(hook, event, json.dumps(told).encode(), str(uuid.uuid4()), redelivery=False)

    def _announce_gitlab(self, hook: Hook, repo: Repository, event: str, told: Json) -> None:
        shaped = gitlab_hooks.shaped(self._world, repo, event, told)
        if shaped is not None:
            name, body = shaped
            self._send(hook, name, json.dumps(body).encode(), str(uuid.uuid4()), redelivery=False)

    def redeliver(self, guid: str) -> Delivery:
        """Sends a delivery again under the same GUID, with the same bytes."""
        found = next((delivery for delivery in self.deliveries if delivery.guid == guid), None)
        if found is None:
            raise WorldError(404, "Not Found")
        return self._send(found.hook, found.event, found.payload, guid, redelivery=True)

    def quiet(self, timeout: float) -> bool:
        """Waits until every delivery was answered; False where that took longer than `timeout` seconds."""
        end = monotonic() + timeout
        while True:
            with self._guard:
                waiting = set(self._under_way)
            if not waiting:
                return True
            if wait(waiting, max(0.0, end - monotonic())).not_done:
                return False

    def stop(self) -> None:
        """Drops what waits."""
        for hook in self.hooks.values():
            hook.queue.shutdown(wait=False, cancel_futures=True)

    def ping_part(self, hook: Hook) -> Json:
        """A webhook as its own ping and the API show it."""
        api = f"{self._world.urls.api}/repositories/{hook.repository}/hooks/{hook.id}"
        config = {"content_type": "json", "insecure_ssl": "0", "url": hook.url, "secret": "********"}
        at = bodies.time(hook.created_at)
        body: Json = {"type": "Repository", "id": hook.id, "name": "web", "active": hook.active, "config": config}
        body |= {"events": list(hook.events), "created_at": at, "updated_at": at, "url": api}
        body |= {"ping_url": f"{api}/pings", "test_url": f"{api}/test", "deliveries_url": f"{api}/deliveries"}
        return body | {"last_response": {"code": None, "status": "unused", "message": None}}

    def _send(self, hook: Hook, event: str, payload: bytes, guid: str, *, redelivery: bool) -> Delivery:
        headers = _github_headers(hook, event, payload, guid)
        if hook.face == "gitlab":
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "GitLab/sandbox",
                "X-Gitlab-Event": event,
                "X-Gitlab-Webhook-UUID": str(uuid.UUID(int=hook.id)),
                "X-Gitlab-Event-UUID": guid,
                "Idempotency-Key": guid,
                "X-Gitlab-Instance": self._world.urls.root,
                **gitlab_hooks.proof(hook.secret, hook.signing, guid, time.time(), payload),
            }
        action = json.loads(payload).get("action")
        now = self._world.now()
        delivery = Delivery(self._world.next_id(), guid, hook, event, action, payload, headers, redelivery, now)
        self.deliveries.append(delivery)
        future = hook.queue.submit(_post, delivery)
        with self._guard:
            self._under_way.add(future)
        future.add_done_callback(self._answered)
        return delivery

    def _answered(self, future: Future[None]) -> None:
        with self._guard:
            self._under_way.discard(future)


def _github_headers(hook: Hook, event: str, payload: bytes, guid: str) -> dict[str, str]:
    signature = hmac.new(hook.secret.encode(), payload, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/sandbox",
        "Accept": "*/*",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(hook.repository),
        "X-GitHub-Hook-Installation-Target-Type": "repository",
    }
    if hook.secret:
        headers["X-Hub-Signature-256"] = f"sha256={signature}"
    return headers


def _post(delivery: Delivery) -> None:
    target = urlsplit(delivery.hook.url)
    kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = kind(target.hostname or "", target.port, timeout=TIMEOUT)
    started = monotonic()
    try:
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        connection.request("POST", path, delivery.payload, dict(delivery.headers))
        answer = connection.getresponse()
        delivery.answer = answer.read(65_536).decode("utf-8", "replace")
        delivery.status = answer.status
    except (OSError, http.client.HTTPException) as failure:
        delivery.answer = f"{type(failure).__name__}: {failure}"
    finally:
        delivery.seconds = monotonic() - started
        connection.close()
