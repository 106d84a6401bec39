"""What the remediations of AWS KMS keys have in common.

A key's policy decides whether IAM policies count for the key at all. The function reaches only keys whose policy lets the account
in, as the default one does; any other ends as a failure that people are told of.
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam
"""

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.plan import Allow
from security_remediation.reading import name_of, own_region, tags_of

ANY_KEY = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"
READ_KEY_TAGS = Allow(("kms:ListResourceTags",), ANY_KEY)

GONE = "NotFoundException"


def key_id(record: CloudTrailRecord) -> str:
    """The id of the key, of which the record has the whole ARN when the caller gave that."""
    return name_of(record.required("keyId"))


def key_tags(key: str) -> dict[str, str]:
    pages = aws.kms().get_paginator("list_resource_tags").paginate(KeyId=key)
    return tags_of((tag for page in pages for tag in page["Tags"]), "TagKey", "TagValue")


def own_key(record: CloudTrailRecord) -> str:
    """The id of the key, when it is one of this region.

    Raises:
        Refused: it is in another.
    """
    own_region(record, aws.kms(), "key")
    return key_id(record)
