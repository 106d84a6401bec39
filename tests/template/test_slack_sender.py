"""What the queue for Slack and its function must have in common for nothing to be lost, or posted too fast."""

import json
from typing import Any

from slack_sender import channel
from tests.template.test_template import FUNCTIONS
from tests.template_file import RESOURCES, TEMPLATE

QUEUE = RESOURCES["SlackQueue"]["Properties"]
TIMEOUT = TEMPLATE["Globals"]["Function"]["Timeout"]


def test_the_order_of_a_channel_is_kept_and_only_what_comes_back_comes_again() -> None:
    mapping = RESOURCES["SlackSenderMapping"]["Properties"]

    assert QUEUE["FifoQueue"] is RESOURCES["SlackFailedMessages"]["Properties"]["FifoQueue"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": "SlackQueue.Arn"}


def test_a_message_stays_hidden_for_six_times_the_timeout_of_the_function() -> None:
    assert "Timeout" not in RESOURCES["SlackSenderFunction"]["Properties"]
    assert QUEUE["VisibilityTimeout"] >= 6 * TIMEOUT


def test_the_function_has_time_for_a_message_that_slack_does_not_answer() -> None:
    assert channel.LONGEST < TIMEOUT - 3


def test_what_comes_back_too_often_is_kept() -> None:
    assert QUEUE["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": "SlackFailedMessages.Arn"},
        "maxReceiveCount": 1000,
    }


def test_the_alarm_counts_what_waits_also_while_it_is_hidden_until_its_delay_is_over() -> None:
    """SQS leaves what was received many times out of `ApproximateAgeOfOldestMessage`.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    found = RESOURCES["SlackQueueAlarm"]["Properties"]["Metrics"]
    names = {one["Id"]: one["MetricStat"]["Metric"]["MetricName"] for one in found if "MetricStat" in one}

    assert names == {
        "visible": "ApproximateNumberOfMessagesVisible",
        "hidden": "ApproximateNumberOfMessagesNotVisible",
    }
    assert [one["Expression"] for one in found if one.get("ReturnData", True)] == ["FILL(visible, 0) + FILL(hidden, 0)"]


def test_the_sender_exists_when_there_is_a_webhook_or_routes_that_name_one() -> None:
    assert TEMPLATE["Conditions"]["SlackSender"] == {
        "Fn::Or": [{"Condition": "HasSlackWebhook"}, {"Condition": "PartnerRelay"}]
    }


def policies(function: str) -> str:
    return json.dumps(FUNCTIONS[function]["Properties"].get("Policies", []))


def test_nobody_but_the_sender_reads_the_webhook_and_whoever_tells_slack_may_send_to_the_queue() -> None:
    reading = {name for name in FUNCTIONS if "${SlackWebhook" in policies(name)}
    sending = {name for name in FUNCTIONS if '"SlackPolicy"' in policies(name)}
    statement: dict[str, Any] = RESOURCES["SlackPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]

    assert reading == {"SlackSenderFunction"}
    assert {"CodebuildSlackFunction", "PartnerRelayFunction", "SecurityRemediationFunction"} <= sending
    assert statement["Resource"] == {"Fn::GetAtt": "SlackQueue.Arn"}
