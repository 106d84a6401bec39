"""Who may put events on the application bus, and the rules there that hear what others forward."""

import re
from typing import Any

import pytest
from local import security

from tests.template_file import RESOURCES, TEMPLATE

POLICIES = {name: item for name, item in RESOURCES.items() if item["Type"] == "AWS::Events::EventBusPolicy"}
TWINS = {name: item for name, item in RESOURCES.items() if name.startswith("Forwarded") and "Permission" not in name}
PERMISSIONS = {
    name: item
    for name, item in RESOURCES.items()
    if item["Type"] == "AWS::Lambda::Permission" and item["Condition"].endswith("Forwarded")
}
EACH_TWIN = pytest.mark.parametrize("name", TWINS)
EACH_POLICY = pytest.mark.parametrize("name", POLICIES)
OWN_ACCOUNT_ONLY = {
    f"Forwarded{one.name}" for one in security.rules_of_calls() if set(one.events) & security.GLOBAL
} | {"ForwardedRootActivity"}


def original(twin: str) -> tuple[str, dict[str, Any]]:
    """The condition of the automation whose rule it is, and that rule, in the form of a rule that SAM makes."""
    name = twin.removeprefix("Forwarded")
    if name in RESOURCES:
        rule = RESOURCES[name]
        [target] = rule["Properties"]["Targets"]
        return rule["Condition"], {"Pattern": rule["Properties"]["EventPattern"], "Target": target, **target}
    [(function, event)] = [
        (function, item["Properties"]["Events"][name]["Properties"])
        for function, item in RESOURCES.items()
        if name in item.get("Properties", {}).get("Events", {})
    ]
    return RESOURCES[function]["Condition"], {**event, "Arn": {"Fn::GetAtt": f"{function}.Arn"}}


def test_the_rules_with_a_twin_are_those_for_which_an_event_from_elsewhere_makes_sense() -> None:
    assert set(TWINS) == {
        "ForwardedInstanceStateChanged",
        "ForwardedBuildFinished",
        *OWN_ACCOUNT_ONLY,
        "ForwardedRootSignInRule",
        "ForwardedTrustedAdvisorErrorRule",
        "ForwardedHealthEventRule",
        "ForwardedGuardDutyFindingRule",
        "ForwardedSecurityRemediationGuardRule",
    }


@EACH_TWIN
def test_a_twin_has_the_pattern_and_the_state_of_its_original(name: str) -> None:
    _, rule = original(name)
    pattern = dict(TWINS[name]["Properties"]["EventPattern"])
    accounts = pattern.pop("account", None)
    sources = pattern.pop("source")

    assert pattern == {key: value for key, value in rule["Pattern"].items() if key != "source"}
    assert sources == [one for one in rule["Pattern"]["source"] if one in sources]  # those of AWS's global services
    assert accounts == ([{"Ref": "AWS::AccountId"}] if name in OWN_ACCOUNT_ONLY else None)
    assert TWINS[name]["Properties"].get("State") == rule.get("State")


@EACH_TWIN
def test_a_twin_sends_to_the_same_target_tries_again_and_keeps_what_it_could_not_deliver(name: str) -> None:
    _, rule = original(name)
    [target] = TWINS[name]["Properties"]["Targets"]

    assert TWINS[name]["Properties"]["EventBusName"] == {"Ref": "ApplicationBus"}
    assert target["Arn"] == rule["Arn"]
    assert target.get("InputTransformer") == rule.get("InputTransformer")
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredEventsQueue.Arn"}}


@EACH_TWIN
def test_a_twin_exists_only_with_its_automation_and_when_forwarded_events_are_wanted(name: str) -> None:
    automation, _ = original(name)

    assert TEMPLATE["Conditions"][TWINS[name]["Condition"]] == {
        "Fn::And": [{"Condition": automation}, {"Condition": "ReceivesForwarded"}]
    }


