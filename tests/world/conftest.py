"""Fixtures of the world tests."""

from tests.world.sandbox_fixture import mailbox, sandbox

__all__ = ["mailbox", "sandbox"]
