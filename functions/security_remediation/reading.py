"""Calls that take AWS's "there is no such thing" for an answer."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from automations import aws

Answer = TypeVar("Answer")


def unless_absent(call: Callable[[], Answer], *codes: str) -> Answer | None:
    """The call's answer, or None when AWS refuses it with one of these error codes."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return None
        raise


def bucket_tags(bucket: str) -> dict[str, str]:
    answer = unless_absent(lambda: aws.s3().get_bucket_tagging(Bucket=bucket), "NoSuchTagSet", "NoSuchBucket")
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]} if answer else {}