def test_each_function_lets_the_rules_of_the_bus_invoke_it_and_no_others() -> None:
    functions = {
        twin["Properties"]["Targets"][0]["Arn"]["Fn::GetAtt"].split(".")[0]: twin["Condition"]
        for twin in TWINS.values()
        if "Fn::GetAtt" in twin["Properties"]["Targets"][0]["Arn"]
    }

    assert {item["Properties"]["FunctionName"]["Ref"]: item["Condition"] for item in PERMISSIONS.values()} == functions
    for item in PERMISSIONS.values():
        assert item["Properties"]["Action"] == "lambda:InvokeFunction"
        assert item["Properties"]["Principal"] == "events.amazonaws.com"
        assert item["Properties"]["SourceArn"] == {
            "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${ApplicationBus}/*"
        }


@EACH_POLICY
def test_others_may_only_put_events_of_the_sources_that_are_listed_and_only_on_the_application_bus(name: str) -> None:
    properties = POLICIES[name]["Properties"]
    statement, condition = properties["Statement"], properties["Statement"]["Condition"]

    assert properties["EventBusName"] == {"Ref": "ApplicationBus"}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "events:PutEvents")
    assert statement["Resource"] == {"Fn::GetAtt": "ApplicationBus.Arn"}
    assert condition["ForAllValues:StringLike"] == {"events:source": {"Ref": "BusSources"}}
    assert condition["Null"] == {"events:source": "false"}  # the key must be there


def test_those_who_may_are_this_account_the_accounts_and_the_organisation_that_are_named() -> None:
    who = {
        name: (
            item["Condition"],
            item["Properties"]["Statement"]["Principal"],
            item["Properties"]["Statement"]["Condition"].get("StringEquals"),
        )
        for name, item in POLICIES.items()
    }

    own = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert who == {
        "OwnAccountBusPolicy": ("ReceivesForwarded", own, None),
        "AccountsBusPolicy": ("HasBusAccounts", {"AWS": {"Ref": "BusAccounts"}}, None),
        "OrganizationBusPolicy": (
            "HasBusOrganization",
            "*",
            {"aws:PrincipalOrgID": {"Ref": "BusOrganization"}},
        ),
    }


def test_the_statements_of_two_stacks_have_different_ids() -> None:
    ids = [item["Properties"]["StatementId"]["Fn::Sub"] for item in POLICIES.values()]
    stack = {"Stack": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}}

    assert len({text for text, _ in ids}) == len(POLICIES)
    for text, variables in ids:
        assert text.endswith("-${Stack}")
        assert variables == stack
        # 64 characters at most; a stack's id ends with a UUID.
        assert len(text.replace("${Stack}", "0" * 36)) <= 64


def test_the_bus_exists_whenever_somebody_is_to_put_events_on_it() -> None:
    conditions = TEMPLATE["Conditions"]

    assert {"Condition": "SharesBus"} in conditions["UsesApplicationBus"]["Fn::Or"]
    assert {part["Condition"] for part in conditions["SharesBus"]["Fn::Or"]} == {
        item["Condition"] for item in POLICIES.values()
    }


def test_nobody_else_is_let_in_by_default_and_then_only_with_what_nobody_can_make_up() -> None:
    defaults = {name: item.get("Default") for name, item in TEMPLATE["Parameters"].items()}

    assert (defaults["ForwardedEvents"], defaults["BusAccounts"], defaults["BusOrganization"]) == ("false", "", "")
    assert defaults["BusSources"] == "aws.*"


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("BusAccounts", "444455556666", True),
        ("BusAccounts", "", True),
        ("BusAccounts", "*", False),
        ("BusAccounts", "44445555666", False),
        ("BusOrganization", "o-exampleorgid", True),
        ("BusOrganization", "*", False),
        ("BusOrganization", "ou-ab12-11111111", False),
        ("BusSources", "aws.iam", True),
        ("BusSources", "com.example.*", True),
        ("BusSources", "*", False),
        ("BusSources", "", False),
    ],
)
def test_the_parameters_take_ids_and_sources_and_no_star_alone(parameter: str, value: str, fits: bool) -> None:
    assert bool(re.fullmatch(TEMPLATE["Parameters"][parameter]["AllowedPattern"], value)) is fits
