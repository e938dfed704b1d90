"""IP addresses and networks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.rows import rows
from bot.core.cel.values import Opaque

_BITS = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_LINK_LOCAL_4: Final = IPv4Network("169.254.0.0/16")
_LINK_LOCAL_6: Final = IPv6Network("fe80::/10")
_LOCAL_GROUP_4: Final = IPv4Network("224.0.0.0/24")
_BROADCAST: Final = IPv4Address("255.255.255.255")


@dataclass(frozen=True, slots=True)
class IP(Opaque):
    """An address."""

    address: IPv4Address | IPv6Address

    type_name = "net.IP"


@dataclass(frozen=True, slots=True)
class CIDR(Opaque):
    """A network as it was written: bits behind the prefix are kept."""

    address: IPv4Address | IPv6Address
    bits: int

    type_name = "net.CIDR"

    def network(self) -> int:
        """The bits of the prefix, as a number."""
        return int(self.address) >> (self.address.max_prefixlen - self.bits)

    def masked(self) -> CIDR:
        """The same network with no bits behind its prefix."""
        rest = self.address.max_prefixlen - self.bits
        return CIDR(type(self.address)(self.network() << rest), self.bits)


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        if "%" in text:
            raise Failure(f'IP address "{text}" with zone value is not allowed')
        found = IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        raise Failure(f'IP Address "{text}" parse error during conversion from string') from None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        raise Failure(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return found


def _ip(text: str) -> IP:
    return IP(_address(text))


def _is_ip(text: str) -> bool:
    try:
        _address(text)
    except Failure:
        return False
    return True


def _cidr(text: str) -> CIDR:
    address, slash, bits = text.rpartition("/")
    if not slash or not _BITS.fullmatch(bits):
        raise Failure("network address parse error during conversion from string: no prefix length")
    found = _address(address)
    if int(bits) > found.max_prefixlen:
        raise Failure("network address parse error during conversion from string: prefix length out of range")
    return CIDR(found, int(bits))


def _is_cidr(text: str) -> bool:
    try:
        _cidr(text)
    except Failure:
        return False
    return True


def _link_local(ip: IP) -> bool:
    return ip.address in (_LINK_LOCAL_4 if ip.address.version == 4 else _LINK_LOCAL_6)


def _link_local_group(ip: IP) -> bool:
    if ip.address.version == 4:
        return ip.address in _LOCAL_GROUP_4
    return int(ip.address) >> 112 & 0xFF0F == 0xFF02


def _global(ip: IP) -> bool:
    one = ip.address
    return not (one == _BROADCAST or one.is_unspecified or one.is_loopback or one.is_multicast or _link_local(ip))


def _contains_ip(network: CIDR, ip: IP) -> bool:
    same = network.address.version == ip.address.version
    return same and network.network() == CIDR(ip.address, network.bits).network()


def _contains(network: CIDR, other: CIDR) -> bool:
    return network.bits <= other.bits and _contains_ip(network, IP(other.address))


ADDRESSES: Final = rows(
    {
        "ip(string) -> IP": _ip,
        "isIP(string) -> bool": _is_ip,
        "ip.isCanonical(string) -> bool": lambda text: str(_address(text)) == text,
        "IP.family() -> int": lambda ip: ip.address.version,
        "IP.isUnspecified() -> bool": lambda ip: ip.address.is_unspecified,
        "IP.isLoopback() -> bool": lambda ip: ip.address.is_loopback,
        "IP.isLinkLocalMulticast() -> bool": _link_local_group,
        "IP.isLinkLocalUnicast() -> bool": _link_local,
        "IP.isGlobalUnicast() -> bool": _global,
        "string(IP) -> string": lambda ip: str(ip.address),
    }
)

NETWORKS: Final = rows(
    {
        "cidr(string) -> CIDR": _cidr,
        "isCIDR(string) -> bool": _is_cidr,
        "CIDR.containsIP(string) -> bool": lambda network, text: _contains_ip(network, _ip(text)),
        "CIDR.containsIP(IP) -> bool": _contains_ip,
        "CIDR.containsCIDR(string) -> bool": lambda network, text: _contains(network, _cidr(text)),
        "CIDR.containsCIDR(CIDR) -> bool": _contains,
        "CIDR.ip() -> IP": lambda network: IP(network.address),
        "CIDR.prefixLength() -> int": lambda network: network.bits,
        "CIDR.masked() -> CIDR": CIDR.masked,
        "string(CIDR) -> string": lambda network: f"{network.address}/{network.bits}",
    }
)
