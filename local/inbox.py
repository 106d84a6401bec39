"""What came to the receiver, in files that a person reads, and the console."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from local.receiver import Request

MAILS = {"AlertsTopic": "/alerts", "FinanceTopic": "/finance", "CustomerCareTopic": "/customer-care"}
"""By the output of the stack that has the topic's ARN, the path to which its e-mails come."""
CALL = ".call"
"""The suffix of a file that says which call of an API a request was."""

Confirm = Callable[[str, str], object]
"""Confirms the subscription to a topic, given by its ARN, with the token."""


def keep(folder: Path, request: Request, confirm: Confirm) -> None:
    """Keep the request in a file: its body, or what the e-mail says that it stands for.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """
    name = f"{time.strftime('%H%M%S')}-{time.monotonic_ns() % 10**6:06}{request.path.replace('/', '-')}"
    if request.path not in MAILS.values():
        if call := request.headers.get("Idempotency-Key"):
            call_of(folder / f"{name}.json").write_text(call, encoding="utf-8")
        (folder / f"{name}.json").write_bytes(request.body)
        return
    message = request.json()
    if message["Type"] == "SubscriptionConfirmation":
        confirm(message["TopicArn"], message["Token"])
    else:
        text = f"Subject: {message['Subject']}\n\n{message['Message']}"
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def call_of(file: Path) -> Path:
    """The file beside a request's that says which call it was."""
    return file.with_name(f"{file.name}{CALL}")
