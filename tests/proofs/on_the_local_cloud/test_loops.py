"""What a function does causes events, and these must not set it, or another one against it, to work for ever. In every situation,
and after every attack of the unit tests, the events that the calls cause are made and judged by all deployed rules, on the bus
where they would arrive; the functions of the rules that match are invoked in the same world; and so on, until nothing comes
any more. Nothing is written a second time, and in the end there is what the first delivery alone leads to.

The events are those of S3 (as if every bucket sent its events), of EC2 instances, of RDS snapshots, what is put on a bus, what the
pipe makes of an order, and CloudTrail's record of every call, with the function's own role as the actor. Reads come to the rules for
all management events alone, as EventBridge does it; what happens in another region, or is recorded in us-east-1, comes to the
application bus, as if it were forwarded. Records are made by one rule from the operation and its arguments. A step is a function
that is invoked because of another one's call.

The second table has the calls of a function that its own rules would hear, were they another's. The pattern leaves them out by the
role, and when such a record is handed to the function all the same, it leaves it alone by itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from local.pipe import deployed_pipe, lets_through
from local.stack import Stack

from automations import aws
from automations.stopped_by import STOPPED_BY
from tests.proofs.caused import Deployed
from tests.proofs.chains import Chain, Rules, automation, follow
from tests.proofs.conftest import Row
from tests.proofs.matcher import Matcher, matcher
from tests.proofs.runs import once, run
from tests.proofs.situations import (
    Arrange,
    Situation,
    event_pipeline,
    every_situation,
    image_resize,
    name,
    office_hours,
    rds_backup,
    security_remediation,
)
from tests.proofs.world import World
from tests.template_file import RESOURCES, TEMPLATE
from tests.unit.ec2_state_alerts.instances import OPTED_IN
from tests.unit.event_pipeline.conftest import BUCKET
from tests.unit.security_remediation.attacks import every_attack
from tests.unit.security_remediation.attacks.compute import user_data

TWO_STEPS = {
    "basket_checked_out": "an order follows from a checkout, and the pipeline keeps both events: each for its own part",
    "webhook_receiver_taken": "what came in is relayed; that the relay reads its secrets is told where SecretReaders does not name it",
}
"""Situations with a longer chain than of one step, and why."""
TWICE = {"rds_backup_night": "each snapshot is copied when it is complete; RDS tells of the copy in the copy's region"}
"""Situations in which a function is invoked because of what it did itself, which is to add something; and why that ends."""


SOURCE = "amzn-s3-demo-source-bucket"  # the one in the sample events


@pytest.fixture(scope="module")
def judge() -> Iterator[Matcher]:
    with matcher() as running:
        yield running


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Deployed:
    functions = [one for one in stack.resources if one.endswith("Function")]
    pipe = deployed_pipe(stack, "OrderEventsPipe")
    return Deployed(
        region=stack.cloud.region,
        bus=stack.outputs["ApplicationBus"],
        roles={
            automation(one): f"arn:aws:iam::{stack.cloud.account}:role/{stack.resources[f'{one}Role']}"
            for one in functions
        },
        names={automation(one): stack.resources[one] for one in functions},
        pipe=pipe,
        passes=partial(lets_through, stack.cloud.client("events"), pipe.pattern),
    )


@pytest.fixture(scope="module")
def rules(stack: Stack, judge: Matcher) -> Rules:
    events = stack.cloud.client("events")
    of_reads = {
        rule.name
        for rule in stack.rules
        if events.describe_rule(Name=rule.arn.split("/")[-1], EventBusName=rule.bus)["State"]
        == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    }
    mappings = [one["Properties"] for one in RESOURCES.values() if one["Type"] == "AWS::Lambda::EventSourceMapping"]
    queues = {
        one["EventSourceArn"]["Fn::GetAtt"].removesuffix(".Arn"): automation(one["FunctionName"]["Ref"])
        for one in mappings
    }
    return Rules(stack.rules, frozenset(of_reads), queues, judge)


Follow = Callable[[Arrange], Chain]


@pytest.fixture
def chain_of(rules: Rules, deployed: Deployed) -> Follow:
    return lambda arrange: follow(arrange, rules, deployed)


@pytest.mark.parametrize("arrange", every_situation(), ids=lambda arrange: arrange.__name__)
def test_what_a_function_does_comes_back_as_one_step_at_most_and_nothing_is_written_twice(
    arrange: Arrange, chain_of: Follow, row: Row
) -> None:
    chain = chain_of(arrange)

    reason = ends(arrange, chain)
    assert chain.written_again == set()
    if len(chain.deliveries) > 1 and arrange.__name__ not in TWICE:
        assert chain.state == run(arrange, once).outcome.state

    kinds = Counter(step.event.kind for step in chain.steps)
    row(
        "Loops",
        function=chain.situation.function,
        situation=name(arrange),
        events_caused=", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items())) or "-",
        rules_that_heard_them=", ".join(sorted({rule.name for step in chain.steps for rule in step.heard})) or "-",
        steps=len(chain.longest) - 1,
        longest_chain=" → ".join(chain.longest),
        why_it_ends=reason,
    )


def ends(arrange: Arrange, chain: Chain) -> str:
    """Why the longest chain ends; a failed assertion when it is longer than it should be."""
    longest, situation = chain.longest, arrange.__name__
    if reason := TWICE.get(situation):
        assert longest == (chain.situation.function,) * 2
        return reason
    assert len(set(longest)) == len(longest), "a function comes to itself again"
    if reason := TWO_STEPS.get(situation):
        assert len(longest) - 1 == 2
        return reason
    assert len(longest) - 1 <= 1, longest
    kept_out = {rule for step in chain.kept_out if step.path == longest for rule in step.but_for_the_role}
    [*_, last] = [delivery for delivery in chain.deliveries if delivery.path == longest]
    said = last.answer.get("why", "") if isinstance(last.answer, dict) and len(longest) > 1 else ""
    return said or ("; ".join(f"own role ({one})" for one in sorted(kept_out)) or "no rule hears what it does")


def test_no_remediation_hears_what_a_remediation_does(chain_of: Follow, row: Row) -> None:
    """In each of the attacks of the unit tests, with everything in enforce mode."""
    kept_out = set()
    for attack in every_attack():
        chain = chain_of(security_remediation.by_attack(attack))
        assert {delivery.path[1:] for delivery in chain.deliveries} <= {(), ("ec2_state_alerts",)}, attack.__name__
        assert chain.written_again == set(), attack.__name__
        kept_out |= {
            (rule, step.event.event["detail"]["eventName"]) for step in chain.kept_out for rule in step.but_for_the_role
        }
    assert kept_out
    for rule, call in kept_out:
        row("Own calls", rule=rule, call=call, left_out_by_the_pattern="own role", by_the_handler="own call")


# ---------------------------------------------------------------- two known traps


def test_a_bucket_that_is_both_source_and_destination_is_refused(rules: Rules, chain_of: Follow) -> None:
    def into_the_uploads(world: World) -> Situation:
        situation = image_resize.image_resize_uploaded(world)
        world.set(derivatives_bucket=image_resize.UPLOADS)
        return replace(
            situation, fails="SettingsError: Bad settings of this function. DERIVATIVES_BUCKET", state=lambda: None
        )

    [assertion] = TEMPLATE["Rules"]["BucketsDiffer"]["Assertions"]
    buckets = [{"Ref": "UploadsBucketName"}, {"Ref": "DerivativesBucketName"}]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": buckets}]}

    [refused] = chain_of(into_the_uploads).deliveries
    assert refused.writes == []

    chain = chain_of(image_resize.image_resize_uploaded)
    [first, *_] = [step.event for step in chain.steps if step.event.kind == "Object Created"]
    assert rules.heard([first]) == [[]]
    in_the_uploads = json.dumps(first.event).replace(image_resize.DERIVATIVES, image_resize.UPLOADS)
    [heard] = rules.heard([replace(first, event=json.loads(in_the_uploads))])
    assert [rule.name for rule in heard] == ["ImageUploaded"]  # so that there would be no end without the refusal


def test_a_pipeline_that_reads_from_its_own_stream_and_bucket_takes_nothing_in(chain_of: Follow) -> None:
    """A parameter may name them: they are not known when the stack is created, so that no assertion of the template can refuse them."""

    def from_itself(world: World) -> Situation:
        situation = event_pipeline.event_pipeline_batch(world)
        messages = [
            {**one, "body": one["body"].replace("stream/clicks", "stream/events").replace(SOURCE, BUCKET)}
            for one in situation.event["Records"]
        ]
        own = [one for one in messages if "stream/events" in one["body"] or BUCKET in one["body"]]
        return replace(situation, event={"Records": own})

    [taken] = chain_of(from_itself).deliveries

    assert (taken.answer, taken.writes) == ({"batchItemFailures": []}, [])


def tagged(arrange: Arrange) -> Arrange:
    """The situation, with all its instances opted in to be started again."""

    def with_tags(world: World) -> Situation:
        situation = arrange(world)
        for reservation in aws.ec2().describe_instances()["Reservations"]:
            for instance in reservation["Instances"]:
                tags: Any = [{"Key": key, "Value": value} for key, value in OPTED_IN.items()]
                aws.ec2().create_tags(Resources=[instance["InstanceId"]], Tags=tags)
        return situation

    with_tags.__name__ = arrange.__name__
    return with_tags


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (office_hours.office_hours_evening, "It was stopped because the office is closed."),
        (
            security_remediation.by_attack(user_data),
            f"security-remediation stopped it on purpose (tag {STOPPED_BY}).",
        ),
    ],
    ids=["office_hours", "security_remediation"],
)
def test_what_one_automation_stops_no_other_one_starts(arrange: Arrange, why: str, chain_of: Follow) -> None:
    """Of instances that ask for being started again, also when somebody stopped them on purpose."""
    chain = chain_of(tagged(arrange))

    after = [one.answer for one in chain.deliveries if one.path[-1] == "ec2_state_alerts"]
    assert after
    assert {(answer["restarted"], answer["why"]) for answer in after} == {(False, why)}
    assert chain.state == run(tagged(arrange), once).outcome.state


def test_what_one_automation_starts_no_other_one_stops(chain_of: Follow) -> None:
    chain = chain_of(tagged(office_hours.office_hours_morning))

    assert [step.event.event["detail"]["state"] for step in chain.steps if step.event.kind == "EC2 state change"] == [
        *("pending", "running") * 2
    ]
    assert chain.longest == ("office_hours",)


@pytest.mark.parametrize("arrange", security_remediation.SITUATIONS, ids=lambda arrange: arrange.__name__)
def test_a_remediation_that_a_person_undid_is_not_done_again(arrange: Arrange, chain_of: Follow) -> None:
    """`security undo` exempts what it puts back, and CloudTrail tells of the calls that put it back."""

    def undone(world: World) -> Situation:
        situation = arrange(world)
        world.deliver(situation.function, situation.event)
        entry = {"remediation": "*", "resource": "*", "reason": "a drill", "until": "2099-12-31"}
        aws.ssm().put_parameter(Name="/exemptions", Value=json.dumps([entry]), Type="String")
        world.set(exemptions_parameter="/exemptions")
        event = situation.again or {}
        detail = event["detail"] | {"eventID": "5c1d8e1e-0000-4000-8000-000000000001"}
        return replace(situation, event=event | {"detail": detail})

    [first] = chain_of(undone).deliveries

    assert [one for one in first.writes if not one.startswith(("sns:", "s3:PutObject"))] == []


def test_a_copy_of_a_snapshot_is_in_a_region_of_its_own(chain_of: Follow, deployed: Deployed) -> None:
    chain = chain_of(rds_backup.rds_backup_complete)
    copies = [step.event for step in chain.steps if step.event.kind == "RDS snapshot"]
    variables = RESOURCES["RdsBackupFunction"]["Properties"]["Environment"]["Variables"]

    assert {copy.bus for copy in copies} == {deployed.bus}
    assert variables["BACKUP_COPY_REGION"] == {"Fn::If": ["CopyBackups", {"Ref": "BackupCopyRegion"}, ""]}
    assert {"Condition": "BackupCopyRegionDiffers"} in TEMPLATE["Conditions"]["CopyBackups"]["Fn::And"]
