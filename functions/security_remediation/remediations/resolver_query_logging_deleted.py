"""Resolver query logging is deleted, or a VPC taken out of it: create it again as it was noted, and associate its VPCs.

A configuration is deleted after its last VPC was taken out. Each of these calls is judged for itself, in any order: what takes
a VPC out of a configuration that is gone by then makes it anew for that VPC, and the deletion brings the others back. The notes
are up to an hour old. VPCs that are gone are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.errors import Refused
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.baseline import Note, chosen, known, never_noted, note, own_tags, there_again
from security_remediation.networks import READ_VPCS, exists
from security_remediation.permissions import NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.reading import own_region, tags_of, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

OWN = "arn:${AWS::Partition}:route53resolver:${AWS::Region}:${AWS::AccountId}:resolver-query-log-config/*"
ANYBODYS = "arn:${AWS::Partition}:route53resolver:${AWS::Region}:*:resolver-query-log-config/*"

NAME = "resolver_query_logging_deleted"
KIND = Kind.BASELINE
SEVERITY = Severity.CRITICAL
EVENTS: Events = {
    "route53resolver.amazonaws.com": ("DeleteResolverQueryLogConfig", "DisassociateResolverQueryLogConfig")
}
READS: Permissions = (
    Allow(
        ("route53resolver:ListResolverQueryLogConfigs", "route53resolver:ListResolverQueryLogConfigAssociations"),
        why="A list is of all of them.",
    ),
    Allow(("route53resolver:ListTagsForResource",), OWN),
    READ_VPCS,
)
WRITES: Permissions = (
    Allow(("route53resolver:CreateResolverQueryLogConfig", "route53resolver:TagResource"), OWN),
    Allow(
        ("route53resolver:AssociateResolverQueryLogConfig",),
        ANYBODYS,
        "A configuration that is shared with this account is another account's.",
    ),
    # To a log group, bucket or stream that gets logs already, no more is needed.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
    Allow(("logs:CreateLogDelivery",), why=NO_RESOURCES),
)
SURE = (
    "Certain of the deletion; the configuration is made as its note says, which is up to an hour old, and is shared with no "
    "other account. VPCs that a Route 53 Profile adds are not seen."
)

LEAVING = {"DELETING", "FAILED"}
SHARED = "SHARED_WITH_ME"
BY_HAND = "Look which VPCs have no query logging, and configure it by hand."


@dataclass(frozen=True)
class Logging:
    """Attributes:
    noted: what is known of the configuration from before.
    name: by its name and where it logs to, which is so of one in its place, too; by its id when that is unknown.
    config: id of the configuration, or of the one that stands for it now; "" when there is none.
    missing: those of its VPCs, as far as the call took them out, that are there and not logged.
    """

    noted: Note | None
    name: str
    config: str
    missing: tuple[str, ...]


def snapshot() -> dict[str, dict[str, Any]]:
    """The account's own configurations in this region, and their VPCs."""
    associated = _associated()
    return {
        _key(config["Id"]): {
            **chosen(config, ("Id", "Name", "DestinationArn")),
            "Tags": _tags(config),
            "Vpcs": sorted(associated.get(config["Id"], [])),
        }
        for config in _configs()
        if config["ShareStatus"] != SHARED
    }


def read(record: CloudTrailRecord) -> State:
    own_region(record, aws.route53resolver(), "query logging configuration")
    wanted = record.required("resolverQueryLogConfigId")
    noted = known(_key(wanted))
    was = noted.settings if noted else {}
    configs = _configs()
    found = next((one for one in configs if one["Id"] == wanted), None) or next(
        (one for one in configs if _same(one, was)), None
    )
    associated = _associated()
    logged = {
        vpc
        for one in configs
        for vpc in associated.get(one["Id"], ())
        if found and one["DestinationArn"] == found["DestinationArn"]
    }
    vpcs = was.get("Vpcs", []) if _whole(record) else [record.required("resourceId")]
    missing = tuple(vpc for vpc in vpcs if vpc not in logged and exists(vpc))
    tags = was.get("Tags", []) if not found else _tags(found) if found["ShareStatus"] != SHARED else []
    return State(Logging(noted, _name(found or was, wanted), found["Id"] if found else "", missing), tags=tags_of(tags))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    logging: Logging = state.current
    wanted = record.required("resolverQueryLogConfigId")
    resource, finding, also = logging.name, "was deleted", ""
    lacking = not logging.config and (_whole(record) or bool(logging.missing))
    if not _whole(record):
        vpc = record.required("resourceId")
        if lacking:  # to undo this deletes the configuration, so it is about the configuration
            finding, also = f"was deleted, and {vpc} taken out of it", f"Resolver query logging of {vpc}"
        else:
            resource, finding, also = f"Resolver query logging of {vpc}", f"was taken out of {wanted}", resource
    if not logging.config and not logging.noted:
        return never_noted(resource, finding, SEVERITY, BY_HAND)
    if not lacking and not logging.missing:
        return there_again(resource, finding)
    steps = [f"Associate {vpc} with it again." for vpc in logging.missing]
    change: dict[str, Any] = {"config": logging.config, "vpcs": list(logging.missing)}
    if lacking and logging.noted:
        change["was"] = logging.noted.settings
        to = logging.noted.settings["DestinationArn"]
        steps.insert(0, f"Create the configuration again as it was at {logging.noted.taken_at}, to {to}.")
    before = {"config": logging.config, "creator": wanted, "vpcs": list(logging.missing)}
    return Plan(
        resource, finding, SEVERITY, steps=tuple(steps), change=change, before=before, also=(also,) if also else ()
    )


