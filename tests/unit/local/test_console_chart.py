"""The map of a deployment."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from local.console.chart import (
    Node,
    Permission,
    drawing,
    listens,
    nodes,
    overview,
    permissions,
    plain,
    stations,
    words,
)
from local.stack import Rule, Schedule

from tests.template_file import RESOURCES, TEMPLATE

FUNCTION: dict[str, Any] = {
    "Type": "AWS::Serverless::Function",
    "Properties": {
        "Description": "When a machine stops, tell people",
        "Handler": "ec2_state_alerts.handler.lambda_handler",
        "Policies": [
            {"Ref": "DeliveryPolicy"},
            {"Fn::If": ["HasSlack", {"Ref": "SlackPolicy"}, {"Ref": "AWS::NoValue"}]},
            {"Statement": [{"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"}]},
            {"Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]},
        ],
    },
}
POLICIES = {
    "DeliveryPolicy": {
        "Properties": {
            "PolicyDocument": {
                "Statement": [
                    {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": {"Fn::GetAtt": "Table.Arn"}}
                ]
            }
        }
    },
    "SlackPolicy": {
        "Properties": {
            "PolicyDocument": {
                "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Ref": "SlackQueue"}}]
            }
        }
    },
}
SMALL = {
    "Globals": TEMPLATE["Globals"],
    "Resources": {"AlertsFunction": FUNCTION, "LeftOutFunction": FUNCTION, **POLICIES},
}
RULES = [
    Rule("Stopped", "AlertsFunction", "default", "{}", "arn"),
    Rule("Forwarded", "AlertsFunction", "shared", "{}", "arn"),
    Rule("Mail", "AlertsTopic", "default", "{}", "arn"),
]
NIGHTLY = Schedule("Nightly", "AlertsFunction", "{}", "arn", "arn")


def test_a_role_allows_what_its_own_and_its_shared_policies_say_under_any_condition() -> None:
    assert list(permissions(FUNCTION, SMALL["Resources"])) == [
        Permission(["dynamodb:GetItem"], ["{Table}"]),
        Permission(["sqs:SendMessage"], ["{SlackQueue}"]),
        Permission(["ec2:DescribeInstances"], ["*"]),
    ]


def test_the_map_shows_what_is_deployed_and_what_sends_events_to_it() -> None:
    function, topic = stations(SMALL, RULES, [NIGHTLY], ["AlertsFunction", "DeliveryPolicy", "AlertsTopic"])

    assert (function.name, function.folder, function.buses) == (
        "AlertsFunction",
        "ec2_state_alerts",
        ["default", "shared"],
    )
    assert (function.schedules, function.touches) == ([NIGHTLY], ["dynamodb", "ec2", "sqs"])
    assert (topic.name, topic.folder, [rule.name for rule in topic.rules]) == ("AlertsTopic", "", ["Mail"])


def test_every_function_of_the_template_has_a_place_permissions_and_a_readme() -> None:
    found = stations(TEMPLATE, [], [], RESOURCES)

    assert {station.name for station in found} == {
        name for name, item in RESOURCES.items() if item["Type"] == "AWS::Serverless::Function"
    }
    for station in found:
        assert station.description
        assert station.touches
        assert all(one.actions and one.resources for one in station.permissions), station.name


def test_expressions_of_the_template_become_words() -> None:
    bucket = {"Fn::If": ["Create", {"Ref": "Bucket"}, {"Ref": "BucketName"}]}

    assert list(words({"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}/*", {"Bucket": bucket}]})) == [
        "arn:{Partition}:s3:::{Bucket}/*",
        "arn:{Partition}:s3:::{BucketName}/*",
    ]
    assert list(words([bucket, {"Ref": "AWS::NoValue"}])) == ["{Bucket}", "{BucketName}"]


def test_of_a_bucket_that_the_stack_creates_or_is_given_the_map_shows_the_one_that_there_is() -> None:
    def touched(deployed: Sequence[str]) -> set[str]:
        [station] = [one for one in stations(TEMPLATE, [], [], deployed) if one.name == "ImageResizeFunction"]
        return {
            resource
            for one in station.permissions
            for resource in one.resources
            if any(action.startswith("s3:") for action in one.actions)
        }

    arn = "arn:{Partition}:s3:::"
    assert touched(["ImageResizeFunction", "UploadsBucket"]) == {
        *(f"{arn}{{UploadsBucket}}", f"{arn}{{UploadsBucket}}/*"),
        *(f"{arn}{{DerivativesBucketName}}", f"{arn}{{DerivativesBucketName}}/*"),
    }


def test_the_overview_leads_from_what_sends_events_over_the_stations_to_the_services() -> None:
    [series] = [overview(stations(SMALL, RULES, [NIGHTLY], ["AlertsFunction", "AlertsTopic"]))["series"]]

    assert {(node["name"], node["depth"]) for node in series["data"]} == {
        *(("bus default", 0), ("bus shared", 0), ("schedules", 0)),
        *(("AlertsFunction", 1), ("AlertsTopic", 1)),
        *(("dynamodb", 2), ("ec2", 2), ("sqs", 2)),
    }
    assert {(link["source"], link["target"]) for link in series["links"]} == {
        *(("bus default", "AlertsFunction"), ("bus shared", "AlertsFunction"), ("schedules", "AlertsFunction")),
        ("bus default", "AlertsTopic"),
        *(("AlertsFunction", "dynamodb"), ("AlertsFunction", "ec2"), ("AlertsFunction", "sqs")),
    }


def drawn(name: str, rules: Sequence[Rule] = (), schedules: Sequence[Schedule] = ()) -> dict[str, Node]:
    """The nodes of one station of the template, by id."""
    [station] = [one for one in stations(TEMPLATE, rules, schedules, RESOURCES) if one.name == name]
    return {node.id: node for node in nodes(station)}


def test_what_can_fail_waits_in_the_queues_that_the_template_names_with_the_alarms_about_them() -> None:
    stopped = Rule("Stopped", "Ec2StateAlertsFunction", "default", "{}", "arn")

    found = drawn("Ec2StateAlertsFunction", [stopped])

    queues = {one.title: one.beside for key, one in found.items() if key.startswith("queue")}
    assert queues == {
        "UndeliveredEventsQueue": ["alarmUndeliveredEventsQueue"],
        "FailedEventsQueue": ["alarmFailedEventsQueue"],
    }
    assert found["alarmstation"].lines == ["Ec2StateAlertsErrorsAlarm", "Ec2StateAlertsThrottlesAlarm"]
    assert "FailedEventsQueueForgottenAlarm" in found["alarmFailedEventsQueue"].lines
    assert "alarmstation" in found["station"].beside


def test_a_function_that_takes_messages_shows_their_queue_and_its_dead_letters() -> None:
    found = drawn("SlackSenderFunction")

    assert (found["input0"].title, found["input0"].to) == ("queue SlackQueue", ["station"])
    assert found["input0"].beside == ["alarmSlackQueue"]
    assert [one.title for key, one in found.items() if key.startswith("queue")] == ["SlackFailedMessages"]


def test_functions_behind_an_api_and_a_url_say_so() -> None:
    assert drawn("BasketFunction")["input0"].title == "REST API"
    assert drawn("WebhookReceiverFunction")["input0"].title == "function URL"


def test_a_schedule_brings_the_alarm_about_its_missed_runs() -> None:
    found = drawn("RdsBackupFunction", schedules=[Schedule("Nightly", "RdsBackupFunction", '{"a": 1}', "arn", "arn")])

    assert (found["schedule0"].title, found["schedule0"].to) == ("schedule Nightly", ["station"])
    assert "RdsBackupNightlyMissedAlarm" in found["alarmstation"].lines


def test_rules_of_one_bus_about_the_same_kind_of_event_share_a_node_that_says_each_pattern() -> None:
    call = {"source": ["aws.ec2"], "detail-type": ["AWS API Call via CloudTrail"]}
    rules = [
        Rule("Open", "AlertsFunction", "default", json.dumps(call | {"detail": {"eventName": ["A"]}}), "arn"),
        Rule("Share", "AlertsFunction", "default", json.dumps(call), "arn"),
        Rule("Forwarded", "AlertsFunction", "shared", json.dumps(call), "arn"),
    ]
    [station] = stations(SMALL, rules, [], ["AlertsFunction"])

    found = {node.id: node for node in nodes(station)}

    assert found["bus0"].to == ["rule0"]
    assert (found["rule0"].title, found["rule0"].lines) == (
        "aws.ec2: AWS API Call via CloudTrail",
        ["Open", "Share"],
    )
    assert [name for name, _ in found["rule0"].says] == [
        "Rule Open, on the bus default",
        "Rule Share, on the bus default",
    ]
    assert '"eventName"' in found["rule0"].says[0][1]
    assert (found["rule1"].lines, found["bus1"].to) == (["Forwarded"], ["rule1"])


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ({"source": ["aws.ec2", "aws.rds"], "detail-type": ["A"]}, "aws.ec2, aws.rds: A"),
        ({"source": [{"prefix": "aws."}], "detail-type": ["A", "B"]}, 'a text that begins with "aws.": A, B'),
        ({"detail": {"state": ["paid"]}}, "any source: any detail type"),
    ],
)
def test_a_rule_listens_for_sources_and_detail_types(pattern: dict[str, Any], kind: str) -> None:
    assert listens(json.dumps(pattern)) == kind


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("{RestartsTable}", "RestartsTable"),
        ("{AuditBucket.Arn}/audit/*", "AuditBucket/audit/*"),
        ("arn:{Partition}:ec2:{Region}:{AccountId}:instance/*", "instance/*"),
        ("arn:{Partition}:s3:::{Bucket}/*", "Bucket/*"),
        ("arn:{Partition}:apigateway:{Region}::/restapis/*/stages/*", "/restapis/*/stages/*"),
        ("*", "*"),
    ],
)
def test_resources_have_their_short_names_in_the_drawing(resource: str, name: str) -> None:
    assert plain(resource) == name


def test_a_service_shows_what_the_role_names_there() -> None:
    found = {one.title: one for one in drawn("Ec2StateAlertsFunction").values()}

    assert list(found["dynamodb"].lines) == ["IdempotencyTable", "RestartsTable"]
    assert ("ec2:StartInstances", "on arn:{Partition}:ec2:{Region}:{AccountId}:instance/*") in found["ec2"].says


def test_the_drawing_keeps_names_from_ending_a_label_and_shortens_long_lists() -> None:
    names = [f"Rule{number}" for number in range(9)]

    text = drawing([Node("rule0", 'aws.partner/"x"|y: <b>', names, to=["station"], beside=["alarmstation"])])

    assert text.startswith("flowchart LR\n")
    assert 'rule0["<b>aws.partner/#34;x#34;#124;y#58; #60;b#62;</b><br/>Rule0<br/>' in text
    assert 'Rule6<br/>and 2 more"]' in text
    assert "rule0 --> station" in text
    assert "rule0 -.-> alarmstation" in text


def test_a_policy_that_is_json_as_text_allows_what_it_says() -> None:
    (office_hours,) = stations(TEMPLATE, [], [], ["OfficeHoursFunction"])

    assert Permission(
        ["ec2:StartInstances", "ec2:StopInstances"], ["arn:{Partition}:ec2:{Region}:{AccountId}:instance/*"]
    ) in list(office_hours.permissions)
