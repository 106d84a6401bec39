import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import MockRawResponse

from apigateway_logging.account import NoAccountRole
from apigateway_logging.handler import lambda_handler
from automations import aws
from automations.errors import InvalidEvent, Refused, SettingsError
from tests.samples import sample
from tests.unit.apigateway_logging.conftest import (
    LOG_GROUPS,
    ROLE,
    account_role,
    create_rest_stage,
    create_stage,
    log_groups,
    rest_stage,
    retention,
    set_account_role,
    stage_of,
)
from tests.unit.conftest import ACCOUNT
from tests.unit.hooks import hook

OWN_ACCESS_LOG = f"{LOG_GROUPS}my-own-access-log"


def event(name: str, **parameters: Any) -> dict[str, Any]:
    """A sample event, of this account, with these request parameters replaced."""
    found = sample(f"apigateway_logging/{name}") | {"account": ACCOUNT}
    found["detail"]["requestParameters"].update(parameters)
    return found


def created(api: str) -> dict[str, Any]:
    return event("create-stage-rest", restApiId=api)


def http_created(api: str, stage: str = "$default") -> dict[str, Any]:
    return event("create-stage-http", apiId=api, stageName=stage)


def refuse(monkeypatch: pytest.MonkeyPatch, client: Any, operation: str, code: str, said: str = "No.") -> None:
    def answer(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": said}}, operation)

    monkeypatch.setattr(client, operation, answer)


def test_a_new_rest_stage_gets_access_and_execution_logs(settings, alerts, context):
    api = create_rest_stage()

    done = lambda_handler(created(api), context)

    stage = rest_stage(api)
    assert stage["accessLogSettings"]["destinationArn"] == f"{LOG_GROUPS}/aws/vendedlogs/apigateway/{api}/prod"
    every_method = stage["methodSettings"]["*/*"]
    assert (every_method["loggingLevel"], every_method["dataTraceEnabled"]) == ("ERROR", False)
    assert every_method["metricsEnabled"] is False
    assert done == {"stage": f"{api}/prod", "logs": ["access", "execution"], "why": "It had none of these logs."}
    assert alerts.received() == []


def test_both_log_groups_forget_after_the_retention(settings, context):
    api = create_rest_stage()

    lambda_handler(created(api), context)

    assert retention(f"/aws/vendedlogs/apigateway/{api}/prod") == 14
    assert retention(f"API-Gateway-Execution-Logs_{api}/prod") == 14
    assert len(log_groups()) == 2


def test_level_data_trace_and_metrics_are_as_the_parameters_say(settings, context, monkeypatch):
    monkeypatch.setenv("EXECUTION_LOG_LEVEL", "INFO")
    monkeypatch.setenv("DATA_TRACE", "true")
    monkeypatch.setenv("DETAILED_METRICS", "true")
    api = create_rest_stage()

    lambda_handler(created(api), context)

    every_method = rest_stage(api)["methodSettings"]["*/*"]
    assert every_method["loggingLevel"] == "INFO"
    assert every_method["dataTraceEnabled"] is True
    assert every_method["metricsEnabled"] is True


def test_a_line_of_a_rest_access_log_has_what_the_readme_says(settings, context):
    api = create_rest_stage()

    lambda_handler(created(api), context)

    assert json.loads(rest_stage(api)["accessLogSettings"]["format"]) == {
        "requestId": "$context.requestId",
        "extendedRequestId": "$context.extendedRequestId",
        "ip": "$context.identity.sourceIp",
        "userAgent": "$context.identity.userAgent",
        "requestTime": "$context.requestTime",
        "httpMethod": "$context.httpMethod",
        "path": "$context.path",
        "resourcePath": "$context.resourcePath",
        "stage": "$context.stage",
        "status": "$context.status",
        "protocol": "$context.protocol",
        "responseLength": "$context.responseLength",
        "responseLatency": "$context.responseLatency",
        "integrationStatus": "$context.integration.status",
        "integrationLatency": "$context.integration.latency",
    }


def test_a_deployment_that_makes_a_stage_gives_it_logs(settings, context):
    api = create_rest_stage()

    lambda_handler(event("create-deployment-stage", restApiId=api), context)

    assert rest_stage(api)["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"


@pytest.mark.parametrize("given", [{"stageName": "", "description": ""}, {"description": ""}, None])
def test_a_deployment_to_no_stage_is_left_alone(given, settings, alerts, context):
    api = create_rest_stage()

    done = lambda_handler(event("create-deployment-no-stage", restApiId=api, createDeploymentInput=given), context)

    assert done == {"stage": "", "logs": [], "why": "It is a deployment to no stage."}
    assert "accessLogSettings" not in rest_stage(api)
    assert log_groups() == []
    assert alerts.received() == []


@pytest.mark.parametrize("stage", ["", None])
def test_a_deployment_of_an_http_api_to_no_stage_is_left_alone(stage, settings, context):
    arrived = event("create-stage-http", stageName=stage)
    arrived["detail"]["eventName"] = "CreateDeployment"

    assert lambda_handler(arrived, context)["why"] == "It is a deployment to no stage."


def test_an_access_log_that_the_stage_has_is_left_as_it_is(settings, context):
    api = create_rest_stage(
        "prod",
        ("/accessLogSettings/destinationArn", OWN_ACCESS_LOG),
        ("/accessLogSettings/format", "$context.requestId"),
    )

    done = lambda_handler(created(api), context)

    stage = rest_stage(api)
    assert stage["accessLogSettings"] == {"destinationArn": OWN_ACCESS_LOG, "format": "$context.requestId"}
    assert stage["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"
    assert log_groups() == [f"API-Gateway-Execution-Logs_{api}/prod"]
    assert done["logs"] == ["execution"]


@pytest.mark.parametrize(("method", "level"), [("*/*", "INFO"), ("~1orders/GET", "ERROR")])
def test_execution_logs_that_the_stage_has_are_left_as_they_are(method, level, settings, context):
    api = create_rest_stage("prod", (f"/{method}/logging/loglevel", level), (f"/{method}/logging/dataTrace", "true"))

    done = lambda_handler(created(api), context)

    stage = rest_stage(api)
    [(_, only)] = stage["methodSettings"].items()
    assert (only["loggingLevel"], only["dataTraceEnabled"]) == (level, True)
    assert stage["accessLogSettings"]["destinationArn"].endswith(f"{api}/prod")
    assert log_groups() == [f"/aws/vendedlogs/apigateway/{api}/prod"]
    assert done["logs"] == ["access"]


def test_other_settings_of_the_methods_are_kept_and_a_level_that_is_off_counts_as_none(settings, context):
    api = create_rest_stage("prod", ("/*/*/throttling/rateLimit", "5"), ("/*/*/logging/loglevel", "OFF"))

    lambda_handler(created(api), context)

    every_method = rest_stage(api)["methodSettings"]["*/*"]
    assert (every_method["throttlingRateLimit"], every_method["loggingLevel"]) == (5.0, "ERROR")


def test_the_second_delivery_changes_nothing(settings, alerts, context, monkeypatch):
    api = create_rest_stage()
    lambda_handler(created(api), context)
    before = rest_stage(api)
    monkeypatch.setenv("EXECUTION_LOG_LEVEL", "INFO")
    monkeypatch.setenv("RETENTION_DAYS", "90")

    done = lambda_handler(created(api), context)

    after = rest_stage(api)
    assert {key: after[key] for key in ("accessLogSettings", "methodSettings")} == {
        key: before[key] for key in ("accessLogSettings", "methodSettings")
    }
    assert retention(f"/aws/vendedlogs/apigateway/{api}/prod") == 14
    assert done["why"] == "It has its logs already."
    assert alerts.received() == []


def test_a_log_group_that_exists_gets_a_retention_only_when_it_has_none(settings, context):
    api = create_rest_stage()
    logs = boto3.client("logs")
    kept, endless = f"/aws/vendedlogs/apigateway/{api}/prod", f"API-Gateway-Execution-Logs_{api}/prod"
    for group in (kept, endless, f"{kept}-2"):
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=kept, retentionInDays=365)

    lambda_handler(created(api), context)

    assert (retention(kept), retention(endless), retention(f"{kept}-2")) == (365, 14, None)


def test_an_attempt_that_failed_in_between_is_finished_by_the_next(settings, context, monkeypatch):
    api = create_rest_stage()
    with monkeypatch.context() as failing:
        refuse(failing, aws.logs(), "put_retention_policy", "ServiceUnavailableException")
        with pytest.raises(ClientError, match="ServiceUnavailable"):
            lambda_handler(created(api), context)
    assert "accessLogSettings" not in rest_stage(api)

    lambda_handler(created(api), context)

    assert retention(f"/aws/vendedlogs/apigateway/{api}/prod") == 14
    assert rest_stage(api)["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"


def test_a_new_http_stage_gets_an_access_log_and_no_execution_log(update_stage, context):
    api = create_stage("HTTP", "$default", AutoDeploy=True)

    done = lambda_handler(http_created(api), context)

    stage = stage_of(api, "$default")
    group = f"/aws/vendedlogs/apigateway/{api}/default"
    assert stage["AccessLogSettings"]["DestinationArn"] == f"{LOG_GROUPS}{group}"
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert line["routeKey"] == "$context.routeKey"
    assert {"requestId", "ip", "userAgent", "path", "status", "protocol", "integrationLatency"} < set(line)
    assert "LoggingLevel" not in stage["DefaultRouteSettings"]
    assert log_groups() == [group]
    assert retention(group) == 14
    assert done["logs"] == ["access"]


def test_an_http_stage_needs_no_account_role(update_stage, alerts, context):
    set_account_role("")
    api = create_stage("HTTP", "$default")

    lambda_handler(http_created(api), context)

    assert "AccessLogSettings" in stage_of(api, "$default")
    assert alerts.received() == []


def test_a_new_websocket_stage_gets_both_logs_and_keeps_its_throttling(update_stage, context):
    api = create_stage("WEBSOCKET", "live", DefaultRouteSettings={"ThrottlingBurstLimit": 7, "LoggingLevel": "OFF"})

    done = lambda_handler(http_created(api, "live"), context)

    stage = stage_of(api, "live")
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingBurstLimit": 7,
        "LoggingLevel": "ERROR",
        "DataTraceEnabled": False,
    }
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert line["eventType"] == "$context.eventType"
    assert "httpMethod" not in line
    for group in (
        f"/aws/vendedlogs/apigateway/{api}/live",
        f"API-Gateway-Execution-Logs_{api}/live",
        f"/aws/apigateway/{api}/live",
    ):
        assert retention(group) == 14
    assert done["logs"] == ["access", "execution"]


@pytest.mark.parametrize("protocol", ["HTTP", "WEBSOCKET"])
def test_detailed_metrics_of_routes_are_on_when_the_parameter_says_so(protocol, update_stage, context, monkeypatch):
    monkeypatch.setenv("DETAILED_METRICS", "true")
    api = create_stage(protocol, "live")

    lambda_handler(http_created(api, "live"), context)

    assert stage_of(api, "live")["DefaultRouteSettings"]["DetailedMetricsEnabled"] is True


@pytest.mark.parametrize(
    "routes",
    [
        {"DefaultRouteSettings": {"LoggingLevel": "INFO"}},
        {"RouteSettings": {"$connect": {"LoggingLevel": "ERROR"}}},
    ],
)
def test_logs_that_a_websocket_stage_has_are_left_as_they_are(routes, update_stage, context):
    access = {"DestinationArn": OWN_ACCESS_LOG, "Format": "$context.requestId"}
    api = create_stage("WEBSOCKET", "live", AccessLogSettings=access, **routes)
    before = stage_of(api, "live")

    done = lambda_handler(http_created(api, "live"), context)

    after = stage_of(api, "live")
    assert after["AccessLogSettings"] == access
    assert after["DefaultRouteSettings"] == before["DefaultRouteSettings"]
    assert log_groups() == []
    assert done["why"] == "It has its logs already."


def test_a_stage_that_api_gateway_manages_itself_is_left_alone(settings, context, monkeypatch):
    api = create_stage("HTTP", "$default")
    managed = stage_of(api, "$default") | {"ApiGatewayManaged": True}
    monkeypatch.setattr(aws.apigatewayv2(), "get_stage", lambda **_: managed)

    done = lambda_handler(http_created(api), context)

    assert done["why"] == "API Gateway made the stage itself and lets nobody change it."
    assert log_groups() == []


@pytest.mark.parametrize("protocol", ["REST", "WEBSOCKET"])
def test_without_an_account_role_people_are_told_how_to_set_one(protocol, settings, alerts, context):
    set_account_role("")
    if protocol == "REST":
        arrived = created(api := create_rest_stage())
    else:
        arrived = http_created(api := create_stage("WEBSOCKET", "prod"), "prod")

    with pytest.raises(NoAccountRole, match="SetApiGatewayAccountRole"):
        lambda_handler(arrived, context)

    [message] = alerts.received()
    assert (
        message["Subject"] == f"[WARNING] API Gateway stage {api}/prod gets no logs: the account has no role for them"
    )
    for part in (f"{api} ({protocol})", "access and execution", "AmazonAPIGatewayPushToCloudWatchLogs", "CreateStage"):
        assert part in message["Message"]
    assert account_role() in {"", None}
    assert log_groups() == []


def test_without_an_account_role_people_are_told_once_for_a_call(settings, alerts, context):
    set_account_role("")
    api = create_rest_stage()

    for _ in range(3):
        with pytest.raises(NoAccountRole):
            lambda_handler(created(api), context)

    assert len(alerts.received()) == 1


def test_the_account_role_is_set_when_the_parameter_allows_it(settings, alerts, context, monkeypatch):
    set_account_role("")
    monkeypatch.setenv("ACCOUNT_ROLE", ROLE)
    api = create_rest_stage()

    lambda_handler(created(api), context)

    assert account_role() == ROLE
    assert rest_stage(api)["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"
    assert alerts.received() == []


def test_a_role_that_the_account_has_is_never_replaced(settings, context, monkeypatch):
    monkeypatch.setenv("ACCOUNT_ROLE", f"arn:aws:iam::{ACCOUNT}:role/another")

    lambda_handler(created(create_rest_stage()), context)

    assert account_role() == ROLE


def test_a_role_that_was_set_just_now_may_need_another_attempt_which_is_not_told(
    settings, alerts, context, monkeypatch
):
    set_account_role("")
    monkeypatch.setenv("ACCOUNT_ROLE", ROLE)
    api = create_rest_stage()
    said = "CloudWatch Logs role ARN must be set in account settings to enable logging"
    with monkeypatch.context() as not_known_yet:
        refuse(not_known_yet, aws.apigateway(), "update_stage", "BadRequestException", said)
        with pytest.raises(ClientError, match=said):
            lambda_handler(created(api), context)

    lambda_handler(created(api), context)

    assert rest_stage(api)["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"
    assert alerts.received() == []


@pytest.mark.parametrize("code", ["BadRequestException", "UnauthorizedException", "AccessDeniedException"])
def test_what_aws_refuses_is_told_once_and_fails(code, settings, alerts, context, monkeypatch):
    api = create_rest_stage()
    refuse(monkeypatch, aws.apigateway(), "update_stage", code, "Insufficient permissions to enable logging")

    for _ in range(2):
        with pytest.raises(ClientError, match=code):
            lambda_handler(created(api), context)

    [message] = alerts.received()
    assert message["Subject"].endswith("gets no logs: AWS refuses it")
    assert "Insufficient permissions to enable logging" in message["Message"]


@pytest.mark.parametrize("code", ["ConflictException", "TooManyRequestsException"])
def test_a_conflict_and_throttling_fail_the_event_for_lambda_to_try_again_and_are_not_told(
    code, settings, alerts, context, monkeypatch
):
    api = create_rest_stage()
    with monkeypatch.context() as busy:
        refuse(busy, aws.apigateway(), "update_stage", code)
        with pytest.raises(ClientError, match=code):
            lambda_handler(created(api), context)

    lambda_handler(created(api), context)

    assert rest_stage(api)["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"
    assert alerts.received() == []


def test_throttling_is_tried_again_by_the_client_itself(settings, context, monkeypatch):
    api = create_rest_stage()
    sent = 0

    def throttle_once(**_: object) -> Any:
        nonlocal sent
        sent += 1
        if sent > 1:
            return None  # moto answers
        headers = HTTPHeaders.from_dict({"x-amzn-errortype": "TooManyRequestsException"})
        return AWSResponse("https://apigateway", 429, headers, MockRawResponse(b"{}"))

    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    hook(aws.apigateway(), "before-send.apigateway.UpdateStage", throttle_once, first=True)

    lambda_handler(created(api), context)

    assert sent == 2
    assert rest_stage(api)["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"


@pytest.mark.parametrize("name", ["create-stage-rest", "create-deployment-stage", "create-stage-http"])
def test_an_api_that_is_gone_is_no_failure(name, settings, alerts, context):
    done = lambda_handler(event(name), context)

    assert done["why"] == "The stage does not exist any more."
    assert log_groups() == []
    assert alerts.received() == []


@pytest.mark.parametrize("protocol", ["REST", "HTTP"])
def test_a_stage_that_goes_away_meanwhile_is_no_failure(protocol, update_stage, alerts, context, monkeypatch):
    if protocol == "REST":
        arrived = created(create_rest_stage())
        refuse(monkeypatch, aws.apigateway(), "update_stage", "NotFoundException")
    else:
        arrived = http_created(create_stage("HTTP", "$default"))
        refuse(monkeypatch, aws.apigatewayv2(), "update_stage", "NotFoundException")

    done = lambda_handler(arrived, context)

    assert (done["logs"], done["why"]) == ([], "The stage does not exist any more.")
    assert alerts.received() == []


def test_an_aws_error_fails_the_event(settings, alerts, context, monkeypatch):
    refuse(monkeypatch, aws.apigateway(), "get_stage", "InternalServerError")

    with pytest.raises(ClientError, match="InternalServerError"):
        lambda_handler(created(create_rest_stage()), context)

    assert alerts.received() == []


@pytest.mark.parametrize("elsewhere", [{"account": "444455556666"}, {"region": "us-east-1"}])
def test_a_call_of_another_account_or_region_is_refused(elsewhere, settings, context):
    with pytest.raises(Refused, match="Deploy the stack there as well"):
        lambda_handler(created(create_rest_stage()) | elsewhere, context)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"restApiId": None}, r"no usable requestParameters\.restApiId"),
        ({"createStageInput": {"deploymentId": "f6g7h8"}}, "does not name the stage"),
        ({"createStageInput": "prod"}, "does not name the stage"),
    ],
)
def test_a_record_that_names_no_stage_is_refused(parameters, named, settings, context, logs):
    arrived = event("create-stage-rest", **parameters)

    with pytest.raises(InvalidEvent, match=named):
        lambda_handler(arrived, context)

    assert arrived["id"] in logs.getvalue()


def test_a_malformed_event_is_refused_by_the_name_of_its_field(settings, context):
    arrived = event("create-stage-rest")
    del arrived["detail"]["eventName"]

    with pytest.raises(InvalidEvent, match=r"detail\.eventName: Field required"):
        lambda_handler(arrived, context)


def test_a_bad_setting_is_named(settings, context, monkeypatch):
    monkeypatch.setenv("LOG_GROUPS_ARN", "log-group")

    with pytest.raises(SettingsError, match="LOG_GROUPS_ARN: String should match pattern"):
        lambda_handler(event("create-stage-rest"), context)
