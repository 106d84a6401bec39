"""Which rules of a lifecycle configuration expire a trail's logs too early, and what is left of them without their expiry.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

KEPT_DAYS = 365
# What a rule has beside its actions.
NO_ACTIONS = {"ID", "Prefix", "Filter", "Status"}


def log_root(prefix: str | None) -> str:
    """What the keys of a trail's logs begin with, before the account.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html
    """
    return f"{prefix}/AWSLogs/" if prefix else "AWSLogs/"


def expires_logs(rule: Mapping[str, Any], roots: Iterable[str]) -> bool:
    """Whether the rule expires logs within the year. From a date on, it expires them as soon as they are written."""
    expiration, chosen = _object(rule.get("Expiration")), _object(rule.get("Filter"))
    chosen = chosen | _object(chosen.get("And"))
    soon = "Date" in expiration or int(expiration.get("Days", KEPT_DAYS)) < KEPT_DAYS
    tagged = bool(chosen.keys() & {"Tag", "Tags"})
    prefix = chosen.get("Prefix") or rule.get("Prefix") or ""
    return rule.get("Status") == "Enabled" and soon and not tagged and any(_meets(prefix, root) for root in roots)


def _meets(prefix: str, root: str) -> bool:
    """Whether objects of the prefix may be a trail's: `<root>[<organisation>/]<account>/CloudTrail...`.

    S3 takes an asterisk as it stands. Who writes one means everything, and has it said once more.
    """
    prefix = prefix.split("*")[0]
    if not prefix.startswith(root):
        return root.startswith(prefix)
    parts = prefix.removeprefix(root).split("/")
    service = parts[2:3] if parts[0].startswith("o-") else parts[1:2]
    return all(one.startswith("CloudTrail") or "CloudTrail".startswith(one) for one in service)


def without_expiry(rule: Mapping[str, Any]) -> dict[str, Any] | None:
    """The rule with its other actions; None when it has none."""
    left = {name: value for name, value in rule.items() if name != "Expiration"}
    return left if left.keys() - NO_ACTIONS else None


def when(rules: Iterable[Mapping[str, Any]]) -> str:
    """When the first of the rules expires something, in words."""
    expirations = [rule["Expiration"] for rule in rules]
    days = [int(one["Days"]) for one in expirations if "Days" in one]
    return (
        f"after {min(days)} day{'s' if min(days) > 1 else ''}"
        if days
        else f"from {str(expirations[0]['Date'])[:10]} on"
    )


def _object(value: object) -> dict[str, Any]:
    """Empty elements of S3's XML are recorded as empty text."""
    return dict(value) if isinstance(value, Mapping) else {}
