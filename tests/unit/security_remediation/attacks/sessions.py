"""Attacks with sessions and credentials: sign-ins, federation, instances, Systems Manager, Bedrock."""

import json
from datetime import timedelta
from typing import Any

from moto.ssm.models import ssm_backends

from automations import aws
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.security_remediation.answers import answer
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import call

OTHER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def _inline(kind: str, name: str) -> dict[str, Any]:
    """What the inline policies deny, by their names; what they allow is "allow"."""
    iam: Any = aws.iam()
    lists, gets = getattr(iam, f"list_{kind.lower()}_policies"), getattr(iam, f"get_{kind.lower()}_policy")
    try:
        names = lists(**{f"{kind}Name": name})["PolicyNames"]
    except iam.exceptions.NoSuchEntityException:
        return {}
    found = {}
    for policy in names:
        [statement] = gets(**{f"{kind}Name": name, "PolicyName": policy})["PolicyDocument"]["Statement"]
        condition = json.loads(json.dumps(statement.get("Condition", {})))
        condition.pop("DateLessThan", None)
        found[policy] = condition if statement["Effect"] == "Deny" else "allow"
    return found


def _user(name: str = "Alice") -> None:
    aws.iam().create_user(UserName=name)
    aws.iam().put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(OTHER))


def _leave_user() -> None:
    aws.iam().delete_user_policy(UserName="Alice", PolicyName="own")
    aws.iam().delete_user(UserName="Alice")


def _tag_user() -> None:
    aws.iam().tag_user(UserName="Alice", Tags=[TAG])  # type: ignore[list-item]


