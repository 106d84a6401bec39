"""Answers for operations that moto lacks: the request is still checked against botocore's model."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any


def answer(client: Any, operation: str, respond: Callable[[Any], Mapping[str, Any] | None]) -> None:
    """Let the client answer the operation with what `respond` makes of its arguments, as long as the client lives.

    A response with an `Error` is raised, as AWS's own is.
    """
    answers: dict[str, Any] = client.__dict__.setdefault("_answers", {})
    known, answers[operation] = operation in answers, respond
    if known:  # the last one given counts
        return
    name = f"{client.meta.service_model.service_id.hyphenize()}.{operation}"

    def remember(params: Any, context: dict[str, Any], **_: Any) -> None:
        context["arguments"] = params

    def reply(context: dict[str, Any], **_: Any) -> tuple[Any, Mapping[str, Any]]:
        body = answers[operation](context["arguments"]) or {}
        return SimpleNamespace(status_code=HTTPStatus.BAD_REQUEST if "Error" in body else HTTPStatus.OK), body

    client.meta.events.register(f"provide-client-params.{name}", remember)
    client.meta.events.register(f"before-call.{name}", reply)
