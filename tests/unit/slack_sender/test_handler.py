import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from local.receiver import Answer, Receiver
from moto.sqs.models import sqs_backends

from automations import aws, http
from automations.errors import InvalidEvent, SettingsError
from automations.events.sqs import FifoMessage
from automations.notify import Severity
from automations.notify.slack import put
from slack_sender.handler import lambda_handler
from slack_sender.plan import delay, plan
from tests.samples import EVENTS
from tests.slack_queue import SlackQueue
from tests.unit.conftest import Context
from tests.unit.shared.messages import message

WEBHOOK = "secretsmanager:slack-webhook"
BATCH = json.loads((EVENTS / "slack_sender/batch.json").read_text())


@dataclass
class Clock:
    """Seconds that were waited instead of slept."""

    waited: list[float] = field(default_factory=list)

    def context(self) -> Context:
        """An invocation's whose time runs out while it waits."""
        context, before = Context(), sum(self.waited)
        context.get_remaining_time_in_millis = lambda: int(  # type: ignore[method-assign]
            (60 - sum(self.waited) + before) * 1000
        )
        return context


@pytest.fixture
def clock(slack, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "sleep", clock.waited.append)
    return clock


@pytest.fixture
def say(slack_queue):
    """Put a message of this title on the queue."""

    def said(title, key=None, webhook=WEBHOOK, **parts):
        put(message(title=title, **parts), webhook, queue=slack_queue.queue, key=key or title)

    return said


@pytest.fixture
def other(web):
    """The webhook of another channel."""
    boto3.client("secretsmanager").create_secret(Name="other-webhook", SecretString=f"{web.url}/other")
    return "secretsmanager:other-webhook"


@pytest.fixture
def run(slack_queue, clock):
    """Let Lambda take one batch; returns the answer's number of messages that come again."""

    def once():
        batch = slack_queue.receive()
        answer = lambda_handler(batch, clock.context())
        slack_queue.delete(batch, answer)
        return len(answer["batchItemFailures"])

    return once


def titles(web: Receiver, path: str = "/slack") -> list[str]:
    return [request.json()["text"] for request in web.requests if request.path == path]


def hidden_until(slack_queue: SlackQueue) -> dict[str, int]:
    """Seconds for which the queue's messages are still hidden, by title."""
    queue = sqs_backends["123456789012"]["ap-northeast-2"].get_queue("SlackQueue.fifo")
    now = time.time() * 1000
    return {
        json.loads(one.body)["payload"]["text"]: round(max(0.0, one.visible_at - now) / 1000) for one in queue._messages
    }


def test_messages_are_posted_in_their_order_with_a_second_after_each(slack, say, run, clock):
    for title in ("one", "two", "three"):
        say(title)

    assert run() == 0

    assert titles(slack) == ["one", "two", "three"]
    assert clock.waited == [1.0, 1.0, 1.0]
    assert slack.requests[0].headers["Content-Type"] == "application/json"


def test_the_log_names_the_events_of_the_batch(slack, say, run, logs):
    say("one")
    say("two")

    run()

    [line] = [json.loads(text) for text in logs.getvalue().splitlines() if "Took a batch" in text]
    assert line["events"] == [message().event.id]


def test_a_batch_that_comes_twice_is_posted_once(slack, slack_queue, say, clock):
    say("one")
    batch = slack_queue.receive()

    for _ in range(2):
        assert lambda_handler(batch, clock.context()) == {"batchItemFailures": []}

    assert titles(slack) == ["one"]


def test_messages_of_the_same_title_and_severity_are_one_post_with_a_count(slack, say, run):
    say("disk full", "1")
    say("another")
    say("disk full", "2")
    say("disk full", "3")
    say("disk full", "4", severity=Severity.CRITICAL)

    assert run() == 0

    assert titles(slack) == ["another", "disk full (and 2 more like it)", "disk full"]
    count = slack.requests[1].json()["blocks"][1]["elements"][0]["text"]
    assert count.startswith("and 2 more like it, the last of 2026-11-22 03:00:00 UTC · event 6a7e8feb-")


