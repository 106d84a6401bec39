"""The calls of July 2026 on the policies of Lambda functions, in memory: moto does not have them yet."""

from typing import Any

from automations import aws
from tests.unit.security_remediation.answers import answer


def function_policies() -> dict[str, str]:
    """The policies by ARN. From now on the client of this test knows them."""
    policies: dict[str, str] = {}

    def get(asked: Any) -> dict[str, Any]:
        if asked["ResourceArn"] not in policies:
            return {"Error": {"Code": "ResourceNotFoundException", "Message": "The resource could not be found."}}
        return {"Policy": policies[asked["ResourceArn"]]}

    def put(asked: Any) -> dict[str, Any]:
        policies[asked["ResourceArn"]] = asked["Policy"]
        return get(asked)

    def delete(asked: Any) -> dict[str, Any]:
        found = get(asked)
        policies.pop(asked["ResourceArn"], None)
        return found if "Error" in found else {}

    for operation, respond in {"Get": get, "Put": put, "Delete": delete}.items():
        answer(aws.lambda_(), f"{operation}ResourcePolicy", respond)
    return policies
