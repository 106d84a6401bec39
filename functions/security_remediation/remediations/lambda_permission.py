"""A statement is added to a Lambda function's policy that lets in everyone, or an account or organisation that is not trusted: remove it.

A service that acts for a foreign account, such as that account's S3 bucket or EventBridge rule, lets that account in. A service that
may act for anybody's resources, because the statement names no account and no resource of it, is only told of: AWS calls that public
for Amazon S3, and others, such as secret rotation, are often set up so. So is what may be one's own: a bucket without its account, and,
while the own organisation is not known, any organisation.

A public function URL is such a statement: without it nobody gets in, whatever authentication the URL has, so calls on the URL itself
are not judged. What CloudFormation adds is left alone, like everything that it does: its calls carry `invokedBy`. So stacks with public
function URLs, of which this application's `webhook_receiver` is one, can be deployed; with other tools, put their role on the list of
allowed principals.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.lambda_functions import ANY_FUNCTION, GONE, function_name, function_tags
from security_remediation.lambda_policies import lets_in, remark
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.policies import Exposure, Trust, statements, sure
from security_remediation.reading import document, listed, own_region, unless_absent
from security_remediation.strangers import named, nothing_sure

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "lambda_permission"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"lambda.amazonaws.com": ("AddPermission20150331v2", "AddPermission20150331")}
READS: Permissions = (Allow(("lambda:GetPolicy", "lambda:ListTags"), ANY_FUNCTION),)
WRITES: Permissions = (Allow(("lambda:RemovePermission",), ANY_FUNCTION),)
SURE = (
    "Certain for everyone and for accounts, also those for which a service acts, and, with TrustOrganization, for organisations "
    "(`principalOrgID`). Layers that are shared are not seen."
)

# What AddPermission makes of its arguments: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
ARGUMENTS = {
    "aws:sourcearn": "SourceArn",
    "aws:sourceaccount": "SourceAccount",
    "aws:principalorgid": "PrincipalOrgID",
    "lambda:eventsourcetoken": "EventSourceToken",
    "lambda:functionurlauthtype": "FunctionUrlAuthType",
    "lambda:invokedviafunctionurl": "InvokedViaFunctionUrl",
}


def read(record: CloudTrailRecord) -> State:
    client, function, sid = aws.lambda_(), _function(record), record.required("statementId")
    own_region(record, client, "function")
    answer = unless_absent(lambda: client.get_policy(**function), GONE)  # no policy, or no function
    policy = json.loads(answer["Policy"]) if answer else {}
    statement = next((one for one in statements(policy) if one.get("Sid") == sid), None)
    if not statement:
        return State({})
    return State(statement, function_tags(listed(statement["Resource"])[0]))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    function = _function(record)
    resource = "Lambda function " + ":".join(function.values())
    added = document((record.response_elements or {}).get("statement"))
    exposed = _exposed(state.current, settings.trust)
    opened = _exposed(added, settings.trust) if added else exposed  # a record that does not say: look
    if not opened:
        return None
    if not sure(exposed):
        return nothing_sure(resource, state, opened, exposed, remark=remark(exposed))
    return Plan(
        resource,
        f"has a policy that lets in {named(exposed)}",
        SEVERITY,
        steps=(f"Remove statement {state.current['Sid']} from the function's policy.",),
        change=function | {"StatementId": state.current["Sid"]},
        before=function | arguments(state.current),
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.lambda_().remove_permission(**plan.change), GONE)


def restore(before: Mapping[str, Any]) -> None:
    aws.lambda_().add_permission(**before)


def arguments(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with which AddPermission makes this statement."""
    principal = _principal(statement)
    conditions = {
        ARGUMENTS[key.lower()]: value
        for keys in statement.get("Condition", {}).values()
        for key, value in keys.items()
        if key.lower() in ARGUMENTS
    }
    if "InvokedViaFunctionUrl" in conditions:  # the only one that is not a text
        conditions["InvokedViaFunctionUrl"] = str(conditions["InvokedViaFunctionUrl"]).lower() == "true"
    return {
        "StatementId": statement["Sid"],
        "Action": statement["Action"],
        "Principal": principal.get("Service") or principal["AWS"],
        **conditions,
    }


def _exposed(statement: Mapping[str, Any], trust: Trust) -> list[Exposure]:
    return lets_in({"Statement": [statement]}, trust)


def _principal(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = statement.get("Principal", {})
    return principal if isinstance(principal, Mapping) else {"AWS": principal}


def _function(record: CloudTrailRecord) -> dict[str, str]:
    """The arguments that name the function, and the version or alias whose policy it is.

    Raises:
        Refused: it is another account's.
    """
    name, qualifier = function_name(record)
    qualifier = qualifier or record.parameter("qualifier")
    return {"FunctionName": name} | ({"Qualifier": str(qualifier)} if qualifier else {})
