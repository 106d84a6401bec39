"""The decision: which logs a stage is to get, and what must be called for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apigateway_logging.access_log import access_log_format
from apigateway_logging.stage import Protocol, Stage, StageName

if TYPE_CHECKING:
    from apigateway_logging.handler import Settings


@dataclass(frozen=True)
class Plan:
    """Attributes:
    logs: the kinds of logs to switch on. Without any, there is nothing to do, and `why` says why.
    log_groups: those that must exist, with a retention, before logs are written.
    change: the arguments of `UpdateStage` beside the stage's name.
    needs_role: whether API Gateway writes these logs with the account's role.
    """

    logs: tuple[str, ...]
    why: str
    log_groups: tuple[str, ...] = ()
    change: Mapping[str, Any] = field(default_factory=dict)
    needs_role: bool = False


def plan(name: StageName | None, stage: Stage | None, settings: Settings) -> Plan:
    """Decide from the stage that the call named and from what it is now; None for neither.

    The logs that it has, of either kind, are left as they are.
    """
    if name is None:
        return Plan((), "It is a deployment to no stage.")
    if stage is None:
        return Plan((), "The stage does not exist any more.")
    if stage.managed:
        return Plan((), "API Gateway made the stage itself and lets nobody change it.")
    access = not stage.access_logs
    execution = not stage.execution_logs and stage.protocol is not Protocol.HTTP  # which has none
    if not access and not execution:
        return Plan((), "It has its logs already.")
    logs: dict[str, tuple[str, ...]] = {}
    if access:
        logs["access"] = (access_log_group(stage),)
    if execution:
        logs["execution"] = execution_log_groups(stage)
    change = _patch if stage.protocol is Protocol.REST else _version_2_change
    return Plan(
        logs=tuple(logs),
        why="It had none of these logs.",
        log_groups=tuple(group for groups in logs.values() for group in groups),
        change=change(stage, settings, access=access, execution=execution),
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html: HTTP APIs use log delivery.
        needs_role=stage.protocol is not Protocol.HTTP,
    )


def access_log_group(stage: Stage) -> str:
    """Its prefix keeps the resource policy of log delivery, which HTTP APIs use, from growing with each stage.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
    """
    return f"/aws/vendedlogs/apigateway/{_path(stage)}"


def execution_log_groups(stage: Stage) -> tuple[str, ...]:
    """API Gateway chooses the name, and creates the group with the first entry if it is not there.

    For WebSocket APIs the sources differ: AWS's support page has the name of REST APIs, published stacks have the other one.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-execution-logging.html
    https://repost.aws/knowledge-center/api-gateway-logs
    """
    documented = f"API-Gateway-Execution-Logs_{_path(stage)}"
    if stage.protocol is Protocol.WEBSOCKET:
        return documented, f"/aws/apigateway/{_path(stage)}"
    return (documented,)


def _path(stage: Stage) -> str:
    """API and stage, without the dollar sign of `$default`, which the name of a log group cannot hold."""
    return str(stage.name).replace("$", "")


def _patch(stage: Stage, settings: Settings, *, access: bool, execution: bool) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html"""
    values = {}
    if access:
        values["/accessLogSettings/destinationArn"] = settings.log_group_arn(access_log_group(stage))
        values["/accessLogSettings/format"] = access_log_format(stage.protocol)
    if execution:  # of all resources and methods
        values["/*/*/logging/loglevel"] = settings.execution_log_level
        values["/*/*/logging/dataTrace"] = str(settings.data_trace).lower()
        values["/*/*/metrics/enabled"] = str(settings.detailed_metrics).lower()
    return {"patchOperations": [{"op": "replace", "path": path, "value": value} for path, value in values.items()]}


def _version_2_change(stage: Stage, settings: Settings, *, access: bool, execution: bool) -> dict[str, Any]:
    """The route settings are sent whole, with what they hold already, such as throttling."""
    change: dict[str, Any] = {}
    routes: dict[str, Any] = {}
    if access:
        arn = settings.log_group_arn(access_log_group(stage))
        change["AccessLogSettings"] = {"DestinationArn": arn, "Format": access_log_format(stage.protocol)}
    if execution:
        routes = {"LoggingLevel": settings.execution_log_level, "DataTraceEnabled": settings.data_trace}
    if settings.detailed_metrics and (execution or stage.protocol is Protocol.HTTP):
        routes["DetailedMetricsEnabled"] = True
    if routes:
        change["DefaultRouteSettings"] = {**stage.route_settings, **routes}
    return change
