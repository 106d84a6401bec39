"""Whom the trust policy of a role lets in: everyone, or an account or organisation that is not trusted.

It is judged as a bucket policy is (`policies`), with these differences:

- A principal that was deleted shows as its unique ID. It lets in nobody, and IAM takes no policy that names one.
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
- Conditions count only when they say who: an external ID, an address or a network is anybody's who knows or has it.
- The users of an identity provider are the own ones, unless the provider is shared by all its customers. Then the statement
  must fix the claim that says whose they are; everyone can sign in there.
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from security_remediation.conditions import ARN, OPERATORS, WHO
from security_remediation.policies import EVERYONE, Exposure, Stranger, Trust, exposures, statements, whom
from security_remediation.reading import listed

UNIQUE_ID = re.compile(r"^A[A-Z]{3}[A-Z0-9]{12,}$")

SUB, AUD = "sub", "aud"
# Issuers with the claim that names the tenant. The last four are known to every account, without a provider of its own.
SHARED = {
    "agent.buildkite.com": SUB,
    "api.pulumi.com/oidc": AUD,
    "app.terraform.io": SUB,
    "gitlab.com": SUB,
    "oidc-configuration.audit-log.githubusercontent.com": SUB,
    "oidc.codefresh.io": SUB,
    "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb": SUB,
    "oidc.vercel.com": AUD,
    "proidc.upbound.io": SUB,
    "sandboxes.cloud": AUD,
    "scalr.io": SUB,
    "studio.datachain.ai/api": SUB,
    "token.actions.githubusercontent.com": SUB,
    "tokens.cloud.shisho.dev": SUB,
    "vstoken.actions.githubusercontent.com": SUB,
    "accounts.google.com": AUD,
    "cognito-identity.amazonaws.com": AUD,
    "graph.facebook.com": "app_id",
    "www.amazon.com": "app_id",
}
# `repo:octo-org/*`: what stands before the first wildcard holds the whole name of a tenant.
TENANT = re.compile(r"^([^:/*?$]+[:/][^:/*?$]+[:/]|[^*?$]+$)")


def trusted_by(policy: Mapping[str, Any], trust: Trust) -> list[Exposure]:
    """What in the trust policy lets in strangers."""
    return exposures(policy, trust, _whom)


def names_unique_id(policy: Mapping[str, Any]) -> bool:
    """Whether the policy names somebody by a unique ID, which does not say of which account."""
    return any(UNIQUE_ID.match(value) for one in statements(policy) for value in _principals(one))


def without_deleted(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The policy without principals that were deleted, and without the statements for these alone."""
    return {**policy, "Statement": [kept for one in statements(policy) if (kept := _without_deleted(one))]}


def _without_deleted(statement: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not any(UNIQUE_ID.match(value) for value in _principals(statement)):
        return statement
    aws = [value for value in _principals(statement) if not UNIQUE_ID.match(value)]
    principal = {**statement["Principal"], "AWS": aws}
    left = {kind: values for kind, values in principal.items() if values}
    return {**statement, "Principal": left} if left else None


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    return listed(principal.get("AWS")) if isinstance(principal, Mapping) else []


def _whom(kind: str, value: str, conditions: Mapping[str, Any], trust: Trust) -> set[Stranger]:
    if kind != "Federated":
        who = {
            operator: {key: keys[key] for key in keys if key.lower() in WHO} for operator, keys in conditions.items()
        }
        return whom(kind, value, who, trust)
    if (arn := ARN.match(value)) and arn["account"] not in trust.ids:
        return {Stranger(f"account {arn['account']}")}
    issuer = value.partition(":oidc-provider/")[2] if arn else value
    claim = SHARED.get(issuer)
    if claim is None:  # an issuer of one's own, such as a cluster's; without an ARN there is no other than those above
        return set() if arn else {Stranger(EVERYONE)}
    return (
        set()
        if any(all(map(TENANT.match, values)) for values in _fixed(conditions, f"{issuer}:{claim}"))
        else {Stranger(EVERYONE)}
    )


def _fixed(conditions: Mapping[str, Any], wanted: str) -> Iterator[list[str]]:
    """The values to which conditions hold this key."""
    for operator, keys in conditions.items():
        if operator.lower().removeprefix("foranyvalue:") in OPERATORS:
            yield from (
                [str(v) for v in listed(values)] for key, values in keys.items() if key.lower() == wanted and values
            )
