"""What IAM must allow for a call: actions, on resources, with what their conditions may look at.

Which actions there are, on which types of resources, and the form of a type's ARN is AWS's Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/), as cfn-lint packs it. What it does not say, which argument
of a call names a resource and where an action is not called as the operation, stands in the tables here; a call that they do not
cover is one of an unknown action, or one on any resource, which a role that names its resources refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jmespath  # type: ignore[import-untyped]
from botocore.model import OperationModel
from botocore.session import get_session
from cfnlint.data import AdditionalSpecs  # type: ignore[import-untyped]
from cfnlint.helpers import load_resource  # type: ignore[import-untyped]

from tests.proofs.calls import Call
from tests.unit.conftest import ACCOUNT

Tags = Mapping[str, Mapping[str, str]]
"""The tags of resources, by ARN."""

_REFERENCE: dict[str, Any] = load_resource(AdditionalSpecs, "Policies.json")

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_OTHER_NAMES = {
    ("s3", "HeadObject"): "GetObject",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "GetBucketLifecycleConfiguration"): "GetLifecycleConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "PutLifecycleConfiguration",
    ("s3", "DeleteBucketLifecycle"): "PutLifecycleConfiguration",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "GetAccountPublicAccessBlock",
    ("s3control", "PutPublicAccessBlock"): "PutAccountPublicAccessBlock",
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sns", "PublishBatch"): "Publish",
}
_OF_A_VERSION = {
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "PutObjectAcl": "PutObjectVersionAcl",
    "DeleteObject": "DeleteObjectVersion",
}

_ANY = "'*'"
_NAMES = {
    "cloudtrail:trail": "Name || TrailName || ResourceIdList",
    "config:ConfigurationRecorder": "ConfigurationRecorderName || ConfigurationRecorderNames || ConfigurationRecorder.name || ResourceArn",
    "dynamodb:table": "TableName",
    "ec2:image": "ImageId",
    "ec2:instance": "InstanceIds || InstanceId || Resources[?starts_with(@, 'i-')]",
    "ec2:security-group": "GroupId",
    "ec2:snapshot": "SnapshotId",
    "ec2:natgateway": "ResourceIds[?starts_with(@, 'nat-')]",
    "ec2:network-interface": "ResourceIds[?starts_with(@, 'eni-')]",
    "ec2:subnet": "ResourceIds[?starts_with(@, 'subnet-')]",
    "ec2:transit-gateway": "ResourceIds[?starts_with(@, 'tgw-') && !starts_with(@, 'tgw-attach-')]",
    "ec2:transit-gateway-attachment": "ResourceIds[?starts_with(@, 'tgw-attach-')]",
    "ec2:vpc": "ResourceIds[?starts_with(@, 'vpc-')]",
    "ec2:vpc-flow-log": f"ResourceType && {_ANY}",  # made by the call
    "events:event-bus": "Entries[].EventBusName",
    "firehose:deliverystream": "DeliveryStreamName",
    "guardduty:detector": "DetectorId",
    "iam:group": "GroupName",
    "iam:policy": "PolicyArn",
    "iam:role": "RoleName",
    "iam:user": "UserName",
    "kinesis:stream": "StreamName",
    "kms:key": "KeyId",
    "lambda:function": "FunctionName || ResourceArn || Resource",
    "logs:log-group": "logGroupName",
    "rds:cluster": "DBClusterIdentifier || resourceArn",
    "rds:cluster-snapshot": "[DBClusterSnapshotIdentifier, SourceDBClusterSnapshotIdentifier, TargetDBClusterSnapshotIdentifier]",
    "rds:db": "DBInstanceIdentifier",
    "rds:snapshot": "[DBSnapshotIdentifier, SourceDBSnapshotIdentifier, TargetDBSnapshotIdentifier]",
    "rds-data:cluster": "resourceArn",
    "rolesanywhere:trust-anchor": "trustAnchorId",
    "route53resolver:resolver-query-log-config": f"ResolverQueryLogConfigId || ResourceArn || Name && {_ANY}",
    "s3:bucket": "Bucket",
    "s3:object": "Key && join('/', [Bucket, Key])",
    "secretsmanager:Secret": "SecretId",
    "securityhub:hub": _ANY,  # there is one
    "sns:topic": "TopicArn",
    "sqs:queue": "QueueUrl",
    "ssm:parameter": "Name",
    "ssm:session": "SessionId",
}
"""By type of resource, where a call's arguments name it, in JMESPath."""


