"""All remediations, and which of them judge an event."""

from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.plan import EVERY_CALL, Remediation
from security_remediation.remediations import (
    access_key_for_another,
    account_public_access_block,
    administrator_policy,
    administrator_policy_version,
    bedrock_model_access,
    bucket_policy,
    config_recorder,
    console_sign_in_without_mfa,
    data_read,
    database_deleted,
    ebs_encryption,
    ebs_snapshot_shared,
    federation_token,
    flow_logs_deleted,
    function_code,
    function_policy,
    guardduty_detector,
    guardduty_members,
    image_deregistered,
    image_shared,
    inline_administrator_policy,
    instance_credentials_outside,
    instance_user_data,
    kms_key_deletion,
    kms_key_policy,
    lambda_permission,
    login_profile_created,
    organisation_left,
    password_of_another_changed,
    public_access_block,
    public_acl,
    public_sharing_block,
    rds_snapshot_shared,
    recovery_point_deleted,
    resolver_query_logging_deleted,
    role_trust,
    root_activity,
    security_group_ingress,
    security_hub,
    serial_console,
    ssm_session,
    trail_changed,
    trail_deleted,
    trail_log_lifecycle,
    trail_selectors,
    trail_stopped,
    trust_anchor,
)

# The trail comes first: a stopped trail blinds everything after it.
REMEDIATIONS: tuple[Remediation, ...] = (
    # @ trail
    trail_stopped,
    trail_deleted,
    trail_changed,
    trail_selectors,
    trail_log_lifecycle,
    guardduty_detector,
    guardduty_members,
    security_hub,
    config_recorder,
    # @ baseline
    flow_logs_deleted,
    resolver_query_logging_deleted,
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
    image_shared,
    ebs_snapshot_shared,
    rds_snapshot_shared,
    serial_console,
    ebs_encryption,
    image_deregistered,
    public_sharing_block,
    # @ keys
    kms_key_policy,
    kms_key_deletion,
    lambda_permission,
    function_policy,
    trust_anchor,
    account_public_access_block,
    # @ sessions
    instance_credentials_outside,
    console_sign_in_without_mfa,
    federation_token,
    ssm_session,
    bedrock_model_access,
    organisation_left,
    # @ compute
    function_code,
    instance_user_data,
    # @ reads
    data_read,
    database_deleted,
    recovery_point_deleted,
    root_activity,
)


def judging(record: CloudTrailRecord) -> list[Remediation]:
    """The remediations that judge this call."""
    return [
        one
        for one in REMEDIATIONS
        if one.EVENTS == EVERY_CALL or record.event_name in one.EVENTS.get(record.event_source, ())
    ]
