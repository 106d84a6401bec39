"""The pipe from the orders' stream to the application bus, played."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from local.pipe import Pipe, deployed_pipe, lets_through, render
from local.scenes.event_pipeline import stream
from local.stage import SceneFailed, Stage


def order_events(stage: Stage) -> None:
    """A new order is told on the application bus, a changed or deleted one is not. On the local cloud the scene stands in for the pipe, by its filter and template."""
    pipe, order_id = deployed_pipe(stage.stack, "OrderEventsPipe"), str(uuid4())
    checkout = stage.sample("ordering/basket-checked-out")
    checkout["detail"]["checkout_id"] = order_id
    stage.send(checkout, expect="BasketCheckedOut")
    [inserted] = stage.expect(
        "the order is in the stream of its table", lambda: changes(stage, pipe, order_id), "OrderingFunction"
    )
    orders = {"TableName": stage.stack.resources["OrdersTable"], "Key": inserted["dynamodb"]["Keys"]}
    dynamodb = stage.client("dynamodb")
    dynamodb.update_item(
        **orders, UpdateExpression="SET note = :note", ExpressionAttributeValues={":note": {"S": "by hand"}}
    )
    dynamodb.delete_item(**orders)
    records = stage.expect(
        "and so are a change and its deletion, made by hand",
        lambda: found if len(found := changes(stage, pipe, order_id)) == 3 else None,
        "OrderingFunction",
    )
    through = [item for item in records if lets_through(stage.client("events"), pipe.pattern, item)]
    stage.expect("the filter lets the new order through and nothing else", lambda: through == [inserted], "the pipe")
    detail = render(pipe.template, inserted)
    stage.say("pipe", json.dumps(detail))
    bus = stage.client("events").describe_event_bus(Name=stage.stack.outputs["ApplicationBus"])
    if bus["Arn"] != pipe.target:
        raise SceneFailed(f"The pipe leads to {pipe.target}, which is not the application bus.")
    event = {"source": pipe.event_source, "detail-type": pipe.detail_type, "detail": detail}
    if not stage.cloud.real:
        stage.send(stage.sample("ordering/order-placed") | event, expect="IngestApplicationEvent")
    told = {"source": pipe.event_source} | {f"detail.{name}": text for name, text in detail.items()}
    stage.expect(
        "the pipeline took it from the bus",
        lambda: [item for item in stream(stage) if told.items() <= item.items()],
        "EventPipelineFunction",
    )
    stage.keep("order_events/order-placed.json", json.dumps(event, indent=2).encode())


def changes(stage: Stage, pipe: Pipe, order_id: str) -> list[dict[str, Any]]:
    """What the stream has about the order, oldest first, as a pipe gets it: with the stream's ARN, and times as numbers."""
    streams, found = stage.client("dynamodbstreams"), []
    for shard in streams.describe_stream(StreamArn=pipe.source)["StreamDescription"]["Shards"]:
        start = streams.get_shard_iterator(
            StreamArn=pipe.source, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        for item in first_records(streams, start["ShardIterator"]):
            if item["dynamodb"]["Keys"]["order_id"]["S"] == order_id:
                text = json.dumps(item | {"eventSourceARN": pipe.source}, default=lambda at: int(at.timestamp()))
                found.append(json.loads(text))
    return found


def first_records(streams: Any, iterator: str | None) -> list[Any]:
    """The next records of a shard: the first answers may have none although there are some, and an open shard has no end."""
    for _ in range(5):
        if iterator:
            answer = streams.get_records(ShardIterator=iterator)
            if answer["Records"]:
                return list(answer["Records"])
            iterator = answer.get("NextShardIterator")
    return []
