"""The map of a deployment."""

from typing import Any

from local.console.chart import Permission, drawing, permissions, stations, words
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
SMALL = {"Resources": {"AlertsFunction": FUNCTION, "LeftOutFunction": FUNCTION, **POLICIES}}
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


def test_the_drawing_counts_rules_and_keeps_names_from_ending_a_label() -> None:
    rules = [
        *RULES,
        Rule("More", "AlertsFunction", "default", "{}", "arn"),
        Rule("P", "T", 'aws.partner/"x"|y', "{}", "arn"),
    ]

    text = drawing(stations(SMALL, rules, [NIGHTLY], ["AlertsFunction"]))

    assert text.startswith("flowchart LR\n")
    assert '-->|"2 rules"| s0' in text
    assert '{{"Nightly"}} --> s0' in text
    assert "aws.partner/#34;x#34;#124;y" in text


def test_a_policy_that_is_json_as_text_allows_what_it_says() -> None:
    (office_hours,) = stations(TEMPLATE, [], [], ["OfficeHoursFunction"])

    assert Permission(
        ["ec2:StartInstances", "ec2:StopInstances"], ["arn:{Partition}:ec2:{Region}:{AccountId}:instance/*"]
    ) in list(office_hours.permissions)
