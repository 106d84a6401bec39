"""Which stage an API call was about, and what API Gateway knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import StageResponseTypeDef

LEVELS = frozenset({"ERROR", "INFO"})


class Protocol(StrEnum):
    REST = "REST"
    HTTP = "HTTP"
    WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True)
class StageName:
    """Attributes:
    rest: whether the API is a REST API. HTTP and WebSocket APIs have an AWS API of their own, version 2.
    """

    api: str
    stage: str
    rest: bool

    def __str__(self) -> str:
        return f"{self.api}/{self.stage}"


@dataclass(frozen=True)
class Stage:
    """A stage, reduced to what the decision needs.

    Attributes:
        access_logs, execution_logs: whether it has them. Execution logs of a single method or route count.
        managed: API Gateway made the stage itself (quick create of an HTTP API), and nobody can change it.
        route_settings: what an HTTP or WebSocket API's stage has for all its routes.
    """

    name: StageName
    protocol: Protocol
    access_logs: bool = False
    execution_logs: bool = False
    managed: bool = False
    route_settings: Mapping[str, Any] = field(default_factory=dict)


def stage_name(record: CloudTrailRecord) -> StageName | None:
    """The stage that a `CreateStage` or `CreateDeployment` was about; None for a deployment to no stage.

    CloudTrail records calls on REST APIs as `restApiId` and `createStageInput` or `createDeploymentInput`, and those on HTTP
    and WebSocket APIs as `apiId` and `stageName`. The console deploys to a stage of the name "" before it creates a stage.

    Raises:
        InvalidEvent: the record names no API, or a stage was created and it does not say which.
    """
    rest = record.parameter("apiId") is None
    api = record.required("restApiId" if rest else "apiId")
    given = record.parameter("createStageInput") or record.parameter("createDeploymentInput")
    stage = (given.get("stageName") if isinstance(given, dict) else None) or record.parameter("stageName")
    if isinstance(stage, str) and stage:
        return StageName(api, stage, rest)
    if record.event_name == "CreateDeployment":
        return None
    raise record.unusable(f"of the API {api} does not name the stage")


def describe(name: StageName) -> Stage | None:
    """Look the stage up; None when it, or its API, is gone."""
    try:
        return _rest(name) if name.rest else _version_2(name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return None
        raise


def _rest(name: StageName) -> Stage:
    answer: StageResponseTypeDef = aws.apigateway().get_stage(restApiId=name.api, stageName=name.stage)
    methods = answer.get("methodSettings", {}).values()
    return Stage(
        name,
        Protocol.REST,
        access_logs=bool((answer.get("accessLogSettings") or {}).get("destinationArn")),
        execution_logs=any(method.get("loggingLevel") in LEVELS for method in methods),
    )


def _version_2(name: StageName) -> Stage:
    api = aws.apigatewayv2().get_api(ApiId=name.api)
    answer = aws.apigatewayv2().get_stage(ApiId=name.api, StageName=name.stage)
    default = answer.get("DefaultRouteSettings", {})
    routes = [default, *answer.get("RouteSettings", {}).values()]
    return Stage(
        name,
        Protocol(api["ProtocolType"]),
        access_logs=bool(answer.get("AccessLogSettings", {}).get("DestinationArn")),
        execution_logs=any(route.get("LoggingLevel") in LEVELS for route in routes),
        managed=answer.get("ApiGatewayManaged", False),
        route_settings=default,
    )


def update(name: StageName, change: Mapping[str, Any]) -> bool:
    """Change the stage; False when it is gone."""
    try:
        if name.rest:
            aws.apigateway().update_stage(restApiId=name.api, stageName=name.stage, **change)
        else:
            aws.apigatewayv2().update_stage(ApiId=name.api, StageName=name.stage, **change)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return False
        raise
    return True
