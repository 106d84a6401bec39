"""Which policies make administrators.

One does when it lets its holder give rights to users and to roles, all of them: who may do that may do everything. `*` does,
`iam:*`, `NotAction` without IAM, and the single actions in more than one statement.

Deny statements and permissions boundaries are not weighed. A condition on who asks, from where or when leaves an administrator
an administrator; one on what is asked for does not: which policy or boundary is given, tags, the service that goes between.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from security_remediation.policies import statements
from security_remediation.reading import listed

HOW_SURE = (
    "Certain for what it finds, though Deny statements and permissions boundaries are not weighed. Rights that lead to others in "
    "more steps, such as to pass a role, are not seen."
)

# Needs no reading.
ADMINISTRATOR_ACCESS = re.compile(r"^arn:[a-z-]+:iam::aws:policy/AdministratorAccess$")
GIVES_RIGHTS = {
    "user": ("iam:PutUserPolicy", "iam:AttachUserPolicy"),
    "role": ("iam:PutRolePolicy", "iam:AttachRolePolicy"),
}
SOMEBODY = "\0"
"""A name that only a wildcard takes in."""
OF_ADMINISTRATORS = [
    f"arn:{partition}:iam::aws:policy/{name}"
    for partition in ("aws", "aws-cn", "aws-us-gov")
    for name in ("AdministratorAccess", "IAMFullAccess")
]
# Lower case: condition keys are not case-sensitive.
LIMITS = ("iam:", "aws:resourcetag/", "aws:requesttag/", "aws:tagkeys", "aws:calledvia", "aws:viaawsservice")
# These also let in requests that do not have the key at all.
UNLIMITING = re.compile(r"not|ifexists$|^forallvalues:|^null$", re.IGNORECASE)


def makes_administrators(policy: Mapping[str, Any], a_role: str) -> bool:
    """Whether an identity's policy, inline or managed, makes its holder an administrator.

    Args:
        a_role: ARN of any role of the account.
    """
    account = a_role.partition(":role/")[0]
    allowed = [
        one
        for one in statements(policy)
        if str(one.get("Effect", "")).lower() == "allow" and not _limited(one.get("Condition") or {})
    ]
    return all(
        any(_allows(one, action, f"{account}:{kind}/{SOMEBODY}") for one in allowed for action in ways)
        for kind, ways in GIVES_RIGHTS.items()
    )


def _limited(conditions: Mapping[str, Any]) -> bool:
    return any(
        key.lower().startswith(LIMITS) and not any(_lets_all(key.lower(), str(value)) for value in listed(values))
        for operator, keys in conditions.items()
        if not UNLIMITING.search(operator)
        for key, values in keys.items()
    )


def _lets_all(key: str, value: str) -> bool:
    """Whether a condition's value takes in anything, or just the policies that make an administrator."""
    return not value.strip("*?") or (
        key == "iam:policyarn" and any(_expression(value).fullmatch(policy) for policy in OF_ADMINISTRATORS)
    )


def _allows(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    return _takes_in(statement, "Action", action.lower()) and _takes_in(statement, "Resource", resource)


def _takes_in(statement: Mapping[str, Any], element: str, value: str) -> bool:
    if (others := statement.get(f"Not{element}")) is not None:
        return not any(_matches(one, value, element) for one in listed(others))
    return any(_matches(one, value, element) for one in listed(statement.get(element)))


def _matches(pattern: str, value: str, element: str) -> bool:
    """Actions are not case-sensitive; a policy variable is somebody in particular."""
    return bool(_expression(pattern.lower() if element == "Action" else pattern).fullmatch(value))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """`*` stands for any characters, `?` for one; brackets for themselves."""
    parts = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), re.DOTALL)
