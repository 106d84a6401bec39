"""Which statements of a resource's policy let in everyone, or an account or organisation that is not trusted.

It serves bucket policies, key policies, and, with differences of their own, trust policies of roles (`trust`) and policies of
Lambda functions (`lambda_policies`).

"Everyone" is Amazon S3's own definition of a public policy: a statement is not public when it grants access only to fixed
values, without wildcards or policy variables, of a principal or of one of a few condition keys.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status

It is read more narrowly in one point: an ARN with a wildcard is still fixed when its account is, because nobody outside that
account gets in. Deny statements are not weighed against what is allowed.

What is fixed is judged further. All conditions of a statement must hold, so one that limits it to somebody trusted is enough. An
account that is not trusted is foreign, and so is an organisation once the own one is known; until then it may be the own one. Whose a
VPC, an endpoint, an address, a user ID or a resource without an account in its ARN is, a policy does not say. What may be one's
own is left to people.

Not foreign: AWS services, unless a condition says that they act for a stranger; CloudFront's origin access identities; and
canonical user IDs, which do not say whose they are (S3 itself replaces those of an account by the account).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from security_remediation.conditions import ACCOUNT, ARN, ORGANIZATION, SOURCE, VARIABLE, WHO, Limit, limits
from security_remediation.reading import listed

EVERYONE = "everyone"
NOBODY = ""


@dataclass(frozen=True)
class Trust:
    """Whom to trust.

    Attributes:
        ids: of accounts and organisations.
        knows_organization: whether the own organisation, if there is one, is known; then any other is foreign.
    """

    ids: frozenset[str]
    knows_organization: bool = False


@dataclass(frozen=True)
class Stranger:
    """Somebody whom a statement lets in.

    Attributes:
        name: as people say it: `everyone`, `account 444455556666`, `VPC vpc-1a2b3c4d`.
        sure: whether it is known not to be trusted. Otherwise it may be one's own.
    """

    name: str
    sure: bool = True


@dataclass(frozen=True)
class Exposure:
    """Strangers whom a statement lets in; of those that are sure and those that are not, one each.

    Attributes:
        position: of the statement in the policy, from 0.
        name: of the statement.
        to: who is let in.
        sure: see `Stranger`.
        kept: when they are sure, the statement without them; None when nobody is left.
    """

    position: int
    name: str
    to: str
    sure: bool = True
    kept: Mapping[str, Any] | None = None


Whom = Callable[[str, str, Mapping[str, Any], Trust], set[Stranger]]
"""The strangers that a principal lets in, from its kind, its value, its statement's conditions, and who is trusted."""


def statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements: AWS takes a single one without a list, too."""
    return listed(policy.get("Statement"))


def whom(kind: str, value: str, conditions: Mapping[str, Any], trust: Trust) -> set[Stranger]:
    """The strangers that a principal of a bucket policy lets in."""
    held = limits(conditions)
    owner = _owner(kind, value)
    if owner == EVERYONE:
        return strangers(held, trust)
    if kind == "Service":
        sources = [limit for limit in held if limit.key in SOURCE]
        found = strangers(sources, trust) if sources else set()
        return {Stranger(f"{value} for {one.name}", one.sure) for one in found}
    who = [limit for limit in held if limit.key in WHO]
    return set() if owner == NOBODY else strangers([Limit(frozenset({owner})), *who], trust)


def strangers(held: Collection[Limit], trust: Trust) -> set[Stranger]:
    """Who gets in within all these limits and is not trusted; of those that are sure and those that are not, the former."""
    if not held:
        return {Stranger(EVERYONE)}
    found = [_strangers(limit, trust) for limit in held]
    if not all(found):  # one limit to somebody trusted is enough
        return set()
    together = set().union(*found)
    return {one for one in together if one.sure} or together


def exposures(policy: Mapping[str, Any], trust: Trust, whom: Whom = whom) -> list[Exposure]:
    """What in the policy lets in strangers, in its order.

    Args:
        whom: how principals are read, for policies of other services.
    """
    return [
        exposure
        for position, statement in enumerate(statements(policy))
        if str(statement.get("Effect", "")).lower() == "allow"
        for exposure in _judge(position, statement, trust, whom)
    ]


def sure(exposed: Iterable[Exposure]) -> list[Exposure]:
    """Those to be closed."""
    return [one for one in exposed if one.sure]


def without(policy: Mapping[str, Any], exposed: Collection[Exposure]) -> dict[str, Any] | None:
    """The policy without those exposures that are sure, everything else as it is; None when no statement is left."""
    replaced = {exposure.position: exposure.kept for exposure in sure(exposed)}
    left = [kept for position, one in enumerate(statements(policy)) if (kept := replaced.get(position, one))]
    return {**policy, "Statement": left} if left else None


def _judge(position: int, statement: Mapping[str, Any], trust: Trust, whom: Whom) -> list[Exposure]:
    name = f"statement {statement.get('Sid') or position + 1}"
    found: set[Stranger] = set()
    kept: dict[str, list[str]] = {}
    for kind, value in _principals(statement):
        let_in = whom(kind, value, statement.get("Condition") or {}, trust)
        found |= let_in
        if "Principal" in statement and not any(one.sure for one in let_in):
            kept.setdefault(kind, []).append(value)
    known, unknown = _named(one for one in found if one.sure), _named(one for one in found if not one.sure)
    closed = Exposure(position, name, known, kept={**statement, "Principal": kept} if kept else None)
    return [closed] * bool(known) + [Exposure(position, name, unknown, sure=False)] * bool(unknown)


def _principals(statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "NotPrincipal" in statement:  # with Allow: everyone else
        return [("AWS", "*")]
    principal = statement.get("Principal", {})
    by_kind = principal if isinstance(principal, Mapping) else {"AWS": principal}
    return [(kind, value) for kind, values in by_kind.items() for value in listed(values)]


def _named(some: Iterable[Stranger]) -> str:
    names = {one.name for one in some}
    return EVERYONE if EVERYONE in names else ", ".join(sorted(names))


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


def _strangers(limit: Limit, trust: Trust) -> set[Stranger]:
    """Of one limit."""
    return {
        Stranger(f"organisation {owner}", trust.knows_organization)
        if ORGANIZATION.match(owner)
        else Stranger(f"account {owner}" if ACCOUNT.match(owner) else owner)
        for owner in limit.owners - trust.ids
    } | {Stranger(thing, sure=False) for thing in limit.things}
