"""What a line of the access log holds: one JSON object for each request.

Each kind of API has variables of its own. Fields that mean the same have the same name in all of them.
"""

import json

from apigateway_logging.stage import Protocol

_COMMON = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "ip": "$context.identity.sourceIp",
    "userAgent": "$context.identity.userAgent",
    "requestTime": "$context.requestTime",
    "stage": "$context.stage",
    "status": "$context.status",
    # The status that the integration's own code answered; `$context.integrationStatus` is AWS Lambda's, if that is behind it.
    "integrationStatus": "$context.integration.status",
    "integrationLatency": "$context.integration.latency",
}
_REQUEST = {
    "httpMethod": "$context.httpMethod",
    "path": "$context.path",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
}
_FIELDS = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
    Protocol.REST: _COMMON | _REQUEST | {"resourcePath": "$context.resourcePath"},
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
    Protocol.HTTP: _COMMON | _REQUEST | {"routeKey": "$context.routeKey"},
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
    Protocol.WEBSOCKET: _COMMON
    | {
        "eventType": "$context.eventType",
        "routeKey": "$context.routeKey",
        "connectionId": "$context.connectionId",
        "messageId": "$context.messageId",
    },
}


def access_log_format(protocol: Protocol) -> str:
    """The format: a single line, with the request id, of at most 1,024 characters for an HTTP or WebSocket API."""
    return json.dumps(_FIELDS[protocol], separators=(",", ":"))
