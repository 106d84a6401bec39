"""With whom images and snapshots are shared: with everyone, with accounts, with an organization or a unit of one."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.reading import listed

HOW_SURE = "Certain. Accounts of the own organization are foreign unless they are in TrustedAccounts."

ACCOUNT, EVERYONE, ORGANIZATION, UNIT = "UserId", "Group", "OrganizationArn", "OrganizationalUnitArn"
KINDS = {
    "userid": ACCOUNT,
    "group": EVERYONE,
    "groupname": EVERYONE,
    "usergroup": EVERYONE,
    "organizationarn": ORGANIZATION,
    "organizationalunitarn": UNIT,
}
"""Names in records and of the API, in lower case and without the plural."""


@dataclass(frozen=True, order=True)
class Grantee:
    """One with whom something is shared, as Amazon EC2 has it.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchPermission.html

    Attributes:
        kind: one of the values of KINDS.
        name: an account's id, `all` (the one group that there is), or an ARN.
    """

    kind: str
    name: str

    @property
    def owner(self) -> str:
        """The account or the organization. An ARN ends in `organization/o-a1b2c3d4e5` or `ou/o-a1b2c3d4e5/ou-ab12-...`."""
        return self.name.split("/")[1] if "/" in self.name else self.name

    def __str__(self) -> str:
        kinds = {ACCOUNT: f"account {self.name}", EVERYONE: "everyone", ORGANIZATION: f"organization {self.owner}"}
        return kinds.get(self.kind, f"organizational unit {self.name.rpartition('/')[2]} of {self.owner}")


def grantees(value: object, kind: str = "") -> Iterator[Grantee]:
    """All that are named in a permission, or in a list of them, as a record or the API has it."""
    for one in listed(value):
        if isinstance(one, Mapping):
            for key, inner in one.items():
                yield from grantees(inner, KINDS.get(str(key).lower().removesuffix("s"), ""))
        elif kind and one:
            yield Grantee(kind, str(one))


def added(record: CloudTrailRecord, permission: str) -> list[Grantee]:
    """With whom the call shared: the `add` of the permission, or what stands flat beside `operationType`.

    Raises:
        InvalidEvent: the call was about the permission, and the record does not say what it did.
    """
    request = record.request_parameters or {}
    change = record.parameter(permission)
    if isinstance(change, Mapping) and ("add" in change or "remove" in change):
        return list(grantees(change.get("add")))
    if operation := record.parameter("operationType"):
        return list(grantees(request)) if operation == "add" else []
    attribute = str(record.parameter("attributeType") or record.parameter("attribute") or "")
    if permission in request or attribute.replace("_", "").lower() == permission.lower():
        raise record.unusable(f"has no usable requestParameters.{permission}, so it cannot be judged")
    return []


def foreign(some: Iterable[Grantee], trusted: Collection[str]) -> list[Grantee]:
    """Those that are not trusted, each once. Everyone never is."""
    return [one for one in sorted(set(some)) if one.kind == EVERYONE or one.owner not in trusted]


def named(some: Iterable[Grantee]) -> str:
    return ", ".join(map(str, some))
