"""REST APIs behind API Gateway: numbers are read exactly, and every error is JSON with a message that one can act on."""

import json
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)


def rest_api(logger: Logger) -> APIGatewayRestResolver:
    """A resolver that validates requests and reads numbers with a fraction as `Decimal`.

    It answers what a route raises: a `ServiceError` as its status and message; anything else is logged as one line, and
    is 500, after which the caller may try again. Neither answers nor log lines hold the request's values.
    """
    api = APIGatewayRestResolver(
        enable_validation=True, json_body_deserializer=partial(json.loads, parse_float=Decimal)
    )

    def invalid(error: RequestValidationError) -> Response[Any]:
        problems = (f"{'.'.join(str(part) for part in p['loc'])}: {p['msg']}" for p in error.errors())
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"The request is not valid. {'; '.join(problems)}")

    def unsupported(error: RequestUnsupportedContentType) -> Response[Any]:  # noqa: ARG001 # its message is fixed
        return answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")

    def failed(error: Exception) -> Response[Any]:
        if isinstance(error, ServiceError):
            raise error
        logger.error(str(error), reason=type(error).__name__)
        return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "This did not work, and it is not your fault. Try again.")

    for kind, respond in (
        (RequestValidationError, invalid),
        (RequestUnsupportedContentType, unsupported),
        (Exception, failed),
    ):
        api.exception_handler(kind)(respond)
    return api


def answer(status: int, message: str) -> Response[Any]:
    """An answer that only says something, in the form in which Powertools answers a `ServiceError`."""
    body = {"statusCode": int(status), "message": message}
    return Response(int(status), content_types.APPLICATION_JSON, json.dumps(body, ensure_ascii=False))
