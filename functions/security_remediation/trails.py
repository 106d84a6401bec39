"""The settings of CloudTrail's trails, as they are noted, read, compared and put."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automations import aws
from security_remediation.baseline import chosen, own_tags
from security_remediation.permissions import ANY_ROLE, ANY_TRAIL, NO_RESOURCES
from security_remediation.plan import Allow
from security_remediation.reading import unless_absent
from security_remediation.watching import service_role

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
READ_TRAILS = (
    Allow(("cloudtrail:DescribeTrails",), why=NO_RESOURCES),
    Allow(
        (
            "cloudtrail:GetTrail",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:GetEventSelectors",
            "cloudtrail:GetInsightSelectors",
            "cloudtrail:ListTags",
        ),
        ANY_TRAIL,
    ),
)
WRITE_AS_NOTED = (
    # The roles are in the notes, which a template cannot know: only CloudTrail may be given one.
    Allow(
        ("iam:PassRole",), ANY_ROLE, conditions={"StringEquals": {"iam:PassedToService": "cloudtrail.amazonaws.com"}}
    ),
    # For the trail of an organisation.
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-an-organizational-trail-prepare.html
    Allow(
        ("organizations:DescribeOrganization", "organizations:ListAWSServiceAccessForOrganization"), why=NO_RESOURCES
    ),
    Allow(("iam:GetRole",), service_role("cloudtrail.amazonaws.com", "*")),
)


def snapshot() -> dict[str, dict[str, Any]]:
    """The trails whose home is this region, and that log."""
    trails = aws.cloudtrail().describe_trails(includeShadowTrails=False)["trailList"]
    return {key_of(trail["Name"]): settings_of(trail) for trail in trails if logs(trail["Name"])}


def key_of(name: str) -> str:
    """Of a trail's note."""
    return f"trail/{name}"


def logs(name: str) -> bool:
    return bool(aws.cloudtrail().get_trail_status(Name=name)["IsLogging"])


def settings_of(trail: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the trail again: the arguments of CreateTrail as `create`, and its selectors."""
    client, arn = aws.cloudtrail(), trail["TrailARN"]
    selectors: Mapping[str, Any] = client.get_event_selectors(TrailName=arn)
    insights = unless_absent(lambda: client.get_insight_selectors(TrailName=arn), "InsightNotEnabledException")
    [tags] = client.list_tags(ResourceIdList=[arn])["ResourceTagList"]
    return {
        "create": arguments_of(trail) | chosen({"TagsList": own_tags(tags.get("TagsList", []))}, ("TagsList",)),
        "selectors": chosen(selectors, ("EventSelectors", "AdvancedEventSelectors")),
        "insights": insights.get("InsightSelectors", []) if insights else [],
    }


def arguments_of(trail: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of CreateTrail and UpdateTrail that make a trail like this one, which DescribeTrails or GetTrail describes.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html: a topic may be an ARN.
    """
    renamed = {
        "SnsTopicName": trail.get("SnsTopicARN"),
        "EnableLogFileValidation": trail.get("LogFileValidationEnabled"),
    }
    return chosen(trail, KEPT) | chosen(renamed, renamed)


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
