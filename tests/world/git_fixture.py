"""A remote and an empty mirror; and the forge with a GitOps repository that a bot pushes to."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from bot.core.tree import Oid, Tree
from bot.disk import DiskTree
from bot.git import Mirror
from bot.git.store import PygitTree
from bot.ports import Git, GitRemote
from bot.sandbox import Sandbox
from tests.world.git_remote import Remote

# The type checker holds the adapters to their ports here.
_PORTS: tuple[type[Git], type[Tree], type[Tree]] = (Mirror, PygitTree, DiskTree)


@pytest.fixture
def origin(tmp_path: Path) -> Remote:
    """An empty bare repository."""
    return Remote(tmp_path / "origin.git")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror that is not made yet."""
    return Mirror(tmp_path / "mirrors" / "one.git")


GITOPS = "acme/gitops"


@pytest.fixture
def git_forge(sandbox: Sandbox) -> Sandbox:
    """A forge with the repository `GITOPS`, a bot that may write there, and two who may not."""
    sandbox.create_user("causeway", kind="Bot")
    sandbox.create_user("reader", permission="read")
    sandbox.create_user("stranger", permission="none")
    sandbox.create_repository(GITOPS, {"README.md": "hello\n"})
    return sandbox


def remote_of(forge: Sandbox, login: str = "causeway") -> GitRemote:
    """`GITOPS` as this user reaches it."""
    basic = b64encode(f"x-access-token:{forge.token_for(login)}".encode()).decode()
    return GitRemote(forge.clone_url(GITOPS), f"Basic {basic}")


def next_commit(forge: Sandbox, mirror: Mirror) -> tuple[Oid, Oid]:
    """The head of `GITOPS`, and a commit on it that nobody has pushed."""
    tip = mirror.fetch(remote_of(forge), ["refs/heads/main"])["refs/heads/main"]
    assert tip is not None
    return tip, mirror.write(tip, {"apps/x.yaml": b"x: 1\n"}, "Deliver x", 1_700_000_000)
