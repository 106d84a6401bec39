"""The template held against its own rules, as docs and DESIGN.md state them."""

import importlib
import re
from logging import getLevelName
from typing import Any

import pytest
from botocore.session import get_session
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords
from pydantic_core import PydanticUndefined

from tests.template_file import RESOURCES, ROOT, TEMPLATE, TEXT

FUNCTIONS = {name: item for name, item in RESOURCES.items() if item["Type"] == "AWS::Serverless::Function"}
GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]


def folder_of(function: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", function.removesuffix("Function")).lower()


def rules() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{function}.{name}", event["Properties"])
        for function, item in FUNCTIONS.items()
        for name, event in item["Properties"].get("Events", {}).items()
        if event["Type"] == "EventBridgeRule"
    ]


RULES = pytest.mark.parametrize("rule", [properties for _, properties in rules()], ids=[name for name, _ in rules()])
EACH_FUNCTION = pytest.mark.parametrize("name", FUNCTIONS)


def test_every_folder_of_functions_is_a_function_of_the_template() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/__init__.py")}

    assert {folder_of(name) for name in FUNCTIONS} == folders


@EACH_FUNCTION
def test_a_function_runs_the_handler_of_its_folder_and_names_its_service(name: str) -> None:
    properties = FUNCTIONS[name]["Properties"]

    assert properties["Handler"] == f"{folder_of(name)}.handler.lambda_handler"
    assert properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == folder_of(name)
    assert FUNCTIONS[name]["Metadata"] == {"BuildMethod": "makefile"}
    assert (ROOT / "functions" / folder_of(name) / "README.md").exists()


@EACH_FUNCTION
def test_a_function_has_a_log_group_of_its_own_that_forgets(name: str) -> None:
    group = name.removesuffix("Function") + "LogGroup"

    assert FUNCTIONS[name]["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": group}}
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@EACH_FUNCTION
def test_a_function_gets_every_variable_that_its_settings_ask_for_and_no_other(name: str) -> None:
    settings = importlib.import_module(f"{folder_of(name)}.handler").Settings
    own = set(FUNCTIONS[name]["Properties"]["Environment"]["Variables"]) - {"POWERTOOLS_SERVICE_NAME"}
    given = own | set(GLOBALS["Environment"]["Variables"])
    needed = {field.upper() for field, info in settings.model_fields.items() if info.default is PydanticUndefined}

    assert needed <= given
    assert own <= {field.upper() for field in settings.model_fields}


SERVES_OTHERS = {"SlackSender"}
"""They have no switch: they exist when another automation may need them."""


@EACH_FUNCTION
def test_an_automation_is_left_out_by_one_parameter_with_all_that_belongs_to_it(name: str) -> None:
    automation = name.removesuffix("Function")
    assert FUNCTIONS[name]["Condition"] == automation
    switched = TEMPLATE["Conditions"][automation] == {"Fn::Equals": [{"Ref": f"Enable{automation}"}, "true"]}
    assert switched is (automation not in SERVES_OTHERS)

    block = TEXT.split(f"# ---------------------------------------------------------------- {folder_of(name)}\n")[1]
    block = re.split(r"  # -{64} |\nOutputs:", block)[0]
    for owned in re.findall(r"^  ([A-Z]\w+):$", block, re.MULTILINE):
        assert depends_on(RESOURCES[owned]["Condition"], automation), f"{owned} is made without {automation}"


def depends_on(condition: str, automation: str) -> bool:
    """Whether the condition can only hold when the automation is enabled."""
    if condition == automation:
        return True
    return _demands(TEMPLATE["Conditions"][condition], automation)


def _demands(part: Any, automation: str) -> bool:
    match part:
        case {"Condition": name}:
            return depends_on(name, automation)
        case {"Fn::And": parts}:
            return any(_demands(one, automation) for one in parts)
        case {"Fn::Or": parts}:
            return all(_demands(one, automation) for one in parts)
    return False


