"""A policy is put on a Lambda function that lets in everyone, or an account or organisation that is not trusted: take these out of it, and keep the rest.

`PutResourcePolicy` puts a policy in the place of the one that was there, also of what `AddPermission` added; what that was, the record
does not say. A statement that lets in others besides loses only the strangers. A policy of which nothing is left is deleted. What is
told and left is as with `lambda_permission`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.lambda_functions import ANY_FUNCTION, GONE, function_tags
from security_remediation.lambda_policies import lets_in, remark
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.policies import sure, without
from security_remediation.reading import document, own_region, unless_absent
from security_remediation.strangers import named, nothing_sure, taken_out

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "function_policy"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"lambda.amazonaws.com": ("PutResourcePolicy",)}
# Each call needs the rights of the older ones, too:
# https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
READS: Permissions = (Allow(("lambda:GetResourcePolicy", "lambda:GetPolicy", "lambda:ListTags"), ANY_FUNCTION),)
WRITES: Permissions = (
    Allow(
        (
            "lambda:PutResourcePolicy",
            "lambda:DeleteResourcePolicy",
            "lambda:AddPermission",
            "lambda:RemovePermission",
        ),
        ANY_FUNCTION,
    ),
)
SURE = (
    "Certain for everyone and for accounts, also those for which a service acts, and, with TrustOrganization, for organisations. The call "
    "is of July 2026, and AWS does not say how CloudTrail names it: it is looked for under the API's own name, without a date. "
    "A runtime whose boto3 does not know it yet fails, and people are told."
)


def read(record: CloudTrailRecord) -> State:
    client, arn = _client(), record.required("resourceArn")
    own_region(record, client, "function")
    answer = unless_absent(lambda: client.get_resource_policy(ResourceArn=arn), GONE)  # no policy, or no function
    return State(json.loads(answer["Policy"]) if answer else {}, function_tags(arn))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    arn, put = record.required("resourceArn"), document(record.parameter("policy"))
    resource = f"Lambda function {arn.split(':', 6)[-1]}"
    exposed = lets_in(state.current, settings.trust)
    opened = lets_in(put, settings.trust) if put is not None else exposed  # a record that does not say: look
    if not opened:
        return None
    if not (closed := sure(exposed)):
        return nothing_sure(resource, state, opened, exposed, remark=remark(exposed))
    left = without(state.current, closed)
    return Plan(
        resource,
        f"has a policy that lets in {named(closed)}",
        SEVERITY,
        steps=taken_out(closed, "function's policy")
        + (() if left else ("Delete the policy, because nothing is left of it.",)),
        remark=remark(exposed),
        change={"ResourceArn": arn} | ({"Policy": json.dumps(left)} if left else {}),
        before={"ResourceArn": arn, "Policy": json.dumps(state.current)},
    )


def apply(plan: Plan) -> None:
    call = _client().put_resource_policy if "Policy" in plan.change else _client().delete_resource_policy
    unless_absent(lambda: call(**plan.change), GONE)


def restore(before: Mapping[str, Any]) -> None:
    _client().put_resource_policy(**before)


def _client() -> Any:
    """The stubs of boto3 do not know these calls yet."""
    return aws.lambda_()
