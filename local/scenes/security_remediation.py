"""security_remediation, played."""

import json
from typing import Any
from uuid import uuid4

from local.commands import security
from local.seed import create_bucket
from local.stage import Stage


def bucket_made_public(stage: Stage) -> None:
    """Somebody gives a bucket to the world: only the public statement is taken out of its policy, and people are told."""
    s3, function = stage.client("s3"), "SecurityRemediationFunction"
    bucket, event = (
        f"{stage.stack.name}-open-{stage.cloud.account}",
        stage.sample("security_remediation/put-bucket-policy-public"),
    )
    named = event["detail"]["requestParameters"]["bucketName"]
    event = json.loads(json.dumps(event).replace(named, bucket))
    create_bucket(stage.cloud, bucket)
    s3.delete_public_access_block(Bucket=bucket)  # which every new bucket has on AWS
    own = {
        "Sid": "OwnAccount",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{stage.cloud.account}:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = event["detail"]["requestParameters"]["bucketPolicy"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy | {"Statement": [*policy["Statement"], own]}))
    stage.send(event, expect="S3Call")

    def statements() -> list[str]:
        return [s.get("Sid", "") for s in json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]]

    stage.expect(
        "the public statement is gone, the bucket's own one is kept", lambda: statements() == ["OwnAccount"], function
    )
    stage.alert(bucket, function)


def security_group_opened(stage: Stage) -> None:
    """Somebody opens SSH to the world: that permission is revoked, the others stay."""
    ec2, function = stage.client("ec2"), "SecurityRemediationFunction"
    group = security_group(stage, "web")
    for port in (443, 22):
        world = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[world])
    event = stage.sample("security_remediation/authorize-ingress-open-flat")
    event["detail"]["requestParameters"]["groupId"] = group
    event["detail"]["responseElements"] = None
    stage.send(event, expect="Ec2Call")

    def open_ports() -> list[int]:
        [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [p["FromPort"] for p in found["IpPermissions"] if p["IpRanges"]]

    stage.expect("SSH is closed, HTTPS is still open", lambda: open_ports() == [443], function)
    stage.alert(group, function)


def administrator_made(stage: Stage) -> None:
    """Somebody makes a user an administrator: the policy is detached, the user's own one stays."""
    iam, function = stage.client("iam"), "SecurityRemediationFunction"
    event = stage.sample("security_remediation/attach-user-policy-admin")
    user, policy = f"{stage.stack.name}-alice-{uuid4().hex[:6]}", event["detail"]["requestParameters"]["policyArn"]
    event["detail"]["requestParameters"]["userName"] = user
    iam.create_user(UserName=user)
    for attached in (policy, "arn:aws:iam::aws:policy/ReadOnlyAccess"):
        iam.attach_user_policy(UserName=user, PolicyArn=attached)
    stage.send(event, expect="IamCall")

    def policies() -> list[str]:
        return [item["PolicyName"] for item in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]]

    stage.expect(f"{user} has ReadOnlyAccess only", lambda: policies() == ["ReadOnlyAccess"], function)
    stage.alert(user, function)


def root_signs_in(stage: Stage) -> None:
    """Somebody uses the root user: people are told, nothing is touched."""
    stage.send(stage.sample("security_remediation/root-console-sign-in"), expect="RootActivity")
    stage.alert("root user signed in", "SecurityRemediationFunction")


def change_undone(stage: Stage) -> None:
    """Somebody needs a port open: the change is looked up in the audit, undone with a reason and a last day, and is exempt then."""
    ec2, s3, function = stage.client("ec2"), stage.client("s3"), "SecurityRemediationFunction"
    group = security_group(stage, "bastion")
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])

    def opened() -> dict[str, Any]:
        event = stage.sample("security_remediation/authorize-ingress-open-flat")
        event["detail"]["requestParameters"]["groupId"] = group
        event["detail"]["responseElements"] = None
        return event

    def is_open() -> bool:
        [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return any(one.get("FromPort") == 22 for one in found["IpPermissions"])

    event = opened()
    stage.send(event, expect="Ec2Call")
    stage.expect("SSH is closed", lambda: not is_open(), function)
    record = f"{event['time'][:10]}/security_group_ingress/{event['detail']['eventID']}"
    bucket = stage.stack.resources["AuditBucket"]
    versions = stage.expect(
        "the audit holds what was there before, and what was done",
        lambda: s3.list_object_versions(Bucket=bucket, Prefix=f"audit/{record}")["Versions"],
        function,
    )
    stage.say("audit", f"{record}: {len(versions)} versions")
    security.put_back(stage.stack, record, reason="vendor access until the migration", days=7)
    stage.expect("it is open again, as it was", is_open, function)
    stage.send(opened(), expect="Ec2Call")
    stage.alert(f"{group} is open to the world", function)
    stage.expect("and it stays open, because it is exempt", is_open, function)


def security_group(stage: Stage, name: str) -> str:
    """Id of a new security group in a network of its own."""
    ec2 = stage.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=stage.tags("vpc"))["Vpc"]["VpcId"]
    group = ec2.create_security_group(
        GroupName=name, Description="Of the demo", VpcId=vpc, TagSpecifications=stage.tags("security-group")
    )
    return str(group["GroupId"])
