"""What the rule that guards security_remediation hears, judged by the local cloud with the names that it gave."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from local.stack import Rule, Stack

from tests.samples import sample
from tests.template_file import RESOURCES

NAME = "SecurityRemediationGuardRule"
Hears = Callable[..., bool]


@pytest.fixture
def guard(stack: Stack) -> Rule:
    [found] = [rule for rule in stack.rules if rule.name == NAME]
    return found


@pytest.fixture
def hears(guard: Rule, stack: Stack) -> Hears:
    events = stack.cloud.client("events")

    def judge(
        situation: str, parameters: dict[str, Any], identity: dict[str, Any] | None = None, **detail: Any
    ) -> bool:
        event = sample(f"security_remediation/guard-{situation}", requestParameters=parameters, **detail)
        event["detail"]["userIdentity"] |= identity or {}
        return bool(events.test_event_pattern(EventPattern=guard.pattern, Event=json.dumps(event))["Result"])

    return judge


def test_no_function_stands_between_the_rule_and_the_topic() -> None:
    [target] = RESOURCES[NAME]["Properties"]["Targets"]

    assert target["Arn"] == {"Ref": "AlertsTopic"}
    assert RESOURCES[NAME]["Condition"] == "SecurityRemediation"


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "{}:live",
        "111122223333:function:{}",
        "arn:aws:lambda:ap-northeast-2:111122223333:function:{}",
        "arn:aws:lambda:ap-northeast-2:111122223333:function:{}:$LATEST",
    ],
)
def test_it_hears_of_the_function_in_every_form_of_its_name(form: str, hears: Hears, stack: Stack) -> None:
    name = form.format(stack.resources["SecurityRemediationFunction"])

    assert hears("update-function-code", {"functionName": name})
    for call in ("UpdateFunctionConfiguration20150331v2", "RemovePermission20150331v2", "DeleteFunction20150331"):
        assert hears("update-function-code", {"functionName": name}, eventName=call)
    assert not hears("update-function-code", {"functionName": form.format("billing")})


def test_it_hears_of_every_rule_that_brings_the_function_events_and_of_itself(hears: Hears, stack: Stack) -> None:
    function = stack.resources["SecurityRemediationFunction"]
    brings = {rule.arn.split("/")[-1] for rule in stack.rules if rule.target.endswith(f":{function}")}
    own = {rule.arn.split("/")[-1] for rule in stack.rules if rule.name.endswith(NAME)}

    assert len(brings) > 20
    assert len(own) == 2  # its twin, too
    for name in brings | own:
        for call in ("DisableRule", "DeleteRule", "PutRule"):
            assert hears("disable-rule", {"name": name}, eventName=call), name
        assert hears("remove-targets", {"rule": name, "ids": ["1"]}), name


@pytest.mark.parametrize(
    "name", ["nightly-report", "eventbridge-automations-ImageResizeFunctionImageUploaded-1ABC", "SecurityRemediation"]
)
def test_it_leaves_other_rules_alone(name: str, hears: Hears) -> None:
    assert not hears("disable-rule", {"name": name})
    assert not hears("remove-targets", {"rule": name})


def test_it_hears_of_the_role_and_of_its_policies(hears: Hears, stack: Stack) -> None:
    role = stack.resources["SecurityRemediationFunctionRole"]
    policies = (
        "DeliveryPolicy",
        "AlertsPolicy",
        "SecurityRemediationWrites1Policy",
        "SecurityRemediationWrites2Policy",
    )

    assert hears("delete-role-policy", {"roleName": role, "policyName": "p"})
    assert not hears("delete-role-policy", {"roleName": f"{role}-2", "policyName": "p"})
    for policy in policies:
        assert hears("create-policy-version", {"policyArn": stack.resources[policy]}), policy
    assert not hears("create-policy-version", {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})


@pytest.mark.parametrize(
    ("identity", "heard"),
    [
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, True),
        ({"invokedBy": "AWS Internal"}, True),
        ({"invokedBy": "ssm.amazonaws.com"}, True),
        ({"invokedBy": "cloudformation.amazonaws.com"}, False),
    ],
)
def test_it_hears_of_everybody_but_cloudformation(
    identity: dict[str, Any], heard: bool, hears: Hears, stack: Stack
) -> None:
    name = stack.resources["SecurityRemediationFunction"]

    assert hears("update-function-code", {"functionName": name}, identity) is heard


@pytest.mark.parametrize(
    "detail",
    [
        {"eventName": "Invoke"},  # a data event, of each invocation
        {"eventName": "GetFunction20150331v2", "readOnly": True},
        {"errorCode": "AccessDenied"},
    ],
)
def test_it_leaves_invocations_reads_and_failed_calls_alone(detail: dict[str, Any], hears: Hears, stack: Stack) -> None:
    name = stack.resources["SecurityRemediationFunction"]

    assert not hears("update-function-code", {"functionName": name}, **detail)


def test_its_pattern_is_not_longer_than_eventbridge_takes_with_the_longest_names(guard: Rule) -> None:
    """2,048 characters: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""
    longer = 2 * (
        64 + 128
    )  # a function's and a role's name have 64, a policy's 128; the local cloud's are there already

    assert len(guard.pattern) + longer < 2048
