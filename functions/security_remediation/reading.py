"""What the remediations read of records and resources. AWS's "there is no such thing" is an answer."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from automations.events.cloudtrail import CloudTrailRecord

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
    return tags_of(answer["TagSet"]) if answer else {}


def listed(value: object) -> list[Any]:
    """The members of a list as CloudTrail records it: a list, `{"items": [...]}`, one alone, or nothing."""
    if isinstance(value, Mapping) and set(value) == {"items"}:
        value = value["items"]
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def document(value: object) -> Mapping[str, Any] | None:
    """A policy document of a record: IAM's are JSON strings, which some callers encode as in a URL; S3's are objects.

    None when it is neither, so that the one that is in force has to be read.
    """
    for text in (value, unquote(value)) if isinstance(value, str) else ():
        try:
            value = json.loads(text)
            break
        except ValueError:
            continue
    return value if isinstance(value, Mapping) else None


def name_of(arn_or_name: str) -> str:
    """The name, where a record may have a whole ARN."""
    return re.split(r"[:/]", arn_or_name)[-1]


def tags_of(tags: Iterable[Mapping[str, Any]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags as a mapping, from the list that most services answer with; some write its keys in lower case."""
    return {tag[key]: tag[value] for tag in tags or ()}


def own_region(record: CloudTrailRecord, client: Any, what: str) -> None:
    """Refuse what is in another region than the client's, which would find nothing there.

    Raises:
        Refused: names both regions.
    """
    if record.aws_region not in {"", client.meta.region_name}:
        raise Refused(
            f"The {what} is in {record.aws_region}; this function looks after {client.meta.region_name} only."
        )
