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

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase as fnmatch

import pytest

from tests.proofs.conftest import Row
from tests.proofs.judge import Judge, judge
from tests.proofs.permissions import READS, Findings, Played, play, plays, situations_of
from tests.proofs.roles import FUNCTIONS, Deployment, Grant, grants, wildcards

SECURITY = "security_remediation"

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
    ("*", "sqs:ReceiveMessage on *Queue"): POLLED,
    ("*", "sqs:DeleteMessage on *Queue"): POLLED,
    ("*", "sqs:GetQueueAttributes on *Queue"): POLLED,
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
"""Why something is in the role of a function though no situation needs it; `*` stands for any name."""


def reason(function: str, superfluous: str) -> str:
    reasons = [why for (who, what), why in NOT_NEEDED.items() if fnmatch(function, who) and fnmatch(superfluous, what)]
    return reasons[0] if reasons else ""


@pytest.fixture
def iam() -> Iterator[Judge]:
    with judge() as running:
        yield running


def judged(function: str, iam: Judge, row: Row) -> list[Played]:
    """What its role allows and what its situations need is the same; returns the situations as they were played unchanged."""
    found, situations = Findings(grants(function)), situations_of(function)
    unchanged = []
    for number, played in enumerate(plays(function, situations), 1):
        if number > len(situations) and all(reason(function, one) for one in found.superfluous()):
            break
        found.take_in(function, played, iam)
        if number <= len(situations):
            unchanged.append(played)

    why = {one: reason(function, one) for one in found.superfluous()}
    assert found.refused == set()
    assert [one for one, because in why.items() if not because] == []
    assert {what for who, what in NOT_NEEDED if who == function} <= why.keys(), "needed after all"
    actions = {action for grant in found.granted for action in grant.actions}
    row(
        "Roles",
        function=function,
        situations=len(situations),
        operations_called=len(found.operations),
        actions_allowed=len(actions),
        needed_by_no_situation=len(why),
    )
    for what, because in why.items():
        row("In a role, and needed by no situation", function=function, allowed=what, why=because)
    return unchanged


@pytest.mark.parametrize("function", [one for one in FUNCTIONS if one != SECURITY])
def test_a_role_allows_what_its_function_calls_and_nothing_that_no_situation_needs(
    function: str, iam: Judge, row: Row
) -> None:
    judged(function, iam, row)


def test_the_security_role_does_too_and_in_notify_mode_it_reads_and_changes_nothing_but_the_stacks_own(
    iam: Judge, row: Row
) -> None:
    found = Findings(grants(SECURITY))
    for played in judged(SECURITY, iam, row):
        notifying = {**played.environment, "MODE": "notify", "MODES": ""}
        found.take_in(SECURITY, Played(notifying, played.until_a_change(), {}), iam)

    role = Deployment(SECURITY, notifying)
    writes = sorted(
        (action, resource)
        for grant in found.granted
        if (statement := role.statement(grant))
        for action in grant.actions
        if not action.partition(":")[2].startswith(READS)
        for resource in statement["Resource"]
    )
    assert found.refused == set()
    assert len(found.operations) > 50
    assert {resource.rpartition(":")[2] for _, resource in writes} <= {
        *("table/IdempotencyTable", "table/BaselineTable", "alerts", "SlackQueue", "amzn-s3-demo-audit/audit/*")
    }
    for action, resource in writes:
        row("All that the security role may change in notify mode", action=action, resource=resource)


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


def test_every_wildcard_has_its_reason(row: Row) -> None:
    reasons: dict[tuple[str, str], set[str]] = {}
    for where, actions, why in wildcards():
        reasons.setdefault((where, why), set()).update(actions)
    for (where, why), names in reasons.items():
        row("Allowed on any resource", of=where, actions=", ".join(sorted(names)), why=why)

    assert all(why.endswith(".") for _, why in reasons)
