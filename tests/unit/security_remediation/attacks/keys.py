"""Attacks on Lambda functions' policies, trust anchors, KMS keys and the account's public access block."""

import io
import json
import zipfile
from typing import Any

from automations import aws
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import call
from tests.unit.security_remediation.function_policies import function_policies
from tests.unit.security_remediation.trust_anchors import ANCHOR, TrustAnchors

FUNCTION = "billing-report"
OWN_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
FOREIGN_ROOT = "arn:aws:iam::444455556666:root"
SAMPLE_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
SAMPLE_MULTI_REGION_KEY = "mrk-1234abcd12ab34cd56ef1234567890ab"
FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


# ---------------------------------------------------------------- Lambda


def create_function() -> str:
    """Its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("handler.py", "")
    trust = {"Version": "2012-10-17", "Statement": []}
    role = aws.iam().create_role(RoleName="billing", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    return aws.lambda_().create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=role,
        Handler="handler.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]


def permissions(**function: str) -> dict[str, Any]:
    """The statements of the function's policy by their ids, without what all of them have."""
    try:
        policy = json.loads(aws.lambda_().get_policy(FunctionName=FUNCTION, **function)["Policy"])
    except aws.lambda_().exceptions.ResourceNotFoundException:
        return {}
    return {one.pop("Sid"): one for one in policy["Statement"]}


def _permission(name: str, **arguments: Any) -> Attack:
    """The function lets in an API of its own account, and whom the arguments name."""
    function, event = create_function(), call(name)
    aws.lambda_().add_permission(
        FunctionName=FUNCTION,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceAccount=ACCOUNT,
    )
    kept = permissions()
    sid = event["detail"]["requestParameters"]["statementId"]
    aws.lambda_().add_permission(FunctionName=FUNCTION, StatementId=sid, **arguments)
    return Attack(
        "lambda_permission",
        event,
        state=permissions,
        opened=permissions(),
        closed=kept,
        revert=lambda: aws.lambda_().remove_permission(FunctionName=FUNCTION, StatementId=sid),
        exempt=lambda: aws.lambda_().tag_resource(Resource=function, Tags={TAG["Key"]: TAG["Value"]}),
        harmless={"a service for an API of this account": call("add-permission-service")},
    )


def function_for_everyone() -> Attack:
    return _permission("add-permission-public", Action="lambda:InvokeFunction", Principal="*")


def function_by_url() -> Attack:
    return _permission("add-permission-function-url", Action="lambda:InvokeFunctionUrl", Principal="*")


def function_for_a_foreign_account() -> Attack:
    attack = _permission("add-permission-foreign-account", Action="lambda:InvokeFunction", Principal=FOREIGN_ROOT)
    del attack.event["detail"]["requestParameters"]["qualifier"]
    return attack


def function_by_a_record_without_a_response() -> Attack:
    attack = function_for_everyone()
    attack.event["detail"] |= {"responseElements": None, "eventName": "AddPermission20150331"}
    attack.harmless = {}
    return attack


def function_for_a_service_of_a_foreign_account() -> Attack:
    """An EventBridge rule of that account invokes it."""
    return _permission(
        "add-permission-service-foreign-account",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn="arn:aws:events:ap-northeast-2:444455556666:rule/orders",
    )


def function_for_a_bucket_of_a_foreign_account() -> Attack:
    attack = _permission(
        "add-permission-service-unlimited",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceAccount="444455556666",
        SourceArn="arn:aws:s3:::amzn-s3-demo-destination",
    )
    attack.event["detail"]["responseElements"] = None
    attack.harmless = {}
    return attack


