"""Deletions of what watches the account: trails, flow logs, Resolver query logging. The hourly run noted them before."""

from typing import Any

from automations import aws
from security_remediation.baseline import take
from security_remediation.reading import tags_of
from security_remediation.remediations import (
    flow_logs_deleted,
    resolver_query_logging_deleted,
    trail_changed,
    trail_deleted,
)
from tests.unit.security_remediation import mended_moto  # noqa: F401 # it adds what moto lacks
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import call, just_now

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
    """The trail as AWS describes it, without the tag that exempts it; None when there is none."""
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
        "tags": [tag for tag in client.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"] if tag != TAG],
        "logs": client.get_trail_status(Name=arn)["IsLogging"],
    }


def _trail(event: dict[str, Any]) -> Attack:
    arguments = create_trail()
    take({"trails": trail_deleted.snapshot})
    before = trail_state()
    client = aws.cloudtrail()
    client.delete_trail(Name=TRAIL)
    event["detail"]["eventTime"] = just_now()

    def exempt() -> None:
        create_again()
        client.add_tags(ResourceId=_arn(), TagsList=[TAG])  # type: ignore[list-item]
        take({"trails": trail_deleted.snapshot})
        client.delete_trail(Name=TRAIL)
        event["detail"]["eventTime"] = just_now()

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


ELSEWHERE = "amzn-s3-demo-elsewhere"


def changed(request: dict[str, Any], *, improved: dict[str, Any] | None = None) -> Attack:
    """The trail is updated by such a request, in the words of a record, and by what is no weakening besides."""
    arguments = create_trail()
    aws.s3().create_bucket(Bucket=ELSEWHERE, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    take({"trails": trail_changed.snapshot})
    before, client = trail_state(), aws.cloudtrail()
    every = {**request, **(improved or {})}
    client.update_trail(Name=TRAIL, **{name[0].upper() + name[1:]: value for name, value in every.items()})
    named = {"name": _arn(), **every}
    event = call("update-trail-weakened", requestParameters=named, responseElements=None, eventTime=just_now())
    better = call(
        "update-trail-weakened",
        requestParameters={"name": TRAIL, "enableLogFileValidation": True, "isMultiRegionTrail": True},
        eventTime=just_now(),
    )
    return Attack(
        "trail_changed",
        event,
        trail_state,
        opened=trail_state(),
        closed=before,
        revert=lambda: client.update_trail(**{name: arguments[name] for name in arguments if name != "TagsList"}),
        exempt=lambda: client.add_tags(ResourceId=_arn(), TagsList=[TAG]),  # type: ignore[list-item]
        harmless={"switched on": better},
    )


def trail_narrowed() -> Attack:
    return changed({"includeGlobalServiceEvents": False, "isMultiRegionTrail": False, "enableLogFileValidation": False})


def trail_of_the_organisation_narrowed() -> Attack:
    return changed({"isOrganizationTrail": False})


def trail_moved() -> Attack:
    return changed({"s3BucketName": ELSEWHERE, "s3KeyPrefix": "drafts"}, improved={"enableLogFileValidation": True})


def trail_encrypted_with_another_key() -> Attack:
    return changed({"kmsKeyId": "arn:aws:kms:ap-northeast-2:444455556666:key/7a2b9c3d-5555-6666-7777-888899990000"})


def trail_cut_off() -> Attack:
    """Its topic, its log group and its key are taken away."""
    return changed({"snsTopicName": "", "cloudWatchLogsLogGroupArn": "", "cloudWatchLogsRoleArn": "", "kmsKeyId": ""})


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
    return to_bucket(vpc) | {"ResourceType": "VPC", "TrafficType": "REJECT"}


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


DESTINATION = "arn:aws:logs:ap-northeast-2:123456789012:log-group:/dns/queries:*"


def create_query_logging(*vpcs: str, creator: str = "by hand") -> str:
    client = aws.route53resolver()
    config = client.create_resolver_query_log_config(
        Name="dns-queries",
        DestinationArn=DESTINATION,
        CreatorRequestId=creator,
        Tags=[{"Key": "team", "Value": "network"}],
    )["ResolverQueryLogConfig"]["Id"]
    for vpc in vpcs:
        client.associate_resolver_query_log_config(ResolverQueryLogConfigId=config, ResourceId=vpc)
    return config


def query_logging_state() -> list[tuple[str, str, dict[str, str], list[str]]]:
    """Name, destination, tags and VPCs of each configuration."""
    client = aws.route53resolver()
    associations = client.list_resolver_query_log_config_associations()["ResolverQueryLogConfigAssociations"]
    return [
        (
            one["Name"],
            one["DestinationArn"],
            tags_of(tag for tag in client.list_tags_for_resource(ResourceArn=one["Arn"])["Tags"] if tag != TAG),
            sorted(each["ResourceId"] for each in associations if each["ResolverQueryLogConfigId"] == one["Id"]),
        )
        for one in client.list_resolver_query_log_configs()["ResolverQueryLogConfigs"]
    ]


def take_query_logging() -> None:
    take({"query logging": resolver_query_logging_deleted.snapshot})


def take_out(config: str, *vpcs: str) -> None:
    for vpc in vpcs:
        aws.route53resolver().disassociate_resolver_query_log_config(ResolverQueryLogConfigId=config, ResourceId=vpc)


def delete_query_logging(config: str, *vpcs: str) -> None:
    take_out(config, *vpcs)
    aws.route53resolver().delete_resolver_query_log_config(ResolverQueryLogConfigId=config)


def tag_query_logging() -> None:
    [found] = aws.route53resolver().list_resolver_query_log_configs()["ResolverQueryLogConfigs"]
    aws.route53resolver().tag_resource(ResourceArn=found["Arn"], Tags=[TAG])  # type: ignore[list-item]


def query_logging() -> Attack:
    vpcs = create_vpc(), create_vpc()
    config = create_query_logging(*vpcs)
    take_query_logging()
    closed = query_logging_state()
    delete_query_logging(config, *vpcs)
    event = call("delete-resolver-query-log-config", {"rqlc-0123456789abcdef": config})

    def exempt() -> None:
        again = create_query_logging(*vpcs, creator="again")
        tag_query_logging()
        take_query_logging()
        delete_query_logging(again, *vpcs)
        event["detail"]["requestParameters"]["resolverQueryLogConfigId"] = again

    return Attack(
        "resolver_query_logging_deleted",
        event,
        query_logging_state,
        opened=[],
        closed=closed,
        revert=lambda: create_query_logging(*vpcs, creator="again"),
        exempt=exempt,
    )


def vpc_taken_out_of_query_logging() -> Attack:
    kept, vpc = create_vpc(), create_vpc()
    config = create_query_logging(kept, vpc)
    closed = query_logging_state()
    take_out(config, vpc)
    names = {"rqlc-0123456789abcdef": config, "vpc-0123456789abcdef0": vpc}
    return Attack(
        "resolver_query_logging_deleted",
        call("disassociate-resolver-query-log-config", names),
        query_logging_state,
        opened=query_logging_state(),
        closed=closed,
        revert=lambda: aws.route53resolver().associate_resolver_query_log_config(
            ResolverQueryLogConfigId=config, ResourceId=vpc
        ),
        exempt=tag_query_logging,
    )


ATTACKS: list[MakeAttack] = [
    trail_by_arn,
    trail_by_name,
    trail_narrowed,
    trail_of_the_organisation_narrowed,
    trail_moved,
    trail_encrypted_with_another_key,
    trail_cut_off,
    flow_log,
    several_flow_logs,
    query_logging,
    vpc_taken_out_of_query_logging,
]
