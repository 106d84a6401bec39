"""By which addresses an EC2 instance reaches the internet, as far as that can be known.

It can where every route of its subnets stays in the VPC or leaves by an internet gateway or a public NAT gateway: then the
address is one of the account's own network interfaces. Behind a transit gateway, a virtual private gateway, a peering, a firewall or
an instance there may be a NAT or a proxy of anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from automations import aws
from security_remediation.reading import unless_absent

# Of private networks and of carriers', which no record of a call through the internet has.
INSIDE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
NO_TARGETS = {"InstanceOwnerId", "DestinationPrefixListId"}
NOWHERE_ELSE = ("local", "igw-", "eigw-")


@dataclass(frozen=True)
class Egress:
    """Attributes:
    ours: whether the address belongs to a network interface of the account, in the function's region.
    launched: when the instance was started last; its public address may have been another one before.
    unknown: the targets of routes behind which addresses are not known.
    """

    ours: bool
    launched: datetime
    unknown: tuple[str, ...] = ()


def public_address(text: str | None) -> bool:
    """Whether a record's source is an address of the internet, and not the name of a service."""
    try:
        address = ip_address(text or "")
        return not any(address in network for network in INSIDE)
    except ValueError:
        return False


def egress(instance: str, address: str) -> Egress | None:
    """How the instance reaches the internet, and whether this is one of its addresses; None: no such instance here."""
    found = unless_absent(
        lambda: aws.ec2().describe_instances(InstanceIds=[instance]),
        "InvalidInstanceID.NotFound",
        "InvalidInstanceID.Malformed",
    )
    if not found or not found["Reservations"]:
        return None
    [known] = found["Reservations"][0]["Instances"]
    interfaces = known.get("NetworkInterfaces", [])
    if not interfaces:  # terminated
        return None
    routes = [
        route for one in interfaces if "SubnetId" in one for route in _routes(one.get("VpcId", ""), one["SubnetId"])
    ]
    return Egress(_is_ours(address), known["LaunchTime"], tuple(sorted(_unknown(routes))))


def _is_ours(address: str) -> bool:
    name = "ipv6-addresses.ipv6-address" if ip_address(address).version == 6 else "association.public-ip"
    found = aws.ec2().describe_network_interfaces(Filters=[{"Name": name, "Values": [address]}])
    return bool(found["NetworkInterfaces"])


def _routes(vpc: str, subnet: str) -> list[Any]:
    """The routes of the subnet's table, or of the VPC's main one."""
    own = [{"Name": "association.subnet-id", "Values": [subnet]}]
    main = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    for filters in (own, main):
        if tables := aws.ec2().describe_route_tables(Filters=filters)["RouteTables"]:  # type: ignore[arg-type]
            return [route for table in tables for route in table["Routes"]]
    return []


def _unknown(routes: list[Any]) -> set[str]:
    nats = {route["NatGatewayId"] for route in routes if "NatGatewayId" in route}
    public = set()
    if nats:
        gateways = aws.ec2().describe_nat_gateways(NatGatewayIds=sorted(nats))["NatGateways"]
        public = {one["NatGatewayId"] for one in gateways if one.get("ConnectivityType", "public") == "public"}
    return {target for route in routes if (target := _target(route)) not in public and not _stays(route, target)}


def _stays(route: Mapping[str, Any], target: str) -> bool:
    """A route to a prefix list leads to a gateway endpoint of Amazon S3 or DynamoDB."""
    return target.startswith(NOWHERE_ELSE) or ("DestinationPrefixListId" in route and target.startswith("vpce-"))


def _target(route: Mapping[str, Any]) -> str:
    """The id of what the route leads to. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html"""
    ids = (str(value) for key, value in route.items() if key.endswith("Id") and key not in NO_TARGETS)
    return next(ids, str(route.get("CoreNetworkArn", "?")))
