"""Records of DynamoDB streams and Kinesis streams, as EventBridge Pipes hands them on: one record, without an envelope.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
"""

from typing import Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.alias_generators import to_camel

from automations.events import Detail

AttributeMap = dict[str, dict[str, Any]]
"""Values with their DynamoDB types: `{"Id": {"N": "101"}}`."""


class _StreamRecord(Detail):
    model_config = ConfigDict(alias_generator=to_camel)

    event_id: str = Field(alias="eventID")
    event_name: str
    aws_region: str
    event_source_arn: str = Field(alias="eventSourceARN", pattern=r"^arn:[^:]+:[^:]+:[^:]+:[0-9]{12}:.")

    @property
    def account(self) -> str:
        return self.event_source_arn.split(":")[4]


class TableChange(Detail):
    """Attributes:
    approximate_creation_date_time: when the item changed; documented examples leave it out.
    new_image, old_image: as far as the stream's view type has them.
    """

    approximate_creation_date_time: AwareDatetime | None = Field(default=None, alias="ApproximateCreationDateTime")
    keys: AttributeMap = Field(alias="Keys")
    new_image: AttributeMap | None = Field(default=None, alias="NewImage")
    old_image: AttributeMap | None = Field(default=None, alias="OldImage")


class DynamoDBRecord(_StreamRecord):
    """An item was inserted, modified or removed: `event_name` is INSERT, MODIFY or REMOVE."""

    event_source: Literal["aws:dynamodb"]
    dynamodb: TableChange


class KinesisRecord(_StreamRecord):
    """Attributes:
    data: what the producer wrote, in Base64.
    """

    event_source: Literal["aws:kinesis"]
    approximate_arrival_timestamp: AwareDatetime
    partition_key: str
    sequence_number: str
    data: str
