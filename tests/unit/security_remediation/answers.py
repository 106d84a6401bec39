"""Answers for operations that moto lacks: the request is still checked against botocore's model."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from tests.unit.hooks import hook


def answer(client: Any, operation: str, respond: Callable[[Any], Mapping[str, Any] | None]) -> None:
    """Let the client answer the operation with what `respond` makes of its arguments, until the end of the test.

    A response with an `Error` is raised, as AWS's own is. The last answer given counts.
    """
    name = f"{client.meta.service_model.service_id.hyphenize()}.{operation}"

    def remember(params: Any, context: dict[str, Any], **_: Any) -> None:
        context["arguments"] = params

    def reply(context: dict[str, Any], **_: Any) -> tuple[Any, Mapping[str, Any]]:
        body = respond(context["arguments"]) or {}
        return SimpleNamespace(status_code=HTTPStatus.BAD_REQUEST if "Error" in body else HTTPStatus.OK), body

    hook(client, f"provide-client-params.{name}", remember)
    hook(client, f"before-call.{name}", reply, first=True)