def _passes(role: str, service: str) -> tuple[str, str, dict[str, str]]:
    return "iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"}


_SERVICE_ROLE = "aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail"
# Only a trail of an organisation needs these.
_ORGANIZATION: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("organizations:DescribeOrganization", "IsOrganizationTrail && '*'", {}),
    ("organizations:ListAWSServiceAccessForOrganization", "IsOrganizationTrail && '*'", {}),
    (
        "iam:GetRole",
        f"IsOrganizationTrail && 'arn:aws:iam::{ACCOUNT}:role/{_SERVICE_ROLE}'",
        {},
    ),
)
_ALSO: dict[tuple[str, str], tuple[tuple[str, str, dict[str, str]], ...]] = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    ("apigateway", "UpdateAccount"): (
        _passes("patchOperations[?path=='/cloudwatchRoleArn'].value | [0]", "apigateway"),
    ),
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-an-organizational-trail-prepare.html
    ("cloudtrail", "CreateTrail"): (_passes("CloudWatchLogsRoleArn", "cloudtrail"), *_ORGANIZATION),
    ("cloudtrail", "UpdateTrail"): (_passes("CloudWatchLogsRoleArn", "cloudtrail"), *_ORGANIZATION),
    ("config", "PutConfigurationRecorder"): (_passes("ConfigurationRecorder.roleARN", "config"),),
    # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    ("ec2", "CreateFlowLogs"): (_passes("DeliverLogsPermissionArn", "vpc-flow-logs"),),
    # https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html: the rights of the older calls, too
    ("lambda", "GetResourcePolicy"): (("lambda:GetPolicy", "ResourceArn", {}),),
    ("lambda", "PutResourcePolicy"): (
        ("lambda:AddPermission", "ResourceArn", {}),
        ("lambda:RemovePermission", "ResourceArn", {}),
    ),
    ("lambda", "DeleteResourcePolicy"): (("lambda:RemovePermission", "ResourceArn", {}),),
    # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.access.html
    ("rds-data", "ExecuteStatement"): (("secretsmanager:GetSecretValue", "secretArn", {}),),
}
"""What a call needs beside its own action: the action, where its arguments name the resource, in JMESPath, and the context."""

# What is tagged by the call that makes it, for which there is an action of its own. The reference calls these dependent actions.
_TAGGING = {
    ("cloudtrail", "CreateTrail"): ("cloudtrail:AddTags", "cloudtrail:trail", "TagsList"),
    ("config", "PutConfigurationRecorder"): ("config:TagResource", "config:ConfigurationRecorder", "Tags"),
    ("ec2", "CreateFlowLogs"): ("ec2:CreateTags", "ec2:vpc-flow-log", "TagSpecifications[].Tags[]"),
    ("guardduty", "CreateDetector"): ("guardduty:TagResource", "guardduty:detector", "Tags"),
    ("rds", "CopyDBSnapshot"): ("rds:AddTagsToResource", "rds:snapshot", "Tags"),
    ("rds", "CopyDBClusterSnapshot"): ("rds:AddTagsToResource", "rds:cluster-snapshot", "Tags"),
    ("rds", "CreateDBSnapshot"): ("rds:AddTagsToResource", "rds:snapshot", "Tags"),
    ("rds", "CreateDBClusterSnapshot"): ("rds:AddTagsToResource", "rds:cluster-snapshot", "Tags"),
    ("route53resolver", "CreateResolverQueryLogConfig"): (
        "route53resolver:TagResource",
        "route53resolver:resolver-query-log-config",
        "Tags",
    ),
    ("securityhub", "EnableSecurityHub"): ("securityhub:TagResource", "securityhub:hub", "Tags"),
}


