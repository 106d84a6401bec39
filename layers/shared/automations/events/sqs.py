"""What Lambda hands over from an Amazon SQS queue.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from datetime import datetime

from pydantic import Field

from automations.events import Detail


class Message(Detail):
    """One message. Its body is whatever somebody sent to the queue."""

    message_id: str = Field(alias="messageId", min_length=1)
    body: str


class MessageBatch(Detail):
    records: list[Message] = Field(alias="Records", min_length=1)


class FifoAttributes(Detail, frozen=True):
    """Attributes:
    sent: when the message was put on the queue.
    """

    message_group_id: str = Field(alias="MessageGroupId", min_length=1)
    receive_count: int = Field(alias="ApproximateReceiveCount", ge=1)
    sent: datetime = Field(alias="SentTimestamp")  # in milliseconds, which Pydantic tells from seconds by their size


class FifoMessage(Message, frozen=True):
    """One message of a FIFO queue."""

    receipt_handle: str = Field(alias="receiptHandle", min_length=1)
    attributes: FifoAttributes


class FifoBatch(Detail):
    """The messages of a group come in their order, and no later one of it before these are deleted or visible again."""

    records: list[FifoMessage] = Field(alias="Records", min_length=1)
