"""What people are told of the strangers whom a policy lets in."""

from collections.abc import Iterable

from automations.notify import Severity
from security_remediation.plan import Plan, State, settled
from security_remediation.policies import Exposure


def named(exposed: Iterable[Exposure]) -> str:
    """To whom, each once."""
    return ", ".join(dict.fromkeys(one.to for one in exposed))


def doubts(exposed: Iterable[Exposure]) -> str:
    """What people should look at because it is not sure, "" for nothing."""
    unsure = [one for one in exposed if not one.sure]
    if not unsure:
        return ""
    where = "; ".join(f"{one.name} lets in {one.to}" for one in unsure)
    trusting = (
        " To trust an organisation, name it in TrustedOrganizations; the own one is known with TrustOrganization."
        if any("organisation " in one.to for one in unsure)
        else ""
    )
    return (
        f"Left as it is, because it may be your own: {where}. If it is nobody's whom you trust, take it out of the "
        f"policy.{trusting}"
    )


def taken_out(closed: Iterable[Exposure], policy: str) -> tuple[str, ...]:
    """The steps that close these; `policy` is what it is called, such as "bucket policy"."""
    return tuple(
        f"Take {one.to} out of {one.name} of the {policy}." if one.kept else f"Remove {one.name} from the {policy}."
        for one in closed
    )


def nothing_sure(
    resource: str,
    state: State,
    opened: Iterable[Exposure],
    exposed: list[Exposure],
    *,
    remark: str,
    policy: str = "policy",
) -> Plan:
    """The plan when the call let in strangers, and none that is sure is let in now.

    Args:
        opened: whom the call let in.
        exposed: who is let in now, and may be one's own.
        remark: what to do about these.
        policy: what the finding calls it.
    """
    if not exposed:
        return settled(resource, f"was given a {policy} that lets in {named(opened)}", state)
    return Plan(resource, f"has a {policy} that lets in {named(exposed)}", Severity.WARNING, remark=remark)
