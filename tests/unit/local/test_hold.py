"""Messages that are held and given back, on moto's SQS."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from local import hold as module
from local.cloud import wait_for
from local.hold import Hold, look


@pytest.fixture
def sqs(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(module, "WAIT", 0)
    client = boto3.client("sqs")
    yield client
    client.close()


@pytest.fixture
def queue(sqs: Any) -> str:
    """A queue with 25 messages."""
    url: str = sqs.create_queue(QueueName="failed")["QueueUrl"]
    for number in range(25):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    return url


def bodies(messages: list[Any]) -> set[int]:
    return {int(message["Body"]) for message in messages}


def test_each_message_is_read_once_and_all_stay(sqs: Any, queue: str) -> None:
    for _ in range(2):
        found = look(sqs, queue)
        assert len(found) == 25
        assert bodies(found) == set(range(25))


def test_no_more_is_read_than_asked_for(sqs: Any, queue: str) -> None:
    assert len(look(sqs, queue, limit=12)) == 12


def test_what_one_holds_nobody_else_gets(sqs: Any, queue: str) -> None:
    with Hold(sqs) as mine:
        mine.take(queue, 20)
        assert len(look(sqs, queue)) == 5


def test_what_is_deleted_is_gone_and_the_rest_comes_back_after_an_error(sqs: Any, queue: str) -> None:
    with suppress(RuntimeError), Hold(sqs) as mine:
        messages = mine.take(queue, 25)
        mine.delete(messages[0]["MessageId"])
        raise RuntimeError

    assert bodies(look(sqs, queue)) == set(range(25)) - {int(messages[0]["Body"])}


def test_what_is_given_back_is_there_at_once(sqs: Any, queue: str) -> None:
    with Hold(sqs) as mine:
        messages = mine.take(queue, 25)
        mine.give_back(*(message["MessageId"] for message in messages[:15]))
        assert bodies(look(sqs, queue)) == bodies(messages[:15])


def test_what_is_let_go_stays_hidden_for_the_rest_of_its_time(sqs: Any, queue: str) -> None:
    with Hold(sqs) as mine:
        [message] = mine.take(queue, 1)
        mine.let_go(message["MessageId"])

    assert int(message["Body"]) not in bodies(look(sqs, queue))


def test_a_renewed_hold_lasts_as_long_as_it_says_by_then(sqs: Any, queue: str) -> None:
    with Hold(sqs) as mine:
        mine.take(queue, 25)
        mine.seconds = 0
        mine.renew()
        assert len(look(sqs, queue)) == 25


def test_the_hold_renews_itself(sqs: Any, queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW_EVERY", 0.01)
    with Hold(sqs) as mine:
        mine.take(queue, 25)
        mine.seconds = 0
        assert wait_for(lambda: len(look(sqs, queue)) == 25)
