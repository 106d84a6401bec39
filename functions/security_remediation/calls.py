"""Which remediations judge a call, known without importing all of them at each cold start: a call needs few."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.plan import Remediation

# Written from the registry, in its order: python -m local security write
JUDGED_BY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # security: calls
    "backup.amazonaws.com": {
        "DeleteRecoveryPoint": ("recovery_point_deleted",),
    },
    "bedrock.amazonaws.com": {
        "CreateFoundationModelAgreement": ("bedrock_model_access",),
        "PutFoundationModelEntitlement": ("bedrock_model_access",),
        "PutUseCaseForModelAccess": ("bedrock_model_access",),
    },
    "cloudtrail.amazonaws.com": {
        "DeleteTrail": ("trail_deleted",),
        "PutEventSelectors": ("trail_selectors",),
        "StopLogging": ("trail_stopped",),
        "UpdateTrail": ("trail_changed",),
    },
    "config.amazonaws.com": {
        "DeleteConfigurationRecorder": ("config_recorder",),
        "DeleteDeliveryChannel": ("config_recorder",),
        "PutConfigurationRecorder": ("config_recorder",),
        "PutDeliveryChannel": ("config_recorder",),
        "StopConfigurationRecorder": ("config_recorder",),
    },
    "ec2.amazonaws.com": {
        "AuthorizeSecurityGroupIngress": ("security_group_ingress",),
        "CreateKeyPair": ("instance_credentials_outside",),
        "DeleteFlowLogs": ("flow_logs_deleted",),
        "DeregisterImage": ("image_deregistered",),
        "DescribeInstanceAttribute": ("data_read",),
        "DisableEbsEncryptionByDefault": ("ebs_encryption",),
        "DisableImageBlockPublicAccess": ("public_sharing_block",),
        "DisableSnapshotBlockPublicAccess": ("public_sharing_block",),
        "EnableSerialConsoleAccess": ("serial_console",),
        "GetPasswordData": ("data_read",),
        "ImportKeyPair": ("instance_credentials_outside",),
        "ModifyImageAttribute": ("image_shared",),
        "ModifyInstanceAttribute": ("instance_user_data",),
        "ModifySecurityGroupRules": ("security_group_ingress",),
        "ModifySnapshotAttribute": ("ebs_snapshot_shared", "instance_credentials_outside"),
        "RunInstances": ("instance_credentials_outside",),
    },
    "guardduty.amazonaws.com": {
        "DeleteDetector": ("guardduty_detector",),
        "DeleteMembers": ("guardduty_members",),
        "DisassociateFromAdministratorAccount": ("guardduty_members",),
        "DisassociateFromMasterAccount": ("guardduty_members",),
        "DisassociateMembers": ("guardduty_members",),
        "StopMonitoringMembers": ("guardduty_members",),
        "UpdateDetector": ("guardduty_detector",),
    },
    "iam.amazonaws.com": {
        "AttachGroupPolicy": ("administrator_policy",),
        "AttachRolePolicy": ("administrator_policy", "instance_credentials_outside"),
        "AttachUserPolicy": ("administrator_policy", "instance_credentials_outside"),
        "CreateAccessKey": ("access_key_for_another", "instance_credentials_outside"),
        "CreateLoginProfile": ("login_profile_created", "instance_credentials_outside"),
        "CreatePolicyVersion": ("administrator_policy_version",),
        "CreateRole": ("role_trust", "instance_credentials_outside"),
        "CreateUser": ("instance_credentials_outside",),
        "PutGroupPolicy": ("inline_administrator_policy",),
        "PutRolePolicy": ("inline_administrator_policy", "instance_credentials_outside"),
        "PutUserPolicy": ("inline_administrator_policy", "instance_credentials_outside"),
        "SetDefaultPolicyVersion": ("administrator_policy_version",),
        "UpdateAssumeRolePolicy": ("role_trust", "instance_credentials_outside"),
        "UpdateLoginProfile": ("password_of_another_changed",),
    },
    "kms.amazonaws.com": {
        "PutKeyPolicy": ("kms_key_policy",),
        "ScheduleKeyDeletion": ("kms_key_deletion",),
    },
    "lambda.amazonaws.com": {
        "AddPermission20150331": ("lambda_permission",),
        "AddPermission20150331v2": ("lambda_permission",),
        "CreateFunction20150331": ("instance_credentials_outside",),
        "PutResourcePolicy": ("function_policy",),
        "UpdateFunctionCode20150331v2": ("function_code",),
        "UpdateFunctionConfiguration20150331v2": ("function_code",),
    },
    "organizations.amazonaws.com": {
        "LeaveOrganization": ("organisation_left",),
        "RemoveAccountFromOrganization": ("organisation_left",),
    },
    "rds.amazonaws.com": {
        "DeleteDBCluster": ("database_deleted",),
        "DeleteDBInstance": ("database_deleted",),
        "ModifyDBClusterSnapshotAttribute": ("rds_snapshot_shared",),
        "ModifyDBSnapshotAttribute": ("rds_snapshot_shared",),
    },
    "rolesanywhere.amazonaws.com": {
        "CreateTrustAnchor": ("trust_anchor",),
        "EnableTrustAnchor": ("trust_anchor",),
        "UpdateTrustAnchor": ("trust_anchor",),
    },
    "route53resolver.amazonaws.com": {
        "DeleteResolverQueryLogConfig": ("resolver_query_logging_deleted",),
        "DisassociateResolverQueryLogConfig": ("resolver_query_logging_deleted",),
    },
    "s3.amazonaws.com": {
        "DeleteAccountPublicAccessBlock": ("account_public_access_block",),
        "DeleteBucketPublicAccessBlock": ("public_access_block",),
        "PutAccountPublicAccessBlock": ("account_public_access_block",),
        "PutBucketAcl": ("public_acl",),
        "PutBucketLifecycle": ("trail_log_lifecycle",),
        "PutBucketPolicy": ("bucket_policy",),
        "PutBucketPublicAccessBlock": ("public_access_block",),
        "PutObjectAcl": ("public_acl",),
    },
    "secretsmanager.amazonaws.com": {
        "BatchGetSecretValue": ("data_read",),
        "GetSecretValue": ("data_read",),
    },
    "securityhub.amazonaws.com": {
        "DisableSecurityHub": ("security_hub",),
    },
    "signin.amazonaws.com": {
        "ConsoleLogin": ("console_sign_in_without_mfa",),
    },
    "ssm.amazonaws.com": {
        "GetParameter": ("data_read",),
        "GetParameterHistory": ("data_read",),
        "GetParameters": ("data_read",),
        "GetParametersByPath": ("data_read",),
        "ResumeSession": ("ssm_session",),
        "SendCommand": ("instance_credentials_outside", "ssm_session"),
        "StartSession": ("instance_credentials_outside", "ssm_session"),
    },
    "sts.amazonaws.com": {
        "GetFederationToken": ("federation_token",),
    },
    # security: end of calls
}
JUDGE_EVERY_CALL: tuple[str, ...] = (
    # security: every call
    "root_activity",
    # security: end of every call
)


def judging(record: CloudTrailRecord) -> list[Remediation]:
    """The remediations that judge this call."""
    names = JUDGED_BY.get(record.event_source, {}).get(record.event_name, ())
    modules = (import_module(f"security_remediation.remediations.{name}") for name in (*names, *JUDGE_EVERY_CALL))
    return [cast("Remediation", module) for module in modules]