@dataclass(frozen=True)
class Need:
    """One question to IAM.

    Attributes:
        action: such as `s3:GetObject`.
        resource: ARN, or `*` for a call that names none.
        context: by condition key.
    """

    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)


def needs(call: Call, tags: Tags) -> Iterator[Need]:
    """What the caller of AWS must be allowed.

    Raises:
        KeyError: AWS has no action of that name.
    """
    model = _model(call)
    prefix = model.service_model.signing_name
    keys = jmespath.search("(Tags || TagSpecifications[].Tags[])[].Key", call.arguments) or None
    if prefix == "apigateway":
        yield Need(f"apigateway:{model.http['method']}", _path(call, model))
    else:
        action = _action(call)
        types = _REFERENCE[prefix]["Actions"][action.lower()].get("Resources", [])
        for resource in _resources(call, [f"{prefix}:{one}" for one in types]) or ["*"]:
            yield Need(
                f"{prefix}:{action}", resource, _tagged(resource, tags) | ({"aws:TagKeys": keys} if keys else {})
            )
    yield from _also(call)


def _also(call: Call) -> Iterator[Need]:
    """What the call needs beside its own action."""
    for action, path, context in _ALSO.get((call.service, call.operation), ()):
        if resource := jmespath.search(path, call.arguments):
            yield Need(action, resource, context)
    action, kind, path = _TAGGING.get((call.service, call.operation), ("", "", "''"))
    if jmespath.search(path, call.arguments):
        for resource in _resources(call, [kind]) or [_arn(call, kind, "*")]:
            yield Need(action, resource, {"ec2:CreateAction": call.operation} if call.service == "ec2" else {})


def _action(call: Call) -> str:
    action = _OTHER_NAMES.get((call.service, call.operation), call.operation)
    return _OF_A_VERSION[action] if call.service == "s3" and "VersionId" in call.arguments else action


def _model(call: Call) -> OperationModel:
    return _service(call.service).operation_model(call.operation)


@cache
def _service(name: str) -> Any:
    return get_session().get_service_model(name)


def _path(call: Call, model: OperationModel) -> str:
    """API Gateway's actions are HTTP's methods, and its resources the paths of its API, in the form of its first version."""
    path = model.http["requestUri"].removeprefix("/v2")
    for name, shape in model.input_shape.members.items() if model.input_shape else ():
        if shape.serialization.get("location") == "uri":
            path = path.replace(f"{{{shape.serialization.get('locationName', name)}}}", call.arguments[name])
    return f"arn:aws:apigateway:{call.region}::{path}"


def _resources(call: Call, types: list[str]) -> list[str]:
    """ARNs of what the call names."""
    found = []
    for one in types:
        named = jmespath.search(_NAMES.get(one, "''"), call.arguments)
        for name in [named] if isinstance(named, str) else named or []:
            if name and (arn := _arn(call, one, name)):
                found.append(arn)
    return found


def _arn(call: Call, kind: str, name: str) -> str:
    """The ARN of what has this name; "" when the name is the ARN of another type."""
    prefix, _, resource = kind.partition(":")
    filled = [
        one.replace("${Partition}", "aws").replace("${Region}", call.region).replace("${Account}", ACCOUNT)
        for one in _REFERENCE[prefix]["Resources"][resource.lower()]["ARNFormats"]
    ]
    if name.startswith("arn:"):
        anywhere = [re.sub(r"(arn:\w+:[\w-]+:)[\w-]*:\d*:", r"\1[\\w-]*:\\w*:", one) for one in filled]
        return name if any(re.fullmatch(one, name) for one in anywhere) else ""
    name = name.rsplit("/", 1)[-1] if prefix == "sqs" else name.removeprefix("/")
    if prefix == "logs":
        name = call.arguments["logGroupName"]
    if prefix == "secretsmanager":
        name += "-a1B2c3"  # what Secrets Manager appends
    return filled[0].replace(".*", name)


def _tagged(resource: str, tags: Tags) -> dict[str, Any]:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.get(resource, {}).items()}
