"""A security group opens a sensitive port to the world: revoke the permissions that do it, of those that the call added.

The permissions that were there before count too: two halves of the internet, added by two calls, are the whole of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.errors import Refused
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.ingress import Permission, offending
from security_remediation.ingress_record import group_id, of_rule, recorded_ids, recorded_permissions
from security_remediation.plan import Actions, Events, Plan, State, settled
from security_remediation.reading import unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "security_group_ingress"
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"ec2.amazonaws.com": ("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules")}
READS: Actions = ("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules")
WRITES: Actions = ("ec2:RevokeSecurityGroupIngress",)


@dataclass(frozen=True)
class Group:
    """A security group as it is now.

    Attributes:
        permissions: what it lets in.
        egress: ids of its rules for outgoing traffic, which records of modified rules do not tell from the others.
    """

    id: str
    permissions: tuple[Permission, ...]
    egress: frozenset[str] = frozenset()


def read(record: CloudTrailRecord) -> State:
    ec2 = aws.ec2()
    if record.aws_region not in {"", ec2.meta.region_name}:
        raise Refused(
            f"The security group is in {record.aws_region}; this function looks after {ec2.meta.region_name} only."
        )
    group = group_id(record)
    asked: dict[str, Any] = {"GroupIds": [group]} if group else {"GroupNames": [record.required("groupName")]}
    found = unless_absent(lambda: ec2.describe_security_groups(**asked), "InvalidGroup.NotFound")
    if not found or not found["SecurityGroups"]:
        return State(current=None)
    [known] = found["SecurityGroups"]
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [known["GroupId"]]}]
    )
    rules = [rule for page in pages for rule in page["SecurityGroupRules"]]
    return State(
        current=Group(
            known["GroupId"],
            permissions=tuple(one for rule in rules if not rule["IsEgress"] for one in of_rule(rule)),
            egress=frozenset(rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"]),
        ),
        tags={tag["Key"]: tag["Value"] for tag in known.get("Tags", [])},
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    group: Group = state.current or Group(group_id(record) or record.required("groupName"), ())
    recorded = [one for one in recorded_permissions(record) if one.rule_id not in group.egress]
    ids = recorded_ids(record)  # older records have none: then what they let in is compared
    added = [
        now for now in group.permissions if (now.rule_id in ids if ids else any(now.same_as(one) for one in recorded))
    ]
    others = [now for now in group.permissions if now not in added]
    resource = f"Security group {group.id}"
    if still := offending(added, others, settings.sensitive_ports):
        return Plan(
            resource,
            f"is open to the world ({', '.join(map(str, still))})",
            SEVERITY,
            steps=tuple(f"Revoke the permission {one.rule_id}: {one}." for one in still),
            change={"GroupId": group.id, "SecurityGroupRuleIds": [one.rule_id for one in still]},
        )
    opened = offending(recorded, others, settings.sensitive_ports)
    return settled(resource, f"was opened to the world ({', '.join(map(str, opened))})", state) if opened else None


def apply(plan: Plan) -> None:
    for rule in plan.change["SecurityGroupRuleIds"]:  # one by one: AWS revokes none when one of several is gone
        unless_absent(
            lambda rule=rule: aws.ec2().revoke_security_group_ingress(  # type: ignore[misc]
                GroupId=plan.change["GroupId"], SecurityGroupRuleIds=[rule]
            ),
            "InvalidSecurityGroupRuleId.NotFound",
            "InvalidPermission.NotFound",
            "InvalidGroup.NotFound",
        )
