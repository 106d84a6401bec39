"""The role with which API Gateway writes to CloudWatch Logs: one for all REST and WebSocket APIs of an account and region.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

from automations import aws
from automations.errors import Refused


class NoAccountRole(Refused):
    """API Gateway has no role to write logs with."""


def ensure_role(role: str) -> bool:
    """See to it that the account has a role; set this one, unless it is "", when it has none.

    Returns:
        Whether it was set just now. It takes API Gateway a while to know it.

    Raises:
        NoAccountRole: there is none, and none to set.
    """
    apigateway = aws.apigateway()
    if apigateway.get_account().get("cloudwatchRoleArn"):
        return False
    if not role:
        raise NoAccountRole(
            "API Gateway has no role for CloudWatch Logs in this account and region, without which a stage can have no logs. "
            "Set SetApiGatewayAccountRole to true, or set a role in the API Gateway console under Settings."
        )
    apigateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    return True
