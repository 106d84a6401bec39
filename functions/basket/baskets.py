"""The baskets, in DynamoDB: one item for each customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from automations import aws
from automations.errors import AutomationError
from automations.lines import from_attribute, to_attribute
from basket.basket import Basket

REMEMBERED = timedelta(days=90)
"""How long a basket is kept that nobody changes; DynamoDB deletes it within a few days after that."""

FREE = "attribute_not_exists(checking_out)"


class CheckingOut(AutomationError):
    """The basket cannot be changed before its checkout is finished, or nobody could say what was ordered."""


class Changed(AutomationError):
    """The basket is not the one any more that was read."""


class Baskets:
    def __init__(self, table: str) -> None:
        self._table = table

    def get(self, customer: str) -> Basket:
        """The customer's basket; an empty one when there is none."""
        answer = aws.dynamodb().get_item(TableName=self._table, Key=_key(customer), ConsistentRead=True)
        item = answer.get("Item", {})
        text = {name: value["S"] for name, value in item.items() if "S" in value}
        return Basket(
            customer,
            currency=text.get("currency", ""),
            lines=from_attribute(item["lines"]) if "lines" in item else (),
            version=text.get("version", ""),
            checking_out="checking_out" in item,
            last_checkout_id=text.get("last_checkout_id", ""),
        )

    def put(self, basket: Basket) -> None:
        """Put it in the place of the customer's basket.

        Raises:
            CheckingOut: a checkout of the present one has begun.
        """
        expires = datetime.now(UTC) + REMEMBERED
        try:
            aws.dynamodb().update_item(
                TableName=self._table,
                Key=_key(basket.customer),
                UpdateExpression="SET currency = :currency, #lines = :lines, version = :version, expires_at = :expires",
                ConditionExpression=FREE,
                ExpressionAttributeNames={"#lines": "lines"},
                ExpressionAttributeValues={
                    ":currency": {"S": basket.currency},
                    ":lines": to_attribute(basket.lines),
                    ":version": {"S": basket.version},
                    ":expires": {"N": str(int(expires.timestamp()))},
                },
            )
        except aws.dynamodb().exceptions.ConditionalCheckFailedException:
            raise _checking_out() from None

    def delete(self, customer: str) -> None:
        """Delete the basket; there need not be one.

        Raises:
            CheckingOut: a checkout of it has begun.
        """
        try:
            aws.dynamodb().delete_item(TableName=self._table, Key=_key(customer), ConditionExpression=FREE)
        except aws.dynamodb().exceptions.ConditionalCheckFailedException:
            raise _checking_out() from None

    def begin_checkout(self, basket: Basket) -> None:
        """Hold the basket as it was read: from now on it does not change until its checkout is finished.

        Raises:
            Changed: it is another one already.
        """
        try:
            aws.dynamodb().update_item(
                TableName=self._table,
                Key=_key(basket.customer),
                UpdateExpression="SET checking_out = :yes",
                ConditionExpression="version = :version",
                ExpressionAttributeValues={":yes": {"BOOL": True}, ":version": {"S": basket.version}},
            )
        except aws.dynamodb().exceptions.ConditionalCheckFailedException:
            raise Changed("The basket was changed at the same time. Read it and check it out again.") from None

    def finish_checkout(self, basket: Basket) -> None:
        """Empty the basket and remember its checkout. One that was emptied in the meantime is left as it is."""
        try:
            aws.dynamodb().update_item(
                TableName=self._table,
                Key=_key(basket.customer),
                UpdateExpression="SET last_checkout_id = :version REMOVE checking_out, version, currency, #lines",
                ConditionExpression="version = :version",
                ExpressionAttributeNames={"#lines": "lines"},
                ExpressionAttributeValues={":version": {"S": basket.version}},
            )
        except aws.dynamodb().exceptions.ConditionalCheckFailedException:
            return


def _key(customer: str) -> dict[str, dict[str, str]]:
    return {"customer": {"S": customer}}


def _checking_out() -> CheckingOut:
    return CheckingOut("A checkout of this basket has begun. Repeat the checkout first; then the basket is empty.")
