"""What goes over the network: fetch, list, push. Each answer of git is read for what it proves, and no more.

Fetched commits are put under private refs with names made here. One is for this call alone, so that what is read back
is what this fetch saw though other processes fetch the same branch at the same moment; the other stays (`keep/`), so
that the next fetch only brings what is new. Names of branches are never part of them: `a` and `a/b` may follow each
other at the remote, and could not as files.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import uniform
from uuid import uuid4

from bot.core.tree import Oid
from bot.git.command import Limits, Ran, TimedOutError, git
from bot.git.locks import clear_stale_locks
from bot.git.names import is_sha
from bot.ports import GitRemote, GoneError, OutsideWorldError, Pushed

PRIVATE = "refs/causeway"

_ABSENT = re.compile(r"couldn't find remote ref|not our ref|unadvertised object")
_LOCKED = re.compile(r"\.lock': File exists|Unable to create '[^']*\.lock'|cannot lock ref|unable to lock")
_GONE = re.compile(r"repository '[^']*' not found|returned error: 404|does not appear to be a git repository")
_DENIED = re.compile(r"returned error: 40[13]|Authentication failed|could not read Username|could not read Password")
_DAMAGED = re.compile(
    r"object file \S+ is empty|loose object \S+|packfile \S+ (?:is|cannot|does|index)|index file \S+ (?:is|has|corrupt)"
    r"|bad object|bad config|unable to (?:read|parse|load|unpack)|(?:unable to|failed to|could not) open pack"
    r"|missing (?:tree|blob|commit|object)|not a git repository|reference broken|bad ref|has null sha1"
    r"|did not send all necessary objects|inflate|unresolved deltas",
)
# The remote moved in between, or was held by another push: nothing happened, and a new look is the right answer.
_RACE = re.compile(
    r"stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|already exists|needs force"
    r"|incorrect old value|failed to lock|reference already exists",
)


class DamagedError(OutsideWorldError):
    """The mirror cannot be read. It holds nothing that the remote does not have: the next fetch makes a new one."""


def fetch(mirror: Path, remote: GitRemote, names: Sequence[str], limits: Limits) -> Mapping[str, Oid | None]:
    """The full refs and whole shas of `names` as the remote has them, with their history; None for absent ones.

    One request for what exists; what does not costs a listing and a second one.
    """
    wanted = list(names)
    limit = limits.fetch if mirror.joinpath(*PRIVATE.split("/")).exists() else limits.clone
    for _ in range(4):
        if not wanted:
            return dict.fromkeys(names)
        call = f"{PRIVATE}/in/{int(time.time())}-{uuid4().hex}"
        private = [f"{call}/{index}" for index in range(len(wanted))]
        ran = _local_races_retried(
            mirror,
            ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--", remote.url]
            + [f"+{name}:{ref}" for name, ref in zip(wanted, private, strict=True)],
            limit,
            remote,
        )
        if ran.code == 0:
            found = _taken(mirror, dict(zip(wanted, private, strict=True)), limits)
            return {name: found.get(name) for name in names}
        if not _ABSENT.search(ran.err):
            raise failure("fetch", ran)
        wanted = _present(remote, wanted, ran.err, limits)
    raise OutsideWorldError("what was to be fetched came and went at the remote; it is looked at again")


def forget_fetches(mirror: Path, before: float, limits: Limits) -> None:
    """Removes the refs of fetches that began before that time and were killed."""
    listed = git(["for-each-ref", "--format=%(refname)", f"{PRIVATE}/in"], folder=mirror, limit=limits.local)
    if listed.code != 0:
        raise failure("for-each-ref", listed)
    refs = listed.out.decode().splitlines()
    old = [ref for ref in refs if int(ref.split("/")[3].partition("-")[0]) < before]
    ran = _local_races_retried(
        mirror, ["update-ref", "--stdin"], limits.local, None, "".join(f"delete {r}\n" for r in old)
    )
    if ran.code != 0:
        raise failure("update-ref", ran)


def heads(remote: GitRemote, limits: Limits) -> Mapping[str, Oid]:
    """Every branch of the remote by its full ref."""
    return _listed(remote, ["--heads"], [], limits)


def push(mirror: Path, remote: GitRemote, ref: str, new: Oid, lease: Oid | None, limits: Limits) -> Pushed:
    """Moves `ref` from `lease` to `new` in one compare-and-swap. That `new` descends from `lease` is for the caller to
    know: with an exact lease git itself would accept anything."""
    arguments = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed"]
    arguments += [f"--force-with-lease={ref}:{lease or ''}", "--", remote.url, f"{new}:{ref}"]
    try:
        ran = git(arguments, folder=mirror, remote=remote, limit=limits.push)
    except TimedOutError:
        return "unknown"
    for line in ran.out.decode(errors="replace").splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if names.rpartition(":")[2] == ref:
            return _pushed(flag, summary, ran)
    if _GONE.search(ran.err) or _DENIED.search(ran.err) or _DAMAGED.search(ran.ours):
        raise failure("push", ran)
    return "unknown"


def _pushed(flag: str, summary: str, ran: Ran) -> Pushed:
    if flag != "!":
        # `=`: the remote has it already, from an earlier push whose answer was lost.
        return "pushed"
    if _RACE.search(summary):
        return "refused"
    if "[remote rejected]" in summary or "[rejected]" in summary:
        raise OutsideWorldError(f"the remote's own rules refused the push: {summary}; {ran.why}")
    return "unknown"


def _taken(mirror: Path, private: Mapping[str, str], limits: Limits) -> Mapping[str, Oid]:
    """Reads what one fetch brought, and moves it from the refs of the call to those that stay."""
    show = ["for-each-ref", "--format=%(refname) %(objectname)", *private.values()]
    listed = git(show, folder=mirror, limit=limits.local)
    have = dict(line.split(" ") for line in listed.out.decode().splitlines())
    found = {name: Oid(have[ref]) for name, ref in private.items() if ref in have}
    if listed.code != 0 or len(found) != len(private):
        raise DamagedError(f"what was fetched is not in the mirror: {listed.why}")
    orders = [f"update {PRIVATE}/keep/{_flat(name)} {oid}\n" for name, oid in found.items()]
    orders += [f"delete {ref}\n" for ref in private.values()]
    moved = _local_races_retried(mirror, ["update-ref", "--stdin"], limits.local, None, "".join(orders))
    if moved.code != 0:
        raise failure("update-ref", moved)
    return found


def _flat(name: str) -> str:
    return "r" + sha256(name.encode()).hexdigest()[:39]


def _present(remote: GitRemote, wanted: Sequence[str], err: str, limits: Limits) -> list[str]:
    """What of `wanted` the remote has, after it said that something is missing."""
    refs = [name for name in wanted if not is_sha(name)]
    there = _listed(remote, ["--refs"], refs, limits) if refs else {}
    left = [name for name in wanted if name in there or (is_sha(name) and name not in err)]
    # A server may hide which id it lacks. Without progress every id that was asked for is taken for absent.
    return left if len(left) < len(wanted) else refs


def _listed(remote: GitRemote, options: Sequence[str], refs: Sequence[str], limits: Limits) -> dict[str, Oid]:
    ran = git(["ls-remote", *options, "--", remote.url, *refs], remote=remote, limit=limits.list)
    if ran.code != 0:
        raise failure("ls-remote", ran)
    rows = (line.partition("\t") for line in ran.out.decode(errors="replace").splitlines())
    return {name: Oid(oid) for oid, _, name in rows if is_sha(oid)}


def _local_races_retried(
    mirror: Path, arguments: Sequence[str], limit: float, remote: GitRemote | None, stdin: str = ""
) -> Ran:
    """Runs git again while another process holds a lock file of the mirror, or a dead one left it behind."""
    ran = git(arguments, folder=mirror, remote=remote, limit=limit, stdin=stdin)
    for turn in range(6):
        if ran.code == 0 or not _LOCKED.search(ran.ours):
            return ran
        if not clear_stale_locks(mirror):
            time.sleep(uniform(0.5, 1.5) * 0.05 * 2**turn)  # noqa: S311 - jitter, no secret
        ran = git(arguments, folder=mirror, remote=remote, limit=limit, stdin=stdin)
    return ran


def failure(what: str, ran: Ran) -> OutsideWorldError:
    """The exception that a failed command stands for."""
    text = f"git {what} failed: {ran.why}"
    ours = ran.ours
    if _GONE.search(ours):
        return GoneError(text)
    if _DENIED.search(ours) or "unable to access" in ours or "No space left" in ours:
        return OutsideWorldError(text)
    return DamagedError(text) if _DAMAGED.search(ours) else OutsideWorldError(text)
