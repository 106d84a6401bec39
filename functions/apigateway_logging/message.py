"""What people are told when a stage cannot get its logs."""

from __future__ import annotations

from apigateway_logging.plan import Plan
from apigateway_logging.stage import Stage
from automations.events.cloudtrail import ApiCall
from automations.notify import Link, Message, Severity
from automations.partition import console_url

REMEDY = (
    "API Gateway writes these logs with a role that is set once for the account and region, and none is set. "
    "Deploy this stack with the parameter SetApiGatewayAccountRole set to true; or create a role that trusts "
    "apigateway.amazonaws.com, with the policy AmazonAPIGatewayPushToCloudWatchLogs, and enter its ARN in the API Gateway "
    "console under Settings, CloudWatch log role ARN."
)
AGAIN = "Lambda tries again twice; after that the event is in the failed-events queue, from where it can be sent again."


def no_role(event: ApiCall, stage: Stage, todo: Plan) -> Message:
    return _message(event, stage, todo, "the account has no role for them", REMEDY)


def refused(event: ApiCall, stage: Stage, todo: Plan, said: str) -> Message:
    """Attributes:
    said: AWS's error code and message.
    """
    return _message(event, stage, todo, "AWS refuses it", f"AWS says: {said}")


def _message(event: ApiCall, stage: Stage, todo: Plan, why: str, text: str) -> Message:
    return Message(
        severity=Severity.WARNING,
        title=f"API Gateway stage {stage.name} gets no logs: {why}",
        event=event,
        facts={
            "API": f"{stage.name.api} ({stage.protocol})",
            "Stage": stage.name.stage,
            "Logs": " and ".join(todo.logs),
            "Call": event.detail.event_name,
            "Who": event.detail.user_identity.arn or "-",
        },
        text=f"{text}\n{AGAIN}",
        link=Link("Open API Gateway", console_url(event.region, "apigateway")),
    )
