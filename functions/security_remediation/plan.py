"""What a remediation is made of. Each module in `remediations` is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity

if TYPE_CHECKING:
    from security_remediation.handler import Settings

Events = Mapping[str, tuple[str, ...]]
"""Names of API calls by their `eventSource`."""
EVERY_CALL: Events = {}
Actions = tuple[str, ...]


@dataclass(frozen=True)
class State:
    """The resource as it is now.

    Attributes:
        current: what the remediation judges, in a form of its own; None when the resource is gone.
        tags: those that can exempt it.
    """

    current: Any
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Attributes:
    resource: kind and name, as people say it.
    finding: what is wrong with it; goes on from the resource's name.
    steps: what closes it, each a sentence. Without any, `remark` says why.
    change: the arguments of the API calls that `apply` makes.
    """

    resource: str
    finding: str
    severity: Severity
    steps: tuple[str, ...] = ()
    remark: str = ""
    change: Mapping[str, Any] = field(default_factory=dict)


def settled(resource: str, finding: str, state: State) -> Plan:
    """The call opened the resource, and it is not open now. That is worth telling still."""
    remark = (
        "It does not exist any more."
        if state.current is None
        else "It is not open now: something else keeps it shut, or somebody, or an earlier attempt of this function, closed it."
    )
    return Plan(resource, finding, Severity.WARNING, remark=remark)


class Remediation(Protocol):
    """The form that all the modules have.

    Attributes:
        EVENTS: the calls that it judges.
        READS, WRITES: the IAM actions that `read` and `apply` need.
    """

    NAME: str
    SEVERITY: Severity
    EVENTS: Events
    READS: Actions
    WRITES: Actions

    def read(self, record: CloudTrailRecord) -> State:
        """Look the resource up. Every error but the one that says that there is no such thing is raised."""

    def plan(self, record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
        """Decide from the record and the resource as it is now. None: the call opened nothing."""

    def apply(self, plan: Plan) -> None:
        """Make the changes. That somebody else was quicker is success."""
