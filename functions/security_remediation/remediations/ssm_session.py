"""Somebody who is not on the list opens a session or sends a command to machines: end the session, cancel the command.

The list is the parameter SessionPrincipals; while it is empty, nothing is judged. Whom it may stop: any colleague who is not on
it, in the middle of their work; a session that was ended cannot be resumed. What it did until then is done, and a command
stops only on machines that have not begun it, or whose steps can be interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.errors import Refused
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import listed, own_region, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "ssm_session"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.WARNING
EVENTS: Events = {"ssm.amazonaws.com": ("StartSession", "ResumeSession", "SendCommand")}
READS: Permissions = (Allow(("ssm:DescribeSessions", "ssm:ListCommands"), why=NO_RESOURCES),)
WRITES: Permissions = (
    Allow(("ssm:TerminateSession",), "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:session/*"),
    Allow(("ssm:CancelCommand",), why=NO_RESOURCES),
)
SURE = "As sure as the list is complete. What was done before the session's end, or by commands that had run, is not undone."

RUNNING = {"Connected", "Connecting", "Disconnected", "Pending", "InProgress"}


def read(record: CloudTrailRecord) -> State:
    """Whether it is still going on: True or False."""
    kind, id_ = _what(record)
    client = aws.ssm()
    own_region(record, client, kind)
    if kind == "session":
        sessions = client.describe_sessions(State="Active", Filters=[{"key": "SessionId", "value": id_}])["Sessions"]
        return State(any(one.get("Status") in RUNNING for one in sessions))
    found = unless_absent(lambda: client.list_commands(CommandId=id_), "InvalidCommandId")
    return State(any(one.get("Status") in RUNNING for one in found["Commands"]) if found else False)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    allowed = settings.session_principals
    if not allowed or record.user_identity.among(allowed):
        return None
    kind, id_ = _what(record)
    resource = f"SSM {kind} on {_targets(record)}"
    finding = f"was {'sent' if kind == 'command' else 'opened'} by somebody who is not on the list"
    if not state.current:
        return settled(resource, finding, state)
    step = f"Cancel the command {id_}." if kind == "command" else f"End the session {id_}."
    remark = (
        "What was ended cannot be put back: whoever it was for begins it again, from a principal of SessionPrincipals."
    )
    return Plan(resource, finding, SEVERITY, steps=(step,), remark=remark, change={kind: id_})


def apply(plan: Plan) -> None:
    if session := plan.change.get("session"):
        aws.ssm().terminate_session(SessionId=session)
    else:
        unless_absent(lambda: aws.ssm().cancel_command(CommandId=plan.change["command"]), "InvalidCommandId")


def restore(before: Mapping[str, Any]) -> None:  # noqa: ARG001 # the same form for all
    raise Refused("A session that was ended, or a command that was cancelled, cannot be put back: start it again.")


def _what(record: CloudTrailRecord) -> tuple[str, str]:
    """`session` or `command`, and its id."""
    answer = record.response_elements or {}
    if record.event_name == "SendCommand":
        command = answer.get("command")
        kind, id_ = "command", command.get("commandId") if isinstance(command, Mapping) else None
    else:
        kind, id_ = "session", answer.get("sessionId") or record.parameter("sessionId")
    if isinstance(id_, str) and id_:
        return kind, id_
    raise record.unusable(f"does not name its {kind}, so it cannot be ended")


def _targets(record: CloudTrailRecord) -> str:
    """The machines, as far as the record names them."""
    asked = record.request_parameters or {}
    ids = [str(one) for one in (*listed(asked.get("target")), *listed(asked.get("instanceIds")))]
    by_tag = [
        f"{one.get('key')}={','.join(map(str, listed(one.get('values'))))}"
        for one in listed(asked.get("targets"))
        if isinstance(one, Mapping)
    ]
    return ", ".join([*ids, *by_tag]) or "a machine that the record does not name"
