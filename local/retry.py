"""What to do about an event that failed or was not delivered, and doing it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from local.failed import FailedEvent
from local.stack import Stack

MARGIN = 60
"""Seconds for which a message stays hidden, and an answer is waited for, beyond the function's timeout."""


@dataclass(frozen=True)
class Invoke:
    """Invoke the function, known by its logical id, with the event."""

    function: str
    physical_id: str

    def __str__(self) -> str:
        return f"invoke {self.function} with the event"


@dataclass(frozen=True)
class Send:
    """Send the event to the queue, known by its logical id.

    Attributes:
        group: for a FIFO queue.
    """

    queue: str
    url: str
    group: str = ""

    def __str__(self) -> str:
        return f"send the event to {self.queue}"


@dataclass(frozen=True)
class Leave:
    """Leave the message where it is."""

    why: str

    def __str__(self) -> str:
        return f"nothing: {self.why}"


Step = Invoke | Send | Leave


class Throttled(Exception):
    """Lambda takes no more invocations at the moment."""


def plan(item: FailedEvent, resources: Mapping[str, str]) -> Step:
    """What a retry does about the event, given the stack's physical ids by logical id."""
    match item.source:
        case "pipe":
            return Leave(
                "the message says where in the stream the records are, not what is in them; read them there while the "
                "stream keeps them"
            )
        case "unknown":
            return Leave("the message has no form that is known here; read it, then decide")
        case "slack":
            if url := resources.get("SlackQueue"):
                return Send("SlackQueue", url, item.details["channel"])
            return Leave("the stack has no SlackQueue any more; give it Slack's webhook again")
    if item.event is None:
        return Leave("the message does not hold the whole event")
    service, name = service_of(item.target), name_of(item.target)
    if service == "lambda":
        if function := logical_id(item.target, resources):
            return Invoke(function, name)
        return Leave(f"the stack has no function {name} (any more); deploy it again, or see what took its place")
    if service == "sqs" and item.source == "rule":
        if queue := logical_id(item.target, resources):
            return Send(queue, resources[queue])
        return Leave(f"the stack has no queue {name} (any more)")
    return Leave(
        f"it was for {item.target or 'a target that the message does not name'}, and EventBridge alone hands it over as its "
        "rule says; replay it from the archive for this rule, or do by hand what it asks for"
    )


def service_of(arn: str) -> str:
    return arn.split(":")[2] if arn.count(":") >= 5 else ""


def name_of(arn: str) -> str:
    """The resource's name, without the version or alias that follows a function's.

    >>> name_of("arn:aws:lambda:ap-northeast-2:111122223333:function:orders:$LATEST")  # "orders"
    """
    parts = arn.split(":")
    return parts[6] if service_of(arn) == "lambda" and len(parts) > 6 else parts[-1]


def logical_id(arn: str, resources: Mapping[str, str]) -> str:
    """Logical id of the function or the queue with this ARN, empty when the stack has none."""
    service, name = service_of(arn), name_of(arn)
    if not service:
        return ""
    ends = f"/{arn.split(':')[4]}/{name}"  # a queue's physical id is its URL, with account and name
    for logical, physical in resources.items():
        if (service == "lambda" and physical == name) or (service == "sqs" and physical.endswith(ends)):
            return logical
    return ""


def longest_timeout(stack: Stack, steps: Iterable[Step]) -> int:
    """Seconds that the slowest of the functions to be invoked may run."""
    functions, found = stack.cloud.client("lambda"), [0]
    for name in {step.physical_id for step in steps if isinstance(step, Invoke)}:
        try:
            found.append(functions.get_function_configuration(FunctionName=name)["Timeout"])
        except functions.exceptions.ResourceNotFoundException:
            continue  # somebody deleted it; Lambda will say so of each event
    return max(found)


@dataclass(frozen=True)
class Hands:
    """The clients that carry steps out.

    Attributes:
        functions: of Lambda. It never invokes twice for one call, and waits longer than any function may run.
    """

    functions: Any
    queues: Any

    @classmethod
    def of(cls, stack: Stack, longest: int) -> Hands:
        """`longest`: the longest timeout in seconds of the functions to be invoked."""
        patient = Config(
            retries={"total_max_attempts": 1},
            read_timeout=longest + MARGIN,
            tcp_keepalive=True,  # a connection that is silent for minutes is cut on the way otherwise
        )
        return cls(stack.cloud.client("lambda", patient), stack.cloud.client("sqs"))

    def carry_out(self, step: Invoke | Send, item: FailedEvent) -> str:
        """Do it; returns why it failed again, or nothing when it is done.

        Raises:
            Throttled: there is no use in going on now.
        """
        try:
            if isinstance(step, Send):
                # As one that was never sent: SQS drops what has the same deduplication id within five minutes.
                fifo = {"MessageGroupId": step.group, "MessageDeduplicationId": item.id} if step.group else {}
                self.queues.send_message(QueueUrl=step.url, MessageBody=item.body, **fifo)
                return ""
            return self._invoke(step, item)
        except ReadTimeoutError:
            return "there was no answer in time; the function may have done its work"
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "TooManyRequestsException":
                raise Throttled(str(error)) from None
            return str(error)

    def _invoke(self, step: Invoke, item: FailedEvent) -> str:
        answer = self.functions.invoke(
            FunctionName=step.physical_id,
            InvocationType="RequestResponse",
            Payload=json.dumps(item.event).encode(),
        )
        try:
            result = json.loads(answer["Payload"].read() or b"null")
        except ValueError:
            result = None
        return verdict(answer.get("FunctionError", ""), result)


def verdict(function_error: str, result: Any) -> str:
    """Why an invocation failed, from what Lambda answered; nothing when it did what it should."""
    result = result if isinstance(result, dict) else {}
    if function_error:
        told = [str(result[name]) for name in ("errorType", "errorMessage") if result.get(name)]
        return ": ".join(told) or function_error
    if failures := result.get("batchItemFailures"):
        return f"the function could not process {len(failures)} of its records"
    return ""
