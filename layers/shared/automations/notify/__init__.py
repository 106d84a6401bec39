"""Messages to people: one `Message`, rendered for each channel and sent to each of them once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from automations import delivery
from automations.errors import SettingsError
from automations.notify import slack, sns
from automations.notify.message import Link, Message, Severity
from automations.settings import EnvSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

__all__ = ["Link", "Message", "NotifySettings", "Severity", "notifier", "notify"]


class NotifySettings(EnvSettings):
    """Settings of a function that tells people through all the stack's channels; see `notify`."""

    alerts_topic: str
    slack_webhook: str = ""
    slack_queue: str = ""
    idempotency_table: str


def notify(
    message: Message,
    *,
    key: str,
    table: str,
    context: LambdaContext,
    topic: str = "",
    slack_webhook: str = "",
    slack_queue: str = "",
) -> list[str]:
    """Send the message to the SNS topic and, by a queue, to Slack, to each of those that are given, once for the key.

    Args:
        key: what the message is about; see `delivery.deliver`.
        table: name of the Powertools Idempotency table.
        topic: ARN of the SNS topic.
        slack_webhook: reference to the secret that holds the webhook's URL; see `secrets.read_secret`.
        slack_queue: URL of the queue from which slack_sender posts to Slack.

    Returns:
        The channels that got it now; the others had it already.

    Raises:
        DeliveryError: a channel could not be reached; the others were.
        SettingsError: neither channel is given, so nobody would be told.
    """
    channels: dict[str, delivery.Send] = {}
    if topic:
        channels["SNS"] = lambda: sns.publish(message, topic)
    if slack_webhook:
        channels["Slack"] = lambda: slack.put(message, slack_webhook, queue=slack_queue, key=key)
    if not channels:
        raise SettingsError("The message has no channel. Give the alerts topic, Slack's webhook, or both.")
    return delivery.deliver(channels, key=key, table=table, context=context)


def notifier(settings: NotifySettings, context: LambdaContext) -> partial[list[str]]:
    """`notify` with the channels of the function's settings: it still wants the message and its key."""
    return partial(
        notify,
        topic=settings.alerts_topic,
        slack_webhook=settings.slack_webhook,
        slack_queue=settings.slack_queue,
        table=settings.idempotency_table,
        context=context,
    )
