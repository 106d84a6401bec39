"""Events as a forwarder brings them from another account or region, in the deployed application."""

import json
from pathlib import Path

import pytest
from local.cloud import Cloud, wait_for
from local.stack import Stack
from local.stage import Stage

from tests.e2e.test_every_rule import first_sample
from tests.template.test_buses import TWINS
from tests.template.test_rules import EVENTS, INDEX, hears


def heard_by(twin: str) -> list[str]:
    """The samples of the twin's rule whose source the twin hears."""
    names = [name for name, entry in INDEX.items() if twin.removeprefix("Forwarded") in entry["matches"]]
    return [name.removesuffix(".json") for name in names if hears(twin, json.loads((EVENTS / name).read_text()))]


INVOKING = [name for name in TWINS if not name.endswith("Rule")]
MAILING = {
    "ForwardedRootSignInRule": "The root user of account",
    "ForwardedTrustedAdvisorErrorRule": "Trusted Advisor reports an error",
    "ForwardedHealthEventRule": "AWS Health",
    "ForwardedGuardDutyFindingRule": "GuardDuty: ",
}
ELSEWHERE = {"account": "444455556666", "region": "us-east-1"}


@pytest.fixture
def bus(stack: Stack) -> str:
    return stack.outputs["ApplicationBus"]


@pytest.mark.parametrize("twin", INVOKING)
def test_a_forwarded_event_reaches_the_function_through_the_twin_of_the_rule_and_once(
    twin: str, stage: Stage, bus: str
) -> None:
    event = stage.sample(heard_by(twin)[0])

    sent = stage.stack.send(event, bus)

    [function] = [found.function for found in sent.rules if found.name == twin]
    assert wait_for(lambda: stage.stack.log(function, sent.event_id)), f"{function} did not run"
    assert [found.bus for found in sent.rules] == [bus] * len(sent.rules)


@pytest.mark.parametrize("twin", MAILING)
def test_a_forwarded_alert_is_mailed_through_the_twin_of_the_rule(twin: str, stage: Stage, bus: str) -> None:
    event = stage.sample(first_sample(twin.removeprefix("Forwarded")))
    [rule] = [found for found in stage.stack.matching(event, bus) if found.name == twin]

    stage.stack.send_through_copy(rule, event)

    found = wait_for(lambda: [mail for mail in stage.take(stage.alerts) if MAILING[twin] in mail["Message"]])
    assert found


def test_an_instance_of_another_account_is_told_with_account_and_region(stage: Stage, bus: str) -> None:
    event = stage.sample("ec2_state_alerts/stopped", instance_id="i-0123456789abcdef7") | ELSEWHERE

    stage.send(event, expect="ForwardedInstanceStateChanged", bus=bus)

    stage.alert("i-0123456789abcdef7 in account 444455556666, us-east-1, is stopped", "Ec2StateAlertsFunction")


def test_a_call_in_another_account_does_not_reach_the_remediation(stage: Stage, bus: str) -> None:
    event = stage.sample("security_remediation/attach-user-policy-admin") | ELSEWHERE

    assert stage.stack.matching(event, bus) == []


def test_the_deployed_bus_is_the_one_whose_arn_the_stack_tells(stack: Stack, local_cloud: Cloud, bus: str) -> None:
    assert local_cloud.client("events").describe_event_bus(Name=bus)["Arn"] == stack.outputs["ApplicationBusArn"]


EVENT = str(Path(__file__).parents[2] / "events/ec2_state_alerts/terminated.json")


def test_send_takes_an_event_for_one_that_was_forwarded_to_a_bus(run, started, bus: str) -> None:
    status, output = run("send", "--bus", bus, EVENT)

    assert status == 0
    assert "ForwardedInstanceStateChanged matches: it invokes Ec2StateAlertsFunction." in output
    assert "\nInstanceStateChanged" not in output


def test_send_names_the_buses_when_there_is_no_rule_on_the_one_that_is_given(run, started, bus: str) -> None:
    status, output = run("send", "--bus", "nowhere", EVENT)

    assert status == 1
    assert "No rule of eventbridge-automations is on a bus named nowhere; they are on" in output
    assert bus in output
