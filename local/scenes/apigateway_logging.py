"""apigateway_logging, played."""

import json
from typing import Any

from local.stage import Stage

FUNCTION = "ApigatewayLoggingFunction"


def rest_stage_created(stage: Stage) -> None:
    """Somebody creates a stage of a REST API: it gets access and execution logs, in log groups that forget after 14 days."""
    gateway = stage.client("apigateway")
    had = gateway.get_account().get("cloudwatchRoleArn", "")
    api = gateway.create_rest_api(name=f"{stage.stack.name}-orders")["id"]
    [root] = gateway.get_resources(restApiId=api)["items"]
    method = {"restApiId": api, "resourceId": root["id"], "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(restApiId=api, stageName="prod", deploymentId=deployment)

    event = stage.sample("apigateway_logging/create-stage-rest")
    event["detail"]["requestParameters"]["restApiId"] = api
    stage.send(event, expect="ApiStageCreated")

    def seen() -> dict[str, Any]:
        return dict(gateway.get_stage(restApiId=api, stageName="prod"))

    access = f"/aws/vendedlogs/apigateway/{api}/prod"
    stage.expect(
        "execution logs are on, without requests' bodies",
        lambda: (
            seen()["methodSettings"]["*/*"]["loggingLevel"] == "INFO"
            and not seen()["methodSettings"]["*/*"]["dataTraceEnabled"]
        ),
        FUNCTION,
    )
    stage.expect(
        f"access logs go to {access} as JSON",
        lambda: (
            seen()["accessLogSettings"]["destinationArn"].endswith(f":log-group:{access}")
            and "$context.resourcePath" in json.loads(seen()["accessLogSettings"]["format"]).values()
        ),
        FUNCTION,
    )
    for group in (access, f"API-Gateway-Execution-Logs_{api}/prod"):
        _expect_to_forget(stage, group)
    stage.expect(
        "API Gateway has a role to write logs with, where the account had none",
        lambda: (had or "ApiGatewayAccountRole") in gateway.get_account()["cloudwatchRoleArn"],
        FUNCTION,
    )
    update = stage.sample("apigateway_logging/update-stage-own-role")
    stage.send(update, expect=None)


def http_stage_created(stage: Stage) -> None:
    """Somebody creates the default stage of an HTTP API: it gets an access log. There are no execution logs of HTTP APIs."""
    gateway = stage.client("apigatewayv2")
    api = gateway.create_api(Name=f"{stage.stack.name}-shop", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

    event = stage.sample("apigateway_logging/create-stage-http")
    event["detail"]["requestParameters"]["apiId"] = api
    stage.send(event, expect="ApiStageCreated")

    group = f"/aws/vendedlogs/apigateway/{api}/default"

    def settings() -> dict[str, Any]:
        return dict(gateway.get_stage(ApiId=api, StageName="$default").get("AccessLogSettings", {}))

    stage.expect(
        f"access logs go to {group} as JSON",
        lambda: (
            settings()["DestinationArn"].endswith(f":log-group:{group}")
            and "$context.routeKey" in json.loads(settings()["Format"]).values()
        ),
        FUNCTION,
    )
    _expect_to_forget(stage, group)


def _expect_to_forget(stage: Stage, group: str) -> None:
    def retention() -> int | None:
        found = stage.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return next((item.get("retentionInDays") for item in found if item["logGroupName"] == group), None)

    stage.expect(f"{group} forgets after 14 days", lambda: retention() == 14, FUNCTION)
