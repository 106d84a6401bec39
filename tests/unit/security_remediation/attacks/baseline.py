"""Deletions of what watches the account: trails, flow logs, Resolver query logging. The hourly run noted them before."""

from typing import Any

from automations import aws
from security_remediation.baseline import take
from security_remediation.remediations import trail_deleted
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


ATTACKS: list[MakeAttack] = [trail_by_arn, trail_by_name]
