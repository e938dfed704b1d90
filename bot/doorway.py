"""The door as the settings want it: its application, and the second one that tells what it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread

from flask import Flask

from bot.listen import Listening
from bot.settings import ForgeSettings, Settings, TenantSettings
from bot.wakeups import RqWakeups
from bot.web import Door, Tenant, create_app, metrics_app


def doors_of(settings: Settings) -> Mapping[str, Door]:
    """One door for each forge, which takes webhooks of that forge's tenants only."""
    return {forge.name: Door(forge.kind, _texts(forge), _tenants(forge)) for forge in settings.forges}


def application(settings: Settings, wakeups: RqWakeups) -> Flask:
    """The door's application."""
    limit = settings.body_limit_mib * 1024 * 1024
    return create_app(doors_of(settings), wakeups, wakeups.reasons_not_ready, limit)


@contextmanager
def counted(door: Flask, address: str | None) -> Iterator[int | None]:
    """While the block runs, `/metrics` of the door is answered at `address` (`host:port`), in a thread; gives the port,
    None where no address is set. OSError where it is taken."""
    if address is None:
        yield None
        return
    host, _, port = address.rpartition(":")
    listening = Listening(metrics_app(door), host.strip("[]"), int(port), threads=1)
    thread = Thread(target=listening.run, name="metrics", daemon=True)
    thread.start()
    try:
        yield listening.port
    finally:
        listening.close()
        thread.join(10)


def _texts(holder: ForgeSettings | TenantSettings) -> tuple[str, ...]:
    return tuple(secret.get_secret_value() for secret in holder.webhook_secrets)


def _tenants(forge: ForgeSettings) -> Mapping[str, Tenant]:
    return {one.repository: Tenant(_texts(one), one.installation) for one in forge.tenants}
