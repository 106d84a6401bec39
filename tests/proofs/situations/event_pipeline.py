"""Batches of messages that are written to a stream and a bucket."""

from typing import Any

from tests.proofs.calls import Fault
from tests.proofs.situations import Situation
from tests.proofs.world import World
from tests.unit.event_pipeline.conftest import ENVIRONMENT, Pipeline, create_destinations
from tests.unit.event_pipeline.messages import sample_batch

KNOWN = "a record comes twice; whoever reads knows it by its event_id"
TWICE = dict.fromkeys(("twice", "at the same time", "replayed"), KNOWN) | {
    f"{call}, {fault}": KNOWN for call in ("kinesis:PutRecords", "firehose:PutRecordBatch") for fault in Fault
}


def event_pipeline_batch(world: World) -> Situation:
    """Events of four sources come in one batch with a message that is no event."""
    create_destinations()
    world.set(**ENVIRONMENT)
    pipeline = Pipeline()
    event = sample_batch()
    event["Records"].append({"messageId": "poison", "body": "no event"})

    def told() -> list[str]:
        written = {"stream": pipeline.stream(), "archive": pipeline.archive()}
        return [f"{where}: {record['event_id']}" for where, records in written.items() for record in records]

    def kept() -> Any:
        return pipeline.keys("quarantine/"), pipeline.keys("oversized/")

    return Situation("event_pipeline", event, kept, told=told, exceptions=TWICE)


SITUATIONS = (event_pipeline_batch,)
