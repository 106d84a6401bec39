"""The account's Security Hub CSPM is switched off: enable it again, with its default standards.

Which standards were on is not in the record and lost with them: the new ones are AWS Foundational Security Best Practices and CIS
AWS Foundations Benchmark 1.2.0, as when Security Hub is enabled for the first time. Members and administrator are gone too. Its
findings and insights are deleted only 90 days later.
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DisableSecurityHub.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import own_region, unless_absent
from security_remediation.watching import THE_HUB, service_role

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "security_hub"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"securityhub.amazonaws.com": ("DisableSecurityHub",)}
READS: Permissions = (Allow(("securityhub:DescribeHub",), THE_HUB),)
WRITES: Permissions = (
    Allow(("securityhub:EnableSecurityHub",), THE_HUB),
    Allow(("iam:CreateServiceLinkedRole",), service_role("securityhub.amazonaws.com", "AWSServiceRoleForSecurityHub")),
)
SURE = "Certain. Standards and controls that are switched off one by one are not judged, nor is the newer Security Hub (V2)."

# What an account without a hub is answered.
NOT_ENABLED = ("InvalidAccessException", "ResourceNotFoundException")


def read(record: CloudTrailRecord) -> State:
    client = aws.securityhub()
    own_region(record, client, "hub")
    return State({"enabled": unless_absent(client.describe_hub, *NOT_ENABLED) is not None})


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    resource = f"Security Hub in {record.aws_region}"
    if state.current["enabled"]:
        return settled(resource, "was switched off", state)
    return Plan(
        resource,
        "is switched off",
        SEVERITY,
        steps=(
            "Enable it again, with its default standards. Which ones were on, and its members, has to be set up again.",
        ),
        change={"EnableDefaultStandards": True},
        before={"enabled": False},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.securityhub().enable_security_hub(**plan.change), "ResourceConflictException")


def restore(before: Mapping[str, Any]) -> None:  # noqa: ARG001 # the same form for all
    unless_absent(aws.securityhub().disable_security_hub, *NOT_ENABLED)
