"""When ranges of addresses, taken together, are the world.

The line is the one that Amazon S3 draws for `aws:SourceIp` in a bucket policy: a range broader than /8 (IPv4) or /32 (IPv6)
is public, private addresses aside. It is drawn here for the union of the ranges: two /1 are one /0. Ranges that do not
touch are the world as well when they hold more addresses than sixteen of the broadest allowed ones.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TypeVar

Network = IPv4Network | IPv6Network
OneFamily = TypeVar("OneFamily", IPv4Network, IPv6Network)

BROADEST = {4: 8, 6: 32}
TOGETHER = 16

# https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/ipv4-address-space
NOT_PUBLIC = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
]
# https://www.iana.org/assignments/ipv6-unicast-address-assignments
PUBLIC_IPV6 = [IPv6Network("2000::/3")]


def _without(networks: list[IPv4Network], hole: IPv4Network) -> list[IPv4Network]:
    return [
        part
        for network in networks
        for part in (network.address_exclude(hole) if hole.subnet_of(network) else (network,))
    ]


@cache
def _public_ipv4() -> list[IPv4Network]:
    networks = [IPv4Network("0.0.0.0/0")]
    for hole in NOT_PUBLIC:
        networks = _without(networks, hole)
    return networks


def _common(network: OneFamily, others: Iterable[OneFamily]) -> list[OneFamily]:
    """The addresses that are in the network and in one of the others. Of two CIDR ranges that overlap one holds the other."""
    return [max(network, other, key=lambda one: one.prefixlen) for other in others if network.overlaps(other)]


def _is_world(public: list[OneFamily]) -> bool:
    merged = list(collapse_addresses(public))
    if not merged:
        return False
    limit = BROADEST[merged[0].version]
    allowed = TOGETHER * 2 ** (merged[0].max_prefixlen - limit)
    return any(one.prefixlen < limit for one in merged) or sum(one.num_addresses for one in merged) > allowed


def public(networks: Iterable[Network]) -> list[Network]:
    """Those that hold a public address."""
    return [
        one
        for one in networks
        if (_common(one, _public_ipv4()) if isinstance(one, IPv4Network) else _common(one, PUBLIC_IPV6))
    ]


def is_world(networks: Iterable[Network]) -> bool:
    """Whether the ranges, IPv4 or IPv6, together let (practically) everyone in."""
    ipv4: list[IPv4Network] = []
    ipv6: list[IPv6Network] = []
    for network in networks:
        if isinstance(network, IPv4Network):
            ipv4 += _common(network, _public_ipv4())
        else:
            ipv6 += _common(network, PUBLIC_IPV6)
    return _is_world(ipv4) or _is_world(ipv6)


def read_cidr(text: str) -> Network:
    """A range as AWS writes it; bits after the prefix are dropped, as AWS does.

    Raises:
        ValueError: it is none.
    """
    return ip_network(text, strict=False)
