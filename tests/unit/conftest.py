"""What the automations' tests stand on: AWS as moto models it, and a receiver for Slack and webhooks."""

import io
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.awsrequest import AWSPreparedRequest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from local.receiver import Receiver, Request, receiver
from moto import mock_aws
from moto.core.model_instances import reset_model_data
from moto.core.models import MockAWS, botocore_stubber
from moto.sns.models import Subscription

from automations import aws, http, secrets
from tests.slack_queue import SlackQueue, create_slack_queue, invoked
from tests.template_file import create_table
from tests.unit.hooks import unhook

REGION = "ap-northeast-2"
ACCOUNT = "123456789012"  # moto's own


@dataclass
class Context(LambdaContext):
    """What Lambda hands to a handler beside the event. The time left is fixed: tests of time set it."""

    seconds_left: float = 30.0
    function_name = "function-under-test"
    memory_limit_in_mb = 256
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:function-under-test"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override] # the base declares it static
        return int(self.seconds_left * 1000)


@pytest.fixture
def context() -> Context:
    return Context()


ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "Tests",
}
"""What Lambda and the template give to every function."""


@pytest.fixture(autouse=True)
def _lambda_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def one_at_a_time(call: Callable[[AWSPreparedRequest], Any]) -> Callable[[AWSPreparedRequest], Any]:
    """A call to AWS has its effect as a whole; moto's would mix, when two threads make one at the same time."""
    lock = RLock()

    def alone(request: AWSPreparedRequest) -> Any:
        with lock:
            return call(request)

    return alone


@cache
def moto() -> MockAWS:
    """AWS as moto models it, begun once for all tests, because beginning takes as long as a test."""
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # a thousand images, anew for each test
    begun = mock_aws(config={"core": {"reset_boto3_session": False}})  # a session keeps the service models
    begun.start()
    botocore_stubber.process_request = one_at_a_time(botocore_stubber.process_request)  # type: ignore[assignment, method-assign]
    key = generate_private_key(public_exponent=65537, key_size=2048)
    Subscription.private_key = lambda _: key  # type: ignore[assignment, method-assign] # moto makes one for each subscription
    return begun


@contextmanager
def empty_account() -> Iterator[None]:
    """Until the end of it nobody knows of what is in other ones. The functions' clients are kept."""
    account = moto()
    try:
        yield
    finally:
        unhook()
        secrets.forget_secrets()
        account.reset()
        reset_model_data()


@pytest.fixture
def cloud(_lambda_environment: None) -> Iterator[None]:
    """An empty AWS account."""
    with empty_account():
        yield


@pytest.fixture
def idempotency_table(cloud: None, monkeypatch: pytest.MonkeyPatch) -> str:
    table = create_table("IdempotencyTable")
    monkeypatch.setenv("IDEMPOTENCY_TABLE", table)
    return table


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What the functions log, as the JSON lines that Lambda keeps."""
    [handler] = logging.getLogger("service_undefined").handlers  # the name without POWERTOOLS_SERVICE_NAME
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@cache
def sqs_client() -> Any:
    """The tests' own: what they read is none of a function's calls."""
    return boto3.client("sqs")


@dataclass
class Alerts:
    """The alerts topic, read through a queue that is subscribed to it."""

    topic: str
    queue: str

    def received(self) -> list[dict[str, Any]]:
        """The messages so far, each with its `Subject` and `Message`; they are not returned again."""
        sqs, messages = sqs_client(), []
        while batch := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for item in batch:
                messages.append(json.loads(item["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=item["ReceiptHandle"])
        return messages


def create_alerts() -> Alerts:
    """Create the topic and the queue in the test's account."""
    sns, sqs = aws.sns(), sqs_client()
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return Alerts(topic, queue)


@pytest.fixture
def alerts(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Alerts:
    created = create_alerts()
    monkeypatch.setenv("ALERTS_TOPIC", created.topic)
    return created


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver for HTTP; senders do not wait between their attempts."""
    monkeypatch.setattr(http, "backoff", lambda attempt: 0.0)
    with receiver() as running:
        yield running


@pytest.fixture
def slack_queue(web: Receiver, idempotency_table: str, monkeypatch: pytest.MonkeyPatch) -> SlackQueue:
    """The queue for Slack. Whoever looks at what came to the receiver lets slack_sender post before that, without a pause."""
    queue = create_slack_queue()
    for name, value in queue.variables.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    sender, to = invoked(Context(seconds_left=60.0)), web.to

    def posted(path: str) -> list[Request]:
        queue.drain(sender)
        return to(path)

    monkeypatch.setattr(web, "to", posted)
    return queue


@pytest.fixture
def slack(web: Receiver, slack_queue: SlackQueue, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Slack is configured; what is posted comes to the path `/slack`."""
    boto3.client("secretsmanager").create_secret(Name="slack-webhook", SecretString=f"{web.url}/slack")
    monkeypatch.setenv("SLACK_WEBHOOK", "secretsmanager:slack-webhook")
    return web
