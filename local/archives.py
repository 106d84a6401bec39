"""The archives of the stack's buses: found on AWS and here, and made here, where no stack may hold one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from local.cloud import ACCOUNT, REGION
from local.template import Values

if TYPE_CHECKING:
    from local.stack import Stack

LOGICAL_IDS = ("DefaultBusArchive", "ApplicationBusArchive", "PartnerBusArchive")


@dataclass(frozen=True)
class Archive:
    """An archive of one bus.

    Attributes:
        arn, bus_arn: of the archive, and of the bus whose events it keeps.
        created: it holds nothing from before.
        days: how long it keeps an event; 0 is for ever.
    """

    name: str
    bus_arn: str
    created: datetime
    days: int

    @property
    def bus(self) -> str:
        return self.bus_arn.split(":event-bus/")[1]

    @property
    def arn(self) -> str:
        return f"{self.bus_arn.split(':event-bus/')[0]}:archive/{self.name}"


def find(stack: Stack) -> list[Archive]:
    """The archives of the stack that there are."""
    names = {_name(stack, logical_id) for logical_id in LOGICAL_IDS}
    return [
        Archive(item["ArchiveName"], item["EventSourceArn"], item["CreationTime"], item.get("RetentionDays", 0))
        for item in _all(stack)
        if item["ArchiveName"] in names
    ]


def create(stack: Stack, built: Path, parameters: Mapping[str, str]) -> None:
    """Make on the local cloud, through the API, the archives that the built template has; see `left_out`."""
    template = yaml.safe_load(built.read_text())
    account = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::StackName": stack.name}
    values = Values(template, {**account, **stack.resources}, parameters)
    events, known = stack.cloud.client("events"), {item["ArchiveName"] for item in _all(stack)}
    for logical_id in LOGICAL_IDS:
        resource = template["Resources"][logical_id]
        if not values.holds(resource["Condition"]):
            continue
        properties, name = values.of(resource["Properties"]), _name(stack, logical_id)
        pattern = properties.get("EventPattern")
        settings = {
            "Description": properties["Description"],
            "RetentionDays": int(properties["RetentionDays"]),
            "EventPattern": json.dumps(pattern) if pattern else "",
        }
        if name in known:
            events.update_archive(ArchiveName=name, **settings)
        else:
            events.create_archive(ArchiveName=name, EventSourceArn=properties["SourceArn"], **settings)


def _name(stack: Stack, logical_id: str) -> str:
    """The physical id; on the local cloud, whose stack has none, a name made from the logical id."""
    return stack.resources.get(logical_id, f"{stack.name}-{logical_id}")


def _all(stack: Stack) -> Iterator[Any]:
    """Every archive of the account and region."""
    events = stack.cloud.client("events")
    more: dict[str, str] = {}
    while True:
        page = events.list_archives(**more)
        yield from page["Archives"]
        if "NextToken" not in page:
            return
        more = {"NextToken": page["NextToken"]}
