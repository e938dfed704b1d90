"""What may be named to the git command: full refs, whole ids, plain URLs. Anything else stops here."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bot.core.tree import Oid

_SHA = re.compile(r"[0-9a-f]{40}")
# git-check-ref-format(1), made stricter in one way: the name is always full, so it can never start with `-`.
_REF = re.compile(
    r"refs(?:/(?!\.)(?:(?!\.\.|@\{|\.lock(?:/|\Z)|\.\Z)[^\x00-\x20\x7f~^:?*\[\\/\ud800-\udfff])+)+(?<!\.)",
)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HEADER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_URL = re.compile(r"[\x21-\x7e]+")


def is_sha(name: str) -> bool:
    """True for 40 lower-case hexadecimal digits."""
    return _SHA.fullmatch(name) is not None


def sha(name: str) -> Oid:
    """`name` as an id; ValueError for anything but 40 lower-case hexadecimal digits."""
    if not is_sha(name):
        raise ValueError(f"not a whole object id: {name[:80]!r}")
    return Oid(name)


def full_ref(name: str) -> str:
    """`name` itself where git takes it for a full ref (`refs/heads/main`); ValueError otherwise."""
    if len(name) > 1000 or _REF.fullmatch(name) is None:
        raise ValueError(f"not a full ref: {name[:80]!r}; write it whole, as in refs/heads/main")
    return name


def remote_base(url: str) -> str | None:
    """The scheme and host of an HTTP(S) URL, to which a credential may be bound; None for `file://`.

    ValueError for every other protocol, and for a URL with a user, password, query or fragment in it: what is secret
    travels in a header, never in a URL."""
    parts = urlsplit(url)
    if _URL.fullmatch(url) is None or parts.query or parts.fragment:
        raise ValueError("not a plain repository URL: no query, fragment, space or control character may be in it")
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"git may not use the protocol {parts.scheme[:20]!r}; only http, https and file are allowed")
    if _HOST.fullmatch(parts.netloc) is None:
        raise ValueError("not a plain repository URL: only a host name and a port may stand before the path")
    return f"{parts.scheme}://{parts.netloc}/"


def header(value: str) -> str:
    """`value` itself where it is one printable line; ValueError otherwise, without repeating it."""
    if _HEADER.fullmatch(value) is None:
        raise ValueError("the authorization for git is not one printable line")
    return value
