"""A trail's event selectors leave out management events: let it log all of them again, and keep its data events.

A record does not say what the trail logged before, so it is given all management events, read and write and of every service:
what a trail logs that nobody has narrowed. Where another trail of the region logs all of them already, nothing is changed,
because a trail may be meant for data events only; people are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_TRAIL, NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import listed, name_of, unless_absent
from security_remediation.selectors import missing, widened_advanced, widened_basic
from security_remediation.watching import find_trail, trail_tags

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "trail_selectors"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"cloudtrail.amazonaws.com": ("PutEventSelectors",)}
READS: Permissions = (
    Allow(
        ("cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors", "cloudtrail:ListTags"),
        ANY_TRAIL,
    ),
    Allow(("cloudtrail:DescribeTrails",), why=NO_RESOURCES),
)
WRITES: Permissions = (Allow(("cloudtrail:PutEventSelectors",), ANY_TRAIL),)
SURE = (
    "Certain that the trail leaves them out, not that it did not before. Data events are not judged, nor other trails looked at "
    "than those of the account whose home is the region."
)

REACH = ("IsMultiRegionTrail", "IncludeGlobalServiceEvents", "IsOrganizationTrail")


def read(record: CloudTrailRecord) -> State:
    trail = find_trail(record, "trailName")
    if trail is None:
        return State(current=None)
    arn = trail["TrailARN"]
    return State({"TrailName": arn, **_selectors(arn), "others": _complete_others(trail)}, tags=trail_tags(arn))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    resource = f"Trail {name_of(record.required('trailName'))}"
    now = state.current or {}
    left_out = missing(now["basic"], now["advanced"]) if now else ()
    put = _put(record)
    opened = missing(**put) if put else left_out  # a record that does not say: look
    if not opened:
        return None
    if not left_out:
        return settled(resource, f"was made to leave out {', '.join(opened)}", state)
    finding = f"does not log {', '.join(left_out)}"
    if now["others"]:
        remark = (
            f"Trail {now['others'][0]} logs all management events, so this one may be meant for less, and is not changed. "
            "If it is not, put its event selectors back."
        )
        return Plan(resource, finding, Severity.WARNING, remark=remark)
    kind, wide = (
        ("AdvancedEventSelectors", widened_advanced(now["advanced"]))
        if now["advanced"]
        else ("EventSelectors", widened_basic(now["basic"]))
    )
    return Plan(
        resource,
        finding,
        SEVERITY,
        steps=(
            "Let it log all management events, read and write and of every service; what it logs of data events stays.",
        ),
        change={"TrailName": now["TrailName"], kind: wide},
        before={"TrailName": now["TrailName"], kind: now["advanced"] or now["basic"]},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.cloudtrail().put_event_selectors(**plan.change), "TrailNotFoundException")


def restore(before: Mapping[str, Any]) -> None:
    aws.cloudtrail().put_event_selectors(**before)


def _selectors(arn: str) -> dict[str, list[Any]]:
    answer = aws.cloudtrail().get_event_selectors(TrailName=arn)
    return {"basic": answer.get("EventSelectors") or [], "advanced": answer.get("AdvancedEventSelectors") or []}


def _complete_others(trail: Mapping[str, Any]) -> list[str]:
    """The names of the other trails that are on, reach as far as this one, and log all management events."""
    client = aws.cloudtrail()
    trails: list[Any] = client.describe_trails(includeShadowTrails=False)["trailList"]
    return [
        one["Name"]
        for one in trails
        if one["TrailARN"] != trail["TrailARN"]
        and all(one.get(reach) or not trail.get(reach) for reach in REACH)
        and client.get_trail_status(Name=one["TrailARN"])["IsLogging"]
        and not missing(**_selectors(one["TrailARN"]))
    ]


def _put(record: CloudTrailRecord) -> dict[str, list[Any]] | None:
    """The selectors that were put, spelled as the API does; None when the record does not show any."""
    request = record.request_parameters or {}
    basic, advanced = (listed(request.get(name)) for name in ("eventSelectors", "advancedEventSelectors"))
    return {"basic": _api(basic), "advanced": _api(advanced)} if basic or advanced else None


def _api(value: Any) -> Any:
    """The value of a record as the API spells it: its names begin with a capital."""
    if isinstance(value, Mapping):
        return {name[:1].upper() + name[1:]: _api(part) for name, part in value.items()}
    return [_api(part) for part in value] if isinstance(value, list) else value
