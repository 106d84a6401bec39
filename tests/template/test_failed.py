"""What `failed retry` relies on: an undelivered event in its queue is the very thing that its target was to get."""

from typing import Any

from tests.template_file import RESOURCES

REWRITES = {"Input", "InputPath", "InputTransformer"}


def kind_of(arn: Any) -> str:
    """Type of the resource that a target's ARN refers to; empty when it is not one of the template."""
    match arn:
        case {"Fn::GetAtt": str(text)}:
            return str(RESOURCES[text.split(".")[0]]["Type"])
        case {"Ref": str(name)}:
            return str(RESOURCES.get(name, {}).get("Type", ""))
    return ""


def test_no_rule_rewrites_an_event_for_a_function_or_a_queue() -> None:
    by_functions = [
        event["Properties"]
        for item in RESOURCES.values()
        for event in item.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "EventBridgeRule"
    ]
    by_rules = [
        target
        for item in RESOURCES.values()
        if item["Type"] == "AWS::Events::Rule"
        for target in item["Properties"]["Targets"]
        if kind_of(target["Arn"]) in {"AWS::SQS::Queue", "AWS::Serverless::Function"}
    ]

    assert by_functions
    assert by_rules
    assert [target for target in [*by_functions, *by_rules] if REWRITES & set(target)] == []
