"""Which of a security group's permissions open a sensitive port to the world."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from security_remediation.cidrs import Network, is_world, read_cidr

PortRange = tuple[int, int]
HIGHEST_PORT = 65535

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html: names or numbers; -1 is all protocols.
PROTOCOLS = {"6": "tcp", "17": "udp"}
EVERY_PROTOCOL = "-1"


def parse_ports(parts: Iterable[str]) -> tuple[PortRange, ...]:
    """Read `["22", "20-23"]` as first and last ports.

    Raises:
        ValueError: one is no range of ports from 0 to 65535.
    """
    ranges = []
    for part in parts:
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and int(first) <= int(last or first) <= HIGHEST_PORT):
            raise ValueError(f"write ports and ranges of ports from 0 to {HIGHEST_PORT}, such as 22,3389,20-23")
        ranges.append((int(first), int(last or first)))
    return tuple(ranges)


@dataclass(frozen=True)
class Permission:
    """What one security group rule lets in: a protocol and ports, from one range of addresses.

    Attributes:
        rule_id: empty where it is not known.
    """

    protocol: str
    ports: PortRange
    cidr: Network
    rule_id: str = ""

    def covers(self, protocol: str, port: int) -> bool:
        if self.protocol == EVERY_PROTOCOL:
            return True
        return self.protocol == protocol and self.ports[0] <= port <= self.ports[1]

    def same_as(self, other: "Permission") -> bool:
        everything = self.protocol == other.protocol == EVERY_PROTOCOL
        return (
            self.protocol == other.protocol
            and self.cidr == other.cidr
            and (everything or self.ports == other.ports)  # without a protocol, ports mean nothing
        )

    def __str__(self) -> str:
        first, last = self.ports
        ports = f"ports {first} to {last}" if first != last else f"port {first}"
        return f"{'all traffic' if self.protocol == EVERY_PROTOCOL else f'{self.protocol} {ports}'} from {self.cidr}"


def permission(protocol: object, first: object, last: object, cidr: str, rule_id: str = "") -> tuple[Permission, ...]:
    """A permission as AWS writes it. None of a protocol that has no ports, such as ICMP.

    Absent ports are all ports, and so is -1: to miss an opening is worse than to report one too many.
    """
    name = PROTOCOLS.get(str(protocol), str(protocol).lower())
    if name not in {"tcp", "udp", EVERY_PROTOCOL}:
        return ()
    ports = (_port(first, 0), _port(last, HIGHEST_PORT))
    return (Permission(name, ports, read_cidr(cidr), rule_id),)


def _port(value: object, default: int) -> int:
    number = int(str(value)) if value is not None else -1
    return default if number < 0 else number


def offending(
    added: Iterable[Permission], others: Iterable[Permission], sensitive: Iterable[PortRange]
) -> list[Permission]:
    """The added permissions that open a sensitive port to the world: the widest ones, until without them it is shut.

    On each port all ranges count together, those of the permissions that were there before too. Where these were the
    world already, the added ones are judged by themselves.
    """
    added, others, sensitive = list(added), list(others), list(sensitive)
    found: dict[Permission, None] = {}
    for protocol in ("tcp", "udp"):
        for port in _telling_ports([*added, *others], sensitive):
            for version in (4, 6):
                mine, theirs = (
                    [one for one in some if one.covers(protocol, port) and one.cidr.version == version]
                    for some in (added, others)
                )
                found.update(dict.fromkeys(_widest_until_shut(mine, theirs)))
    return list(found)


def _telling_ports(permissions: list[Permission], sensitive: list[PortRange]) -> Iterator[int]:
    """The sensitive ports at which a range begins: all the permissions of any other one are among those of the nearest before."""
    starts = {first for first, _ in sensitive} | {one.ports[0] for one in permissions}
    return (port for port in sorted(starts) if any(first <= port <= last for first, last in sensitive))


def _widest_until_shut(mine: list[Permission], theirs: list[Permission]) -> list[Permission]:
    before = [one.cidr for one in theirs]
    if is_world(before):
        before = []
    left, taken = sorted(mine, key=lambda one: one.cidr.num_addresses), []
    while left and is_world([*before, *(one.cidr for one in left)]):
        taken.append(left.pop())
    return taken
