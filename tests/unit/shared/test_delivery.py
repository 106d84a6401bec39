import threading
import time
from collections.abc import Callable
from functools import partial

import boto3
import pytest

from automations import aws
from automations.delivery import REMEMBERED, deliver, remembered
from automations.errors import DeliveryError, Rejected, SettingsError
from automations.notify import notify
from tests.unit.shared.messages import message


class Receiver:
    """Counts what is sent to it; fails with each of the errors first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.sent = 0

    def __call__(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.sent += 1


@pytest.fixture
def send(idempotency_table, context) -> Callable[..., None]:
    """Deliver to the receivers by their names; the key is `build/FAILED` unless told otherwise."""

    def deliver_to(key: str = "build/FAILED", **receivers: Callable[[], None]) -> None:
        deliver(receivers, key=key, table=idempotency_table, context=context)

    return deliver_to


def records() -> list[dict[str, str]]:
    items = boto3.client("dynamodb").scan(TableName="IdempotencyTable")["Items"]
    return [{name: str(next(iter(value.values()))) for name, value in item.items()} for item in items]


def set_record(**attributes: int) -> None:
    """Overwrite numbers of the only record."""
    [record] = records()
    for name, value in attributes.items():
        boto3.client("dynamodb").update_item(
            TableName="IdempotencyTable",
            Key={"id": {"S": record["id"]}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": {"N": str(value)}},
        )


def test_each_receiver_gets_one_delivery_however_often_the_event_comes(send):
    slack, webhook = Receiver(), Receiver()

    for _ in range(3):
        send(slack=slack, webhook=webhook)

    assert (slack.sent, webhook.sent) == (1, 1)


def test_another_key_is_another_delivery(send):
    slack = Receiver()

    send(slack=slack)
    send(slack=slack, key="build/SUCCEEDED")

    assert slack.sent == 2


def test_one_that_fails_does_not_stop_the_others_and_alone_is_tried_again(send):
    slack, broken, webhook = Receiver(), Receiver(DeliveryError("no answer")), Receiver()

    with pytest.raises(DeliveryError, match=r"1 of 3 deliveries failed. broken: no answer") as failure:
        send(slack=slack, broken=broken, webhook=webhook)
    assert (slack.sent, broken.sent, webhook.sent) == (1, 0, 1)
    assert list(failure.value.failures) == ["broken"]

    send(slack=slack, broken=broken, webhook=webhook)
    assert (slack.sent, broken.sent, webhook.sent) == (1, 1, 1)


def test_every_failure_is_named(send):
    with pytest.raises(DeliveryError, match=r"2 of 2 deliveries failed. slack: one; webhook: two"):
        send(slack=Receiver(ValueError("one")), webhook=Receiver(DeliveryError("two")))


def test_it_is_rejected_only_when_all_failures_are_final(send):
    with pytest.raises(Rejected):
        send(slack=Receiver(Rejected("404")), webhook=Receiver(Rejected("410")), other=Receiver())

    with pytest.raises(DeliveryError) as failure:
        send(slack=Receiver(Rejected("404")), webhook=Receiver(DeliveryError("no answer")))
    assert not isinstance(failure.value, Rejected)


def test_two_concurrent_deliveries_of_one_key_make_one_send(send):
    started, finish = threading.Event(), threading.Event()
    sent = []

    def slow() -> None:
        sent.append("first")
        started.set()
        assert finish.wait(10)

    first = threading.Thread(target=lambda: send(slack=slow))
    first.start()
    assert started.wait(10)
    try:
        with pytest.raises(DeliveryError, match="already in progress"):
            send(slack=lambda: sent.append("second"))
    finally:
        finish.set()
        first.join()

    send(slack=lambda: sent.append("third"))
    assert sent == ["first"]


def test_a_delivery_is_remembered_for_thirty_days_and_made_again_after(send):
    slack = Receiver()
    send(slack=slack)
    [record] = records()
    assert abs(int(record["expiration"]) - time.time() - REMEMBERED.total_seconds()) < 60
    assert REMEMBERED.days == 30

    set_record(expiration=int(time.time()) - 1)  # DynamoDB deletes an expired item some time later
    send(slack=slack)

    assert slack.sent == 2


@pytest.mark.parametrize(
    ("days", "expected"),
    [("", 30), ("7", 30), ("29", 30), ("30", 31), ("365", 366), ("0", 36500)],
)
def test_a_delivery_is_remembered_for_longer_than_an_archive_keeps_its_event(days, expected, send, monkeypatch):
    monkeypatch.setenv("ARCHIVE_RETENTION_DAYS", days)
    send(slack=Receiver())

    [record] = records()
    assert abs(int(record["expiration"]) - time.time() - expected * 86400) < 60
    assert remembered().days == expected


def test_a_delivery_that_was_cut_off_by_the_end_of_its_invocation_is_made_again(send, context):
    class Killed(BaseException):
        """What ends an invocation leaves no time to clean up."""

    def hang() -> None:
        raise Killed

    with pytest.raises(Killed):
        send(slack=hang)
    slack = Receiver()
    with pytest.raises(DeliveryError, match="already in progress"):
        send(slack=slack)

    set_record(in_progress_expiration=int(time.time() * 1000) - 1)
    send(slack=slack)

    assert slack.sent == 1


def test_a_delivery_that_cannot_be_recorded_is_not_made(cloud, context):
    slack = Receiver()

    with pytest.raises(DeliveryError, match="ResourceNotFoundException"):
        deliver({"slack": slack}, key="build", table="absent", context=context)

    assert slack.sent == 0


@pytest.fixture
def tell(alerts, slack, slack_queue, idempotency_table, context):
    """Send a message to the topic and to Slack."""
    return partial(
        notify,
        message(),
        key="build",
        table=idempotency_table,
        context=context,
        topic=alerts.topic,
        slack_webhook="secretsmanager:slack-webhook",
        slack_queue=slack_queue.queue,
    )


def test_a_message_goes_to_each_channel_that_is_given_once(alerts, slack, tell):
    for _ in range(2):
        tell()

    assert len(alerts.received()) == 1
    assert len(slack.to("/slack")) == 1


def test_when_the_queue_for_slack_fails_the_topic_is_told_once_and_slack_alone_again(alerts, slack, tell):
    with pytest.raises(DeliveryError, match=r"1 of 2 deliveries failed. Slack: .*NonExistentQueue"):
        tell(slack_queue="https://sqs.ap-northeast-2.amazonaws.com/123456789012/absent.fifo")
    tell()

    assert len(alerts.received()) == 1
    assert len(slack.to("/slack")) == 1


def test_a_message_for_nobody_is_an_error(idempotency_table, context):
    with pytest.raises(SettingsError, match="no channel"):
        notify(message(), key="build", table=idempotency_table, context=context)


def test_it_says_who_got_it_now_and_not_who_had_it_already(idempotency_table, context):
    first = deliver({"SNS": lambda: None}, key="k", table=idempotency_table, context=context)
    second = deliver({"SNS": lambda: None, "Slack": lambda: None}, key="k", table=idempotency_table, context=context)

    assert (first, second) == (["SNS"], ["Slack"])


def test_a_delivery_adds_nothing_to_the_client_that_the_next_one_has_to_carry(idempotency_table, context, monkeypatch):
    deliver({"SNS": lambda: None}, key="1", table=idempotency_table, context=context)
    added = []
    monkeypatch.setattr(aws.dynamodb().meta.events, "register", lambda *hook, **_: added.append(hook))

    for key in "23":
        deliver({"SNS": lambda: None}, key=key, table=idempotency_table, context=context)

    assert added == []
