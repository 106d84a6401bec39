"""Attacks on buckets, security groups and IAM, the first six remediations."""

import json
from typing import Any

from moto.iam.models import AWSManagedPolicy, iam_backends

from automations import aws
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import BUCKET, call

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
OWN_STATEMENT = {
    "Sid": "Own",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}


def create_bucket() -> None:
    aws.s3().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})


def tag_bucket() -> None:
    aws.s3().put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [TAG]})  # type: ignore[list-item]


def _policy(name: str) -> Attack:
    create_bucket()
    event = call(name)
    [strange] = event["detail"]["requestParameters"]["bucketPolicy"]["Statement"]
    event["detail"]["requestParameters"]["bucketPolicy"]["Statement"] = [OWN_STATEMENT, strange]
    policy = {"Version": "2012-10-17", "Statement": [OWN_STATEMENT, strange]}
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    return Attack(
        "bucket_policy",
        event,
        state=lambda: json.loads(aws.s3().get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"],
        opened=[OWN_STATEMENT, strange],
        closed=[OWN_STATEMENT],
        revert=lambda: aws.s3().put_bucket_policy(
            Bucket=BUCKET, Policy=json.dumps(policy | {"Statement": [OWN_STATEMENT]})
        ),
        exempt=tag_bucket,
    )


def policy_for_everyone() -> Attack:
    return _policy("put-bucket-policy-public")


def policy_for_a_foreign_account() -> Attack:
    return _policy("put-bucket-policy-foreign-account")


def _grants(answer: Any) -> list[tuple[str, str]]:
    return sorted((one["Grantee"].get("URI", "owner"), one["Permission"]) for one in answer["Grants"])


def _bucket_acl(name: str) -> Attack:
    create_bucket()
    owner = aws.s3().get_bucket_acl(Bucket=BUCKET)["Owner"]["ID"]
    aws.s3().put_bucket_acl(
        Bucket=BUCKET,
        GrantFullControl=f"id={owner}",
        GrantRead=f"uri={ALL_USERS}",
        GrantWrite=f"uri={LOG_DELIVERY}",
    )
    return Attack(
        "public_acl",
        call(name),
        state=lambda: _grants(aws.s3().get_bucket_acl(Bucket=BUCKET)),
        opened=[(ALL_USERS, "READ"), (LOG_DELIVERY, "WRITE"), ("owner", "FULL_CONTROL")],
        closed=[(LOG_DELIVERY, "WRITE"), ("owner", "FULL_CONTROL")],
        revert=lambda: aws.s3().put_bucket_acl(Bucket=BUCKET, ACL="private"),
        exempt=tag_bucket,
    )


def bucket_acl() -> Attack:
    return _bucket_acl("put-bucket-acl-public")


def bucket_acl_by_grants() -> Attack:
    return _bucket_acl("put-bucket-acl-public-grants")


def object_acl() -> Attack:
    create_bucket()
    event = call("put-object-acl-public")
    key = event["detail"]["requestParameters"]["key"]
    aws.s3().put_object(Bucket=BUCKET, Key=key, Body=b"x", ACL="public-read")
    return Attack(
        "public_acl",
        event,
        state=lambda: _grants(aws.s3().get_object_acl(Bucket=BUCKET, Key=key)),
        opened=[(ALL_USERS, "READ"), ("owner", "FULL_CONTROL")],
        closed=[("owner", "FULL_CONTROL")],
        revert=lambda: aws.s3().put_object_acl(Bucket=BUCKET, Key=key, ACL="private"),
        exempt=tag_bucket,
    )


def _flags() -> str:
    """The four settings as ones and zeros; none without a configuration."""
    try:
        answer = aws.s3().get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    except aws.s3().exceptions.ClientError:
        return ""
    order = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return "".join(str(int(answer[flag])) for flag in order)  # type: ignore[literal-required]


def _block_all() -> None:
    on: Any = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    aws.s3().put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=on)


def public_access_block_deleted() -> Attack:
    create_bucket()
    event = call("delete-bucket-public-access-block")
    return Attack(
        "public_access_block",
        event,
        _flags,
        opened="",
        closed="1111",
        revert=_block_all,
        exempt=tag_bucket,
        restored="0000",
    )