def test_what_was_counted_in_a_post_is_not_posted_when_it_comes_again(slack, slack_queue, say, clock):
    for key in "123":
        say("disk full", key)
    batch = slack_queue.receive()
    lambda_handler(batch, clock.context())

    lambda_handler({"Records": batch["Records"][1:]}, clock.context())

    assert len(slack.requests) == 1


def test_after_a_crash_between_a_post_and_the_records_of_those_it_counts_they_are_told_once_more(
    slack, slack_queue, say, clock
):
    for key in "123":
        say("disk full", key)
    batch = slack_queue.receive()
    lambda_handler({"Records": batch["Records"][:1]}, clock.context())

    lambda_handler(batch, clock.context())

    assert titles(slack) == ["disk full", "disk full (and 1 more like it)"]


def test_slack_that_asks_to_wait_is_waited_for_when_that_fits_into_the_time_left(slack, say, run, clock):
    slack.answer("/slack", Answer(429, {"Retry-After": "5"}))
    say("one")

    assert run() == 0

    assert titles(slack) == ["one", "one"]
    assert clock.waited == [1.0, 5.0, 1.0]


def test_what_a_channel_shows_last_is_what_happened_last(slack, say, run):
    for number, title in enumerate(("triggered", "recovered", "triggered")):
        say(title, str(number))

    assert run() == 0

    assert titles(slack) == ["recovered", "triggered (and 1 more like it)"]


@pytest.mark.parametrize("asked", ["inf", "1e9"])
def test_slack_that_asks_for_ever_is_asked_again_before_sqs_forgets_the_message(asked, slack, slack_queue, say, run):
    slack.answer("/slack", Answer(429, {"Retry-After": asked}))
    say("one")

    assert run() == 1

    assert hidden_until(slack_queue) == {"one": 11 * 3600}


def test_slack_that_asks_for_nothing_is_asked_less_and_less_often(slack, slack_queue, say, run, monkeypatch):
    monkeypatch.setattr("slack_sender.sending.delay", lambda times: 64)
    slack.always("/slack", Answer(503, {"Retry-After": "30"}))
    say("one")

    assert run() == 1

    assert hidden_until(slack_queue) == {"one": 64}