def apply(plan: Plan) -> None:
    change = plan.change
    config = change["config"] or _create(change["was"])
    for vpc in change["vpcs"]:
        unless_absent(
            lambda vpc=vpc: aws.route53resolver().associate_resolver_query_log_config(  # type: ignore[misc]
                ResolverQueryLogConfigId=config, ResourceId=vpc
            ),
            "ResourceExistsException",
        )


def restore(before: Mapping[str, Any]) -> None:
    client = aws.route53resolver()
    made = (
        [before["config"]]
        if before["config"]
        else [one["Id"] for one in _configs() if _made_for(one, before["creator"])]
    )
    for config in made:
        for vpc in set(before["vpcs"]) & set(_associated().get(config, ())):
            client.disassociate_resolver_query_log_config(ResolverQueryLogConfigId=config, ResourceId=vpc)
        if not before["config"]:
            client.delete_resolver_query_log_config(ResolverQueryLogConfigId=config)


def _key(config: str) -> str:
    return f"resolver-query-log-config/{config}"


def _name(config: Mapping[str, Any], wanted: str) -> str:
    named = f"{config['Name']} to {config['DestinationArn']}" if config else wanted
    return f"Resolver query logging configuration {named}"


def _whole(record: CloudTrailRecord) -> bool:
    """Whether the call deleted the configuration, and did not only take a VPC out of it."""
    return record.event_name == "DeleteResolverQueryLogConfig"


def _configs() -> list[Mapping[str, Any]]:
    pages = aws.route53resolver().get_paginator("list_resolver_query_log_configs").paginate()
    return [one for page in pages for one in page["ResolverQueryLogConfigs"] if one["Status"] not in LEAVING]


def _associated() -> dict[str, list[str]]:
    """The VPCs by the id of their configuration."""
    pages = aws.route53resolver().get_paginator("list_resolver_query_log_config_associations").paginate()
    found: dict[str, list[str]] = {}
    for page in pages:
        for one in page["ResolverQueryLogConfigAssociations"]:
            if one["Status"] not in LEAVING:
                found.setdefault(one["ResolverQueryLogConfigId"], []).append(one["ResourceId"])
    return found


def _tags(config: Mapping[str, Any]) -> list[dict[str, str]]:
    pages = aws.route53resolver().get_paginator("list_tags_for_resource").paginate(ResourceArn=config["Arn"])
    tags: Iterable[Any] = [tag for page in pages for tag in page.get("Tags", [])]
    return own_tags(tags)


def _same(config: Mapping[str, Any], was: Mapping[str, Any]) -> bool:
    """Whether the configuration stands for the noted one."""
    return bool(was) and (config["Name"], config["DestinationArn"]) == (was["Name"], was["DestinationArn"])


def _made_for(config: Mapping[str, Any], deleted: str) -> bool:
    return bool(config["CreatorRequestId"] == deleted)


def _create(was: Mapping[str, Any]) -> str:
    """The id of the new configuration. The creator's id keeps two deliveries, and two calls at once, from making two.

    Raises:
        Refused: there is one with that id which does not work.
    """
    client = aws.route53resolver()
    answer = unless_absent(
        lambda: client.create_resolver_query_log_config(
            **chosen(was, ("Name", "DestinationArn", "Tags")), CreatorRequestId=was["Id"]
        ),
        "ResourceExistsException",
    )
    found = [answer["ResolverQueryLogConfig"]] if answer else [one for one in _configs() if _made_for(one, was["Id"])]
    if not found:
        raise Refused(
            f"The configuration that was made in the place of {was['Id']} failed, or is being deleted. {BY_HAND}"
        )
    config = str(found[0]["Id"])
    note(_key(config), {**was, "Id": config})  # it may be deleted before the next hour
    return config
