"""How the git command is run: nothing of the machine's own configuration, no prompt, no hook, and never for ever.

A credential travels in the child's environment alone (`GIT_CONFIG_VALUE_<n>`): command lines can be read by every user
of a machine, URLs end in logs and in error texts, and files outlive the token.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.git.names import header, remote_base
from bot.ports import GitRemote, OutsideWorldError

OLDEST = (2, 38)
"""The first git with `merge-tree --write-tree`."""

# What the child may see of our environment: where programs are, and how this network is left.
_INHERITED = (
    "PATH",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
)
_FIXED: Mapping[str, str] = {
    "LC_ALL": "C",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_ALLOW_PROTOCOL": "http:https:file",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}
_CONFIG: Mapping[str, str] = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.recurseSubmodules": "false",
    "push.recurseSubmodules": "no",
    "protocol.version": "2",
    # A redirect would carry the credential to a host that nobody named.
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds after which a git command is killed with everything it started.

    They are needed: where an answer is cut off in the middle, git waits for ever, and no network timeout ends it.
    """

    local: float = 60.0
    list: float = 60.0
    fetch: float = 300.0
    clone: float = 900.0
    """For the first fetch into a mirror."""
    push: float = 300.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said. `err` holds printable lines without credentials."""

    code: int
    out: bytes
    err: str

    @property
    def ours(self) -> str:
        """What git itself said: the words of a remote prove nothing about this side."""
        return "\n".join(line for line in self.err.split("\n") if not line.startswith("remote:"))

    @property
    def why(self) -> str:
        """The reason of a failure in one line."""
        return self.err.replace("\n", "; ") or f"exit code {self.code}"


class TimedOutError(OutsideWorldError):
    """The command did not end in its time and was killed."""


def git(
    arguments: Sequence[str],
    *,
    limit: float,
    folder: Path | None = None,
    remote: GitRemote | None = None,
    stdin: str = "",
) -> Ran:
    """Runs `git <arguments>` on the bare repository `folder`. A failing command is an answer, not an exception.

    `TimedOutError` after `limit` seconds: the whole process group is dead then. `OutsideWorldError` where there is no
    git at all.
    """
    where = [] if folder is None else [f"--git-dir={folder}"]
    try:
        child = subprocess.Popen(  # noqa: S603 - an argument list, no shell
            ["git", *where, *arguments],  # noqa: S607 - found by PATH, as its owner installed it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(remote),
            cwd="/",
            start_new_session=True,
        )
    except FileNotFoundError as missing:
        raise OutsideWorldError(f"there is no git command; install git {_dotted(OLDEST)} or newer") from missing
    try:
        out, err = child.communicate(stdin.encode(), timeout=limit)
    except subprocess.TimeoutExpired as late:
        raise TimedOutError(f"git {arguments[0]} did not end within {limit:g} seconds and was stopped") from late
    finally:
        # Also after an exception of any other kind, a signal's for example: nothing that we started goes on.
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
    return Ran(child.returncode, out, redacted(err, remote))


def environment(remote: GitRemote | None) -> Mapping[str, str]:
    """All that a git child gets to know. The credential is bound to the scheme and host of the remote."""
    config = dict(_CONFIG)
    if remote is not None:
        base = remote_base(remote.url)
        if remote.authorization is not None and base is not None:
            config[f"http.{base}.extraHeader"] = f"Authorization: {header(remote.authorization)}"
    found = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    numbered: dict[str, str] = {"GIT_CONFIG_COUNT": str(len(config))}
    for index, (key, value) in enumerate(config.items()):
        numbered |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return {**found, **_FIXED, **numbered}


def redacted(text: bytes, remote: GitRemote | None) -> str:
    """What git printed as a few printable lines, every part of the credential and every URL's user blotted out."""
    shown = text.decode(errors="replace")
    for secret in _secrets(remote):
        shown = shown.replace(secret, "***")
    shown = re.sub(r"//[^/@\s]+@", "//***@", shown)
    shown = re.sub(r"(?i)(authorization:)[^\r\n]*", r"\1 ***", shown)
    lines = (" ".join(re.sub(r"[^\x20-\x7e]", " ", line).split()) for line in shown.splitlines())
    return "\n".join(line for line in lines if line)[:1500]


def _secrets(remote: GitRemote | None) -> Sequence[str]:
    if remote is None or remote.authorization is None:
        return ()
    found = [remote.authorization, remote.authorization.rpartition(" ")[2]]
    try:
        plain = b64decode(found[1], validate=True).decode()
    except (NotBase64, UnicodeDecodeError):
        plain = ""
    found += [plain, plain.partition(":")[2]]
    return sorted({secret for secret in found if len(secret) > 3}, key=len, reverse=True)


@lru_cache(maxsize=1)
def require_git() -> tuple[int, ...]:
    """The version of git, asked once a process; `OutsideWorldError` that says what to do where it is too old."""
    said = git(["version"], limit=20).out.decode(errors="replace")
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    version = tuple(int(part) for part in found.groups(default="0")) if found else ()
    if version < OLDEST:
        raise OutsideWorldError(
            f"git {_dotted(OLDEST)} or newer is needed, because merges are computed by `git merge-tree --write-tree`;"
            f" this machine has {_dotted(version) or said.strip()!r}. Install a newer git and start again."
        )
    return version


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)
