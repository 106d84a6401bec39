"""The four settings of Amazon S3's public access block, a bucket's and the account's."""

from collections.abc import Mapping
from typing import Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Plan, State, settled

HOW_SURE = "A record does not say what was on before, so what a call leaves off counts as switched off."
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


def plan_switching_on(
    record: CloudTrailRecord, state: State, severity: Severity, *, resource: str, block: str, named: Mapping[str, str]
) -> Plan | None:
    """Switch on again what the call switched off.

    Args:
        state: the settings by their names; None when the bucket is gone.
        block: what the resource calls its public access block.
        named: the API's argument that names the bucket or the account.
    """
    asked = switched_off(record)
    off = [flag for flag in asked if state.current is not None and not state.current[flag]]
    if not asked:
        return None
    if not off:
        return settled(resource, f"had its {block} switched off ({', '.join(asked)})", state)
    return Plan(
        resource,
        f"has its {block} switched off ({', '.join(off)})",
        severity,
        steps=tuple(f"Switch {flag} on." for flag in off),
        change={**named, "PublicAccessBlockConfiguration": state.current | dict.fromkeys(off, True)},
        before={**named, "PublicAccessBlockConfiguration": state.current},
    )
