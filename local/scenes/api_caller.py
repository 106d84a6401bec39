"""api_caller, played."""

import json
from typing import Any
from uuid import uuid4

from local.receiver import Answer
from local.seed import API_KEY
from local.stage import SceneFailed, Stage


def api_caller(stage: Stage) -> None:
    """A pipeline fails: a third party's API is told. It is busy, is asked again, and what it answers is kept."""
    path = f"/deployments/pipelines/web-site-release/executions?region={stage.cloud.region}"
    s3, dynamodb, function, execution = stage.client("s3"), stage.client("dynamodb"), "ApiCallerFunction", str(uuid4())
    event = stage.sample("api_caller/pipeline-failed", execution_id=execution)
    created = {"id": "dep-142", "state": "recorded"}
    headers = {"Content-Type": "application/json", "X-Request-Id": "req-7f3a", "Set-Cookie": "session=of-the-api"}
    stage.receiver.answer(path, Answer(429, {"Retry-After": "0"}), Answer(201, headers, json.dumps(created).encode()))
    stage.send(event, expect="ConfiguredEvent")

    requests = [request for request in stage.receiver.to(path) if request.json()["execution"] == execution]
    keys = {request.headers["Idempotency-Key"] for request in requests}
    stage.expect(
        "the API was asked twice, with the same Idempotency-Key", lambda: (len(requests), len(keys)) == (2, 1), function
    )
    if requests[-1].headers["X-Api-Key"] != API_KEY:
        raise SceneFailed("The API got another key than the one that is kept for it.")
    stage.say("request", f"POST {path} {requests[-1].body.decode()}")

    def item() -> dict[str, Any] | None:
        key = {"call_key": {"S": f"deployments/{execution}/1.0/FAILED"}}
        found: dict[str, Any] | None = dynamodb.get_item(TableName=stage.stack.outputs["ApiCallsTable"], Key=key).get(
            "Item"
        )
        return found

    kept = stage.expect("DynamoDB says how it went and where the answer lies", item, function)
    stage.say("", f"status {kept['status']['N']}, {kept['attempts']['N']} attempts, {kept['latency_ms']['N']} ms")
    body = s3.get_object(Bucket=stage.stack.outputs["ApiResponsesBucket"], Key=kept["s3_key"]["S"])["Body"].read()
    answer = json.loads(body)
    stage.expect(
        f"s3://.../{kept['s3_key']['S']} holds the answer and no cookie",
        lambda: json.loads(answer["body"]) == created and "set-cookie" not in answer["headers"],
        function,
    )
    stage.keep(f"{function}-answer.json", body)
    stage.send(event, expect="ConfiguredEvent")
    stage.expect(
        "the second delivery of the event asked nothing",
        lambda: len([r for r in stage.receiver.to(path) if r.json()["execution"] == execution]) == len(requests),
        function,
    )
