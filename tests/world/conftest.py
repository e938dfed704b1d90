"""Fixtures of the world tests."""

from tests.world.git_fixture import mirror, origin
from tests.world.sandbox_fixture import mailbox, sandbox

__all__ = ["mailbox", "mirror", "origin", "sandbox"]
