"""What an EventBridge pipe makes of a record, for a local cloud whose pipes neither filter nor rewrite.

The filter is judged by EventBridge itself. The input template is rendered only where AWS documents what comes out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any

from local.stack import Stack


@dataclass(frozen=True)
class Pipe:
    """A deployed pipe from a stream to a bus.

    Attributes:
        source: ARN of the stream.
        target: ARN of the bus.
        pattern: its one filter, an event pattern as JSON.
        template: its input template, which makes the event's detail.
        event_source: the `source` of the events that it puts on the bus.
        detail_type: their `detail-type`.
    """

    source: str
    target: str
    pattern: str
    template: str
    event_source: str
    detail_type: str


def deployed_pipe(stack: Stack, name: str) -> Pipe:
    """The pipe with this logical id. The local cloud keeps its source and target; the rest is in the deployed template."""
    running = stack.cloud.client("pipes").describe_pipe(Name=stack.resources[name])
    cloudformation = stack.cloud.client("cloudformation")
    # After its transform the template is JSON, which botocore reads.
    template = cloudformation.get_template(StackName=stack.name, TemplateStage="Processed")["TemplateBody"]
    properties = template["Resources"][name]["Properties"]
    [only] = properties["SourceParameters"]["FilterCriteria"]["Filters"]
    bus = properties["TargetParameters"]["EventBridgeEventBusParameters"]
    return Pipe(
        running["Source"],
        running["Target"],
        only["Pattern"],
        properties["TargetParameters"]["InputTemplate"],
        re.sub(r"\${(\w+)}", lambda found: stack.parameters[found[1]], bus["Source"]["Fn::Sub"]),
        bus["DetailType"],
    )


def lets_through(events: Any, pattern: str, record: Mapping[str, Any]) -> bool:
    """Whether the filter lets the record through, judged by `TestEventPattern` of the client given.

    That API takes whole events only, so the record becomes the detail of one, and the filter that of a pattern.
    """
    event = {
        "id": "00000000-0000-4000-8000-000000000000",
        "account": "111122223333",
        "region": "ap-northeast-2",
        "time": "2026-11-22T00:00:00Z",
        "source": "record",
        "detail-type": "record",
        "resources": [],
        "detail": record,
    }
    answer = events.test_event_pattern(
        EventPattern=json.dumps({"detail": json.loads(pattern)}), Event=json.dumps(event, ensure_ascii=False)
    )
    return bool(answer["Result"])


def render(template: str, record: Mapping[str, Any]) -> dict[str, str]:
    """The detail that the input template makes of the record.

    The template must be an object of paths in quotes, such as `{"id": "<$.dynamodb.NewImage.id.S>"}`: AWS documents that they
    become the values. What becomes of a path that is not there, or of a quotation mark in a value, it does not say.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html

    Raises:
        KeyError: the record has not what a path names.
        ValueError: the template has another form, or a value is no text or needs an escape in JSON.
    """
    return {field: _value(variable, record) for field, variable in json.loads(template).items()}


def _value(variable: str, record: Mapping[str, Any]) -> str:
    path = re.fullmatch(r"<\$\.([\w-]+(?:\.[\w-]+)*)>", variable)
    if not path:
        raise ValueError(f"{variable} is not one path in quotes.")
    value: Any = reduce(getitem, path[1].split("."), record)
    if not isinstance(value, str) or json.dumps(value, ensure_ascii=False) != f'"{value}"':
        raise ValueError(f"What {variable} names is no text, or needs an escape.")
    return value
