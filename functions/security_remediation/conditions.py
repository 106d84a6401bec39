"""What the conditions of a policy statement limit access to: to whose callers, or to what they come through.

A condition limits access when it holds one of these keys to fixed values, without wildcards or policy variables. What the
other keys say, such as `aws:SecureTransport` or `aws:ResourceOrgID` (the resource's own organisation), strangers can meet.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from security_remediation.cidrs import is_world, public, read_cidr
from security_remediation.reading import listed

ACCOUNT = re.compile(r"^\d{12}$")
ORGANIZATION = re.compile(r"^o-[a-z0-9]{10,32}$")
OWNER_ID = re.compile(f"{ACCOUNT.pattern}|{ORGANIZATION.pattern}")
ARN = re.compile(r"^(?P<up_to_account>arn:[a-z-]+:[^:]*:[^:]*:(?P<account>[^:]+)):")
"""One that names an account."""
VARIABLE = re.compile(r"[*?]|\$\{")

OWNER, OF_ARN, PATH, ADDRESS = "owner", "of ARN", "path", "address"

# Lower case: condition keys are not case-sensitive. Each with what its values are.
CALLER = {
    "aws:principalaccount": OWNER,
    "kms:calleraccount": OWNER,
    "aws:principalorgid": OWNER,
    "aws:principalorgpaths": PATH,
    "aws:principalarn": OF_ARN,
}
SOURCE = {
    "aws:sourceaccount": OWNER,
    "aws:sourceowner": OWNER,
    "aws:sourceorgid": OWNER,
    "aws:sourceorgpaths": PATH,
    "aws:sourcearn": OF_ARN,
}
"""Keys about whose resource a service acts for. Only calls that a service makes by itself have them."""

WAY = {
    "aws:vpceaccount": OWNER,
    "aws:vpceorgid": OWNER,
    "s3:dataaccesspointaccount": OWNER,
    "aws:vpceorgpaths": PATH,
    "aws:sourcevpcarn": OF_ARN,
    "s3:dataaccesspointarn": OF_ARN,
    "s3:x-amz-server-side-encryption-aws-kms-key-id": OF_ARN,
    "aws:sourcevpc": "VPC",
    "aws:sourcevpce": "VPC endpoint",
    "aws:userid": "user ID",
    "aws:sourceip": ADDRESS,
}
"""Keys about what callers come through or have. Where a value does not say whose it is, there is a word for it."""

WHO = {*CALLER, *SOURCE}
KINDS = {**CALLER, **SOURCE, **WAY}

# Negations, `...IfExists` and `ForAllValues:` also let in requests that do not have the key at all.
OPERATORS = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"}


@dataclass(frozen=True)
class Limit:
    """What one condition limits access to.

    Attributes:
        owners: ids of accounts and organisations.
        things: what may be anybody's, as people call it: `VPC endpoint vpce-1a2b3c4d`.
        key: the condition key, in lower case; "" for what a principal says.
    """

    owners: frozenset[str]
    things: frozenset[str] = frozenset()
    key: str = ""


def limits(conditions: Mapping[str, Any]) -> list[Limit]:
    """Those that the conditions set; all of them must hold."""
    found = [
        _limit(operator.lower().removeprefix("foranyvalue:"), key.lower(), [str(value) for value in listed(values)])
        for operator, keys in conditions.items()
        for key, values in keys.items()
    ]
    return [limit for limit in found if limit]


def _limit(operator: str, key: str, values: list[str]) -> Limit | None:
    kind = KINDS.get(key)
    if kind == ADDRESS:
        return _addresses(key, values) if operator == "ipaddress" else None
    if kind is None or operator not in OPERATORS or not values:
        return None
    if kind == OF_ARN:
        return _arns(key, values)
    fixed = [value.partition("/")[0] for value in values] if kind == PATH else values  # o-a1b2c3d4e5/r-ab12/*
    if any(VARIABLE.search(value) for value in fixed):
        return None
    if kind in {OWNER, PATH}:  # what is neither an account nor an organisation is nobody's
        return Limit(frozenset(filter(OWNER_ID.match, fixed)), key=key)
    return Limit(frozenset(), frozenset(f"{kind} {value}" for value in fixed), key)


def _arns(key: str, arns: list[str]) -> Limit | None:
    """An ARN is fixed when it is up to its account, or all of it is when it names none, as a bucket's."""
    found = [(arn, ARN.match(arn)) for arn in arns]
    if any(VARIABLE.search(of["up_to_account"] if of else arn) for arn, of in found):
        return None
    owners = frozenset(of["account"] for _, of in found if of and ACCOUNT.match(of["account"]))
    return Limit(owners, frozenset(f"the owner of {arn}" for arn, of in found if not of), key)


def _addresses(key: str, cidrs: list[str]) -> Limit | None:
    """Public ones are somebody's. No request comes from a private one: through an endpoint, the key is not there.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceip
    """
    try:
        networks = [read_cidr(cidr) for cidr in cidrs]
    except ValueError:  # a policy variable, say
        return None
    if not networks or is_world(networks):
        return None
    return Limit(frozenset(), frozenset(f"address {network}" for network in public(networks)), key)
