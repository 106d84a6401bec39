"""The settings of a CloudTrail trail, as they are read, compared and put."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automations import aws
from security_remediation.baseline import chosen, own_tags
from security_remediation.reading import unless_absent

# Settings that both DescribeTrails and CreateTrail have, in the former's words.
KEPT = (
    "Name",
    "S3BucketName",
    "S3KeyPrefix",
    "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail",
    "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn",
    "KmsKeyId",
    "IsOrganizationTrail",
    "RecursiveLogging",
)


def logs(name: str) -> bool:
    return bool(aws.cloudtrail().get_trail_status(Name=name)["IsLogging"])


def settings_of(trail: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the trail again: the arguments of CreateTrail as `create`, and its selectors.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html: a topic may be an ARN.
    """
    client, arn = aws.cloudtrail(), trail["TrailARN"]
    selectors: Mapping[str, Any] = client.get_event_selectors(TrailName=arn)
    insights = unless_absent(lambda: client.get_insight_selectors(TrailName=arn), "InsightNotEnabledException")
    [tags] = client.list_tags(ResourceIdList=[arn])["ResourceTagList"]
    renamed = {
        "SnsTopicName": trail.get("SnsTopicARN"),
        "EnableLogFileValidation": trail.get("LogFileValidationEnabled"),
        "TagsList": own_tags(tags.get("TagsList", [])),
    }
    return {
        "create": chosen(trail, KEPT) | chosen(renamed, renamed),
        "selectors": chosen(selectors, ("EventSelectors", "AdvancedEventSelectors")),
        "insights": insights.get("InsightSelectors", []) if insights else [],
    }


def without_tags(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of CreateTrail that make two trails alike."""
    return {name: value for name, value in settings["create"].items() if name != "TagsList"}


def put_selectors(change: Mapping[str, Any]) -> None:
    """Put the event and Insights selectors that are among the changes; no Insights selectors switch Insights off."""
    client, name = aws.cloudtrail(), change["Name"]
    if change.get("selectors"):
        client.put_event_selectors(TrailName=name, **change["selectors"])
    if "insights" in change:
        client.put_insight_selectors(TrailName=name, InsightSelectors=change["insights"])
