"""Every AWS call that a function makes is allowed by its role in template.yaml, and every action and every resource in a role is needed.

The situations of the other proofs are played once more, with all attacks of the unit tests and with situations that need what nothing
else does. The role is the one that the template gives where the situation's environment variables are the function's. Each call
becomes the questions that AWS puts to IAM: the action, the ARN of everything that the call names, the tags of what is there. The names
of actions and the forms of ARNs are those of AWS's Service Authorization Reference, as cfn-lint packs it; the verdict is that of the
local cloud's own evaluator of policies.

While something in a role was not needed, the situations are played again with messages to Slack, whose address is kept in one place
and in the other, and with each call refused once, because some calls are only made after a failure. What nothing needed in the end,
also of what a parameter must switch on, stands in a table with its reason. What SAM adds to each role for Lambda itself (logs, traces,
the failed-events queue) is not looked at. In notify mode the role of security_remediation can change nothing but what is the stack's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest

from automations import aws
from tests.proofs.calls import Call, Fault
from tests.proofs.conftest import Row
from tests.proofs.judge import Judge, judge
from tests.proofs.needs import Tags, needs
from tests.proofs.rare import RARE
from tests.proofs.roles import FUNCTIONS, Deployment, Grant, grants, wildcards
from tests.proofs.situations import Arrange, every_situation
from tests.proofs.world import World, new_world
from tests.unit.conftest import REGION
from tests.unit.rds_backup.databases import ABROAD

POLLED = "Lambda polls the queue with the function's role."
LOGGED = "API Gateway asks for it of whoever switches on the access log of an HTTP API."
LOGS_ELSEWHERE = "AWS asks for it of whoever sends logs to a destination that gets none yet."
SERVICE_ROLE = "AWS asks for it of whoever switches the service on where it has no role yet."
SNAPSHOT_KEYS = "RDS uses the keys of databases and copies for the caller; moto has none."
NOT_NEEDED: dict[tuple[str, str], str] = {
    ("*", "dynamodb:GetItem on IdempotencyTable"): (
        "Powertools reads a record only where DynamoDB's refusal of the second one does not bring it."
    ),
    ("image_resize", "s3:ListBucket on arn::s3:::${Bucket}"): (
        "Without it S3 answers 403, and not 404, for a key that does not exist."
    ),
    ("security_remediation", "s3:ListBucket on AuditBucket"): (
        "Without it S3 answers 403, and not 404, for a key that does not exist."
    ),
    ("event_pipeline", "sqs:ReceiveMessage on IngestQueue"): POLLED,
    ("event_pipeline", "sqs:DeleteMessage on IngestQueue"): POLLED,
    ("event_pipeline", "sqs:GetQueueAttributes on IngestQueue"): POLLED,
    (
        "office_hours",
        "kms:CreateGrant on arn::kms:::key/*",
    ): "EC2 uses the key of an encrypted volume for the caller; moto does not.",
    ("rds_backup", "rds:CrossRegionCommunication on *"): "RDS asks for it of whoever copies from another region.",
    ("rds_backup", "kms:CreateGrant on arn::kms:::key/*"): SNAPSHOT_KEYS,
    ("rds_backup", "kms:DescribeKey on arn::kms:::key/*"): SNAPSHOT_KEYS,
    **{
        ("apigateway_logging", f"logs:{action} on *"): LOGGED
        for action in (
            *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
            *("PutResourcePolicy", "DescribeResourcePolicies"),
        )
    },
    ("security_remediation", "aws-marketplace:Unsubscribe on *"): "Bedrock calls it for the caller.",
    ("security_remediation", "logs:CreateLogDelivery on *"): LOGS_ELSEWHERE,
    **{
        (
            "security_remediation",
            f"iam:CreateServiceLinkedRole on arn::iam:::role/aws-service-role/{role}",
        ): SERVICE_ROLE
        for role in (
            "guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty",
            "securityhub.amazonaws.com/AWSServiceRoleForSecurityHub",
        )
    },
}
"""By function, or `*` for each that has it: why something is in the role though no situation needs it."""


@dataclass
class Played:
    """What one delivery did, and where.

    Attributes:
        tags: of what there was before it and of what it left.
    """

    environment: Mapping[str, str]
    calls: list[Call]
    tags: Tags


@dataclass
class Findings:
    """Attributes:
    needed: by number of the grant, the actions and the numbers of the resources that were needed.
    operations: what was called.
    refused: calls that the role does not allow.
    """

    granted: list[Grant]
    needed: dict[int, set[str | int]] = field(default_factory=dict)
    operations: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def take_in(self, function: str, played: Played, judge: Judge) -> None:
        deployment = Deployment(function, played.environment)
        role = {
            number: said
            for number, grant in enumerate(self.granted)
            if (said := deployment.statement(grant)) is not None
        }
        for call in played.calls:
            if call.service == "http":
                continue
            self.operations.add(f"{call.service}:{call.operation}")
            asked = list(needs(call, played.tags))
            for need, allowed in zip(asked, judge.allowed_by(role, asked), strict=True):
                if not allowed:
                    self.refused.add(f"{call}: {need.action} on {need.resource} {dict(need.context)}")
                for number, resource in allowed:
                    self.needed.setdefault(number, set()).update({need.action, resource})

    def superfluous(self) -> set[str]:
        """The actions and the resources that nothing needed so far."""
        return set(self._superfluous())

    def _superfluous(self) -> Iterator[str]:
        for number, grant in enumerate(self.granted):
            needed = self.needed.get(number, set())
            resources = [said(one) for _, one in grant.resources]
            yield from (f"{one} on {resources[0]}" for one in grant.actions if one not in needed)
            if needed:  # else it is the actions that are not needed
                yield from (f"{grant.actions[0]} on {one}" for at, one in enumerate(resources) if at not in needed)


def said(resource: Any) -> str:
    """A resource of a statement as a table says it, without account and region."""
    match resource:
        case {"Ref": str(text)} | {"Fn::GetAtt": str(text)} | {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return re.sub(r"\$\{AWS::\w+\}", "", text).removesuffix(".Arn")
        case {"Fn::If": [_, then, _]}:
            return said(then)
    return str(resource)


def play(
    function: str, arrange: Arrange, change: Callable[[World], Any] = lambda _: None, refused: Call | None = None
) -> Played:
    """Deliver the situation's event in a world of its own, changed by `change`, where AWS or the receiver refuses one call."""
    with new_world() as world:
        situation = arrange(world)
        change(world)
        before = tags()
        world.begin()
        world.calls.fail = (refused, Fault.ACCESS_DENIED) if refused else None
        world.deliver(function, situation.event)
        calls = list(world.calls.made)
        world.calls.forget()
        return Played(dict(os.environ), calls, {**tags(), **before})


