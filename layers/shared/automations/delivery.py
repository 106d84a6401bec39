"""Hand something over to several receivers, once each, however often the event arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from pydantic import Field

from automations import aws
from automations.errors import DeliveryError, Rejected
from automations.settings import EnvSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb import DynamoDBClient

REMEMBERED = timedelta(days=30)
"""How long a delivery is remembered at least: longer than any retry."""
FOR_EVER = timedelta(days=36500)

Send = Callable[[], None]


class Archives(EnvSettings):
    """Attributes:
    archive_retention_days: how long the archives keep an event; 0 is for ever, None that there are no archives.
    """

    archive_retention_days: int | None = Field(default=None, ge=0)


def remembered() -> timedelta:
    """How long it is remembered what an event led to: as long as a replay can bring the event again, and a day for the replay."""
    days = Archives.from_env().archive_retention_days
    if days is None:
        return REMEMBERED
    return max(REMEMBERED, timedelta(days=days + 1)) if days else FOR_EVER


@lru_cache(maxsize=1)
def _store(table: str, seconds: int, client: DynamoDBClient) -> DynamoDBPersistenceLayer:  # noqa: ARG001 # it keeps the seconds of its first use
    """The record of deliveries. It is made once, because each one that is made adds a hook to the client, for good."""
    return DynamoDBPersistenceLayer(table_name=table, boto3_client=client)


def deliver(deliveries: Mapping[str, Send], *, key: str, table: str, context: LambdaContext) -> list[str]:
    """Make each delivery that was not made yet.

    One that fails does not stop the others. When the event comes again, only the failed ones are tried again. A crash
    between a delivery and its record repeats that one delivery: nobody can prevent that for a receiver that does not
    recognise duplicates by itself.

    Args:
        deliveries: what makes the delivery, by the receiver's name.
        key: what the deliveries are about, such as a build and its status; not the id of the event, which changes when the
            same thing is told again.
        table: name of the Powertools Idempotency table.

    Returns:
        The receivers to whom it was handed over now; the others had it already.

    Raises:
        Rejected: all failures are final.
        DeliveryError: names each failed receiver and why.
    """
    seconds = int(remembered().total_seconds())
    store = _store(table, seconds, aws.dynamodb())
    config = IdempotencyConfig(expires_after_seconds=seconds, lambda_context=context)
    failures: dict[str, Exception] = {}
    handed_over: list[str] = []
    for receiver, send in deliveries.items():

        def hand_over(delivery: str, receiver: str = receiver, send: Send = send) -> bool:  # noqa: ARG001 # the key, which Powertools reads
            send()
            handed_over.append(receiver)
            return True

        once = idempotent_function(
            hand_over, data_keyword_argument="delivery", persistence_store=store, config=config, key_prefix="delivery"
        )
        try:
            once(delivery=f"{receiver}#{key}")
        except Exception as failure:
            failures[receiver] = failure
    if failures:
        final = all(isinstance(failure, Rejected) for failure in failures.values())
        told = "; ".join(f"{receiver}: {failure}" for receiver, failure in failures.items())
        raise (Rejected if final else DeliveryError)(
            f"{len(failures)} of {len(deliveries)} deliveries failed. {told}", failures
        ) from next(iter(failures.values()))
    return handed_over
