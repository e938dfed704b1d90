"""URLs, as Go's net/url reads them: absolute ones, or absolute paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.rows import rows
from bot.core.cel.values import Opaque

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)?:", re.ASCII)
_PORT = re.compile(r"(?::[0-9]*)?", re.ASCII)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*", re.ASCII)
_FREE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_IN_PATH: Final = _FREE | frozenset("$&+,/:;=@")
_WRITTEN: Final = _IN_PATH | frozenset("!'()*[]%")
_IN_HOST: Final = _FREE | frozenset("!$&'()*+,;=:[]<>\"")


@dataclass(frozen=True, slots=True)
class URL(Opaque):
    """The parts. `path` is escaped; `user` is its raw text."""

    scheme: str
    opaque: str
    user: str | None
    host: str
    path: str
    query: str | None
    fragment: str

    type_name = "kubernetes.URL"


def _wrong(text: str, why: str) -> Failure:
    return Failure(f'parse "{text}": {why}')


def _unescaped(part: str, text: str, host: bool = False, plus: bool = False) -> str:
    """The part without its `%` escapes. In a host only what is no ASCII may be escaped."""
    for at in (found.start() for found in re.finditer("%", part)):
        found = _ESCAPE.match(part, at)
        if found is None:
            raise _wrong(text, f'invalid URL escape "{part[at : at + 3]}"')
        if host and int(found[1], 16) < 0x80 and found[1] != "25":
            raise _wrong(text, f'invalid URL escape "{found[0]}"')
    if host:
        for char in _ESCAPE.sub("", part):
            if ord(char) < 0x80 and char not in _IN_HOST:
                raise _wrong(text, f'invalid character "{char}" in host name')
    if plus:
        part = part.replace("+", " ")
    if "%" not in part:
        return part
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), part.encode())
    return raw.decode(errors="replace")


def _escaped(path: str) -> str:
    return "".join(
        char if char in _IN_PATH else "".join(f"%{byte:02X}" for byte in char.encode(errors="replace")) for char in path
    )


def _host(host: str, text: str) -> str:
    if "[" in host[1:]:
        raise _wrong(text, "invalid IP-literal")
    if host.startswith("["):
        inner, closed, port = host[1:].rpartition("]")
        if not closed:
            raise _wrong(text, "missing ']' in host")
        if not _PORT.fullmatch(port):
            raise _wrong(text, f'invalid port "{port}" after host')
        address, percent, zone = inner.partition("%25")
        if not all(ord(char) >= 0x80 or char in _IN_HOST for char in _ESCAPE.sub("", zone)):
            raise _wrong(text, "invalid character in host name")
        name = _unescaped(address, text, host=True) + (f"%{_unescaped(zone, text)}" if percent else "")
        try:
            IPv6Address(name)
        except AddressValueError:
            raise _wrong(text, "invalid host") from None
        return f"[{name}]{port}"
    at = host.rfind(":")
    if at >= 0 and not _PORT.fullmatch(host[at:]):
        raise _wrong(text, f'invalid port "{host[at:]}" after host')
    return _unescaped(host, text, host=True)


def _parse(rest: str, text: str, request: bool) -> URL:
    if _CONTROL.search(rest):
        raise _wrong(text, "net/url: invalid control character in URL")
    if rest == "" and request:
        raise _wrong(text, "empty url")
    if rest == "*":
        return URL("", "", None, "", "*", None, "")
    scheme, rest = _scheme(rest, text)
    rest, asked, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return URL(scheme, rest, None, "", "", query if asked else None, "")
        if request:
            raise _wrong(text, "invalid URI for request")
        if ":" in rest.partition("/")[0]:
            raise _wrong(text, "first path segment in URL cannot contain colon")
    user, host, rest = _authority(rest, text, scheme, request)
    plain = _unescaped(rest, text)
    path = rest if all(char in _WRITTEN for char in rest) else _escaped(plain)
    return URL(scheme, "", user, host, path, query if asked else None, "")


def _scheme(rest: str, text: str) -> tuple[str, str]:
    found = _SCHEME.match(rest)
    if found is None:
        return "", rest
    if not found[1]:
        raise _wrong(text, "missing protocol scheme")
    return found[1].lower(), rest[found.end() :]


def _authority(rest: str, text: str, scheme: str, request: bool) -> tuple[str | None, str, str]:
    """User, host, and the path behind them."""
    if not rest.startswith("//") or not (scheme or not (request or rest.startswith("///"))):
        return None, "", rest
    authority, slash, path = rest[2:].partition("/")
    before, at, name = authority.rpartition("@")
    host = _host(name, text)
    if not at:
        return None, host, slash + path
    if not _USER.fullmatch(before):
        raise _wrong(text, "net/url: invalid userinfo")
    _unescaped(before, text)
    return before, host, slash + path


def read_request(text: str) -> URL:
    """What `isURL` accepts. Failure says why not."""
    return _parse(text, text, request=True)


def _url(text: str) -> URL:
    try:
        read_request(text)
        front, _, fragment = text.partition("#")
        found = _parse(front, text, request=False)
        return URL(
            found.scheme, found.opaque, found.user, found.host, found.path, found.query, _unescaped(fragment, text)
        )
    except Failure as failure:
        raise Failure(f"URL parse error during conversion from string: {failure.message}") from None


def _is_url(text: str) -> bool:
    try:
        read_request(text)
    except Failure:
        return False
    return True


def _split(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    if not colon or not _PORT.fullmatch(f":{port}"):
        name, port = host, ""
    return (name[1:-1] if name.startswith("[") and name.endswith("]") else name), port


def _query(url: URL) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in (url.query or "").split("&"):
        key, _, value = pair.partition("=")
        if pair == "" or ";" in pair:
            continue
        try:
            name, text = _unescaped(key, "", plus=True), _unescaped(value, "", plus=True)
        except Failure:
            continue
        found.setdefault(name, []).append(text)
    return found


URLS: Final = rows(
    {
        "url(string) -> URL": _url,
        "isURL(string) -> bool": _is_url,
        "URL.getScheme() -> string": lambda url: url.scheme,
        "URL.getHost() -> string": lambda url: url.host,
        "URL.getHostname() -> string": lambda url: _split(url.host)[0],
        "URL.getPort() -> string": lambda url: _split(url.host)[1],
        "URL.getEscapedPath() -> string": lambda url: url.path,
        "URL.getQuery() -> map(string, list(string))": _query,
    }
)
