"""A Lambda function's code or layers are overwritten: stop the function by a reserved concurrency of 0.

By someone who is not among AllowedPrincipals; while that list is empty, nobody can be told from an intruder, and nothing is
stopped. Changes that CloudFormation makes are left alone. Reserved concurrency counts for all versions and aliases: a stopped
function refuses each call, keeps asynchronous events for up to six hours, and its queues and streams wait. What runs already
goes on until it ends or times out. Code that somebody replaced since is not judged any more.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.lambda_functions import ANY_FUNCTION, GONE, function_name, function_tags
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import listed, own_region, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "function_code"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.WARNING
# CloudTrail's names end in the API's version.
# https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
EVENTS: Events = {"lambda.amazonaws.com": ("UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2")}
READS: Permissions = (
    Allow(("lambda:GetFunctionConfiguration", "lambda:GetFunctionConcurrency", "lambda:ListTags"), ANY_FUNCTION),
)
WRITES: Permissions = (Allow(("lambda:PutFunctionConcurrency",), ANY_FUNCTION),)
SURE = (
    "Certain that the code or the layers were written, not that they are bad. A changed handler, role or environment, which "
    "records do not show, is not judged. Where Lambda refuses to stop a function (it may while there is provisioned concurrency), "
    "that is told as a failure."
)


@dataclass(frozen=True)
class Function:
    """A function as it is now.

    Attributes:
        code, layers: the hash of its code, and ARNs; of the unpublished version, the only one that can be changed.
        reserved: its reserved concurrency, or None.
        judges: it is the very function that judges, which never stops itself.
    """

    code: str
    layers: tuple[str, ...]
    reserved: int | None
    judges: bool


def read(record: CloudTrailRecord) -> State:
    client, (name, _) = aws.lambda_(), function_name(record)
    own_region(record, client, "Lambda function")
    found = unless_absent(lambda: client.get_function_configuration(FunctionName=name), GONE)
    concurrency = unless_absent(lambda: client.get_function_concurrency(FunctionName=name), GONE)
    if found is None or concurrency is None:
        return State(current=None)
    current = Function(
        found["CodeSha256"],
        tuple(layer["Arn"] for layer in found.get("Layers") or ()),
        concurrency.get("ReservedConcurrentExecutions"),
        judges=name == os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
    )
    return State(current, tags=function_tags(found["FunctionArn"]))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    (name, _), layers = function_name(record), listed((record.request_parameters or {}).get("layers"))
    written = _is_code(record) and str(record.parameter("dryRun")).lower() != "true"
    if not (written or layers):
        return None
    now: Function | None = state.current
    resource = f"Lambda function {name}"
    finding = "was given other code" if written else f"was given other layers ({', '.join(layers)})"
    if now is None or now.reserved == 0 or not _is_there(record, layers, now):
        return settled(resource, finding, state)
    if now.judges:
        remark = "It is the function that judges, and never stops itself. Find out who changed it, and deploy the stack again."
        return Plan(resource, finding, Severity.CRITICAL, remark=remark)
    if not settings.allowed_principals:
        remark = (
            "The stack's parameter AllowedPrincipals names nobody, so whoever deploys cannot be told from an intruder."
        )
        return Plan(resource, finding, SEVERITY, remark=remark)
    return Plan(
        resource,
        f"{finding} by someone who is not among the allowed principals",
        SEVERITY,
        steps=("Set its reserved concurrency to 0, so that nothing calls it until a person has looked.",),
        change={"FunctionName": name, "ReservedConcurrentExecutions": 0},
        before={"FunctionName": name, "ReservedConcurrentExecutions": now.reserved},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.lambda_().put_function_concurrency(**plan.change), GONE)


def restore(before: Mapping[str, Any]) -> None:
    if before["ReservedConcurrentExecutions"] is None:
        aws.lambda_().delete_function_concurrency(FunctionName=before["FunctionName"])
    else:
        aws.lambda_().put_function_concurrency(**before)


def _is_code(record: CloudTrailRecord) -> bool:
    return record.event_name.startswith("UpdateFunctionCode")


def _is_there(record: CloudTrailRecord, layers: list[str], now: Function) -> bool:
    """Whether what the call wrote is what the function has now. A record that does not say so counts as yes."""
    if _is_code(record):
        return (record.response_elements or {}).get("codeSha256") in {None, now.code}
    return any(layer in now.layers for layer in layers)
