from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from security_remediation.handler import Settings, lambda_handler
from security_remediation.lambda_functions import function_name
from security_remediation.plan import State
from security_remediation.remediations import function_code
from tests.unit.security_remediation.attacks import compute as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.mark.parametrize(
    "named",
    [
        "billing",
        "billing:prod",
        "123456789012:function:billing",
        "arn:aws:lambda:ap-northeast-2:123456789012:function:billing",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:billing:$LATEST",
    ],
)
def test_a_function_is_found_by_each_form_of_its_name(named, enforce, context):
    attacked = attacks.code()
    attacked.event["detail"]["requestParameters"]["functionName"] = named

    lambda_handler(attacked.event, context)

    assert attacked.state() == 0


def test_a_function_that_is_called_function_keeps_its_name():
    named = "arn:aws:lambda:ap-northeast-2:123456789012:function:function:1"
    record = record_of("update-function-code", requestParameters={"functionName": named})
    assert function_name(record) == ("function", "1")


def test_a_function_of_another_account_or_region_is_refused(enforce, context, calls):
    foreign = {"functionName": "arn:aws:lambda:ap-northeast-2:444455556666:function:billing"}
    with pytest.raises(Refused, match="belongs to account 444455556666"):
        lambda_handler(call("update-function-code", requestParameters=foreign), context)
    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(call("update-function-code", awsRegion="eu-west-1"), context)
    assert calls == []


def test_the_function_that_judges_never_stops_itself(enforce, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", attacks.FUNCTION)
    attacked = attacks.code()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"].startswith("[CRITICAL]")
    assert "never stops itself" in message["Message"]


def test_while_nobody_is_allowed_nothing_is_stopped(enforce, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("ALLOWED_PRINCIPALS", "")
    attacked = attacks.code()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert "AllowedPrincipals names nobody" in alerts.received()[0]["Message"]


def test_who_is_allowed_may_change_code(enforce, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("ALLOWED_PRINCIPALS", "arn:aws:iam::*:user/Mallory")

    lambda_handler(call("update-function-code"), context)

    assert calls == []


def test_a_function_that_is_gone_is_told(enforce, alerts, context):
    lambda_handler(call("update-function-code"), context)

    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_a_function_that_goes_before_it_is_stopped_is_success(enforce, alerts, context, monkeypatch):
    attacked = attacks.code()
    put = aws.lambda_().put_function_concurrency

    def late(**arguments):
        aws.lambda_().delete_function(FunctionName=attacks.FUNCTION)
        return put(**arguments)  # ResourceNotFoundException

    monkeypatch.setattr(aws.lambda_(), "put_function_concurrency", late)

    assert "closed" in lambda_handler(attacked.event, context)["outcomes"]["function_code"]


def test_a_refusal_to_stop_it_is_told_and_fails(enforce, alerts, context, monkeypatch):
    attacked = attacks.code()

    def refused(**_):
        message = "It has provisioned concurrency."
        raise ClientError({"Error": {"Code": "InvalidParameterValueException", "Message": message}}, "Put")

    monkeypatch.setattr(aws.lambda_(), "put_function_concurrency", refused)

    with pytest.raises(ClientError, match="provisioned"):
        lambda_handler(attacked.event, context)
    assert "could not be dealt with" in alerts.received()[0]["Subject"]


def test_a_record_that_does_not_say_what_was_written_is_judged_all_the_same(enforce, context):
    attacked = attacks.code()
    attacked.event["detail"]["responseElements"] = None

    lambda_handler(attacked.event, context)

    assert attacked.state() == 0


@pytest.mark.parametrize("form", ["arn:one", ["arn:one", "arn:two"], {"items": ["arn:one"]}])
def test_layers_of_every_form_are_compared_with_those_that_are_there(form):
    record = record_of(
        "update-function-configuration-layers", requestParameters={"functionName": "billing", "layers": form}
    )
    there = function_code.Function("sha", ("arn:other", "arn:one"), None, judges=False)
    settings = Settings.from_env()

    opened = function_code.plan(record, State(there), settings)
    replaced = function_code.plan(record, State(replace(there, layers=("arn:other",))), settings)

    assert opened
    assert opened.steps
    assert replaced
    assert not replaced.steps
