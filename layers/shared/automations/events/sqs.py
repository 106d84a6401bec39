"""What Lambda hands over from an Amazon SQS queue.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from pydantic import Field

from automations.events import Detail


class Message(Detail):
    """One message. Its body is whatever somebody sent to the queue."""

    message_id: str = Field(alias="messageId", min_length=1)
    body: str


class MessageBatch(Detail):
    records: list[Message] = Field(alias="Records", min_length=1)
