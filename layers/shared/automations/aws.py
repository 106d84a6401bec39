"""AWS clients: one of each for the life of the execution environment, all with the same retries and timeouts.

botocore sessions are used directly because importing boto3 for its client function alone costs start-up time.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session, get_session

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_config import ConfigServiceClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_guardduty import GuardDutyClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds_data import RDSDataServiceClient
    from mypy_boto3_rolesanywhere import IAMRolesAnywhereClient
    from mypy_boto3_route53resolver import Route53ResolverClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

# Lambda logs every logger at the function's level; botocore tells at each start where it found its credentials.
logging.getLogger("botocore").setLevel(logging.WARNING)

# A call that hangs must leave time for its retries, and for telling people, within the function's own timeout.
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=5)
TRANSFERS = CONFIG.merge(Config(read_timeout=15))


PAYLOADS = (
    "eventbridge.PutEvents",
    "firehose.PutRecordBatch",
    "kinesis.PutRecords",
    "rds-data.ExecuteStatement",
    "sqs.SendMessage",
)
"""The calls that carry what others sent, by the names that botocore gives to their events."""


@cache
def _session() -> Session:
    session = get_session()
    for call in PAYLOADS:
        session.register(f"after-call.{call}", _hide_payload)
    return session


def _hide_payload(**response: Any) -> None:
    """Take the text out of an error that may repeat what was sent, and which logs and traces would keep.

    It stays where it only names the role and the action, and of a database's the SQLSTATE stays.
    """
    error = response["parsed"].get("Error")
    if error and error.get("Code") not in {"AccessDenied", "AccessDeniedException"}:
        state = re.search(r"SQLState: [0-9A-Z]{5}", error.get("Message") or "")
        hidden = "The text is not shown, because it may repeat what was sent."
        error["Message"] = f"{hidden} {state[0]}" if state else hidden


def _create(service: str, config: Config = CONFIG, region: str | None = None) -> Any:
    return _session().create_client(service, region, config=config)


@cache
def apigateway() -> APIGatewayClient:
    return _create("apigateway")


@cache
def apigatewayv2() -> ApiGatewayV2Client:
    return _create("apigatewayv2")


@cache
def bedrock() -> BedrockClient:
    return _create("bedrock")


@cache
def cloudtrail() -> CloudTrailClient:
    return _create("cloudtrail")


@cache
def config() -> ConfigServiceClient:
    return _create("config")


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
def firehose() -> FirehoseClient:
    return _create("firehose")


@cache
def guardduty() -> GuardDutyClient:
    return _create("guardduty")


@cache
def iam() -> IAMClient:
    return _create("iam")


@cache
def kinesis() -> KinesisClient:
    return _create("kinesis")


@cache
def kms() -> KMSClient:
    return _create("kms")


@cache
def lambda_() -> LambdaClient:
    return _create("lambda")


@cache
def logs() -> CloudWatchLogsClient:
    return _create("logs")


@cache
def organizations() -> OrganizationsClient:
    return _create("organizations")


@cache
def rds(region: str | None = None) -> RDSClient:
    """Of the function's own region, unless another is given."""
    return _create("rds", region=region)


@cache
def rds_data() -> RDSDataServiceClient:
    return _create("rds-data")


@cache
def rolesanywhere() -> IAMRolesAnywhereClient:
    return _create("rolesanywhere")


@cache
def route53resolver() -> Route53ResolverClient:
    return _create("route53resolver")


@cache
def s3() -> S3Client:
    return _create("s3", TRANSFERS)


@cache
def s3control() -> S3ControlClient:
    return _create("s3control")


@cache
def secretsmanager() -> SecretsManagerClient:
    return _create("secretsmanager")


@cache
def securityhub() -> SecurityHubClient:
    return _create("securityhub")


@cache
def sns() -> SNSClient:
    return _create("sns")


@cache
def sqs() -> SQSClient:
    return _create("sqs")


@cache
def ssm() -> SSMClient:
    return _create("ssm")


_FACTORIES = (
    apigateway,
    apigatewayv2,
    bedrock,
    cloudtrail,
    config,
    dynamodb,
    ec2,
    events,
    firehose,
    guardduty,
    iam,
    kinesis,
    kms,
    lambda_,
    logs,
    organizations,
    rds,
    rds_data,
    rolesanywhere,
    route53resolver,
    s3,
    s3control,
    secretsmanager,
    securityhub,
    sns,
    sqs,
    ssm,
)


def forget_clients() -> None:
    """Drop all clients, so that the next use creates new ones. For tests, which change the environment between two."""
    for factory in _FACTORIES:
        factory.cache_clear()
