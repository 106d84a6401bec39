"""Whom the policy of a Lambda function lets in: everyone, or an account or organisation that is not trusted.

It is judged as a bucket policy is (`policies`), with one difference: a service that acts for anybody's resources, because no condition
names an account or a resource of it, is told of. Such statements are often meant, as for secret rotation, so they stay.
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from collections.abc import Collection, Mapping
from typing import Any

from security_remediation.conditions import SOURCE, limits
from security_remediation.policies import EVERYONE, Exposure, Stranger, Trust, exposures, whom
from security_remediation.strangers import doubts

LIMIT_THE_SERVICE = "A service may act for anybody whose resources the statement does not leave out: add it again with SourceAccount or SourceArn."


def lets_in(policy: Mapping[str, Any], trust: Trust) -> list[Exposure]:
    """What in the function's policy lets in strangers."""
    return exposures(policy, trust, _whom)


def remark(exposed: Collection[Exposure]) -> str:
    """What people should look at because it is not sure, "" for nothing."""
    by_service = any(" for " in one.to for one in exposed if not one.sure)
    return " ".join([doubts(exposed)] + [LIMIT_THE_SERVICE] * by_service)


def _whom(kind: str, value: str, conditions: Mapping[str, Any], trust: Trust) -> set[Stranger]:
    found = whom(kind, value, conditions, trust)
    if kind == "Service" and not found and not any(limit.key in SOURCE for limit in limits(conditions)):
        return {Stranger(f"{value} for {EVERYONE}", sure=False)}
    return found
