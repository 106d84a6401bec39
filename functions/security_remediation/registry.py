"""All remediations, and which of them judge an event."""

from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.plan import EVERY_CALL, Remediation
from security_remediation.remediations import (
    # @ trail
    # @ ec2
    # @ iam
    # @ keys
    # @ baseline
    # @ sessions
    # @ compute
    administrator_policy,
    bucket_policy,
    flow_logs_deleted,
    public_access_block,
    public_acl,
    resolver_query_logging_deleted,
    root_activity,
    security_group_ingress,
    trail_deleted,
)

# The trail comes first: a stopped trail blinds everything after it.
REMEDIATIONS: tuple[Remediation, ...] = (
    # @ trail
    # @ baseline
    trail_deleted,
    flow_logs_deleted,
    resolver_query_logging_deleted,
    bucket_policy,
    public_acl,
    public_access_block,
    security_group_ingress,
    administrator_policy,
    # @ iam
    # @ ec2
    # @ keys
    # @ sessions
    # @ compute
    root_activity,
)


def judging(record: CloudTrailRecord) -> list[Remediation]:
    """The remediations that judge this call."""
    return [
        one
        for one in REMEDIATIONS
        if one.EVENTS == EVERY_CALL or record.event_name in one.EVENTS.get(record.event_source, ())
    ]
