"""AWS clients: one of each for the life of the execution environment, all with the same retries and timeouts.

botocore sessions are used directly because importing boto3 for its client function alone costs start-up time.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session, get_session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient

# Lambda logs every logger at the function's level; botocore tells at each start where it found its credentials.
logging.getLogger("botocore").setLevel(logging.WARNING)

# A call that hangs must leave time for its retries within the function's own timeout.
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=3,
    read_timeout=15,
)


@cache
def _session() -> Session:
    return get_session()


def _create(service: str) -> Any:
    return _session().create_client(service, config=CONFIG)


@cache
def dynamodb() -> DynamoDBClient:
    return _create("dynamodb")


@cache
def ec2() -> EC2Client:
    return _create("ec2")


@cache
def events() -> EventBridgeClient:
    return _create("events")


@cache
def iam() -> IAMClient:
    return _create("iam")


@cache
def s3() -> S3Client:
    return _create("s3")


@cache
def secretsmanager() -> SecretsManagerClient:
    return _create("secretsmanager")


@cache
def sns() -> SNSClient:
    return _create("sns")


@cache
def ssm() -> SSMClient:
    return _create("ssm")


def forget_clients() -> None:
    """Drop all clients, so that the next use creates new ones. For tests, which change the environment between two."""
    for factory in (dynamodb, ec2, events, iam, s3, secretsmanager, sns, ssm):
        factory.cache_clear()
