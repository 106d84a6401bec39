"""Deletions of what watches the account: trails, flow logs, Resolver query logging. The hourly run noted them before."""

from typing import Any

from automations import aws
from security_remediation.baseline import take
from security_remediation.remediations import flow_logs_deleted, trail_deleted
from tests.unit.security_remediation import mended_moto  # noqa: F401 # it adds what moto lacks
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import call

TRAIL = "management-events"
LOGS = "amzn-s3-demo-trail-logs"
ADVANCED: list[Any] = [
    {
        "Name": "Management events",
        "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
    }
]


def create_trail() -> dict[str, Any]:
    """A trail with all that one can have."""
    aws.s3().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    topic = aws.sns().create_topic(Name="trail")["TopicArn"]
    arguments: dict[str, Any] = {
        "Name": TRAIL,
        "S3BucketName": LOGS,
        "S3KeyPrefix": "audit",
        "SnsTopicName": topic,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "EnableLogFileValidation": True,
        "CloudWatchLogsLogGroupArn": "arn:aws:logs:ap-northeast-2:123456789012:log-group:trail:*",
        "CloudWatchLogsRoleArn": "arn:aws:iam::123456789012:role/trail-to-logs",
        "KmsKeyId": "arn:aws:kms:ap-northeast-2:123456789012:key/0d4c2b1a-1111-2222-3333-444455556666",
        "IsOrganizationTrail": True,
        "TagsList": [{"Key": "team", "Value": "security"}],
    }
    client = aws.cloudtrail()
    client.create_trail(**arguments)
    client.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=ADVANCED)
    client.put_insight_selectors(TrailName=TRAIL, InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    client.start_logging(Name=TRAIL)
    return arguments


def trail_state() -> Any:
    """The trail as AWS describes it; None when there is none."""
    client = aws.cloudtrail()
    found: list[Any] = client.describe_trails(trailNameList=[TRAIL])["trailList"]
    if not found:
        return None
    arn = found[0]["TrailARN"]
    selectors = client.get_event_selectors(TrailName=arn)
    return {
        "trail": {name: value for name, value in found[0].items() if name != "SnsTopicName"},
        "selectors": (selectors.get("EventSelectors"), selectors.get("AdvancedEventSelectors")),
        "insights": client.get_insight_selectors(TrailName=arn).get("InsightSelectors", []),
        "tags": client.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"],
        "logs": client.get_trail_status(Name=arn)["IsLogging"],
    }


def _trail(event: dict[str, Any]) -> Attack:
    arguments = create_trail()
    take({"trails": trail_deleted.snapshot})
    before = trail_state()
    client = aws.cloudtrail()
    client.delete_trail(Name=TRAIL)

    def exempt() -> None:
        create_again()
        client.add_tags(ResourceId=_arn(), TagsList=[TAG])  # type: ignore[list-item]
        take({"trails": trail_deleted.snapshot})
        client.delete_trail(Name=TRAIL)

    def create_again() -> None:
        client.create_trail(**arguments)
        client.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=ADVANCED)
        client.put_insight_selectors(TrailName=TRAIL, InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
        client.start_logging(Name=TRAIL)

    return Attack(
        "trail_deleted",
        event,
        trail_state,
        opened=None,
        closed=before,
        revert=create_again,
        exempt=exempt,
    )


def _arn() -> str:
    return aws.cloudtrail().get_trail(Name=TRAIL)["Trail"]["TrailARN"]


def trail_by_arn() -> Attack:
    return _trail(call("delete-trail"))


def trail_by_name() -> Attack:
    return _trail(call("delete-trail", requestParameters={"name": TRAIL}))


GROUP = "/vpc/flows"
ROLE = "arn:aws:iam::123456789012:role/flow-logs"
FORMAT = "${version} ${vpc-id} ${srcaddr} ${dstaddr} ${action}"


def create_vpc() -> str:
    return aws.ec2().create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def to_group(vpc: str) -> dict[str, Any]:
    """The arguments of a flow log to CloudWatch Logs."""
    return {
        "ResourceIds": [vpc],
        "ResourceType": "VPC",
        "TrafficType": "REJECT",
        "LogGroupName": GROUP,
        "DeliverLogsPermissionArn": ROLE,
        "LogFormat": FORMAT,
        "MaxAggregationInterval": 60,
        "TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "team", "Value": "network"}]}],
    }


def to_bucket(subnet: str) -> dict[str, Any]:
    """The arguments of a flow log to Amazon S3, without what need not be given."""
    return {
        "ResourceIds": [subnet],
        "ResourceType": "Subnet",
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": f"arn:aws:s3:::{LOGS}",
    }


def create_flow_log(**arguments: Any) -> str:
    [new] = aws.ec2().create_flow_logs(**arguments)["FlowLogIds"]
    return new


def flow_logs_state() -> list[dict[str, Any]]:
    """The flow logs without what is of each alone."""
    own = {"FlowLogId", "CreationTime"}
    found = [
        {name: value for name, value in one.items() if name not in own}
        for one in aws.ec2().describe_flow_logs()["FlowLogs"]
    ]
    return sorted(found, key=lambda one: str(one["ResourceId"]))


def take_flow_logs() -> None:
    take({"flow logs": flow_logs_deleted.snapshot})


def flow_log() -> Attack:
    vpc = create_vpc()
    kept = create_flow_log(**to_bucket_of_vpc(vpc))
    deleted = create_flow_log(**to_group(vpc))
    take_flow_logs()
    closed = flow_logs_state()
    aws.ec2().delete_flow_logs(FlowLogIds=[deleted])
    event = call("delete-flow-logs", {"fl-0123456789abcdef0": deleted})
    none_of_them = call("delete-flow-logs", {"fl-0123456789abcdef0": kept})
    none_of_them["detail"]["responseElements"]["DeleteFlowLogsResponse"]["unsuccessful"] = {
        "item": {"resourceId": kept}
    }

    def exempt() -> None:
        again = create_flow_log(**to_group(vpc))
        aws.ec2().create_tags(Resources=[again], Tags=[TAG])  # type: ignore[list-item]
        take_flow_logs()
        aws.ec2().delete_flow_logs(FlowLogIds=[again])
        event["detail"]["requestParameters"]["DeleteFlowLogsRequest"]["FlowLogId"]["content"] = again

    return Attack(
        "flow_logs_deleted",
        event,
        flow_logs_state,
        opened=flow_logs_state(),
        closed=closed,
        revert=lambda: create_flow_log(**to_group(vpc)),
        exempt=exempt,
        harmless={"nothing was deleted": none_of_them},
    )


def to_bucket_of_vpc(vpc: str) -> dict[str, Any]:
    aws.s3().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    return to_bucket(vpc) | {"ResourceType": "VPC"}


def several_flow_logs() -> Attack:
    vpc = create_vpc()
    subnet = aws.ec2().create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    aws.s3().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    deleted = [create_flow_log(**to_group(vpc)), create_flow_log(**to_bucket(subnet))]
    take_flow_logs()
    closed = flow_logs_state()
    aws.ec2().delete_flow_logs(FlowLogIds=deleted)
    names = {"fl-0123456789abcdef0": deleted[0], "fl-0fedcba9876543210": deleted[1]}
    return Attack(
        "flow_logs_deleted",
        call("delete-flow-logs-several", names),
        flow_logs_state,
        opened=[],
        closed=closed,
        revert=lambda: (create_flow_log(**to_group(vpc)), create_flow_log(**to_bucket(subnet))),
    )


ATTACKS: list[MakeAttack] = [trail_by_arn, trail_by_name, flow_log, several_flow_logs]
