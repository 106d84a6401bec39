"""Messages taken out of queues to be looked at or worked on, without losing one or hiding it for long."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

Message = Mapping[str, Any]
"""A message as SQS's ReceiveMessage gives it."""

SECONDS = 60
RENEW_EVERY = 20
BATCH = 10  # what SQS takes in one call
WAIT = 1  # a receive that does not wait asks only some of SQS's servers, and can miss messages


class Hold:
    """Keeps messages from everybody else for as long as a `with` block lasts, then gives back those that are left.

    A thread renews the hold. So when this program dies, the messages are in their queue again after `seconds`.
    SQS ends a hold 12 hours after the message was received.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html

    Attributes:
        seconds: for how long the next call that takes or renews hides a message.
    """

    def __init__(self, sqs: Any, seconds: int = SECONDS) -> None:
        self.seconds = seconds
        self._sqs = sqs
        self._held: dict[str, tuple[str, str]] = {}  # queue and receipt by the message's id
        self._lock = Lock()
        self._over = Event()
        self._thread = Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with suppress(ClientError, BotoCoreError):  # they come back by themselves
            self.give_back(*self._held)

    def take(self, queue: str, limit: int) -> list[Message]:
        """Receive what is in the queue with this URL, at most `limit` messages, each once."""
        found: dict[str, Message] = {}
        while (room := limit - len(found)) > 0:
            batch = self._sqs.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=min(room, BATCH),
                VisibilityTimeout=self.seconds,
                WaitTimeSeconds=WAIT,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
            ).get("Messages", [])
            fresh = {message["MessageId"]: message for message in batch if message["MessageId"] not in found}
            with self._lock:  # a message that came twice has a new receipt
                self._held |= {message["MessageId"]: (queue, message["ReceiptHandle"]) for message in batch}
            found |= fresh
            if not fresh:
                break
        return list(found.values())

    def renew(self) -> None:
        """Hide what is held for `seconds` from now on."""
        with self._lock:  # to the end: a message that is given back meanwhile must not be hidden again
            self._hide(list(self._held.values()), self.seconds)

    def delete(self, message: str) -> None:
        """Delete the message with this id: it is done."""
        queue, receipt = self.let_go(message)
        self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=receipt)

    def give_back(self, *messages: str) -> None:
        """Put the messages with these ids back at once."""
        self._hide([self.let_go(message) for message in messages], 0)

    def let_go(self, message: str) -> tuple[str, str]:
        """Renew the hold no longer: the message comes back by itself. Returns its queue and receipt."""
        with self._lock:
            return self._held.pop(message)

    def _keep(self) -> None:
        while not self._over.wait(RENEW_EVERY):
            with suppress(ClientError, BotoCoreError):  # the next time may go well; if not, the messages come back
                self.renew()

    def _hide(self, held: list[tuple[str, str]], seconds: int) -> None:
        for queue in {queue for queue, _ in held}:
            receipts = [receipt for held_in, receipt in held if held_in == queue]
            for start in range(0, len(receipts), BATCH):
                entries = [
                    {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                    for number, receipt in enumerate(receipts[start : start + BATCH])
                ]
                self._sqs.change_message_visibility_batch(QueueUrl=queue, Entries=entries)


def look(sqs: Any, queue: str, limit: int = 1000) -> list[Message]:
    """What is in the queue with this URL now, at most `limit` messages; all stay in it."""
    with Hold(sqs) as hold:
        return hold.take(queue, limit)
