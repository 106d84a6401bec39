from typing import Any

import pytest
from botocore.stub import Stubber

from automations import aws
from automations.errors import InvalidEvent, Refused
from automations.notify import Severity
from security_remediation.baseline import known
from security_remediation.handler import lambda_handler
from security_remediation.networks import exists
from security_remediation.plan import Plan
from security_remediation.remediations.flow_logs_deleted import NotCreated, apply
from tests.unit.security_remediation.attacks import TAG
from tests.unit.security_remediation.attacks import baseline as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.mark.parametrize(
    "request_parameters",
    [
        {"DeleteFlowLogsRequest": {"FlowLogId": {"content": "fl-0123456789abcdef0", "tag": 1}}},
        {"DeleteFlowLogsRequest": {"FlowLogId": [{"content": "fl-0123456789abcdef0", "tag": 1}]}},
        {"DeleteFlowLogsRequest": {"FlowLogId": "fl-0123456789abcdef0"}},
        {"flowLogIdSet": {"items": [{"flowLogId": "fl-0123456789abcdef0"}]}},
        {"flowLogIds": ["fl-0123456789abcdef0"]},
    ],
)
def test_each_form_of_a_record_names_the_flow_log(request_parameters, enforce, alerts, context):
    lambda_handler(call("delete-flow-logs", requestParameters=request_parameters, responseElements=None), context)

    assert alerts.received()[0]["Subject"] == "[CRITICAL] Flow log fl-0123456789abcdef0 was deleted"


def test_a_record_that_names_none_is_told_and_fails(enforce, alerts, context):
    with pytest.raises(InvalidEvent, match="cannot be judged"):
        lambda_handler(call("delete-flow-logs", requestParameters={}), context)


def test_what_was_never_noted_is_told_with_what_to_do(enforce, alerts, calls, context):
    lambda_handler(call("delete-flow-logs-several"), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert "fl-0123456789abcdef0, fl-0fedcba9876543210 was deleted" in message["Message"]
    assert "fl-0aaaabbbbccccdddd" not in message["Message"]  # EC2 did not delete it
    assert "Look which VPCs have no flow logs" in message["Message"]


def test_flow_logs_are_named_by_what_they_watch_and_where_they_log_to(alerts, context):
    attacked = attacks.several_flow_logs()

    lambda_handler(attacked.event, context)

    [message] = alerts.received()
    network, other = sorted(str(one["ResourceId"]) for one in attacked.closed)
    names = f"of {network} to arn:aws:s3:::{attacks.LOGS} (ALL traffic), of {other} to {attacks.GROUP} (REJECT traffic)"
    assert message["Message"].startswith(f"Flow log {names} was deleted")


def test_what_was_noted_comes_back_and_what_was_not_is_named(enforce, alerts, context):
    attacked = attacks.several_flow_logs()
    aws.dynamodb().delete_item(TableName="BaselineTable", Key={"id": {"S": f"flow-log/{_ids(attacked.event)[1]}"}})

    lambda_handler(attacked.event, context)

    assert [one["TrafficType"] for one in attacked.state()] == ["REJECT"]
    assert f"{_ids(attacked.event)[1]} was never noted" in alerts.received()[0]["Message"]


def _ids(event: dict[str, Any]) -> list[str]:
    return [one["content"] for one in event["detail"]["requestParameters"]["DeleteFlowLogsRequest"]["FlowLogId"]]


def test_all_that_one_call_deletes_must_be_exempt(enforce, alerts, context):
    attacked = attacks.several_flow_logs()
    attacked.revert()
    now = {one["ResourceId"]: one["FlowLogId"] for one in aws.ec2().describe_flow_logs()["FlowLogs"]}
    first, *_ = now.values()
    aws.ec2().create_tags(Resources=[first], Tags=[TAG])  # type: ignore[list-item]
    attacks.take_flow_logs()
    closed = attacked.state()
    aws.ec2().delete_flow_logs(FlowLogIds=[*now.values()])
    asked = [{"tag": tag, "content": one} for tag, one in enumerate(now.values(), 1)]

    lambda_handler(call("delete-flow-logs", requestParameters={"DeleteFlowLogsRequest": {"FlowLogId": asked}}), context)

    assert attacked.state() == closed


def test_the_new_flow_log_comes_back_too_when_it_is_deleted_within_the_hour(enforce, alerts, context):
    attacked = attacks.flow_log()
    lambda_handler(attacked.event, context)
    new = next(one["FlowLogId"] for one in aws.ec2().describe_flow_logs()["FlowLogs"] if one.get("LogGroupName"))
    aws.ec2().delete_flow_logs(FlowLogIds=[new])

    lambda_handler(call("delete-flow-logs", {"fl-0123456789abcdef0": new}, eventID="another"), context)

    assert attacked.state() == attacked.closed


def test_a_flow_log_of_a_vpc_that_is_gone_goes_with_it(enforce, alerts, calls, context):
    attacked = attacks.flow_log()
    [vpc] = {one["ResourceId"] for one in attacked.state()}
    aws.ec2().delete_vpc(VpcId=vpc)
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert alerts.received()[0]["Subject"].startswith("[WARNING]")


def test_a_deleted_flow_log_that_is_listed_still_does_not_stand_for_itself(alerts, context):
    """EC2 is eventually consistent."""
    attacked = attacks.flow_log()
    attacked.revert()
    attacks.take_flow_logs()
    listed = next(one["FlowLogId"] for one in aws.ec2().describe_flow_logs()["FlowLogs"] if one.get("LogGroupName"))

    lambda_handler(call("delete-flow-logs", {"fl-0123456789abcdef0": listed}), context)

    assert "Create the flow log of" in alerts.received()[0]["Message"]


def test_somebody_quicker_is_success(enforce, alerts, context, monkeypatch):
    attacked = attacks.flow_log()
    create = aws.ec2().create_flow_logs

    def late(**arguments: Any) -> Any:
        create(**arguments)
        return create(**arguments)  # FlowLogAlreadyExists

    monkeypatch.setattr(aws.ec2(), "create_flow_logs", late)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_what_ec2_did_not_create_is_a_failure_that_says_why_and_the_next_attempt_does_the_rest(
    enforce, alerts, context
):
    attacked = attacks.several_flow_logs()
    aws.s3().delete_bucket(Bucket=attacks.LOGS)

    with pytest.raises(NotCreated, match="does not exist"):
        lambda_handler(attacked.event, context)
    assert len(attacked.state()) == 1

    aws.s3().create_bucket(Bucket=attacks.LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed


def test_ec2_gets_arguments_that_it_takes():
    """moto does not keep all of them. A group and its ARN are not both given, a transit gateway has no type of traffic."""
    group = "arn:aws:logs:ap-northeast-2:123456789012:log-group:g"
    kept = {
        "LogDestinationType": "cloud-watch-logs",
        "LogDestination": group,
        "DestinationOptions": {"FileFormat": "parquet", "PerHourPartition": True},
        "MaxAggregationInterval": 60,
    }
    noted = {**kept, "FlowLogId": "fl-1", "ResourceId": "tgw-attach-1", "LogGroupName": "g", "Tags": []}
    made = {
        **kept,
        "ResourceIds": ["tgw-attach-1"],
        "ResourceType": "TransitGatewayAttachment",
        "ClientToken": "fl-1",
    }
    with Stubber(aws.ec2()) as ec2:
        ec2.add_response("create_flow_logs", {"FlowLogIds": ["fl-2"]}, made)

        apply(Plan("", "", Severity.CRITICAL, change={"again": [noted]}))

        ec2.assert_no_pending_responses()
    now = known("flow-log/fl-2")
    assert now is not None
    assert now.settings == noted | {"FlowLogId": "fl-2"}


def test_each_kind_of_network_is_looked_up():
    vpc = attacks.create_vpc()
    subnet = aws.ec2().create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    interface = aws.ec2().create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    gateway = aws.ec2().create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    attachment = aws.ec2().create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet]
    )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    nat = aws.ec2().create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]

    for one in (vpc, subnet, interface, gateway, attachment, nat):
        assert exists(one), one
        if one != attachment:  # moto knows no filter by its id
            assert not exists(f"{one[:-4]}0000"), one
    with pytest.raises(Refused, match="does not know"):
        exists("other-1")


def test_a_flow_log_of_another_region_is_refused(enforce, alerts, context):
    with pytest.raises(Refused, match="flow log is in eu-west-1"):
        lambda_handler(call("delete-flow-logs", awsRegion="eu-west-1"), context)


def test_the_sample_has_the_recorded_form():
    assert record_of("delete-flow-logs").response_elements["DeleteFlowLogsResponse"]["unsuccessful"] == ""
