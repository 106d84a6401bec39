from typing import Any

import pytest

from automations import aws
from security_remediation.egress import public_address
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.answers import answer
from tests.unit.security_remediation.attacks.sessions import INSTANCE_ROLE, instance_credentials
from tests.unit.security_remediation.conftest import call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed")


def route(**target: str) -> None:
    """Another route of the instance's subnet."""
    ec2: Any = aws.ec2()
    [table] = ec2.describe_route_tables(Filters=[{"Name": "route.destination-cidr-block", "Values": ["0.0.0.0/0"]}])[
        "RouteTables"
    ]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="192.168.0.0/16", **target)


def only_told(attacked: Any, calls: list[str], alerts: Any, context: Any, *words: str) -> None:
    calls.clear()
    lambda_handler(attacked.event, context)
    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"].startswith("[WARNING] IAM role WebServer")
    assert "perhaps outside" in message["Subject"] + message["Message"]
    for word in words:
        assert word in message["Message"]


def test_behind_a_peering_nobody_knows_the_address_so_it_is_only_told(enforce, alerts, calls, context):
    attacked = instance_credentials()
    ec2 = aws.ec2()
    vpcs = [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]]
    peering = ec2.create_vpc_peering_connection(VpcId=vpcs[-1], PeerVpcId=vpcs[0])["VpcPeeringConnection"]
    route(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])

    only_told(attacked, calls, alerts, context, f"Its routes lead to {peering['VpcPeeringConnectionId']},")


@pytest.mark.parametrize(("connectivity", "sure"), [("public", True), ("private", False)])
def test_a_public_nat_gateway_is_known_and_a_private_one_is_not(connectivity, sure, enforce, alerts, calls, context):
    attacked = instance_credentials()
    ec2 = aws.ec2()
    subnet = ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.0.1.0/24"]}])["Subnets"][0]["SubnetId"]
    address = {"AllocationId": ec2.allocate_address(Domain="vpc")["AllocationId"]} if sure else {}
    gateway = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType=connectivity, **address)["NatGateway"]  # type: ignore[arg-type]
    route(NatGatewayId=gateway["NatGatewayId"])

    if sure:
        lambda_handler(attacked.event, context)
        assert attacked.state() == attacked.closed
    else:
        only_told(attacked, calls, alerts, context, gateway["NatGatewayId"])


def test_an_instance_that_was_started_since_is_only_told(enforce, alerts, calls, context):
    attacked = instance_credentials()
    attacked.event["detail"]["eventTime"] = "2020-01-01T00:00:00Z"

    only_told(attacked, calls, alerts, context, "was started since")


@pytest.mark.parametrize("gone", ["ended", "of another region"])
def test_an_instance_that_is_not_here_is_only_told(gone, enforce, alerts, calls, context):
    attacked = instance_credentials()
    instance = attacked.event["detail"]["userIdentity"]["arn"].rpartition("/")[2]
    if gone == "ended":
        aws.ec2().terminate_instances(InstanceIds=[instance])
        answer(
            aws.ec2(),
            "DescribeInstances",
            lambda _: {"Reservations": [{"Instances": [{"InstanceId": instance, "NetworkInterfaces": []}]}]},
        )
    else:
        attacked.event["detail"]["userIdentity"]["arn"] = (
            f"arn:aws:sts::123456789012:assumed-role/{INSTANCE_ROLE}/i-0fedcba9876543210"
        )

    only_told(attacked, calls, alerts, context, "no such instance in this region")


def test_an_address_of_another_interface_of_the_account_is_inside(enforce, alerts, calls, context):
    attacked = instance_credentials()
    answer(
        aws.ec2(), "DescribeNetworkInterfaces", lambda asked: {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]}
    )

    assert lambda_handler(attacked.event, context)["outcomes"]["instance_credentials_outside"] == "harmless"


@pytest.mark.parametrize(
    ("address", "filter_name"),
    [("198.51.100.77", "association.public-ip"), ("2001:db8::1", "ipv6-addresses.ipv6-address")],
)
def test_addresses_of_both_families_are_looked_up(address, filter_name, enforce, alerts, context):
    attacked = instance_credentials()
    attacked.event["detail"]["sourceIPAddress"] = address
    asked: list[Any] = []

    def none(of: Any) -> dict[str, Any]:
        asked.append(of)
        return {"NetworkInterfaces": []}

    answer(aws.ec2(), "DescribeNetworkInterfaces", none)

    lambda_handler(attacked.event, context)

    assert asked[0]["Filters"] == [{"Name": filter_name, "Values": [address]}]
    assert attacked.state() == attacked.closed


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("198.51.100.77", True),
        ("2001:db8::1", True),
        ("10.0.1.25", False),
        ("172.31.0.1", False),
        ("172.32.0.1", True),
        ("100.64.0.1", False),
        ("fd00::1", False),
        ("ec2.amazonaws.com", False),
        ("AWS Internal", False),
        (None, False),
    ],
)
def test_only_addresses_of_the_internet_count(text, public):
    assert public_address(text) is public


def test_calls_of_others_are_not_looked_up(enforce, alerts, calls, context):
    """Those that come by a service's rule are judged as well."""
    lambda_handler(call("attach-role-policy-admin"), context)

    assert not [one for one in calls if one.startswith("Describe")]


def test_its_calls_are_read_when_a_services_rule_brings_them(enforce, alerts, context):
    attacked = instance_credentials()
    attacked.event["detail"] |= {"eventSource": "ssm.amazonaws.com", "eventName": "StartSession"}
    attacked.event["detail"]["requestParameters"] = {"target": "i-0fedcba9876543210"}
    attacked.event["detail"]["responseElements"] = record_of("start-session").response_elements
    attacked.event["source"] = "aws.ssm"
    answer(aws.ssm(), "DescribeSessions", lambda _: {"Sessions": []})

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed
