from typing import Any

import pytest

from automations import aws
from security_remediation.handler import lambda_handler
from security_remediation.remediations import security_group_ingress
from tests.unit.security_remediation.attacks.first import create_group
from tests.unit.security_remediation.conftest import audit_records, call

pytestmark = pytest.mark.usefixtures("deployed", "enforce")
TAGS = [{"Key": "owner", "Value": "web"}]


@pytest.mark.parametrize(
    "permission",
    [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    ],
)
@pytest.mark.parametrize("description", ["", "SSH for the vendor"])
@pytest.mark.parametrize("tags", [[], TAGS])
def test_undo_puts_a_rule_back_with_its_description_and_tags(permission, description, tags, alerts, context):
    def rules() -> Any:
        found = aws.ec2().describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        return [
            {key: value for key, value in rule.items() if key != "SecurityGroupRuleId"}
            for rule in found["SecurityGroupRules"]
            if not rule["IsEgress"]
        ]

    group = create_group()
    [kind] = [key for key in permission if key.endswith("Ranges")]
    ranges = [permission[kind][0] | ({"Description": description} if description else {})]
    made = aws.ec2().authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[permission | {kind: ranges}],
        TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": tags}] if tags else [],
    )
    before = rules()
    ids = {"sg-0123456789abcdef0": group, "sgr-e985d907fd8b63617": made["SecurityGroupRules"][0]["SecurityGroupRuleId"]}

    lambda_handler(call("authorize-ingress-open-flat", ids), context)
    assert rules() == []

    kept = audit_records()[0]["before"]
    security_group_ingress.restore(kept)
    assert rules() == before

    security_group_ingress.restore(kept)  # InvalidPermission.Duplicate
    assert rules() == before
