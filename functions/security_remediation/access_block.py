"""The four settings of Amazon S3's public access block, a bucket's and the account's."""

from collections.abc import Mapping
from typing import Any

from automations.events.cloudtrail import CloudTrailRecord

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def flags_of(answer: Mapping[str, Any] | None) -> dict[str, bool]:
    """The settings that are in force, from S3's answer; without a configuration all are off."""
    given = answer["PublicAccessBlockConfiguration"] if answer else {}
    return {flag: bool(given.get(flag)) for flag in FLAGS}


def switched_off(record: CloudTrailRecord) -> list[str]:
    """What the call left off. Names count in any case: no record of a call for the account is published."""
    parameters = record.request_parameters or {}
    name = next((one for one in parameters if one.lower() == "publicaccessblockconfiguration"), "")
    put = record.parameter(name)
    given = {flag.lower(): value for flag, value in put.items()} if isinstance(put, Mapping) else {}
    return [flag for flag in FLAGS if str(given.get(flag.lower(), "false")).lower() != "true"]