def tags() -> Tags:
    """The tags of what there is."""
    found = {}
    for region in (REGION, ABROAD):
        pages = boto3.client("resourcegroupstaggingapi", region).get_paginator("get_resources").paginate()
        for one in (one for page in pages for one in page["ResourceTagMappingList"]):
            found[one["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
    return found


def with_slack(world: World) -> None:
    if "SLACK_WEBHOOK" not in os.environ:
        world.slack()


def with_slack_in_a_parameter(world: World) -> None:
    with_slack(world)
    aws.ssm().put_parameter(Name="/slack-webhook", Value=f"{world.web.url}/slack", Type="SecureString")
    world.set(slack_webhook="ssm:/slack-webhook")


def plays(function: str, situations: list[Arrange]) -> Iterator[Played]:
    """All situations as they are; then one after the other with messages to Slack, and with each call refused."""
    plain = []
    for arrange in situations:
        plain.append(play(function, arrange))
        yield plain[-1]
    for arrange, played in zip(situations, plain, strict=True):
        for refused in (None, *played.calls):
            for slack in (with_slack, with_slack_in_a_parameter):
                yield play(function, arrange, slack, refused)


def situations_of(function: str) -> list[Arrange]:
    return [arrange for arrange in (*RARE, *every_situation()) if arrange.__name__.startswith(f"{function}_")]


@pytest.fixture
def iam() -> Iterator[Judge]:
    with judge() as running:
        yield running


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_what_its_function_calls_and_nothing_that_no_situation_needs(
    function: str, iam: Judge, row: Row
) -> None:
    found, situations = Findings(grants(function)), situations_of(function)
    reasons = {what: why for (who, what), why in NOT_NEEDED.items() if who in (function, "*")}
    for number, played in enumerate(plays(function, situations), 1):
        if number > len(situations) and found.superfluous() <= reasons.keys():
            break
        found.take_in(function, played, iam)

    superfluous = found.superfluous()
    assert found.refused == set()
    assert superfluous - reasons.keys() == set()
    own = {what for who, what in NOT_NEEDED if who == function}
    assert own - superfluous == set(), "needed after all"
    actions = {action for grant in found.granted for action in grant.actions}
    row(
        "Roles",
        function=function,
        situations=len(situations),
        operations_called=len(found.operations),
        actions_allowed=len(actions),
        needed_by_no_situation=len(superfluous),
    )
    for what in superfluous:
        row("In a role, and needed by no situation", function=function, allowed=what, why=reasons[what])


def test_the_proof_sees_what_is_missing_and_what_is_too_much(iam: Judge) -> None:
    granted = grants("ordering")
    played = [play("ordering", arrange) for arrange in situations_of("ordering")]
    elsewhere = [
        replace(grant, resources=(((), {"Fn::Sub": "arn:aws:dynamodb:*:*:table/other"}),)) for grant in granted
    ]
    less = [replace(grant, actions=grant.actions[:1]) for grant in granted]
    more = [replace(grant, actions=(*grant.actions, "dynamodb:Scan")) for grant in granted]

    def found(changed: list[Grant]) -> tuple[int, set[str]]:
        findings = Findings(changed)
        for one in played:
            findings.take_in("ordering", one, iam)
        return len(findings.refused), findings.superfluous()

    assert found(granted) == (0, set())
    assert found(elsewhere)[0] == 2
    assert found(less) == (1, set())
    assert found(more) == (0, {"dynamodb:Scan on OrdersTable"})


ATTACKS = [
    arrange for arrange in situations_of("security_remediation") if arrange.__name__ != "security_remediation_noted"
]


def test_in_notify_mode_the_security_role_can_change_nothing_but_the_stacks_own(iam: Judge, row: Row) -> None:
    def notifying(world: World) -> None:
        world.set(mode="notify", modes="")

    found = Findings(grants("security_remediation"))
    for arrange in ATTACKS:
        found.take_in("security_remediation", played := play("security_remediation", arrange, notifying), iam)

    role = Deployment("security_remediation", played.environment)
    writes = sorted(
        (action, resource)
        for grant in found.granted
        if (statement := role.statement(grant))
        for action in grant.actions
        if not action.partition(":")[2].startswith(("Get", "List", "Describe"))
        for resource in statement["Resource"]
    )
    assert found.refused == set()
    assert {resource.rpartition(":")[2] for _, resource in writes} == {
        *("table/IdempotencyTable", "table/BaselineTable", "alerts", "amzn-s3-demo-audit/audit/*")
    }
    for action, resource in writes:
        row("All that the security role may change in notify mode", action=action, resource=resource)


def test_every_wildcard_has_its_reason(row: Row) -> None:
    reasons: dict[tuple[str, str], set[str]] = {}
    for where, actions, why in wildcards():
        reasons.setdefault((where, why), set()).update(actions)
    for (where, why), names in reasons.items():
        row("Allowed on any resource", of=where, actions=", ".join(sorted(names)), why=why)

    assert all(why.endswith(".") for _, why in reasons)
