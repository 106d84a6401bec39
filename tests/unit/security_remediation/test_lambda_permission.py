import json
from typing import Any

import pytest
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.awslambda.models import LambdaBackend
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse

from automations import aws
from automations.errors import Refused
from security_remediation.handler import Settings, lambda_handler
from security_remediation.lambda_functions import function_tags
from security_remediation.lambda_policies import lets_in
from security_remediation.plan import Plan, State
from security_remediation.remediations import lambda_permission
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.security_remediation.attacks import keys as attacks
from tests.unit.security_remediation.conftest import OWN_ROLE, call, record_of, writes

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:billing-report"
FOREIGN, TRUSTED = "444455556666", "222233334444"
SETTINGS = Settings(
    alerts_topic="t",
    idempotency_table="i",
    audit_bucket="b",
    baseline_table="t",
    own_role_arn=OWN_ROLE,
    sensitive_ports=(),
    trusted_accounts=(TRUSTED,),
)


def planned(record: Any, state: State) -> Plan:
    found = lambda_permission.plan(record, state, SETTINGS)
    assert found
    return found


@pytest.fixture
def _function_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto copies these arguments into the statement; Lambda makes conditions of them.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    merge = Policy.condition_merge

    def mended(self: Any, statement: dict[str, Any]) -> None:
        merge(self, statement)
        for name, operator in (("FunctionUrlAuthType", "StringEquals"), ("InvokedViaFunctionUrl", "Bool")):
            if name in statement:
                value = statement.pop(name)
                key = f"lambda:{name}"
                text = str(value).lower() if isinstance(value, bool) else value
                statement.setdefault("Condition", {}).setdefault(operator, {})[key] = text

    monkeypatch.setattr(Policy, "condition_merge", mended)


@pytest.fixture
def _qualifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """In moto all versions share a policy, and a statement is removed from it whatever the qualifier says."""
    real, publish = LambdaResponse.remove_permission, LambdaBackend.publish_version

    def published(self: Any, *args: Any, **kwargs: Any) -> Any:
        version = publish(self, *args, **kwargs)
        assert version
        version.policy = Policy(version)
        return version

    def mended(self: Any) -> Any:
        if qualifier := self.querystring.get("Qualifier", [None])[0]:
            parts = self.path.split("/")
            self.backend.get_function(parts[-3], qualifier).policy.del_statement(parts[-1].split("?")[0])
            return 204, {"status": 204}, "{}"
        return real(self)

    monkeypatch.setattr(LambdaResponse, "remove_permission", mended)
    monkeypatch.setattr(LambdaBackend, "publish_version", published)