def public_access_block_partly_off() -> Attack:
    create_bucket()
    aws.s3().put_public_access_block(
        Bucket=BUCKET,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    event = call("put-bucket-public-access-block-off")
    event["detail"]["requestParameters"]["PublicAccessBlockConfiguration"] |= {"BlockPublicAcls": True}
    return Attack(
        "public_access_block", event, _flags, opened="1100", closed="1111", revert=_block_all, exempt=tag_bucket
    )


def _rule(port: int, cidr: str) -> dict[str, Any]:
    ranges = {"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges}


def _rules(group: str) -> dict[str, dict[str, Any]]:
    """The ingress rules by what they let in: `22 0.0.0.0/0`."""
    pages = aws.ec2().describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return {
        f"{rule['FromPort']} {rule.get('CidrIpv4') or rule.get('CidrIpv6')}": rule  # type: ignore[misc]
        for rule in pages["SecurityGroupRules"]
        if not rule["IsEgress"]
    }


def create_group(*let_in: tuple[int, str]) -> str:
    group = aws.ec2().create_security_group(GroupName="web", Description="Web servers")["GroupId"]
    for port, cidr in let_in:
        aws.ec2().authorize_security_group_ingress(GroupId=group, IpPermissions=[_rule(port, cidr)])  # type: ignore[list-item]
    return group


def _ingress(name: str, rule_ids: dict[str, str], kept: list[tuple[int, str]], bad: list[tuple[int, str]]) -> Attack:
    """The group lets in `kept` and `bad`; `rule_ids` says which rules have the ids of the sample."""
    group = create_group(*kept, *bad)
    rules = _rules(group)
    replaced = {old: rules[what]["SecurityGroupRuleId"] for old, what in rule_ids.items()}
    bad_ids = [rules[f"{port} {cidr}"]["SecurityGroupRuleId"] for port, cidr in bad]
    return Attack(
        "security_group_ingress",
        call(name, {"sg-0123456789abcdef0": group} | replaced),
        state=lambda: sorted(_rules(group)),
        opened=sorted(f"{port} {cidr}" for port, cidr in [*kept, *bad]),
        closed=sorted(f"{port} {cidr}" for port, cidr in kept),
        revert=lambda: [
            aws.ec2().revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[one]) for one in bad_ids
        ],
        exempt=lambda: aws.ec2().create_tags(Resources=[group], Tags=[TAG]),  # type: ignore[list-item]
    )


KEPT = [(443, "0.0.0.0/0"), (22, "203.0.113.0/24")]


def ingress() -> Attack:
    return _ingress(
        "authorize-ingress-open-flat", {"sgr-e985d907fd8b63617": "22 0.0.0.0/0"}, KEPT, bad=[(22, "0.0.0.0/0")]
    )


def ingress_of_an_older_record() -> Attack:
    attack = _ingress("authorize-ingress-open-flat", {}, KEPT, bad=[(22, "0.0.0.0/0")])
    attack.event["detail"]["responseElements"] = {"_return": True}
    return attack


def ingress_by_group_name() -> Attack:
    attack = ingress_of_an_older_record()
    del attack.event["detail"]["requestParameters"]["groupId"]
    attack.event["detail"]["requestParameters"]["groupName"] = "web"
    return attack


def ingress_in_two_halves() -> Attack:
    ids = {
        "sgr-ac20bfc4454d69ebb": "443 0.0.0.0/0",
        "sgr-246938197543883d6": "3306 0.0.0.0/1",
        "sgr-e8d3a0a85d063d35d": "3306 128.0.0.0/1",
    }
    return _ingress("authorize-ingress-open-items", ids, KEPT, bad=[(3306, "0.0.0.0/1"), (3306, "128.0.0.0/1")])


def ingress_for_ipv6() -> Attack:
    return _ingress("authorize-ingress-open-ipv6", {"sgr-b681f9e9d4c6d1588": "22 ::/0"}, KEPT, bad=[(22, "::/0")])


def ingress_by_modification() -> Attack:
    return _ingress(
        "modify-security-group-rules-open", {"sgr-3c5ffd51ad170fce4": "22 0.0.0.0/0"}, KEPT, bad=[(22, "0.0.0.0/0")]
    )


def know_aws_policies() -> None:
    """moto knows AWS's policies only when it loads all of them, which takes seconds; these two are enough."""
    for name in ("AdministratorAccess", "ReadOnlyAccess"):
        data = {
            "Arn": f"arn:aws:iam::aws:policy/{name}",
            "Path": "/",
            "CreateDate": "2015-02-06T18:39:46+00:00",
            "DefaultVersionId": "v1",
            "Document": {"Version": "2012-10-17", "Statement": []},
            "UpdateDate": "2015-02-06T18:39:46+00:00",
        }
        policy = AWSManagedPolicy.from_data(name, ACCOUNT, "aws", data)
        iam_backends[ACCOUNT]["aws"].managed_policies[policy.arn] = policy


def _attached(kind: str, name: str) -> list[str]:
    lists = getattr(aws.iam(), f"list_attached_{kind.lower()}_policies")
    return sorted(one["PolicyName"] for one in lists(**{f"{kind}Name": name})["AttachedPolicies"])


def _admin(kind: str, name: str) -> Attack:
    know_aws_policies()
    iam, target = aws.iam(), {f"{kind}Name": name}
    getattr(iam, f"create_{kind.lower()}")(**target, **({"AssumeRolePolicyDocument": "{}"} if kind == "Role" else {}))
    for policy in ("ReadOnlyAccess", "AdministratorAccess"):
        getattr(iam, f"attach_{kind.lower()}_policy")(**target, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return Attack(
        "administrator_policy",
        call(f"attach-{kind.lower()}-policy-admin"),
        state=lambda: _attached(kind, name),
        opened=["AdministratorAccess", "ReadOnlyAccess"],
        closed=["ReadOnlyAccess"],
        revert=lambda: getattr(iam, f"detach_{kind.lower()}_policy")(**target, PolicyArn=ADMIN),
        exempt=None if kind == "Group" else lambda: getattr(iam, f"tag_{kind.lower()}")(**target, Tags=[TAG]),
    )


def administrator_user() -> Attack:
    return _admin("User", "Bob")


def administrator_role() -> Attack:
    return _admin("Role", "ReportingRole")


def administrator_group() -> Attack:
    return _admin("Group", "Developers")


ATTACKS: list[MakeAttack] = [
    policy_for_everyone,
    bucket_acl,
    public_access_block_deleted,
    ingress,
    administrator_role,
    policy_for_a_foreign_account,
    bucket_acl_by_grants,
    object_acl,
    public_access_block_partly_off,
    ingress_of_an_older_record,
    ingress_by_group_name,
    ingress_in_two_halves,
    ingress_for_ipv6,
    ingress_by_modification,
    administrator_user,
    administrator_group,
]
