"""Stages that are created without logs."""

from typing import Any

from automations import aws
from tests.proofs.calls import Fault
from tests.proofs.situations import ANOTHER_ID, Situation
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.apigateway_logging.conftest import (
    LOG_GROUPS,
    ROLE,
    account_role,
    answer_update_stage,
    create_rest_stage,
    create_stage,
    log_groups,
    rest_stage,
    retention,
    set_account_role,
    stage_of,
)
from tests.unit.conftest import ACCOUNT

REFUSED = {
    f"{call}, {Fault.ACCESS_DENIED}": "people are told at once that AWS refused, before it is tried again"
    for call in (
        *("apigateway:GetAccount", "apigateway:UpdateAccount", "apigateway:UpdateStage", "apigatewayv2:UpdateStage"),
        *("logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:PutRetentionPolicy"),
    )
}


def _deployed(world: World, role: str) -> None:
    answer_update_stage()
    set_account_role(ROLE if not role else "")
    world.set(log_groups_arn=LOG_GROUPS, retention_days="14", account_role=role)


def _event(name: str, **parameters: str) -> dict[str, Any]:
    event = sample(f"apigateway_logging/{name}") | {"account": ACCOUNT}
    event["detail"]["requestParameters"].update(parameters)
    return event


def _groups() -> Any:
    return account_role(), [retention(group) for group in log_groups()]


def apigateway_logging_rest(world: World) -> Situation:
    """A stage of a REST API is created, where API Gateway has no role yet and one log group is there already."""
    _deployed(world, ROLE)
    api = create_rest_stage()
    aws.logs().create_log_group(logGroupName=f"/aws/vendedlogs/apigateway/{api}/prod")

    def state() -> Any:
        stage = rest_stage(api)
        access = stage.get("accessLogSettings", {}).get("destinationArn", "").replace(api, "API")
        return access, stage["methodSettings"].get("*/*", {}).get("loggingLevel"), _groups()

    event = _event("create-stage-rest", restApiId=api)
    return Situation("apigateway_logging", event, state, again=event | ANOTHER_ID, exceptions=REFUSED)


def apigateway_logging_http(world: World) -> Situation:
    """A stage of an HTTP API is created."""
    _deployed(world, "")
    api = create_stage("HTTP", "$default")

    def state() -> Any:
        access = stage_of(api, "$default").get("AccessLogSettings", {})
        return access.get("DestinationArn", "").replace(api, "API"), _groups()

    event = _event("create-stage-http", apiId=api, stageName="$default")
    return Situation("apigateway_logging", event, state, again=event | ANOTHER_ID, exceptions=REFUSED)


SITUATIONS = (apigateway_logging_rest, apigateway_logging_http)
