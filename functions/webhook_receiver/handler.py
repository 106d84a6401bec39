"""When a provider posts a webhook to the function's URL, put it on the application bus as an event.

Never takes a request without a right signature, and never one that it cannot verify because a secret is absent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import LAMBDA_FUNCTION_URL
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ClientError

from automations import aws, delivery
from automations.errors import AutomationError, DeliveryError
from automations.secrets import read_parameter
from automations.settings import EnvSettings
from webhook_receiver.message import challenge, entry, message_id, read_payload
from webhook_receiver.request import Refusal, Request, answer, read_request, text_answer
from webhook_receiver.signatures import SCHEMES, BadSignature, Signed
from webhook_receiver.webhooks import Webhook, read_webhooks

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))


class Settings(EnvSettings):
    application_bus: str
    idempotency_table: str
    webhooks_parameter: str


@logger.inject_lambda_context(correlation_id_path=LAMBDA_FUNCTION_URL, clear_state=True)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the request. A failure is answered too, so that the provider sends again: nobody else retries."""
    try:
        return receive(event, Settings.from_env(), context)
    except Refusal as refusal:
        logger.warning(str(refusal), status=int(refusal.status))
        metrics.add_metric("WebhooksRefused", MetricUnit.Count, 1)
        return answer(refusal.status)
    except Exception as error:
        # The message of an error that is not ours could hold what it failed on.
        reason = type(error).__name__
        logger.error(str(error) if isinstance(error, AutomationError) else f"Failed: {reason}", reason=reason)
        metrics.add_metric("WebhooksFailed", MetricUnit.Count, 1)
        # Not 500: Zendesk sends again after 503 with a short Retry-After, and not after 500.
        return answer(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "30"})


def receive(event: dict[str, Any], settings: Settings, context: LambdaContext) -> dict[str, Any]:
    """Verify the request and put its message on the bus, once.

    Raises:
        Refusal: it is not one to be taken.
        AutomationError: it could not be judged or passed on, and may be when it comes again.
    """
    request = read_request(event)
    webhook = find(request, settings)
    covered = verify(request, webhook)
    payload = read_payload(request)
    if text := challenge(webhook, payload):
        logger.info("Answered a challenge")
        return text_answer(text)
    sender_id = message_id(webhook, request, payload, covered)
    message = entry(webhook, request, payload, sender_id, settings.application_bus)
    put_once(message, f"{webhook.provider}/{sender_id}", settings, context)
    return answer(HTTPStatus.OK)


def find(request: Request, settings: Settings) -> Webhook:
    """The webhook that the request is for.

    Raises:
        Refusal: there is none.
        SettingsError: the configuration cannot be read.
    """
    if request.method != "POST":
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "The request is no POST.")
    webhooks = read_webhooks(read_parameter(settings.webhooks_parameter), settings.webhooks_parameter)
    webhook = webhooks.at(request.path)
    if webhook is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "The path is that of no webhook.")
    logger.append_keys(provider=webhook.provider)
    return webhook


def verify(request: Request, webhook: Webhook) -> bytes:
    """Verify that the provider sent the request, now; returns what the signature covers.

    Raises:
        Refusal: it did not.
        SecretError: that cannot be told without the secrets.
    """
    secrets = webhook.read_secrets()
    try:
        return SCHEMES[webhook.scheme](Signed(request.headers, request.body), secrets, datetime.now(UTC))
    except BadSignature as error:
        raise Refusal(HTTPStatus.UNAUTHORIZED, str(error)) from None


def put_once(message: PutEventsRequestEntryTypeDef, key: str, settings: Settings, context: LambdaContext) -> None:
    """Put the event on the bus, unless a message with this key was put before.

    Raises:
        DeliveryError: it was not put, or another invocation is about to.
    """
    put = delivery.deliver(
        {"application bus": partial(put_event, message)}, key=key, table=settings.idempotency_table, context=context
    )
    if put:
        metrics.add_metric("WebhooksReceived", MetricUnit.Count, 1)
        logger.info("Put an event on the bus", detail_type=message["DetailType"])
    else:
        logger.info("Dropped a message that came before", detail_type=message["DetailType"])


def put_event(message: PutEventsRequestEntryTypeDef) -> None:
    """Put the event on the bus.

    Raises:
        DeliveryError: EventBridge did not take it. Only the code is told: the message may repeat what it refused.
    """
    try:
        answer = aws.events().put_events(Entries=[message])
    except ClientError as error:
        raise DeliveryError(f"EventBridge refused the call: {error.response['Error']['Code']}") from None
    if answer["FailedEntryCount"]:
        code = answer["Entries"][0].get("ErrorCode", "no reason given")
        raise DeliveryError(f"EventBridge did not take the event: {code}")
