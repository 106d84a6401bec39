"""The receiver on AWS, where no function reaches this machine: far_receiver.yaml, read back from its table."""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from requests.structures import CaseInsensitiveDict

from local.cloud import Aws, Cloud
from local.receiver import Answer, Receiver, Request
from local.small_stack import small_stack

TEMPLATE = Path(__file__).with_suffix(".yaml")


class FarReceiver(Receiver):
    """A receiver whose requests and answers are in a DynamoDB table."""

    def __init__(self, url: str, cloud: Cloud | Aws, table: str) -> None:
        super().__init__(url)
        self._dynamodb = cloud.client("dynamodb")
        self._table = table

    @property
    def requests(self) -> list[Request]:
        """What came in, in its order. The names of headers are those that Lambda gives, in small letters."""
        found = [json.loads(item["request"]["S"]) for item in self._items("request")]
        return [
            Request(one["path"], CaseInsensitiveDict(one["headers"]), b64decode(one["body"]), one["method"])
            for one in found
        ]

    def answer(self, path: str, *answers: Answer) -> None:
        """Give these answers to the next requests for the path, one each; 200 after them."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(path),
            UpdateExpression="SET answers = list_append(if_not_exists(answers, :none), :new)",
            ExpressionAttributeValues={":none": {"L": []}, ":new": {"L": [{"S": _text(one)} for one in answers]}},
        )

    def always(self, path: str, answer: Answer) -> None:
        """Give this answer to every request for the path, after those of `answer`."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(path),
            UpdateExpression="SET always = :answer",
            ExpressionAttributeValues={":answer": {"S": _text(answer)}},
        )

    def forget(self) -> None:
        """Forget what came and what was to be answered."""
        for kind in ("request", "answer"):
            for item in self._items(kind):
                self._dynamodb.delete_item(TableName=self._table, Key={name: item[name] for name in ("kind", "at")})

    def _items(self, kind: str) -> list[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="kind = :kind",
            ExpressionAttributeValues={":kind": {"S": kind}},
            ConsistentRead=True,
        )
        return [item for page in pages for item in page["Items"]]


@contextmanager
def far_receiver(cloud: Cloud | Aws, name: str, endpoint: str = "") -> Iterator[FarReceiver]:
    """Deploy the receiver as a stack of this name for the length of a `with` block.

    Only requests below a path that nobody can guess are kept.

    Args:
        endpoint: of the cloud that stands in for AWS.
    """
    token = secrets.token_urlsafe(32)
    with small_stack(cloud, TEMPLATE, name, {"Token": token, "AwsEndpointUrl": endpoint}) as outputs:
        yield FarReceiver(f"{cloud.address(outputs['Url']).rstrip('/')}/{token}", cloud, outputs["Table"])


def _key(path: str) -> dict[str, Any]:
    return {"kind": {"S": "answer"}, "at": {"S": path}}


def _text(answer: Answer) -> str:
    body = b64encode(answer.body).decode()
    return json.dumps({"status": answer.status, "headers": dict(answer.headers), "body": body, "delay": answer.delay})
