"""Attacks on identities: whom roles trust, inline policies, access keys, passwords."""

import json
from datetime import UTC, datetime
from typing import Any

from automations import aws
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.attacks.first import ADMIN
from tests.unit.security_remediation.conftest import call

OWN_TRUST = {
    "Sid": "Own",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "sts:AssumeRole",
}
NOBODY = [{"Sid": "NobodyIsLeft", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]
HARMLESS_POLICY = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}


def policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def with_request(event: dict[str, Any], **replaced: Any) -> dict[str, Any]:
    """The event with other request parameters."""
    request = {**event["detail"]["requestParameters"], **replaced}
    return {**event, "detail": {**event["detail"], "requestParameters": request}}


# ---------------------------------------------------------------- whom roles trust


def create_role(name: str, trust: str, path: str = "/") -> None:
    aws.iam().create_role(RoleName=name, AssumeRolePolicyDocument=trust, Path=path)


def trust_of(role: str) -> Any:
    return aws.iam().get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]  # type: ignore[index]


def _trust(name: str, element: str, closed: Any) -> Attack:
    event = call(name)
    request = event["detail"]["requestParameters"]
    role, put = request["roleName"], request[element]
    create_role(role, put)
    return Attack(
        "role_trust",
        event,
        state=lambda: trust_of(role),
        opened=json.loads(put)["Statement"],
        closed=closed,
        revert=lambda: aws.iam().update_assume_role_policy(RoleName=role, PolicyDocument=policy(OWN_TRUST)),
        exempt=lambda: aws.iam().tag_role(RoleName=role, Tags=[TAG]),  # type: ignore[list-item]
        harmless={"it lets in its own account only": with_request(event, **{element: policy(OWN_TRUST)})},
    )


def trust_of_a_foreign_account() -> Attack:
    return _trust("update-assume-role-policy-foreign-account", "policyDocument", closed=[OWN_TRUST])


def trust_of_any_repository() -> Attack:
    return _trust("update-assume-role-policy-any-repository", "policyDocument", closed=[OWN_TRUST])


def role_created_for_a_foreign_account() -> Attack:
    return _trust("create-role-foreign-trust", "assumeRolePolicyDocument", closed=NOBODY)


# ---------------------------------------------------------------- policies of administrators


def create(kind: str, name: str) -> None:
    trust = {"AssumeRolePolicyDocument": policy(OWN_TRUST)} if kind == "Role" else {}
    getattr(aws.iam(), f"create_{kind.lower()}")(**{f"{kind}Name": name}, **trust)


def tag(kind: str, name: str) -> Any:
    """Groups have no tags."""
    tagging = None if kind == "Group" else getattr(aws.iam(), f"tag_{kind.lower()}")
    return tagging and (lambda: tagging(**{f"{kind}Name": name}, Tags=[TAG]))


def inline_policies(kind: str, name: str) -> list[str]:
    names: list[str] = getattr(aws.iam(), f"list_{kind.lower()}_policies")(**{f"{kind}Name": name})["PolicyNames"]
    return sorted(names)


def _inline(kind: str, name: str, document: str) -> Attack:
    event = call(f"put-{kind.lower()}-policy-admin")
    target = {f"{kind}Name": name}
    create(kind, name)
    put = getattr(aws.iam(), f"put_{kind.lower()}_policy")
    put(**target, PolicyName="other", PolicyDocument=json.dumps(HARMLESS_POLICY))
    put(**target, PolicyName="helper", PolicyDocument=document)
    return Attack(
        "inline_administrator_policy",
        event,
        state=lambda: inline_policies(kind, name),
        opened=["helper", "other"],
        closed=["other"],
        revert=lambda: put(**target, PolicyName="helper", PolicyDocument=json.dumps(HARMLESS_POLICY)),
        exempt=tag(kind, name),
        harmless={"it gives nobody rights": with_request(event, policyDocument=json.dumps(HARMLESS_POLICY))},
    )


EVERYTHING = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})


def inline_policy_of_a_user() -> Attack:
    return _inline("User", "Bob", EVERYTHING)


def inline_policy_of_a_group() -> Attack:
    return _inline("Group", "Developers", policy({"Effect": "Allow", "Action": ["iam:*"], "Resource": ["*"]}))


def inline_policy_of_a_role() -> Attack:
    return _inline("Role", "ReportingRole", EVERYTHING)


def attached_policy_of_ones_own() -> Attack:
    event = call("attach-user-policy-own")
    aws.iam().create_user(UserName="Bob")
    arn = aws.iam().create_policy(PolicyName="operations", PolicyDocument=EVERYTHING)["Policy"]["Arn"]
    aws.iam().attach_user_policy(UserName="Bob", PolicyArn=arn)
    lesser = aws.iam().create_policy(PolicyName="lesser", PolicyDocument=json.dumps(HARMLESS_POLICY))["Policy"]["Arn"]
    assert event["detail"]["requestParameters"]["policyArn"] == arn != ADMIN
    return Attack(
        "administrator_policy",
        event,
        state=lambda: [
            one["PolicyArn"] for one in aws.iam().list_attached_user_policies(UserName="Bob")["AttachedPolicies"]
        ],
        opened=[arn],
        closed=[],
        revert=lambda: aws.iam().detach_user_policy(UserName="Bob", PolicyArn=arn),
        exempt=tag("User", "Bob"),
        harmless={
            "it gives nobody rights": with_request(event, policyArn=lesser),
            "the policy is gone": with_request(event, policyArn=f"{arn}-gone"),
        },
    )


