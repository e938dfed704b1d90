"""A real queue for a file's tests, emptied before each, and the bell on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from bot.valkey import Valkey, start_valkey
from bot.wakeups import RqWakeups


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = start_valkey()
    yield server
    server.stop()


@pytest.fixture
def raw(valkey: Valkey) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def bell(valkey: Valkey, raw: redis.Redis) -> Iterator[RqWakeups]:
    assert raw.dbsize() == 0
    wakeups = RqWakeups(valkey.url)
    yield wakeups
    wakeups.close()
