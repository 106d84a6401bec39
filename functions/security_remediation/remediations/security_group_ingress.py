"""A security group opens a sensitive port to the world: revoke the permissions that do it, of those that the call added.

The permissions that were there before count too: two halves of the internet, added by two calls, are the whole of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.ingress import Permission, offending
from security_remediation.ingress_record import group_id, of_rule, recorded_ids, recorded_permissions
from security_remediation.permissions import NO_RESOURCES, ec2
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import own_region, tags_of, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "security_group_ingress"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"ec2.amazonaws.com": ("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules")}
READS: Permissions = (Allow(("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules"), why=NO_RESOURCES),)
WRITES: Permissions = (Allow(("ec2:RevokeSecurityGroupIngress",), ec2("security-group")),)
SURE = "Certain for address ranges. Prefix lists and groups as sources are not judged, nor whether a route leads to the group."


@dataclass(frozen=True)
class Group:
    """A security group as it is now.

    Attributes:
        permissions: what it lets in.
        rules: its rules by their ids.
    """

    id: str
    permissions: tuple[Permission, ...]
    rules: Mapping[str, Any] = field(default_factory=dict)

    def is_egress(self, rule_id: str) -> bool:
        """Records of modified rules do not tell those for outgoing traffic from the others."""
        return rule_id in self.rules and bool(self.rules[rule_id]["IsEgress"])


def read(record: CloudTrailRecord) -> State:
    client = aws.ec2()
    own_region(record, client, "security group")
    group = group_id(record)
    asked: dict[str, Any] = {"GroupIds": [group]} if group else {"GroupNames": [record.required("groupName")]}
    found = unless_absent(lambda: client.describe_security_groups(**asked), "InvalidGroup.NotFound")
    if not found or not found["SecurityGroups"]:
        return State(current=None)
    [known] = found["SecurityGroups"]
    pages = client.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [known["GroupId"]]}]
    )
    rules = [rule for page in pages for rule in page["SecurityGroupRules"]]
    return State(
        current=Group(
            known["GroupId"],
            permissions=tuple(one for rule in rules if not rule["IsEgress"] for one in of_rule(rule)),
            rules={rule["SecurityGroupRuleId"]: rule for rule in rules},
        ),
        tags=tags_of(known.get("Tags")),
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    group: Group = state.current or Group(group_id(record) or record.required("groupName"), ())
    recorded = [one for one in recorded_permissions(record) if not group.is_egress(one.rule_id)]
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
            before={"GroupId": group.id, "Rules": [_as_added(group.rules[one.rule_id]) for one in still]},
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


def restore(before: Mapping[str, Any]) -> None:
    for rule in before["Rules"]:  # one by one: AWS adds none when one of several is there
        unless_absent(
            lambda rule=rule: aws.ec2().authorize_security_group_ingress(  # type: ignore[misc]
                GroupId=before["GroupId"], **rule
            ),
            "InvalidPermission.Duplicate",
        )


def _as_added(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that add the rule as it is, with its description and its tags; its id will be another.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    told = {"Description": rule["Description"]} if rule.get("Description") else {}
    source = (
        {"Ipv6Ranges": [{"CidrIpv6": rule["CidrIpv6"], **told}]}
        if rule.get("CidrIpv6")
        else {"IpRanges": [{"CidrIp": rule["CidrIpv4"], **told}]}
    )
    ports = {key: rule[key] for key in ("FromPort", "ToPort") if key in rule}
    tags = [{"ResourceType": "security-group-rule", "Tags": rule["Tags"]}] if rule.get("Tags") else []
    return {"IpPermissions": [{"IpProtocol": rule["IpProtocol"], **ports, **source}]} | (
        {"TagSpecifications": tags} if tags else {}
    )