def _function_policy(name: str, kept: list[int]) -> Attack:
    """The policy of the sample is put; the statements at these positions are to be kept."""
    function, policies, event = create_function(), function_policies(), call(name)
    put = event["detail"]["requestParameters"]["policy"]
    policy = json.loads(put)
    own = json.dumps(policy | {"Statement": [policy["Statement"][position] for position in kept]})
    client: Any = aws.lambda_()
    client.put_resource_policy(ResourceArn=function, Policy=put)

    def state() -> list[dict[str, Any]]:
        policy = json.loads(policies.get(function, "{}"))
        return policy.get("Statement", [])

    harmless = call(name)
    harmless["detail"]["requestParameters"]["policy"] = own
    return Attack(
        "function_policy",
        event,
        state=state,
        opened=policy["Statement"],
        closed=json.loads(own)["Statement"],
        revert=lambda: client.put_resource_policy(ResourceArn=function, Policy=own),
        exempt=lambda: aws.lambda_().tag_resource(Resource=function, Tags={TAG["Key"]: TAG["Value"]}),
        harmless={"a policy for an API of this account": harmless},
    )


def function_policy_for_everyone() -> Attack:
    return _function_policy("put-function-policy-public", kept=[0])


def function_policy_for_services_of_a_foreign_account() -> Attack:
    return _function_policy("put-function-policy-foreign-service", kept=[0])


def function_policy_by_a_record_without_the_policy() -> Attack:
    attack = _function_policy("put-function-policy-public", kept=[0])
    attack.event["detail"]["requestParameters"]["policy"] = "HIDDEN_DUE_TO_SIZE"
    attack.harmless = {}
    return attack


# ---------------------------------------------------------------- Roles Anywhere


def _trust_anchor(name: str) -> Attack:
    service, event = TrustAnchors(), call(name)
    anchor = event["detail"]["responseElements"]["trustAnchor"]
    service.add(anchor)
    later = call("create-trust-anchor")
    later["detail"]["responseElements"]["trustAnchor"]["enabled"] = False
    renamed = call("update-trust-anchor", requestParameters={"trustAnchorId": ANCHOR, "name": "agents"})
    return Attack(
        "trust_anchor",
        event,
        state=lambda: service.anchors[ANCHOR]["enabled"],
        opened=True,
        closed=False,
        revert=lambda: aws.rolesanywhere().disable_trust_anchor(trustAnchorId=ANCHOR),
        exempt=lambda: aws.rolesanywhere().tag_resource(
            resourceArn=anchor["trustAnchorArn"], tags=[{"key": TAG["Key"], "value": TAG["Value"]}]
        ),
        harmless={"one that is not enabled": later, "a new name": renamed},
    )


def trust_anchor_created() -> Attack:
    return _trust_anchor("create-trust-anchor")


def trust_anchor_enabled() -> Attack:
    return _trust_anchor("enable-trust-anchor")


def trust_anchor_enabled_by_a_record_without_a_response() -> Attack:
    attack = _trust_anchor("enable-trust-anchor")
    attack.event["detail"]["responseElements"] = None
    return attack


# ---------------------------------------------------------------- KMS


def create_key() -> str:
    return aws.kms().create_key()["KeyMetadata"]["KeyId"]


def tag_key(key: str) -> None:
    aws.kms().tag_resource(KeyId=key, Tags=[{"TagKey": TAG["Key"], "TagValue": TAG["Value"]}])


def key_policy(key: str) -> dict[str, Any]:
    return json.loads(aws.kms().get_key_policy(KeyId=key, PolicyName="default")["Policy"])


def put_key_policy(key: str, policy: dict[str, Any]) -> None:
    aws.kms().put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def key_policy_event(key: str, policy: dict[str, Any], name: str = "put-key-policy-public") -> dict[str, Any]:
    event = call(name, {SAMPLE_KEY: key})
    event["detail"]["requestParameters"]["policy"] = json.dumps(policy)
    return event


def _key_policy(name: str) -> Attack:
    key = create_key()
    event = call(name, {SAMPLE_KEY: key})
    policy = json.loads(event["detail"]["requestParameters"]["policy"])
    [own, _] = policy["Statement"]
    put_key_policy(key, policy)
    return Attack(
        "kms_key_policy",
        event,
        state=lambda: key_policy(key),
        opened=policy,
        closed=policy | {"Statement": [own]},
        revert=lambda: put_key_policy(key, policy | {"Statement": [own]}),
        exempt=lambda: tag_key(key),
        harmless={"a policy for the account": key_policy_event(key, policy | {"Statement": [own]})},
    )


