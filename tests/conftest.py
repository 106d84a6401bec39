"""The deployed application, for the tests that need it: deployed once a run, on a local cloud of their own."""

from collections.abc import Iterator

import pytest
from local.cloud import Cloud, running_cloud
from local.receiver import Receiver, receiver
from local.seed import seed, set_stage
from local.stack import PARAMETERS, Stack, deploy
from local.stage import Stage
from rich.console import Console


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "ministack.log") as cloud:
        yield cloud


@pytest.fixture(scope="session")
def world() -> Iterator[Receiver]:
    """What the deployed functions post to."""
    with receiver() as running:
        yield running


@pytest.fixture(scope="session")
def stack(local_cloud: Cloud, world: Receiver) -> Stack:
    seed(local_cloud, world.url, PARAMETERS)
    return deploy(local_cloud)


@pytest.fixture(scope="session")
def session_stage(stack: Stack, world: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return set_stage(stack, world, tmp_path_factory.mktemp("kept"), Console(quiet=True))


@pytest.fixture
def stage(session_stage: Stage) -> Stage:
    """The deployed application; nothing was received, mailed or failed yet, and no incident is under way."""
    session_stage.receiver.forget()
    sqs = session_stage.client("sqs")
    outputs = session_stage.stack.outputs
    for queue in (
        *(session_stage.alerts, session_stage.tap),
        outputs["FailedEventsQueue"],
        outputs["SlackFailedMessages"],
    ):
        sqs.purge_queue(QueueUrl=queue)
    dynamodb, table = session_stage.client("dynamodb"), session_stage.stack.resources["IdempotencyTable"]
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            if item["id"]["S"].startswith("incident#"):
                dynamodb.delete_item(TableName=table, Key={"id": item["id"]})
    return session_stage