def sign_in_without_mfa() -> Attack:
    _user()
    federated = call("console-sign-in-without-mfa")
    federated["detail"]["userIdentity"] = call("start-session")["detail"]["userIdentity"]
    return Attack(
        "console_sign_in_without_mfa",
        call("console-sign-in-without-mfa"),
        state=lambda: _inline("User", "Alice"),
        opened={"own": "allow"},
        closed={
            "own": "allow",
            "EventBridgeAutomations-DenyWithoutMFA": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
        revert=_leave_user,
        exempt=_tag_user,
        harmless={"with MFA": call("console-sign-in-with-mfa"), "of IAM Identity Center": federated},
    )


def _federation(**parameters: Any) -> Attack:
    _user()
    event = call("get-federation-token-all-rights")
    event["detail"]["requestParameters"] |= parameters
    narrow = call("get-federation-token-all-rights")
    narrow["detail"]["requestParameters"]["policy"] = json.dumps(OTHER)
    without = call("get-federation-token-all-rights", requestParameters={"name": "support"})
    return Attack(
        "federation_token",
        event,
        state=lambda: _inline("User", "Alice"),
        opened={"own": "allow"},
        closed={
            "own": "allow",
            "EventBridgeAutomations-RevokeFederation": {"StringLike": {"aws:userid": f"{ACCOUNT}:*"}},
        },
        revert=_leave_user,
        exempt=_tag_user,
        harmless={"with a policy that allows less": narrow, "without a policy, so without rights": without},
    )


def federation_with_all_rights() -> Attack:
    return _federation()


def federation_with_a_managed_policy() -> Attack:
    return _federation(policy=None, policyArns=[{"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}])


INSTANCE_ROLE = "WebServer"


def create_instance() -> dict[str, Any]:
    """A running instance whose subnet leads to an internet gateway; moto cannot look interfaces up by public address."""
    ec2 = aws.ec2()
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    [instance] = ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": True}],
    )["Instances"]
    [known] = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"]
    ours = {known["PublicIpAddress"]: {"NetworkInterfaceId": known["NetworkInterfaces"][0]["NetworkInterfaceId"]}}
    answer(
        ec2,
        "DescribeNetworkInterfaces",
        lambda asked: {"NetworkInterfaces": [ours[one] for one in asked["Filters"][0]["Values"] if one in ours]},
    )
    return {"table": table, "vpc": vpc, "subnet": subnet, **known}


def _instance_credentials(name: str) -> Attack:
    instance = create_instance()
    iam = aws.iam()
    iam.create_role(RoleName=INSTANCE_ROLE, AssumeRolePolicyDocument="{}")
    called = instance["LaunchTime"] + timedelta(hours=1)
    event = call(
        name,
        {"i-0123456789abcdef0": instance["InstanceId"]},
        eventTime=f"{called:%Y-%m-%dT%H:%M:%SZ}",
    )
    inside = event | {"detail": event["detail"] | {"sourceIPAddress": instance["PublicIpAddress"]}}
    chosen = json.loads(json.dumps(event))
    del chosen["detail"]["userIdentity"]["sessionContext"]["ec2RoleDelivery"]
    userid = event["detail"]["userIdentity"]["principalId"]
    return Attack(
        "instance_credentials_outside",
        event,
        state=lambda: _inline("Role", INSTANCE_ROLE),
        opened={},
        closed={
            f"EventBridgeAutomations-Revoke-{instance['InstanceId']}": {"StringEquals": {"aws:userid": userid}},
        },
        revert=lambda: iam.delete_role(RoleName=INSTANCE_ROLE),
        exempt=lambda: iam.tag_role(RoleName=INSTANCE_ROLE, Tags=[TAG]),  # type: ignore[list-item]
        harmless={
            "from its own address": inside,
            "through a VPC endpoint": call("create-key-pair-vpc-endpoint"),
            "a session that somebody named like an instance": chosen,
        },
    )


def instance_credentials() -> Attack:
    return _instance_credentials("create-key-pair-outside")


def instance_credentials_used_for_a_global_service() -> Attack:
    return _instance_credentials("create-user-outside")


def fake_sessions(*ids: str) -> dict[str, str]:
    """The statuses of sessions, which moto does not have."""
    statuses = dict.fromkeys(ids, "Connected")
    ssm = aws.ssm()
    answer(
        ssm,
        "DescribeSessions",
        lambda asked: {
            "Sessions": [
                {"SessionId": one, "Status": status}
                for one, status in statuses.items()
                if one == asked["Filters"][0]["value"] and (status != "Terminated") == (asked["State"] == "Active")
            ]
        },
    )
    answer(ssm, "TerminateSession", lambda asked: statuses.update({asked["SessionId"]: "Terminated"}))
    return statuses


def _allowed(event: dict[str, Any]) -> dict[str, Any]:
    allowed: dict[str, Any] = json.loads(json.dumps(event).replace("Developers", "OperationsTeam"))
    return allowed


def _session(event: dict[str, Any]) -> Attack:
    statuses = fake_sessions("alice-0e34861185201706f", "bob-0123456789abcdef0")
    return Attack(
        "ssm_session",
        event,
        state=lambda: dict(statuses),
        opened=dict.fromkeys(statuses, "Connected"),
        closed={"alice-0e34861185201706f": "Terminated", "bob-0123456789abcdef0": "Connected"},
        revert=lambda: aws.ssm().terminate_session(SessionId="alice-0e34861185201706f"),
        undoable=False,
        harmless={"by somebody who is on the list": _allowed(event)},
    )


def session() -> Attack:
    return _session(call("start-session"))


def session_resumed() -> Attack:
    event = call("start-session", eventName="ResumeSession")
    event["detail"]["requestParameters"] = {"sessionId": event["detail"]["responseElements"]["sessionId"]}
    return _session(event)


def command() -> Attack:
    """moto's commands are over at once, and it cannot cancel them."""
    ssm = aws.ssm()
    ids = [
        ssm.send_command(DocumentName="AWS-RunShellScript", InstanceIds=["i-0123456789abcdef0"])["Command"]["CommandId"]
        for _ in range(2)
    ]
    commands = {one.command_id: one for one in ssm_backends[ACCOUNT][REGION]._commands}
    for one in commands.values():
        one.status = "InProgress"
    answer(ssm, "CancelCommand", lambda asked: setattr(commands[asked["CommandId"]], "status", "Cancelled"))
    event = call("send-command", {"9f3c8a52-1d0b-4e6f-8c77-2b5e0a6d4f19": ids[0]})
    return Attack(
        "ssm_session",
        event,
        state=lambda: [commands[one].status for one in ids],
        opened=["InProgress", "InProgress"],
        closed=["Cancelled", "InProgress"],
        revert=lambda: ssm.cancel_command(CommandId=ids[0]),
        undoable=False,
        harmless={"by somebody who is on the list": _allowed(event)},
    )


def fake_models(*ids: str) -> set[str]:
    """The models with an agreement; moto has none."""
    agreed = set(ids)
    bedrock = aws.bedrock()

    def availability(asked: Any) -> dict[str, Any]:
        status = "AVAILABLE" if asked["modelId"] in agreed else "NOT_AVAILABLE"
        return {
            "modelId": asked["modelId"],
            "agreementAvailability": {"status": status},
            "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": "AVAILABLE",
            "regionAvailability": "AVAILABLE",
        }

    offers = {"offers": [{"offerToken": "of today", "termDetails": {}}]}
    answer(bedrock, "GetFoundationModelAvailability", availability)
    answer(bedrock, "DeleteFoundationModelAgreement", lambda asked: agreed.discard(asked["modelId"]))
    answer(bedrock, "ListFoundationModelAgreementOffers", lambda asked: offers | {"modelId": asked["modelId"]})
    answer(bedrock, "CreateFoundationModelAgreement", lambda asked: agreed.add(asked["modelId"]))
    return agreed


def model_access() -> Attack:
    event = call("create-foundation-model-agreement")
    model, other = event["detail"]["requestParameters"]["modelId"], "anthropic.claude-haiku-4-5-20251001-v1:0"
    agreed = fake_models(model, other)
    return Attack(
        "bedrock_model_access",
        event,
        state=lambda: set(agreed),
        opened={model, other},
        closed={other},
        revert=lambda: aws.bedrock().delete_foundation_model_agreement(modelId=model),
    )


ATTACKS: list[MakeAttack] = [
    sign_in_without_mfa,
    federation_with_all_rights,
    federation_with_a_managed_policy,
    instance_credentials,
    instance_credentials_used_for_a_global_service,
    session,
    session_resumed,
    command,
    model_access,
]
