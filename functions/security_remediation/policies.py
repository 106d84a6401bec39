"""Which statements of a bucket policy let in everyone, or an account that is not trusted.

"Everyone" is Amazon S3's own definition of a public policy: a statement is not public when it grants access only to fixed
values, without wildcards or policy variables, of a principal or of one of a few condition keys.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status

It is read more narrowly in one point: an ARN with a wildcard is still fixed when its account is, because nobody outside that
account gets in. Deny statements are not weighed against what is allowed.

Not foreign: AWS services, CloudFront's origin access identities, and canonical user IDs, which do not say whose they are (S3
itself replaces those of an account by the account). A fixed organisation, VPC, endpoint or address range may be anybody's.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from security_remediation.cidrs import is_world, read_cidr

ACCOUNT = re.compile(r"^\d{12}$")
ARN = re.compile(r"^arn:[a-z-]+:[^:]*:[^:]*:(?P<account>[^:]*):")
VARIABLE = re.compile(r"[*?]|\$\{")

EVERYONE = "everyone"
NOBODY = ""

# Lower case: condition keys are not case-sensitive.
ACCOUNT_KEYS = {
    "aws:principalaccount",
    "aws:sourceaccount",
    "aws:sourceowner",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
}
ARN_KEYS = {"aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"}
OTHER_KEYS = {
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
}
# Negations, `...IfExists` and `ForAllValues:` also let in requests that do not have the key at all.
OPERATORS = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"}


@dataclass(frozen=True)
class Exposure:
    """Attributes:
    position: of the statement in the policy, from 0.
    to: who is let in: `everyone`, or which accounts.
    kept: the statement without those who must not be let in; None when nobody is left.
    """

    position: int
    name: str
    to: str
    kept: Mapping[str, Any] | None = None


Whom = Callable[[str, str, Mapping[str, Any], Collection[str]], set[str]]
"""Whom a principal lets in who is not trusted, from its kind, its value, its statement's conditions, and who is trusted."""


def statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements: AWS takes a single one without a list, too."""
    return list(_listed(policy.get("Statement")))


def whom(kind: str, value: str, conditions: Mapping[str, Any], trusted: Collection[str]) -> set[str]:
    """Whom a principal of a bucket policy lets in who is not trusted: EVERYONE, or accounts."""
    owner = _owner(kind, value)
    return _strangers(list(_limits(conditions)), trusted) if owner == EVERYONE else {owner} - {*trusted, NOBODY}


def exposures(policy: Mapping[str, Any], trusted: Collection[str], whom: Whom = whom) -> list[Exposure]:
    """What in the policy lets in everyone, or an account other than the trusted ones.

    Args:
        whom: how principals are read, for policies of other services.
    """
    return [
        exposure
        for position, statement in enumerate(statements(policy))
        if (exposure := _judge(position, statement, trusted, whom))
    ]


def without(policy: Mapping[str, Any], exposed: Collection[Exposure]) -> dict[str, Any] | None:
    """The policy without these exposures, everything else as it is; None when no statement is left."""
    replaced = {exposure.position: exposure.kept for exposure in exposed}
    left = [kept for position, one in enumerate(statements(policy)) if (kept := replaced.get(position, one))]
    return {**policy, "Statement": left} if left else None


def _judge(position: int, statement: Mapping[str, Any], trusted: Collection[str], whom: Whom) -> Exposure | None:
    if str(statement.get("Effect", "")).lower() != "allow":
        return None
    name = f"statement {statement.get('Sid') or position + 1}"
    if "NotPrincipal" in statement:  # with Allow: everyone else
        return Exposure(position, name, EVERYONE)
    principal = statement.get("Principal", {})
    named = principal if isinstance(principal, Mapping) else {"AWS": principal}
    strangers: set[str] = set()
    kept: dict[str, list[str]] = {}
    for kind, values in named.items():
        for value in _listed(values):
            let_in = whom(kind, value, statement.get("Condition") or {}, trusted)
            strangers |= let_in
            if not let_in:
                kept.setdefault(kind, []).append(value)
    if not strangers:
        return None
    to = EVERYONE if EVERYONE in strangers else ", ".join(f"account {stranger}" for stranger in sorted(strangers))
    return Exposure(position, name, to, {**statement, "Principal": kept} if kept else None)


def _owner(kind: str, value: str) -> str:
    """The account of a principal; EVERYONE; or NOBODY for what belongs to no account that could be foreign."""
    if VARIABLE.search(value):
        return EVERYONE
    if kind in {"Service", "CanonicalUser"}:
        return NOBODY
    if arn := ARN.match(value):
        return NOBODY if arn["account"] == "cloudfront" else arn["account"]
    # An identity provider without an ARN, such as graph.facebook.com, has users of no account.
    return EVERYONE if kind == "Federated" else value


def _strangers(limits: list[set[str]], trusted: Collection[str]) -> set[str]:
    """Whom a statement for everyone lets in, given the conditions' limits; all of these must hold."""
    if not limits:
        return {EVERYONE}
    named = [limit for limit in limits if limit]
    return set() if any(limit <= {*trusted} for limit in named) else set().union(*named) - {*trusted}


def _limits(conditions: Mapping[str, Any]) -> Iterator[set[str]]:
    """For each condition that limits access to something fixed: the accounts that it names."""
    for operator, keys in conditions.items():
        for key, values in keys.items():
            limit = _limit(
                operator.lower().removeprefix("foranyvalue:"), key.lower(), [str(v) for v in _listed(values)]
            )
            if limit is not None:
                yield limit


def _limit(operator: str, key: str, values: list[str]) -> set[str] | None:
    """The accounts that a condition names, empty when it fixes something else; None when it does not limit access."""
    if operator == "ipaddress" and key == "aws:sourceip":
        return None if _is_open(values) else set()
    if operator not in OPERATORS or not values:
        return None
    if key in ARN_KEYS:
        values = [_up_to_account(value) for value in values]
    elif key == "aws:principalorgpaths":  # o-a1b2c3d4e5/r-ab12/*
        values = [value.partition("/")[0] for value in values]
    elif key not in ACCOUNT_KEYS | OTHER_KEYS:
        return None
    if any(VARIABLE.search(value) for value in values):
        return None
    named = {value.rpartition(":")[2] for value in values} if key in ACCOUNT_KEYS | ARN_KEYS else set()
    return {account for account in named if ACCOUNT.match(account)}


def _up_to_account(arn: str) -> str:
    """The part of an ARN that must be fixed: all of it when it names no account, as a bucket's."""
    found = ARN.match(arn)
    return arn[: found.end("account")] if found and found["account"] else arn


def _is_open(cidrs: list[str]) -> bool:
    try:
        return is_world(read_cidr(cidr) for cidr in cidrs)
    except ValueError:  # a policy variable, say
        return True


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