def key_for_everyone() -> Attack:
    return _key_policy("put-key-policy-public")


def key_for_a_foreign_account() -> Attack:
    return _key_policy("put-key-policy-foreign-account")


def key_by_a_record_without_the_policy() -> Attack:
    attack = _key_policy("put-key-policy-public")
    attack.event["detail"]["requestParameters"]["policy"] = "HIDDEN_DUE_TO_SIZE"
    return attack


def key_state(key: str) -> str:
    return aws.kms().describe_key(KeyId=key)["KeyMetadata"]["KeyState"]


def cancel_and_enable(key: str) -> None:
    aws.kms().cancel_key_deletion(KeyId=key)
    aws.kms().enable_key(KeyId=key)


def _key_deletion(name: str, named: str, *, multi_region: bool = False) -> Attack:
    key = aws.kms().create_key(MultiRegion=multi_region)["KeyMetadata"]["KeyId"]
    aws.kms().schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    return Attack(
        "kms_key_deletion",
        call(name, {named: key}),
        state=lambda: key_state(key),
        opened="PendingDeletion",
        closed="Enabled",
        revert=lambda: cancel_and_enable(key),
        exempt=lambda: tag_key(key),
    )


def key_deleted() -> Attack:
    return _key_deletion("schedule-key-deletion", SAMPLE_KEY)


def multi_region_key_deleted() -> Attack:
    return _key_deletion("schedule-key-deletion-multi-region", SAMPLE_MULTI_REGION_KEY, multi_region=True)


# ---------------------------------------------------------------- the account's public access block


def account_flags() -> str:
    """The four settings as ones and zeros; none without a configuration."""
    try:
        answer = aws.s3control().get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"]
    except aws.s3control().exceptions.NoSuchPublicAccessBlockConfiguration:
        return ""
    return "".join(str(int(answer[flag])) for flag in FLAGS)  # type: ignore[literal-required]


def set_account_flags(flags: str) -> None:
    configuration: Any = {flag: one == "1" for flag, one in zip(FLAGS, flags, strict=True)}
    aws.s3control().put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=configuration)


def _put_flags(**flags: bool) -> dict[str, Any]:
    event = call("put-account-public-access-block-off")
    event["detail"]["requestParameters"]["PublicAccessBlockConfiguration"] |= flags
    return event


def account_block_deleted() -> Attack:
    return Attack(
        "account_public_access_block",
        call("delete-account-public-access-block"),
        account_flags,
        opened="",
        closed="1111",
        revert=lambda: set_account_flags("1111"),
        restored="0000",
        harmless={"all of it on": _put_flags(**dict.fromkeys(FLAGS, True))},
    )


def account_block_partly_off() -> Attack:
    set_account_flags("1100")
    return Attack(
        "account_public_access_block",
        _put_flags(BlockPublicAcls=True, IgnorePublicAcls=False),  # the second was switched on again since
        account_flags,
        opened="1100",
        closed="1111",
        revert=lambda: set_account_flags("1111"),
    )


ATTACKS: list[MakeAttack] = [
    function_for_everyone,
    function_by_url,
    function_for_a_foreign_account,
    function_by_a_record_without_a_response,
    function_for_a_service_of_a_foreign_account,
    function_for_a_bucket_of_a_foreign_account,
    function_policy_for_everyone,
    function_policy_for_services_of_a_foreign_account,
    function_policy_by_a_record_without_the_policy,
    trust_anchor_created,
    trust_anchor_enabled,
    trust_anchor_enabled_by_a_record_without_a_response,
    key_for_everyone,
    key_for_a_foreign_account,
    key_by_a_record_without_the_policy,
    key_deleted,
    multi_region_key_deleted,
    account_block_deleted,
    account_block_partly_off,
]
