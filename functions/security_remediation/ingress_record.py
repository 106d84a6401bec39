"""What CloudTrail's records of security group calls say, in each of their forms.

`AuthorizeSecurityGroupIngress` has one permission flat at the top or several under `ipPermissions.items`, and newer records
also the rules that were made. `ModifySecurityGroupRules` wraps all in the name of its request and spells it as the API does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.ingress import Permission, permission


def group_id(record: CloudTrailRecord) -> str:
    """The security group's id; empty when the call named the group."""
    request = _request(record)
    return str(request.get("groupId") or request.get("GroupId") or "")


def recorded_ids(record: CloudTrailRecord) -> frozenset[str]:
    """The ids of the rules that the call made or changed; empty when the record is too old to have them."""
    return frozenset(rule["SecurityGroupRuleId"] for rule in _rules(record) if rule.get("SecurityGroupRuleId"))


def recorded_permissions(record: CloudTrailRecord) -> list[Permission]:
    """What the call let in; for `ModifySecurityGroupRules`, what it let in or out."""
    rules = _rules(record)
    return [one for rule in rules for one in of_rule(rule)] if rules else list(_requested_permissions(record))


def _request(record: CloudTrailRecord) -> Mapping[str, Any]:
    request = record.request_parameters or {}
    return request.get("ModifySecurityGroupRulesRequest") or request


def _rules(record: CloudTrailRecord) -> list[dict[str, Any]]:
    """The rules of the record, spelled as the API does."""
    if record.event_name == "ModifySecurityGroupRules":
        return [
            {**update.get("SecurityGroupRule", {}), "SecurityGroupRuleId": update.get("SecurityGroupRuleId")}
            for update in _list(_request(record).get("SecurityGroupRule"))
        ]
    answered = _items((record.response_elements or {}).get("securityGroupRuleSet"))
    return [{name[:1].upper() + name[1:]: value for name, value in rule.items()} for rule in answered]


def _requested_permissions(record: CloudTrailRecord) -> Iterator[Permission]:
    request = _request(record)
    for group in [request, *_items(request.get("ipPermissions"))]:
        ranges = [*_items(group.get("ipRanges")), *_items(group.get("ipv6Ranges")), group]
        for cidr in (one[name] for one in ranges for name in ("cidrIp", "cidrIpv6") if one.get(name)):
            yield from permission(group.get("ipProtocol"), group.get("fromPort"), group.get("toPort"), cidr)


def of_rule(rule: Mapping[str, Any]) -> tuple[Permission, ...]:
    """A security group rule as the API has it; none when it lets in another group or a prefix list."""
    cidr = rule.get("CidrIpv4") or rule.get("CidrIpv6")
    ports = rule.get("FromPort"), rule.get("ToPort")
    return permission(rule.get("IpProtocol"), *ports, cidr, rule.get("SecurityGroupRuleId") or "") if cidr else ()


def _items(value: Any) -> list[Mapping[str, Any]]:
    """CloudTrail's form of EC2's lists: `{"items": [...]}`, and `{}` for an empty one."""
    return _list(value.get("items")) if isinstance(value, Mapping) else []


def _list(value: Any) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
