"""What tutorials show: everything is imported at the top. It creates no client, because no function here does while it starts."""

from typing import Any

import boto3  # noqa: F401 # what a tutorial imports, whether it is needed or not
import requests  # noqa: F401
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent  # noqa: F401
from aws_lambda_powertools.utilities.parser import BaseModel, event_parser  # noqa: F401

logger = Logger()
metrics = Metrics(namespace="Tutorial")
tracer = Tracer()


class Order(BaseModel):
    id: int
    name: str


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler
def lambda_handler(event: Any, context: Any) -> None: ...
