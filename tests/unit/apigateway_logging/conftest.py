"""APIs and their stages in moto's account, which starts with a role for API Gateway's logs."""

import json
from typing import Any

import pytest
from moto.apigatewayv2.models import apigatewayv2_backends

from automations import aws
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.hooks import hook

ROLE = f"arn:aws:iam::{ACCOUNT}:role/api-gateway-logs"
LOG_GROUPS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"


@pytest.fixture
def settings(idempotency_table, alerts, monkeypatch):
    """The function's variables, besides the alerts topic and the table."""
    monkeypatch.setenv("LOG_GROUPS_ARN", LOG_GROUPS)
    monkeypatch.setenv("RETENTION_DAYS", "14")
    set_account_role(ROLE)


def set_account_role(role: str) -> None:
    operation: Any = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    aws.apigateway().update_account(patchOperations=[operation])


def account_role() -> str | None:
    return aws.apigateway().get_account().get("cloudwatchRoleArn")


def create_rest_stage(stage: str = "prod", *patches: tuple[str, str]) -> str:
    """A stage of a new REST API, with these values at these paths; returns the API's id."""
    gateway = aws.apigateway()
    api = gateway.create_rest_api(name="orders")["id"]
    [root] = gateway.get_resources(restApiId=api)["items"]
    gateway.put_method(restApiId=api, resourceId=root["id"], httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root["id"], httpMethod="GET", type="MOCK")
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(restApiId=api, stageName=stage, deploymentId=deployment)
    operations: Any = [{"op": "replace", "path": path, "value": value} for path, value in patches]
    gateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)
    return api


def rest_stage(api: str, stage: str = "prod") -> Any:
    return aws.apigateway().get_stage(restApiId=api, stageName=stage)


def create_stage(protocol: str, stage: str, **settings: Any) -> str:
    """A stage of a new HTTP or WebSocket API; returns the API's id."""
    gateway: Any = aws.apigatewayv2()
    selection = {"RouteSelectionExpression": "$request.body.action"} if protocol == "WEBSOCKET" else {}
    api: str = gateway.create_api(Name="shop", ProtocolType=protocol, **selection)["ApiId"]
    gateway.create_stage(ApiId=api, StageName=stage, **settings)
    return api


def stage_of(api: str, stage: str) -> Any:
    gateway: Any = aws.apigatewayv2()
    return gateway.get_stage(ApiId=api, StageName=stage)


def answer_update_stage() -> None:
    """moto has no `UpdateStage` of version 2. botocore checks the arguments; then moto's stage is changed with them."""

    def answer(params: dict[str, Any], **_: Any) -> Any:
        *_, api, _, stage = params["url_path"].split("/")
        found = apigatewayv2_backends[ACCOUNT][REGION].get_stage(api, stage.replace("%24", "$"))
        body = json.loads(params["body"])
        found.access_log_settings = body.get("accessLogSettings", found.access_log_settings)
        found.default_route_settings = body.get("defaultRouteSettings", found.default_route_settings)
        return type("Response", (), {"status_code": 200})(), {}

    hook(aws.apigatewayv2(), "before-call.apigatewayv2.UpdateStage", answer)


@pytest.fixture
def update_stage(settings):
    answer_update_stage()


def retention(group: str) -> int | None:
    """In days; None without one. A group that is not there is an error."""
    found = aws.logs().describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    [exact] = [item for item in found if item["logGroupName"] == group]
    return exact.get("retentionInDays")


def log_groups() -> list[str]:
    return [item["logGroupName"] for item in aws.logs().describe_log_groups()["logGroups"]]
