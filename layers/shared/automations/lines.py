"""The lines of a basket or an order as DynamoDB keeps them.

Prices are DynamoDB numbers, which are exact decimals of up to 38 digits; zeros at the end are not kept.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from automations.events.basket import Line

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def to_attribute(lines: Iterable[Line]) -> AttributeValueTypeDef:
    return {
        "L": [
            {
                "M": {
                    "product_id": {"S": line.product_id},
                    "name": {"S": line.name},
                    "quantity": {"N": str(line.quantity)},
                    "unit_price": {"N": f"{line.unit_price:f}"},
                }
            }
            for line in lines
        ]
    }


def from_attribute(value: Any) -> tuple[Line, ...]:
    return tuple(
        Line(
            product_id=line["M"]["product_id"]["S"],
            name=line["M"]["name"]["S"],
            quantity=int(line["M"]["quantity"]["N"]),
            unit_price=line["M"]["unit_price"]["N"],
        )
        for line in value["L"]
    )
