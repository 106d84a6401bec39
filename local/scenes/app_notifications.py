"""app_notifications, played."""

import json
from typing import Any
from uuid import uuid4

from local.stage import Stage, look_queue

FUNCTION = "AppNotificationsFunction"


def app_notifications(stage: Stage) -> None:
    """The application says that somebody paid, that another paid much from abroad, twice, and that an account was created."""
    finance, care = inbox(stage, "FinanceTopic"), inbox(stage, "CustomerCareTopic")
    # https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html: a new filter may take 15 minutes.
    flagged = None if stage.cloud.real else inbox(stage, "FinanceTopic", {"labels": ["large-payment"]})
    usual, large, account = f"pay_{uuid4().hex}", f"pay_{uuid4().hex}", f"acc_{uuid4().hex}"

    stage.send(stage.sample("app_notifications/payment-completed", paymentId=usual), expect="PaymentCompleted")
    for _ in range(2):
        stage.send(stage.sample("app_notifications/large-payment", paymentId=large), expect="PaymentCompleted")
    stage.send(stage.sample("app_notifications/account-created", accountId=account), expect="AccountCreated")

    told(stage, "finance was told of both payments, once of each", finance, [usual, large])
    if flagged:
        told(stage, "a subscription that filters was told of the large one", flagged, [large])
    told(stage, "customer care was told of the account", care, [account])


def inbox(stage: Stage, output: str, filter_policy: dict[str, list[str]] | None = None) -> str:
    """URL of a new queue that is subscribed to the topic of that output."""
    queue, arn = look_queue(stage.stack, str(uuid4()))
    attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
    stage.client("sns").subscribe(
        TopicArn=stage.stack.outputs[output], Protocol="sqs", Endpoint=arn, Attributes=attributes
    )
    return queue


def told(stage: Stage, what: str, queue: str, about: list[str]) -> None:
    """Wait until the queue has a message about each of these, and no other; show and keep the messages."""
    mails: list[dict[str, Any]] = []

    def received() -> list[dict[str, Any]]:
        mails.extend(stage.take(queue))
        return mails if len(mails) >= len(about) else []

    stage.expect(what, received, FUNCTION)
    stage.expect(
        "nothing else was told",
        lambda: len(mails) == len(about) and all(any(one in mail["Message"] for mail in mails) for one in about),
        FUNCTION,
    )
    for mail in mails:
        stage.say("mail", mail["Subject"])
        stage.keep(f"{FUNCTION}-mail.txt", f"Subject: {mail['Subject']}\n\n{mail['Message']}".encode())
