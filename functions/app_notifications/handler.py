"""When the application says that a payment completed or an account was created, tell the department, by e-mail text and SMS text.

Never tells names, cards or whole addresses, and never logs anything personal.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from pydantic import BeforeValidator, Field

from app_notifications.plan import Notification, plan
from automations import aws, delivery
from automations.errors import log_failure
from automations.events.application import ApplicationEvent
from automations.notify import sns
from automations.settings import COMMA_SEPARATED, EnvSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))


def _by_currency(text: Any) -> Any:
    """Read `KRW:1000000, USD:1000`."""
    if not isinstance(text, str):
        return text
    return dict(part.strip().partition(":")[::2] for part in text.split(","))


class Settings(EnvSettings):
    finance_topic: str
    customer_care_topic: str
    idempotency_table: str
    large_payment_threshold: Annotated[dict[str, Annotated[Decimal, Field(gt=0)]], BeforeValidator(_by_currency)]
    known_countries: Annotated[frozenset[str], COMMA_SEPARATED] = frozenset()


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=ApplicationEvent)
def lambda_handler(event: ApplicationEvent, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    todo = plan(event.root, settings)
    told = delivery.deliver(
        {"SNS": lambda: publish(todo)}, key=todo.subject, table=settings.idempotency_table, context=context
    )
    what = "Told a department" if told else "The department was told already"
    logger.info(what, about=todo.subject, labels=todo.labels)
    return {"about": todo.subject, "labels": list(todo.labels)}


def publish(todo: Notification) -> None:
    """Publish a text for each protocol, with attributes on which subscriptions can filter.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html (`String.Array`: a filter looks at each element)
    """
    body = sns.body(todo.message)
    attributes = {
        "event": todo.message.event.detail_type,
        "severity": todo.message.severity.value,
        "country": todo.country,
    }
    aws.sns().publish(
        TopicArn=todo.topic,
        Subject=sns.subject(todo.message),
        MessageStructure="json",
        Message=json.dumps({"default": body, "email": body, "sms": todo.sms}),
        MessageAttributes={
            **{name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
            "labels": {"DataType": "String.Array", "StringValue": json.dumps(todo.labels or ("usual",))},
        },
    )
    metrics.add_metric("ApplicationNotifications", MetricUnit.Count, 1)