@pytest.mark.parametrize(
    ("given_name", "name", "qualifier"),
    [
        ("billing-report", "billing-report", ""),
        ("billing-report:live", "billing-report", "live"),
        (f"{ACCOUNT}:function:billing-report", "billing-report", ""),
        (f"{ACCOUNT}:billing-report", "billing-report", ""),
        (FUNCTION, "billing-report", ""),
        (f"{FUNCTION}:7", "billing-report", "7"),
        (f"{FUNCTION}:$LATEST", "billing-report", "$LATEST"),
        (f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:billing-report", "billing-report", ""),
    ],
)
def test_a_function_is_named_in_each_way_that_lambda_takes(given_name, name, qualifier):
    record = record_of("add-permission-public")
    record.request_parameters["functionName"] = given_name

    assert planned(record, State({})).resource == "Lambda function " + name + (f":{qualifier}" if qualifier else "")


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("arn", [FUNCTION, f"{FUNCTION}:7", f"{FUNCTION}:live"])
def test_the_tags_of_a_version_or_an_alias_are_those_of_its_function(arn):
    with Stubber(aws.lambda_()) as stubber:
        stubber.add_response("list_tags", {"Tags": {"team": "billing"}}, {"Resource": FUNCTION})
        assert function_tags(arn) == {"team": "billing"}


@pytest.mark.usefixtures("deployed")
def test_another_account_s_function_and_another_region_s_are_refused():
    record = record_of("add-permission-public")
    record.request_parameters["functionName"] = FUNCTION.replace(ACCOUNT, FOREIGN)
    with pytest.raises(Refused, match="belongs to account"):
        lambda_permission.read(record)
    with pytest.raises(Refused, match="eu-west-1"):
        lambda_permission.read(record_of("add-permission-public", awsRegion="eu-west-1"))


@pytest.mark.usefixtures("deployed", "_qualifiers")
def test_the_policy_of_an_alias_is_its_own(enforce, context):
    attacks.create_function()
    version = aws.lambda_().publish_version(FunctionName="billing-report")["Version"]
    aws.lambda_().create_alias(FunctionName="billing-report", Name="live", FunctionVersion=version)
    for qualifier in ({}, {"Qualifier": "live"}):
        aws.lambda_().add_permission(
            FunctionName="billing-report",
            StatementId="partner",
            Action="lambda:InvokeFunction",
            Principal=attacks.FOREIGN_ROOT,
            **qualifier,  # type: ignore[arg-type]
        )

    lambda_handler(call("add-permission-foreign-account"), context)

    assert attacks.permissions(Qualifier="live") == {}
    assert set(attacks.permissions()) == {"partner"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "AWS_IAM"},
        {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    ],
)
@pytest.mark.usefixtures("deployed", "_function_urls")
def test_each_statement_of_a_public_function_url_is_removed_and_can_be_put_back(arguments, enforce, context):
    attacks.create_function()
    event = call("add-permission-function-url", responseElements=None)
    sid = event["detail"]["requestParameters"]["statementId"]
    aws.lambda_().add_permission(FunctionName="billing-report", StatementId=sid, Principal="*", **arguments)
    opened = attacks.permissions()
    record = record_of("add-permission-function-url", responseElements=None)
    before = planned(record, lambda_permission.read(record)).before

    lambda_handler(event, context)
    assert attacks.permissions() == {}

    lambda_permission.restore(json.loads(json.dumps(before)))
    assert attacks.permissions() == opened


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({}, "s3.amazonaws.com for everyone"),
        ({"SourceArn": "arn:aws:s3:::*"}, "s3.amazonaws.com for everyone"),
        ({"SourceArn": "arn:aws:execute-api:ap-southeast-1::*"}, "s3.amazonaws.com for everyone"),
        (
            {"SourceArn": "arn:aws:s3:::amzn-s3-demo-website"},
            "s3.amazonaws.com for the owner of arn:aws:s3:::amzn-s3-demo-website",
        ),
    ],
)
@pytest.mark.usefixtures("deployed")
def test_a_service_that_may_act_for_anybody_is_told_and_not_touched(limits, told, enforce, alerts, calls, context):
    attacks.create_function()
    aws.lambda_().add_permission(
        FunctionName="billing-report",
        StatementId="uploads",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        **limits,
    )
    calls.clear()

    lambda_handler(call("add-permission-service-unlimited", responseElements=None), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert f"has a policy that lets in {told}" in message["Subject"] + message["Message"]
    assert "add it again with SourceAccount or SourceArn" in message["Message"]


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    "harmless",
    [
        {"Principal": "s3.amazonaws.com", "SourceAccount": ACCOUNT},
        {
            "Principal": "s3.amazonaws.com",
            "SourceArn": "arn:aws:s3:::amzn-s3-demo-website",
            "SourceAccount": ACCOUNT,
        },
        {"Principal": "sns.amazonaws.com", "SourceArn": f"arn:aws:sns:{REGION}:{TRUSTED}:topic"},
        {"Principal": "*", "PrincipalOrgID": "o-a1b2c3d4e5"},
        {"Principal": f"arn:aws:iam::{ACCOUNT}:root"},
        {"Principal": f"arn:aws:iam::{TRUSTED}:root"},
    ],
)
def test_own_and_trusted_principals_and_limited_services_are_let_in(harmless, enforce, calls, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ACCOUNTS", TRUSTED)
    monkeypatch.setenv("TRUSTED_ORGANIZATIONS", "o-a1b2c3d4e5")
    attacks.create_function()
    aws.lambda_().add_permission(
        FunctionName="billing-report", StatementId="backdoor", Action="lambda:InvokeFunction", **harmless
    )
    calls.clear()

    outcome = lambda_handler(call("add-permission-public", responseElements=None), context)

    assert outcome["outcomes"]["lambda_permission"] == "harmless"
    assert writes(calls) == []


@pytest.mark.usefixtures("deployed")
def test_an_organisation_that_may_be_the_own_one_is_told_and_not_touched(enforce, alerts, calls, context):
    attacks.create_function()
    aws.lambda_().add_permission(
        FunctionName="billing-report",
        StatementId="backdoor",
        Action="lambda:InvokeFunction",
        Principal="*",
        PrincipalOrgID="o-a1b2c3d4e5",
    )
    calls.clear()

    lambda_handler(call("add-permission-public", responseElements=None), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert "lets in organisation o-a1b2c3d4e5" in message["Message"]
    assert "TrustedOrganizations" in message["Message"]
    assert "SourceAccount" not in message["Message"]


@pytest.mark.usefixtures("deployed")
def test_a_service_that_acts_for_a_trusted_account_is_let_in(enforce, calls, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ACCOUNTS", "444455556666")
    attacked = attacks.function_for_a_service_of_a_foreign_account()

    assert lambda_handler(attacked.event, context)["outcomes"]["lambda_permission"] == "harmless"


@pytest.mark.usefixtures("deployed")
def test_what_cloudformation_deploys_is_left_alone(enforce, alerts, calls, context):
    outcome = lambda_handler(call("add-permission-cloudformation"), context)

    assert "cloudformation.amazonaws.com" in outcome["ignored"]
    assert calls == []


@pytest.mark.usefixtures("deployed")
def test_a_function_that_is_gone_is_told(enforce, alerts, calls, context):
    lambda_handler(call("add-permission-public"), context)

    assert writes(calls) == []
    assert "was given a policy that lets in everyone" in alerts.received()[0]["Subject"]


@pytest.mark.usefixtures("deployed")
def test_a_policy_that_cannot_be_read_is_told_and_raised(enforce, alerts, context):
    with Stubber(aws.lambda_()) as stub:
        stub.add_client_error("get_policy", "AccessDeniedException", http_status_code=403)
        with pytest.raises(Exception, match="AccessDenied"):
            lambda_handler(call("add-permission-public"), context)
    assert "could not be dealt with" in alerts.received()[0]["Subject"]


@pytest.mark.usefixtures("deployed")
def test_a_statement_that_is_gone_at_the_last_moment_is_success():
    attacks.create_function()
    record = record_of("add-permission-public")
    state = State(json.loads(record.response_elements["statement"]))

    lambda_permission.apply(planned(record, state))


CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn", st.just(f"arn:aws:s3:::{ACCOUNT}")),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount", st.sampled_from([ACCOUNT, FOREIGN])),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID", st.just("o-a1b2c3d4e5")),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken", st.just("token")),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType", st.sampled_from(["NONE", "AWS_IAM"])),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl", st.booleans()),
}
principals = st.sampled_from(
    ["*", "s3.amazonaws.com", f"arn:aws:iam::{FOREIGN}:root", f"arn:aws:iam::{FOREIGN}:role/R", attacks.OWN_ROOT]
)
added = st.fixed_dictionaries(
    {"StatementId": st.just("s"), "Action": st.just("lambda:InvokeFunction"), "Principal": principals},
    optional={name: values for name, (_, _, values) in CONDITIONS.items()},
)


