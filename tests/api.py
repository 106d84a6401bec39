"""Requests as API Gateway's REST APIs hand them to a function.

The form is that of `sam local generate-event apigateway aws-proxy`; only what a function may read is here.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import json
from collections.abc import Callable
from typing import Any

REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def api_request(
    method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None, **query: str
) -> dict[str, Any]:
    """A request; `body` is its text as it was sent."""
    given = {"Content-Type": "application/json", **(headers or {})}
    return {
        "body": body,
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "isBase64Encoded": False,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": {"proxy": path},
        "stageVariables": None,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "requestContext": {
            "accountId": "111122223333",
            "resourceId": "123456",
            "stage": "v1",
            "requestId": REQUEST_ID,
            "requestTimeEpoch": 1795317309000,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "Custom User Agent String"},
            "path": f"/v1{path}",
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "apiId": "1234567890",
            "protocol": "HTTP/1.1",
        },
    }


def call(
    handler: Callable[..., dict[str, Any]],
    context: Any,
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **query: str,
) -> tuple[int, Any]:
    """Let the function answer a request; returns the status and the JSON of the answer."""
    answer = handler(api_request(method, path, body, headers, **query), context)
    return answer["statusCode"], json.loads(answer["body"]) if answer.get("body") else None
