"""What flow logs and query logging watch: VPCs, and parts of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automations import aws
from automations.errors import Refused
from security_remediation.permissions import NO_RESOURCES
from security_remediation.plan import Allow


@dataclass(frozen=True)
class Kind:
    """Attributes:
    type: as CreateFlowLogs calls it.
    describe: the operation that lists them.
    filter: the name of its filter by id.
    """

    type: str
    describe: str
    filter: str


# By the beginning of their ids, the longer one first.
KINDS = {
    "vpc-": Kind("VPC", "describe_vpcs", "vpc-id"),
    "subnet-": Kind("Subnet", "describe_subnets", "subnet-id"),
    "eni-": Kind("NetworkInterface", "describe_network_interfaces", "network-interface-id"),
    "tgw-attach-": Kind(
        "TransitGatewayAttachment", "describe_transit_gateway_attachments", "transit-gateway-attachment-id"
    ),
    "tgw-": Kind("TransitGateway", "describe_transit_gateways", "transit-gateway-id"),
    "nat-": Kind("RegionalNatGateway", "describe_nat_gateways", "nat-gateway-id"),
}
READ_VPCS = Allow(("ec2:DescribeVpcs",), why=NO_RESOURCES)
READ_NETWORKS = Allow(
    (
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeTransitGatewayAttachments",
        "ec2:DescribeTransitGateways",
        "ec2:DescribeNatGateways",
    ),
    why=NO_RESOURCES,
)


def kind_of(resource: str) -> Kind:
    """Raises:
    Refused: the id is of nothing that is known here.
    """
    for beginning, kind in KINDS.items():
        if resource.startswith(beginning):
            return kind
    raise Refused(f"{resource} is of a kind that this function does not know. Log its traffic again by hand.")


def exists(resource: str) -> bool:
    """Whether it is there still. Listing has no error code for what is gone, which each kind spells in its own way."""
    kind = kind_of(resource)
    describe: Any = getattr(aws.ec2(), kind.describe)
    answer = describe(Filters=[{"Name": kind.filter, "Values": [resource]}])
    return any(isinstance(found, list) and found for found in answer.values())
