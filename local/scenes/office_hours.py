"""office_hours, played, together with ec2_state_alerts, which must leave alone what it stops."""

import json
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from local.stage import SceneFailed, Stage


def office_hours(stage: Stage) -> None:
    """The office closes: a machine is stopped, and nobody is paged. In the morning it runs again; what a person stopped does not."""
    ec2, function, alerts = stage.client("ec2"), "OfficeHoursFunction", "Ec2StateAlertsFunction"
    variables = stage.stack.variables()[function]
    # The coming Monday: the function takes the later of its clock and the scheduled time for now.
    zone = ZoneInfo(variables["TIME_ZONE"])
    today = datetime.now(zone).date()
    monday = today + timedelta(days=7 - today.weekday())
    evening = datetime.combine(monday, _clock(variables["CLOSES"]), zone)
    morning = datetime.combine(monday + timedelta(days=1), _clock(variables["OPENS"]), zone)

    keeps_hours = {stage.stack.parameters["ScheduleTag"]: "true"}
    # Ours asks to be kept running as well: ec2_state_alerts would start it.
    ours = stage.machine(**{"Name": "office-1", **keeps_hours, "automations:auto-restart": "true"})
    theirs = stage.machine(**{"Name": "office-2", **keeps_hours})
    ec2.stop_instances(InstanceIds=[theirs])
    stage.say("stopped", f"{theirs} by a person")

    stage.fire("Evening", evening)
    stage.expect(f"{ours} is stopped", lambda: _state(stage, ours) == "stopped", function)
    mark = stage.expect("it is marked", lambda: _tags(stage, ours).get("automations:stopped-by"), function)
    stage.say("tag", f"automations:stopped-by={mark}")
    stage.alert("Office hours: 1 instance stopped", function)
    stage.send(stage.sample("ec2_state_alerts/stopped", instance_id=ours), expect="InstanceStateChanged")
    _nobody_is_told(stage, ours)
    stage.expect(f"{ours} is still stopped", lambda: _state(stage, ours) == "stopped", alerts)

    stage.fire("Morning", morning)
    stage.expect(f"{ours} is running again", lambda: _state(stage, ours) in {"pending", "running"}, function)
    stage.expect("its mark is gone", lambda: "automations:stopped-by" not in _tags(stage, ours), function)
    mail = stage.alert("Office hours: 1 instance started", function)
    stage.expect("it says how many hours were saved", lambda: "Hours saved: 13.0" in mail["Message"], function)
    stage.expect(f"{theirs} is still stopped", lambda: _state(stage, theirs) == "stopped", function)
    ec2.terminate_instances(InstanceIds=[ours, theirs])


def _state(stage: Stage, instance: str) -> str:
    [group] = stage.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    return str(group["Instances"][0]["State"]["Name"])


def _tags(stage: Stage, instance: str) -> dict[str, str]:
    [group] = stage.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    return {tag["Key"]: tag["Value"] for tag in group["Instances"][0]["Tags"]}


def _nobody_is_told(stage: Stage, instance: str) -> None:
    """Look for what ec2_state_alerts would have told; it has finished with the event, so it would be there."""
    told, sqs = [request.json()["text"] for request in stage.receiver.to("/slack")], stage.client("sqs")
    while mails := sqs.receive_message(QueueUrl=stage.alerts, MaxNumberOfMessages=10).get("Messages"):
        for mail in mails:
            sqs.delete_message(QueueUrl=stage.alerts, ReceiptHandle=mail["ReceiptHandle"])
            told.append(json.loads(mail["Body"])["Subject"])
    if found := [text for text in told if instance in text]:
        raise SceneFailed(f"office_hours stopped {instance} on purpose, and still people were told: {found}")
    stage.say("✓", "nobody was told that it stopped")


def _clock(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))