def as_lambda_keeps_it(arguments: dict[str, Any]) -> dict[str, Any]:
    principal = arguments["Principal"]
    kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
    statement = {
        "Sid": arguments["StatementId"],
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {kind: principal},
        "Action": arguments["Action"],
        "Resource": FUNCTION,
    }
    for name, (operator, key, _) in CONDITIONS.items():
        if name in arguments:
            value = arguments[name]
            condition = statement.setdefault("Condition", {})
            condition.setdefault(operator, {})[key] = str(value).lower() if isinstance(value, bool) else value
    return statement


@settings(deadline=None)
@given(added)
def test_the_arguments_that_put_a_statement_back_are_those_that_made_it(arguments):
    assert lambda_permission.arguments(as_lambda_keeps_it(arguments)) == arguments


@settings(deadline=None)
@given(added)
def test_only_a_fixed_source_or_organisation_keeps_strangers_out(arguments):
    found = lets_in({"Statement": as_lambda_keeps_it(arguments)}, SETTINGS.trust)

    principal, source = arguments["Principal"], arguments.get("SourceAccount")
    service = principal.endswith(".amazonaws.com")
    if source == ACCOUNT or principal == attacks.OWN_ROOT:
        assert found == []
    elif FOREIGN in principal or source == FOREIGN:
        assert [one.sure for one in found] == [True]
        assert found[0].to.endswith(f"account {FOREIGN}")
    elif service or {"SourceArn", "PrincipalOrgID"} & arguments.keys():
        assert [one.sure for one in found] == [False]
    else:
        assert [(one.to, one.sure) for one in found] == [("everyone", True)]