def test_what_could_not_be_posted_for_days_is_kept_with_all_that_waits_behind_it(
    slack, slack_queue, say, run, monkeypatch
):
    slack.always("/slack", Answer(500))
    say("one")
    say("two")
    later = datetime.now(UTC) + timedelta(days=3, minutes=1)
    monkeypatch.setattr("slack_sender.sending.clock", lambda: later)

    assert run() == 0

    assert titles(slack) == ["one"]
    kept = slack_queue.kept()
    assert [json.loads(message["Body"])["payload"]["text"] for message in kept] == ["one", "two"]
    assert (
        "for 3 days; the last reason: Slack does not take"
        in kept[1]["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    )


def test_what_is_old_and_can_be_posted_is_posted(slack, say, run, monkeypatch):
    say("one")
    later = datetime.now(UTC) + timedelta(days=13)
    monkeypatch.setattr("slack_sender.sending.clock", lambda: later)

    assert run() == 0

    assert titles(slack) == ["one"]


def test_what_is_old_and_only_found_no_time_goes_back(slack, slack_queue, say, run, clock, monkeypatch):
    monkeypatch.setattr("slack_sender.channel.PAUSE", 40.0)  # which leaves no time for a second post
    later = datetime.now(UTC) + timedelta(days=4)
    monkeypatch.setattr("slack_sender.sending.clock", lambda: later)
    say("one")
    say("two")

    assert run() == 1

    assert hidden_until(slack_queue) == {"two": 0}
    assert slack_queue.kept() == []


def test_slack_that_asks_for_more_gets_its_channel_after_that_time(slack, slack_queue, say, run, clock, other):
    slack.answer("/slack", Answer(429, {"Retry-After": "600"}))
    say("one")
    say("two")
    say("elsewhere", webhook=other)

    assert run() == 2

    assert titles(slack) == ["one"]
    assert titles(slack, "/other") == ["elsewhere"]
    assert hidden_until(slack_queue) == {"one": 600, "two": 600}


@pytest.mark.parametrize("answer", [Answer(500), Answer(503), Answer(408), Answer(429)])
def test_slack_that_is_down_gets_the_message_later_and_nothing_overtakes_it(answer, slack, slack_queue, say, run):
    slack.answer("/slack", answer)
    say("one")
    say("two")

    assert run() == 2

    assert titles(slack) == ["one"]
    assert hidden_until(slack_queue) == {"one": 2, "two": 2}
    assert slack_queue.kept() == []


def test_the_delay_grows_with_each_failure_up_to_a_quarter_of_an_hour():
    assert [delay(times) for times in (1, 2, 3, 9, 10, 1000)] == [2, 4, 8, 512, 900, 900]


def test_without_time_for_a_post_the_rest_goes_back_at_once(slack, slack_queue, say, run, clock, monkeypatch):
    def ask(*given, **named):
        clock.waited.append(20)  # Slack is slow
        return attempt(*given, **named)

    attempt = http.attempt
    monkeypatch.setattr(http, "attempt", ask)
    for title in ("one", "two", "three"):
        say(title)

    assert run() == 1
    assert hidden_until(slack_queue) == {"three": 0}
    assert run() == 0
    assert titles(slack) == ["one", "two", "three"]


@pytest.mark.parametrize("answer", [Answer(404, body=b"no_service"), Answer(400, body=b"invalid_payload")])
def test_what_slack_refuses_is_kept_with_the_reason_and_does_not_stop_the_others(answer, slack, slack_queue, say, run):
    slack.answer("/slack", answer)
    say("one")
    say("two")

    assert run() == 0

    assert titles(slack) == ["one", "two"]
    [kept] = slack_queue.kept()
    assert json.loads(kept["Body"])["payload"]["text"] == "one"
    why = kept["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert why == f"Slack refused the message: {answer.status} {answer.body.decode()}"


def test_all_that_are_counted_in_a_refused_post_are_kept(slack, slack_queue, say, run):
    slack.answer("/slack", Answer(410, body=b"channel_is_archived"))
    for key in "12":
        say("one", key)

    assert run() == 0

    assert len(slack_queue.kept()) == 2


def test_a_refused_message_that_is_put_on_the_queue_again_is_posted(slack, slack_queue, say, run):
    slack.answer("/slack", Answer(404, body=b"no_service"))
    say("one")
    run()
    [kept] = slack_queue.kept()
    attributes = kept["Attributes"]

    aws.sqs().send_message(
        QueueUrl=slack_queue.queue,
        MessageBody=kept["Body"],
        MessageGroupId=attributes["MessageGroupId"],
        MessageDeduplicationId=attributes["MessageDeduplicationId"],
    )
    run()

    assert titles(slack) == ["one", "one"]
    assert slack_queue.kept() == []


def test_slack_that_takes_a_message_without_an_answer_is_asked_once_more(slack, slack_queue, say, run, monkeypatch):
    monkeypatch.setattr(http, "READ_TIMEOUT", 0.2)
    slack.answer("/slack", Answer(delay=5))
    say("one")

    assert run() == 0

    assert titles(slack) == ["one", "one"]
    assert slack_queue.kept() == []


def test_a_message_without_an_answer_twice_is_kept_and_its_channel_waits(slack, slack_queue, say, run, monkeypatch):
    monkeypatch.setattr(http, "READ_TIMEOUT", 0.2)
    slack.answer("/slack", Answer(delay=5), Answer(delay=5))
    say("one")
    say("two")

    assert run() == 1

    assert titles(slack) == ["one", "one"]
    [kept] = slack_queue.kept()
    assert "Slack may have the message" in kept["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert hidden_until(slack_queue) == {"two": 900}


def test_slack_that_cannot_be_reached_gets_the_message_later(slack, slack_queue, say, run):
    boto3.client("secretsmanager").create_secret(Name="closed", SecretString="http://127.0.0.1:9/slack")
    say("one", webhook="secretsmanager:closed")

    assert run() == 1

    assert slack_queue.kept() == []
    assert hidden_until(slack_queue) == {"one": 2}


@pytest.mark.parametrize("secret", ["http://example.com/hunter2", '{"url": "hunter2"}', "hunter2", "https://[hunter2"])
def test_a_secret_that_holds_no_https_url_is_named_and_not_shown_until_it_is_mended(secret, slack, say, run, logs):
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="bad", SecretString=secret)
    say("one", webhook="secretsmanager:bad")

    assert run() == 1

    assert "secretsmanager:bad does not hold the URL" in logs.getvalue()
    assert "hunter2" not in logs.getvalue()


def test_an_absent_secret_is_named_and_the_message_comes_again(slack, say, run, logs):
    say("one", webhook="secretsmanager:absent")

    assert run() == 1
    assert "The secret secretsmanager:absent cannot be read" in logs.getvalue()


@pytest.mark.parametrize("body", ["no JSON", "{}", "[]", '{"webhook": "https://hooks.slack.com/hunter2"}'])
def test_what_is_no_message_is_kept_with_the_reason_and_does_not_stop_the_others(
    body, slack, slack_queue, say, run, logs
):
    aws.sqs().send_message(
        QueueUrl=slack_queue.queue, MessageBody=body, MessageGroupId="group", MessageDeduplicationId="1"
    )
    say("one")

    assert run() == 0

    assert titles(slack) == ["one"]
    [kept] = slack_queue.kept()
    assert kept["Body"] == body
    assert "is not one of `notify`" in kept["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert "hunter2" not in logs.getvalue()


def test_what_cannot_be_kept_goes_back(slack, say, run, monkeypatch):
    monkeypatch.setenv("SLACK_FAILED_MESSAGES", "absent")
    slack.answer("/slack", Answer(404))
    say("one")
    say("two")

    assert run() == 2


def test_a_record_of_the_post_that_fails_lets_the_message_come_again(slack, say, run, monkeypatch):
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No."}}, "PutItem")

    def deny(**_):
        raise denied

    monkeypatch.setattr(aws.dynamodb(), "put_item", deny)
    say("one")

    assert run() == 1
    assert titles(slack) == []


def test_messages_that_cannot_be_hidden_for_a_time_still_go_back(slack, say, run, monkeypatch, logs):
    monkeypatch.setenv("SLACK_QUEUE", "absent")
    slack.answer("/slack", Answer(500))
    say("one")

    assert run() == 1
    assert "only after the queue's visibility timeout" in logs.getvalue()


def test_neither_texts_nor_addresses_are_logged(slack, say, run, logs):
    slack.answer("/slack", Answer(404, body=b"no_service"))
    say("Zoë was here")
    say("Alice, too")

    run()

    for hidden in ("Zoë", "Alice", slack.url):
        assert hidden not in logs.getvalue()
    assert "no_service" in logs.getvalue()


def test_the_sample_is_two_posts():
    steps = plan([FifoMessage.model_validate(record) for record in BATCH["Records"]])

    assert [len(step.messages) for step in steps] == [1, 2]


def test_an_event_that_is_no_batch_of_a_fifo_queue_is_refused(context):
    [record, *_] = BATCH["Records"]
    with pytest.raises(InvalidEvent, match=r"Records\.0\.attributes\.MessageGroupId: Field required"):
        lambda_handler({"Records": [record | {"attributes": {"ApproximateReceiveCount": "1"}}]}, context)


def test_a_missing_setting_is_named(context):
    with pytest.raises(SettingsError, match="SLACK_QUEUE: Field required"):
        lambda_handler(BATCH, context)