@RULES
def test_a_rule_tries_again_and_keeps_what_it_could_not_deliver(rule: dict[str, Any]) -> None:
    assert rule["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert rule["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredEventsQueue.Arn"}}


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        (f"{function.removesuffix('Function')}{name}", event["Properties"])
        for function, item in FUNCTIONS.items()
        for name, event in item["Properties"].get("Events", {}).items()
        if event["Type"].startswith("Schedule")
    ],
)
def test_a_schedule_has_the_time_zone_a_group_tries_again_and_keeps_what_it_could_not_deliver(
    name: str, schedule: dict[str, Any]
) -> None:
    assert schedule["ScheduleExpressionTimezone"] == {"Ref": "TimeZone"}
    assert schedule["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert schedule["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredEventsQueue.Arn"}}
    assert schedule["GroupName"] == {"Ref": f"{name}Group"}  # of its own: it is counted by group only


@RULES
def test_a_rule_on_cloudtrail_leaves_failed_calls_out(rule: dict[str, Any]) -> None:
    if any("CloudTrail" in kind for kind in rule["Pattern"].get("detail-type", [])):
        assert rule["Pattern"]["detail"]["errorCode"] == [{"exists": False}]


def test_what_lambda_cannot_process_goes_to_the_failed_events_queue() -> None:
    assert GLOBALS["EventInvokeConfig"]["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": {"Fn::GetAtt": "FailedEventsQueue.Arn"},
    }
    assert not [name for name, item in FUNCTIONS.items() if "EventInvokeConfig" in item["Properties"]]


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that the alarm looks at, one or several with an expression."""
    several = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return several or [alarm]


def test_every_queue_keeps_messages_for_14_days_and_has_an_alarm_on_its_depth() -> None:
    queues = {name for name, item in RESOURCES.items() if item["Type"] == "AWS::SQS::Queue"}
    watched = {
        dimension["Value"]["Fn::GetAtt"].split(".")[0]
        for item in RESOURCES.values()
        if item["Type"] == "AWS::CloudWatch::Alarm"
        for metric in metrics(item["Properties"])
        if metric["Namespace"] == "AWS/SQS"
        for dimension in metric["Dimensions"]
    }

    assert queues == watched
    assert {RESOURCES[name]["Properties"]["MessageRetentionPeriod"] for name in queues} == {14 * 24 * 3600}


def test_no_attribute_of_a_table_is_a_word_that_dynamodb_reserves() -> None:
    """It would need an alias in every expression, and moto takes it in a key condition without one."""
    attributes = {
        attribute["AttributeName"].upper()
        for item in RESOURCES.values()
        if item["Type"] == "AWS::DynamoDB::Table"
        for attribute in item["Properties"]["AttributeDefinitions"]
    }

    assert not attributes & set(ReservedKeywords.get_reserved_keywords())


def test_only_buses_have_names_of_their_own() -> None:
    named = re.compile(r"^(Function|Topic|Queue|Table|Bucket|LogGroup|Role|Alarm|Policy|ManagedPolicy)?Name$")
    found = {
        name
        for name, item in RESOURCES.items()
        if item["Type"]
        not in {"AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"}  # these refer to a function
        for key in item.get("Properties", {})
        if named.match(key) and key not in {"MetricName", "QueueName"}
    }

    assert found == {"PartnerBus", "ApplicationBus"}


def test_a_wildcard_resource_has_its_reason_in_a_comment_above_its_statement() -> None:
    lines = TEXT.splitlines()
    for number, line in enumerate(lines):
        if re.search(r"Resource: '\*'|- '\*'", line):
            statement = next(i for i in range(number, 0, -1) if lines[i].lstrip().startswith(("- Effect:", "- Sid:")))
            assert lines[statement - 1].lstrip().startswith("#"), f"line {number + 1} of template.yaml"


def test_no_action_is_a_wildcard() -> None:
    assert not re.findall(r"\b[a-z0-9]+:\w*\*", re.sub(r"arn:\S+|#.*", "", TEXT))


def test_every_parameter_is_in_a_group_of_the_console_and_used() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]

    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])
    for parameter in grouped:
        assert re.search(rf"!Ref {parameter}\b|\$\{{{parameter}\}}", TEXT), f"{parameter} is not used"


def test_lambda_and_the_logs_know_every_value_that_their_parameters_allow() -> None:
    """cfn-lint does not look behind a reference to a parameter."""
    model = get_session().get_service_model("lambda")
    levels = TEMPLATE["Parameters"]["LogLevel"]["AllowedValues"]

    assert set(levels) <= set(model.shape_for("ApplicationLogLevel").enum)  # type: ignore[attr-defined]
    assert all(getLevelName(level) != f"Level {level}" for level in levels)


def test_what_changes_things_that_the_stack_did_not_create_is_off_by_default() -> None:
    defaults = {name: item.get("Default") for name, item in TEMPLATE["Parameters"].items()}

    assert defaults["AutoRestart"] == "false"
    assert defaults["RestartAfterUserStop"] == "false"
    assert defaults["SecurityMode"] == "notify"
