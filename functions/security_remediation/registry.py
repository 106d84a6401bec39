"""All remediations, and which of them judge an event."""

from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.plan import EVERY_CALL, Remediation
from security_remediation.remediations import (
    # @ trail
    # @ ec2
    # @ iam
    access_key_for_another,
    # @ keys
    # @ baseline
    # @ sessions
    # @ compute
    administrator_policy,
    administrator_policy_version,
    bucket_policy,
    inline_administrator_policy,
    login_profile_created,
    password_of_another_changed,
    public_access_block,
    public_acl,
    role_trust,
    root_activity,
    security_group_ingress,
)

# The trail comes first: a stopped trail blinds everything after it.
REMEDIATIONS: tuple[Remediation, ...] = (
    # @ trail
    # @ baseline
    bucket_policy,
    public_acl,
    public_access_block,
    security_group_ingress,
    administrator_policy,
    # @ iam
    role_trust,
    inline_administrator_policy,
    administrator_policy_version,
    access_key_for_another,
    login_profile_created,
    password_of_another_changed,
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
