"""`security undo`, as a person calls it. What it does is an API call like any other, which is judged again."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.client
import pytest
from local.cloud import LocalError
from local.commands import security

from automations import aws
from security_remediation.handler import lambda_handler
from security_remediation.registry import REMEDIATIONS
from tests.unit.conftest import REGION
from tests.unit.security_remediation.attacks import Attack, MakeAttack, baseline, config, trail
from tests.unit.security_remediation.conftest import AUDIT, audit_records, call, just_now

pytestmark = pytest.mark.usefixtures("deployed", "enforce")
PARAMETER = "/security-exemptions"


@pytest.fixture(autouse=True)
def _exemptions(deployed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.ssm().put_parameter(Name=PARAMETER, Value="[]", Type="String")
    monkeypatch.setenv("EXEMPTIONS_PARAMETER", PARAMETER)


@pytest.fixture
def stack(_exemptions: None) -> Any:
    """As much of a deployed stack as the command needs."""
    return SimpleNamespace(
        name="test",
        cloud=SimpleNamespace(client=boto3.client, region=REGION, profile=None),
        resources={"AuditBucket": AUDIT},
        variables=lambda: {"SecurityRemediationFunction": {"EXEMPTIONS_PARAMETER": PARAMETER}},
    )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The AWS operations that are called from now on, with their arguments."""
    found: list[tuple[str, dict[str, Any]]] = []
    client: Any = botocore.client.BaseClient
    real = client._make_api_call

    def recorded(self: Any, operation: str, arguments: Any) -> Any:
        found.append((operation, arguments))
        return real(self, operation, arguments)

    monkeypatch.setattr(client, "_make_api_call", recorded)
    return found


JUDGED = {name: source for one in REMEDIATIONS for source, names in one.EVENTS.items() for name in names}
SAMPLES = {"cloudtrail": "delete-trail", "config": "stop-configuration-recorder", "ec2": "delete-flow-logs"}


def events_of(made: list[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """What CloudTrail tells of those of the calls that are judged."""
    for number, (operation, arguments) in enumerate(made):
        if source := JUDGED.get(operation):
            request = {name[0].lower() + name[1:]: value for name, value in arguments.items()}
            if operation == "DeleteFlowLogs":
                ids = [{"tag": tag, "content": one} for tag, one in enumerate(arguments["FlowLogIds"], 1)]
                request = {"DeleteFlowLogsRequest": {"FlowLogId": ids}}
            yield call(
                SAMPLES.get(source.split(".")[0], "delete-trail"),
                eventSource=source,
                eventName=operation,
                requestParameters=request,
                responseElements=None,
                eventID=f"undo-{number}",
                eventTime=just_now(),
            )


def undo(stack: Any) -> None:
    security.put_back(stack, audit_records()[-1]["id"], reason="a test needs it so", days=1)


ATTACKS: list[MakeAttack] = [
    trail.detector_suspended,
    trail.detector_deleted,
    trail.hub_disabled,
    *config.ATTACKS,
    *baseline.ATTACKS,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_undo_does_is_exempt_and_stays(attack: Callable[[], Attack], stack, made, alerts, context):
    attacked = attack()
    lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed
    made.clear()

    undo(stack)
    events = [*events_of(made)]
    alerts.received()
    outcomes = [lambda_handler(event, context)["outcomes"] for event in events]

    assert events
    assert attacked.state() == (attacked.opened if attacked.restored is None else attacked.restored)
    assert "left as it is: exempt" in [one.get(attacked.remediation) for one in outcomes]
    assert "closed, and verified by reading back" not in [end for one in outcomes for end in one.values()]


@pytest.mark.parametrize("attack", [baseline.flow_log, baseline.query_logging, trail.detector_deleted])
def test_the_next_attack_on_what_was_not_undone_is_closed_still(attack: Callable[[], Attack], stack, alerts, context):
    other: Any = {
        baseline.flow_log: {"remediation": "flow_logs_deleted", "resource": "Flow log of vpc-1 to /elsewhere"},
        baseline.query_logging: {
            "remediation": "resolver_query_logging_deleted",
            "resource": "Resolver query logging configuration other to arn:aws:s3:::elsewhere",
        },
        trail.detector_deleted: {"remediation": "guardduty_detector", "resource": "GuardDuty detector in eu-west-1"},
    }[attack]
    entry = other | {"reason": "another one", "until": "2099-12-31"}
    aws.ssm().put_parameter(Name=PARAMETER, Value=json.dumps([entry]), Type="String", Overwrite=True)
    attacked = attack()

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_the_exemption_of_a_configuration_covers_the_logging_of_its_vpcs(stack, alerts, context):
    """To delete one, its VPCs must be taken out of it first, by calls of their own."""
    attacked = baseline.query_logging()
    lambda_handler(attacked.event, context)

    undo(stack)

    [entry] = json.loads(aws.ssm().get_parameter(Name=PARAMETER)["Parameter"]["Value"])
    assert entry["resource"] == f"Resolver query logging configuration dns-queries to {baseline.DESTINATION[:-1]}[*]"
    again = baseline.create_query_logging(vpc := baseline.create_vpc(), creator="by hand, again")
    baseline.take_out(again, vpc)
    names = {"rqlc-0123456789abcdef": again, "vpc-0123456789abcdef0": vpc}
    outcome = lambda_handler(call("disassociate-resolver-query-log-config", names), context)["outcomes"]
    assert outcome["resolver_query_logging_deleted"] == "left as it is: exempt"


def test_after_an_attempt_that_failed_halfway_all_of_it_is_undone_and_exempt(stack, made, alerts, context):
    attacked = baseline.several_flow_logs()
    aws.s3().delete_bucket(Bucket=baseline.LOGS)
    with pytest.raises(Exception, match="was not created"):
        lambda_handler(attacked.event, context)
    aws.s3().create_bucket(Bucket=baseline.LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed
    made.clear()

    undo(stack)
    for event in [*events_of(made)]:
        lambda_handler(event, context)

    assert attacked.state() == attacked.opened


def test_nothing_is_undone_without_a_place_for_the_exemption(stack, alerts, context):
    attacked = trail.detector_deleted()
    lambda_handler(attacked.event, context)
    stack.variables = lambda: {"SecurityRemediationFunction": {}}

    with pytest.raises(LocalError, match="SecurityExemptionsParameter"):
        undo(stack)

    assert attacked.state() == attacked.closed


def test_an_unknown_record_is_named(stack):
    with pytest.raises(LocalError, match="no audit record 2026-11-12/none/1"):
        security.put_back(stack, "2026-11-12/none/1", reason="r", days=1)