LESSER = json.dumps(HARMLESS_POLICY)


def _version(name: str, *documents: str, default: str, closed: str) -> Attack:
    """The user has the policy, in these versions."""
    first, *others = documents
    aws.iam().create_user(UserName="Bob")
    arn = aws.iam().create_policy(PolicyName="operations", PolicyDocument=first)["Policy"]["Arn"]
    for document in others:
        aws.iam().create_policy_version(PolicyArn=arn, PolicyDocument=document)
    aws.iam().set_default_policy_version(PolicyArn=arn, VersionId=default)
    aws.iam().attach_user_policy(UserName="Bob", PolicyArn=arn)
    event = call(name)
    lesser = {"policyDocument": LESSER} if name.startswith("create") else {"versionId": closed}
    return Attack(
        "administrator_policy_version",
        event,
        state=lambda: aws.iam().get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"],
        opened=default,
        closed=closed,
        revert=lambda: aws.iam().set_default_policy_version(PolicyArn=arn, VersionId=closed),
        exempt=lambda: aws.iam().tag_policy(PolicyArn=arn, Tags=[TAG]),  # type: ignore[list-item]
        harmless={"it makes no administrators": with_request(event, **lesser)},
    )


def version_created() -> Attack:
    attack = _version("create-policy-version-admin", LESSER, EVERYTHING, default="v2", closed="v1")
    attack.harmless["it is not the default"] = with_request(attack.event, setAsDefault=False)
    return attack


def version_made_default() -> Attack:
    """v4 and v3 make administrators as well; v2 is the newest that does not."""
    documents = (EVERYTHING, LESSER, EVERYTHING, EVERYTHING)
    return _version("set-default-policy-version-admin", *documents, default="v1", closed="v2")


# ---------------------------------------------------------------- credentials


def keys_of(user: str) -> dict[str, str]:
    return {key["AccessKeyId"]: key["Status"] for key in aws.iam().list_access_keys(UserName=user)["AccessKeyMetadata"]}


def access_key_for_another_user() -> Attack:
    aws.iam().create_user(UserName="Bob")
    other, key = (aws.iam().create_access_key(UserName="Bob")["AccessKey"]["AccessKeyId"] for _ in range(2))
    event = call("create-access-key-for-another", {"AKIAI44QH8DHBEXAMPLE": key})
    own = {"type": "IAMUser", "userName": "bob", "arn": f"arn:aws:iam::{ACCOUNT}:user/team/bob"}
    return Attack(
        "access_key_for_another",
        event,
        state=lambda: keys_of("Bob"),
        opened={other: "Active", key: "Active"},
        closed={other: "Active", key: "Inactive"},
        revert=lambda: aws.iam().delete_access_key(UserName="Bob", AccessKeyId=key),
        exempt=tag("User", "Bob"),
        harmless={
            "it is the user's own": {**event, "detail": {**event["detail"], "userIdentity": own}},
            "it names nobody": call("create-access-key-own"),
        },
    )


def has_login(user: str) -> bool:
    try:
        return bool(aws.iam().get_login_profile(UserName=user))
    except aws.iam().exceptions.NoSuchEntityException:
        return False


def _login(remediation: str, name: str) -> Attack:
    aws.iam().create_user(UserName="Bob")
    aws.iam().create_login_profile(UserName="Bob", Password="correct-horse-1")
    event = call(name, eventTime=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    own = {"type": "IAMUser", "userName": "Bob", "arn": f"arn:aws:iam::{ACCOUNT}:user/Bob"}
    nobody: dict[str, Any] = {**event, "detail": {**event["detail"], "requestParameters": None}}
    return Attack(
        remediation,
        event,
        state=lambda: has_login("Bob"),
        opened=True,
        closed=False,
        revert=lambda: aws.iam().delete_login_profile(UserName="Bob"),
        exempt=tag("User", "Bob"),
        harmless={
            "it is the user's own": {**event, "detail": {**event["detail"], "userIdentity": own}},
            "it names nobody": nobody,
        },
        undoable=False,
    )


def login_profile() -> Attack:
    return _login("login_profile_created", "create-login-profile")


def password() -> Attack:
    return _login("password_of_another_changed", "update-login-profile")


ATTACKS: list[MakeAttack] = [
    trust_of_a_foreign_account,
    trust_of_any_repository,
    role_created_for_a_foreign_account,
    inline_policy_of_a_user,
    inline_policy_of_a_group,
    inline_policy_of_a_role,
    attached_policy_of_ones_own,
    version_created,
    version_made_default,
    access_key_for_another_user,
    login_profile,
    password,
]
