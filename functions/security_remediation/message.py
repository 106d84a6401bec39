"""What people are told about a call that opened something."""

from enum import StrEnum

from automations.events.cloudtrail import ApiCall, CloudTrailRecord, UserIdentity
from automations.notify import Link, Message, Severity
from automations.partition import console_url
from security_remediation.incidents import Incident
from security_remediation.plan import Plan


class Outcome(StrEnum):
    TOLD = "nothing was done"
    CLOSED = "closed, and verified by reading back"
    EXEMPT = "left as it is: exempt"
    LEFT = "nothing to do"


AFTER_A_FAILURE = (
    "Lambda tries again twice; after that the event is in the failed-events queue. Look now whether something is open. "
    "Other events on which this remediation fails in the same way within 15 minutes are counted, not told: they are in the queue."
)
TITLE_ENDS = {Outcome.CLOSED: ": put right", Outcome.EXEMPT: ": exempt"}


def who(identity: UserIdentity) -> str:
    """A user's or a role's name, with its session, as far as the record tells."""
    by = f", through {identity.invoked_by}" if identity.invoked_by else ""
    last = (identity.arn or "").rpartition("/")[2]
    if identity.type == "Root":
        return f"root of account {identity.account_id or '?'}{by}"
    if identity.issuer.user_name:
        return f"role {identity.issuer.user_name}, session {last or '?'}{by}"
    if identity.type == "IAMUser":
        return f"user {identity.user_name or last or '?'}{by}"
    name = identity.user_name or identity.arn or identity.principal_id or identity.account_id or identity.invoked_by
    return f"{identity.type or 'unknown'} {name or '?'}{by if name != identity.invoked_by else ''}".strip()


def message(
    event: ApiCall, plan: Plan, outcome: Outcome, *, exemption: str, incident: Incident, undo: str = ""
) -> Message:
    """What happened, who did it, from where, and what was or would be done.

    Args:
        exemption: why it is exempt, or why an exemption does not count; "" for none.
        undo: the command that puts the previous state back, when there is one.
    """
    severity = {Outcome.EXEMPT: Severity.INFO, Outcome.CLOSED: Severity.WARNING}.get(outcome, plan.severity)
    steps = "\n".join(f"- {step}" for step in plan.steps)
    text = {
        Outcome.TOLD: f"In enforce mode this would be done:\n{steps}",
        Outcome.CLOSED: f"This was done:\n{steps}",
        Outcome.EXEMPT: f"Without its exemption, this would be done in enforce mode:\n{steps}" if steps else "",
        Outcome.LEFT: "",
    }[outcome]
    repeated = f"The same was done {incident.more} more times since the last message." if incident.more else ""
    undone = f"To put back what was there before: {undo}" if undo and outcome == Outcome.CLOSED else ""
    return Message(
        severity=severity,
        title=f"{plan.resource} {plan.finding}{TITLE_ENDS.get(outcome, '')}",
        event=event,
        facts={"Resource": plan.resource, "Outcome": outcome, **_facts(event.detail)},
        text="\n".join(part for part in (text, plan.remark, exemption, undone, repeated) if part),
        link=_link(event),
    )


def failure(event: ApiCall, remediation: str, error: Exception, incident: Incident) -> Message:
    """What to say when a call could not be judged, or what it opened could not be closed."""
    record = event.detail
    alike = f"{incident.more} more events failed so since the last message." if incident.more else ""
    return Message(
        severity=Severity.CRITICAL,
        title=f"{record.event_name} by {who(record.user_identity)} could not be dealt with",
        event=event,
        facts={"Remediation": remediation, **_facts(record)},
        text="\n".join(part for part in (str(error), AFTER_A_FAILURE, alike) if part),
        link=_link(event),
    )


def _facts(record: CloudTrailRecord) -> dict[str, str]:
    facts = {
        "Call": f"{record.event_name} ({record.event_source})",
        "Who": who(record.user_identity),
        "ARN": record.user_identity.arn or "",
        "From": record.source_ip_address or "",
        "User agent": record.user_agent or "",
        "CloudTrail event": record.event_id,
    }
    return {label: value for label, value in facts.items() if value}


def _link(event: ApiCall) -> Link | None:
    """The record in CloudTrail's event history, which has no data events."""
    if event.detail.management_event is False:
        return None
    return Link("Open the record", console_url(event.region, "cloudtrailv2", f"/events/{event.detail.event_id}"))
