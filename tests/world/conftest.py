"""Fixtures of the world tests."""

from tests.world.git_fixture import git_forge, mirror, origin
from tests.world.queue_fixture import bell, raw, valkey
from tests.world.sandbox_fixture import mailbox, sandbox

__all__ = ["bell", "git_forge", "mailbox", "mirror", "origin", "raw", "sandbox", "valkey"]
