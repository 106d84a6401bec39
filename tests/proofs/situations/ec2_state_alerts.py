"""Instances that stop and terminate."""

from collections.abc import Mapping
from typing import Any

from moto.ec2.models import instances

from automations import aws
from tests.proofs.situations import ANOTHER_ID, E_MAIL_TWICE, Situation
from tests.proofs.world import World
from tests.samples import sample
from tests.template_file import create_table
from tests.unit.conftest import REGION
from tests.unit.ec2_state_alerts.instances import OPTED_IN, backend, launch_and_stop, state, stopped

REFUSED = {
    "ec2:StartInstances, access denied": "people are told at once that AWS refused, before it is tried again",
}


def _deployed(world: World) -> None:
    world.environment.setattr(instances, "random_instance_id", lambda: "i-0123456789abcdef0")  # messages show it
    world.set(
        restarts_table=create_table("RestartsTable"),
        instances_arn=f"arn:aws:ec2:{REGION}:111122223333:instance/",  # where the samples are from
        auto_restart="true",
        restart_after_user_stop="true",  # the only way in which moto stops an instance
        max_restarts="2",
    )


def _restarts() -> list[str]:
    return sorted(item["stopped_at"]["S"] for item in aws.dynamodb().scan(TableName="RestartsTable")["Items"])


def _situation(instance: str, event: dict[str, Any], exceptions: Mapping[str, str] = {}) -> Situation:
    backend(instance)._reason = "User initiated (2026-11-22 02:59:58 GMT)"  # moto says the time of the test
    return Situation(
        "ec2_state_alerts",
        event,
        lambda: (state(instance), _restarts()),
        again=event | ANOTHER_ID,
        exceptions=E_MAIL_TWICE | {**exceptions},
    )


def ec2_state_alerts_restarted(world: World) -> Situation:
    """An instance that opted in stops."""
    _deployed(world)
    instance = launch_and_stop(**OPTED_IN)
    return _situation(instance, stopped(instance), REFUSED)


def ec2_state_alerts_given_up(world: World) -> Situation:
    """An instance stops too often."""
    _deployed(world)
    instance = launch_and_stop(**OPTED_IN)
    for minute in range(2):
        world.deliver("ec2_state_alerts", stopped(instance, f"2026-11-22T02:5{minute}:00Z"))
        aws.ec2().stop_instances(InstanceIds=[instance])
    return _situation(instance, stopped(instance))


def ec2_state_alerts_terminated(world: World) -> Situation:
    """An instance is terminated, and Slack is told as well."""
    _deployed(world)
    world.slack()
    instance = launch_and_stop(**OPTED_IN)
    aws.ec2().terminate_instances(InstanceIds=[instance])
    return _situation(instance, sample("ec2_state_alerts/terminated", instance_id=instance))


SITUATIONS = (ec2_state_alerts_restarted, ec2_state_alerts_given_up, ec2_state_alerts_terminated)
