"""What a remediation is made of. Each module in `remediations` is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity

if TYPE_CHECKING:
    from security_remediation.handler import Settings

Events = Mapping[str, tuple[str, ...]]
"""Names of API calls by their `eventSource`, both as CloudTrail records them."""
EVERY_CALL: Events = {}


class Kind(StrEnum):
    """How a remediation closes what a call opened."""

    UNDO = "exact undo"  # from the record and the resource as it is now; follows SecurityMode
    BASELINE = "from the baseline"  # from what was noted before; follows SecurityMode
    CONTAINMENT = "containment"  # stops whoever does it, and may stop others: enforced only by a parameter of its own
    TELL = "told only"  # cannot be undone, or must not be by a machine


@dataclass(frozen=True)
class Allow:
    """A statement of the function's role.

    Attributes:
        actions: IAM actions.
        resource: ARN or ARNs, with the template's pseudo parameters, such as `${AWS::AccountId}`.
        why: the reason for a wildcard resource; in the template it is a comment.
        conditions: the statement's `Condition`.
    """

    actions: tuple[str, ...]
    resource: str | tuple[str, ...] = "*"
    why: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)


Permissions = tuple[Allow, ...]


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
    resource: kind and name, as people say it; the same words each time, because an exemption names it, and also for what is made
        in its place, because `undo` deletes that.
    finding: what is wrong with it; goes on from the resource's name.
    steps: what closes it, each a sentence.
    remark: without steps, why there are none, and what a person should do next; with steps, what they leave to a person, or,
        with nothing in `before`, what a person does instead of `undo`.
    change: the arguments of the API calls that `apply` makes.
    before: what `restore` needs to put the previous state back, as JSON knows it. It is kept with the audit record. Empty:
        nothing can.
    also: other names by which an exemption may name it, such as that of the whole that it is a part of.
    """

    resource: str
    finding: str
    severity: Severity
    steps: tuple[str, ...] = ()
    remark: str = ""
    change: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def settled(resource: str, finding: str, state: State) -> Plan:
    """What the call did is not so any more. That is worth telling still."""
    remark = (
        "It does not exist any more."
        if state.current is None
        else "It is not so any more: something else prevents it, or somebody, or an earlier attempt of this function, put it right."
    )
    return Plan(resource, finding, Severity.WARNING, remark=remark)


class Remediation(Protocol):
    """The form that all the modules have. The first line of the module's docstring is `<what it finds>: <what it does>.`

    Attributes:
        NAME: of the module.
        EVENTS: the calls that it judges.
        READ_ONLY: for calls that only read: the template's condition on which its rule, which must be its own, is enabled. EventBridge
            gives such calls to no other rules than those in a state of their own.
        PATTERN: what else an event's `detail` must have, as an event pattern: then it has a rule of its own.
        READS, WRITES: what `read` and `apply` need of the role.
        SURE: how sure the finding is, and what it misses; one or two sentences for docs/security.md.

    One whose plan cannot tell what is left after its own change from what somebody else left so has `left(state)`, too: the steps
    that are still to do.
    """

    NAME: str
    KIND: Kind
    SEVERITY: Severity
    EVENTS: Events
    READS: Permissions
    WRITES: Permissions
    SURE: str

    def read(self, record: CloudTrailRecord) -> State:
        """Look the resource up. Every error but the one that says that there is no such thing is raised."""

    def plan(self, record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
        """Decide from the record and the resource as it is now. None: the call opened nothing."""

    def apply(self, plan: Plan) -> None:
        """Make the changes. That somebody else was quicker is success."""

    def restore(self, before: Mapping[str, Any]) -> None:
        """Put back what `apply` changed, from `Plan.before`; called by a person, with that person's rights."""
