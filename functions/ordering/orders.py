"""The orders, in DynamoDB: one item for each checkout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automations import aws
from automations.events.basket import CheckoutBasket
from automations.lines import from_attribute, to_attribute

PAGE = 100


@dataclass(frozen=True)
class Page:
    """Attributes:
    after: where the next page begins; None on the last page.
    """

    orders: list[dict[str, Any]]
    after: str | None


class Orders:
    """The key is the customer and the checkout's id, which is the order's, so that a second delivery finds it there."""

    def __init__(self, table: str) -> None:
        self._table = table

    def place(self, event: CheckoutBasket) -> bool:
        """Write the order; say whether it is new."""
        checkout = event.detail
        try:
            aws.dynamodb().put_item(
                TableName=self._table,
                Item={
                    "customer": {"S": checkout.customer},
                    "order_id": {"S": checkout.checkout_id},
                    "placed_at": {"S": event.time.isoformat()},
                    "currency": {"S": checkout.currency},
                    "lines": to_attribute(checkout.lines),
                    "total": {"N": f"{checkout.total:f}"},
                },
                ConditionExpression="attribute_not_exists(order_id)",
            )
        except aws.dynamodb().exceptions.ConditionalCheckFailedException:
            return False
        return True

    def of(self, customer: str, after: str = "") -> Page:
        """The customer's orders by their ids, at most 100 and 1 MB at a time; prices are strings."""
        start: dict[str, Any] = {"ExclusiveStartKey": {"customer": {"S": customer}, "order_id": {"S": after}}}
        answer = aws.dynamodb().query(
            TableName=self._table,
            KeyConditionExpression="customer = :customer",
            ExpressionAttributeValues={":customer": {"S": customer}},
            ConsistentRead=True,
            Limit=PAGE,
            **(start if after else {}),
        )
        last = answer.get("LastEvaluatedKey")
        return Page([_order(item) for item in answer["Items"]], last["order_id"]["S"] if last else None)


def _order(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "order_id": item["order_id"]["S"],
        "placed_at": item["placed_at"]["S"],
        "currency": item["currency"]["S"],
        "lines": [line.model_dump(mode="json") for line in from_attribute(item["lines"])],
        "total": item["total"]["N"],
    }
