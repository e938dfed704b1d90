"""Fixtures of the world tests."""

from tests.world.git_fixture import git_forge, mirror, origin
from tests.world.sandbox_fixture import mailbox, sandbox

__all__ = ["git_forge", "mailbox", "mirror", "origin", "sandbox"]
