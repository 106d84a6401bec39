"""ec2_state_alerts, played."""

from local.stage import Stage


def ec2_state_alerts(stage: Stage) -> None:
    """A machine stops: people are told why. It asked to be kept running, so it is started again."""
    ec2, function = stage.client("ec2"), "Ec2StateAlertsFunction"
    instance = stage.machine(**{"Name": "web-1", "automations:auto-restart": "true"})

    def state() -> str:
        [group] = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return str(group["Instances"][0]["State"]["Name"])

    ec2.stop_instances(InstanceIds=[instance])
    # On AWS its own event may have had it started again by now.
    stage.expect(f"{instance} has stopped", lambda: state() in {"stopped", "pending"}, function)
    stage.send(stage.sample("ec2_state_alerts/stopped", instance_id=instance), expect="InstanceStateChanged")
    stage.alert(f"EC2 instance web-1 ({instance}) is stopped", function)
    stage.slack("/slack", f"EC2 instance web-1 ({instance}) is stopped", function)
    stage.expect(f"{instance} is running again", lambda: state() in {"pending", "running"}, function)
    stage.send(stage.sample("ec2_state_alerts/running", instance_id=instance), expect=None)
