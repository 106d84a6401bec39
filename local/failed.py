"""Events that failed or were not delivered, as the messages in their queues tell of them.

Four services and slack_sender write such messages, each in a form of its own; what has none of these forms is kept as unknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.hold import Message


@dataclass(frozen=True)
class FailedEvent:
    """Attributes:
    id: that of its message in SQS.
    queue: URL of the queue in which it waits.
    since: when it came into the queue.
    body: the message's text, as it is.
    source: what wrote the message: `function`, `rule`, `schedule`, `pipe`, `slack`, or `unknown`.
    target: ARN of what was to get the event; empty when the message does not say it.
    error, reason: the error's type or code, and its message.
    attempts: how often it was tried; 0 when the message does not say it.
    event: what the target was to get; None when the message does not hold it.
    details: what else the message says, by AWS's names.
    """

    id: str
    queue: str
    since: datetime
    body: str
    source: str = "unknown"
    target: str = ""
    error: str = ""
    reason: str = ""
    attempts: int = 0
    event: Any = None
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What kind of event it is; never its detail, which may hold personal data."""
        if isinstance(self.event, dict) and isinstance(self.event.get("detail-type"), str):
            return f"{self.event['detail-type']} ({self.event.get('source', '')})"
        if self.source == "slack":
            return "a message for Slack"
        return "a batch of records" if isinstance(self.event, dict) and "Records" in self.event else ""


def read(message: Message, queue: str) -> FailedEvent:
    """What the message in the queue with this URL tells."""
    attributes = {name: item.get("StringValue", "") for name, item in message.get("MessageAttributes", {}).items()}
    if group := message["Attributes"].get("MessageGroupId"):  # that of a message which SQS moved is still its channel
        attributes = {"CHANNEL": group, **attributes}
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = None
    since = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return FailedEvent(message["MessageId"], queue, since, message["Body"], **_told(body, attributes))


def _told(body: Any, attributes: Mapping[str, str]) -> dict[str, Any]:
    match body:
        case {"requestContext": {"functionArn": str(function)} as context, "requestPayload": event}:
            return _by_lambda(function, context, event, body)
        case {"context": {"partnerResourceArn": str(pipe), "condition": condition}}:
            return _by_pipe(pipe, str(condition), body)
        case {"webhook": str(webhook), "payload": {"text": _}} if "CHANNEL" in attributes:
            return _by_slack_sender(webhook, attributes, body)
    if "SCHEDULE_ARN" in attributes:
        return _by_scheduler(body, attributes)
    if "RULE_ARN" in attributes and body is not None:
        return _by_rule(body, attributes)
    return {"details": attributes}


def _by_lambda(function: str, context: Mapping[str, Any], event: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    """The record of an asynchronous invocation.

    The response is missing when the event grew too old before the function ran.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    response = body.get("responsePayload")
    response = response if isinstance(response, dict) else {}
    condition, request = str(context.get("condition", "")), str(context.get("requestId", ""))
    return {
        "source": "function",
        "target": function,
        "error": str(response.get("errorType") or condition),
        "reason": str(response.get("errorMessage", "")),
        "attempts": _number(context.get("approximateInvokeCount")),
        "event": event,
        "details": {name: text for name, text in (("condition", condition), ("requestId", request)) if text},
    }


def _by_rule(body: Any, attributes: Mapping[str, str]) -> dict[str, Any]:
    """An event that a rule could not hand over: the event itself, and why in the message's attributes.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    return {"source": "rule", "event": body, **_why(attributes)}


def _by_scheduler(body: Any, attributes: Mapping[str, str]) -> dict[str, Any]:
    """A run that EventBridge Scheduler could not start: the request that it made of the target's API.

    For a function that is Invoke, whose `Payload` is the event.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    event = body
    if isinstance(body, dict) and "Payload" in body:
        event = body["Payload"]
        if isinstance(event, str):
            try:
                event = json.loads(event)
            except ValueError:
                event = None
    if attributes.get("IS_PAYLOAD_TRUNCATED", "").lower() == "true":
        event = None
    return {"source": "schedule", "event": event, **_why(attributes)}


def _why(attributes: Mapping[str, str]) -> dict[str, Any]:
    """What rules and schedules both say in the attributes of a message."""
    own = {"TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"}
    return {
        "target": attributes.get("TARGET_ARN", ""),
        "error": attributes.get("ERROR_CODE", ""),
        "reason": attributes.get("ERROR_MESSAGE", ""),
        "attempts": _number(attributes.get("RETRY_ATTEMPTS")) + 1,
        "details": {name: text for name, text in attributes.items() if name not in own},
    }


def _by_pipe(pipe: str, condition: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Records of a stream that a pipe gave up: where in the stream they are, not what they say.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
    """
    batch: Any = next((value for name, value in body.items() if name.endswith("BatchInfo")), {})
    details = {name: str(value) for name, value in batch.items()} if isinstance(batch, dict) else {}
    return {"source": "pipe", "error": condition, "details": {"pipe": pipe, **details}}


def _by_slack_sender(webhook: str, attributes: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    """A message that Slack refused; without a reason it came back to the queue so often that SQS moved it."""
    reason = attributes.get("ERROR_MESSAGE", "Slack did not take it for days")
    return {
        "source": "slack",
        "reason": reason,
        "event": body,
        "details": {"webhook": webhook, "channel": attributes["CHANNEL"]},
    }


def _number(text: Any) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        return 0
