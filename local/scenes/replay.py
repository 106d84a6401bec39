"""Archive and replay, played."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local import archives
from local.commands.replay import ARRIVAL, begin, describe, takes_replays
from local.photo import photograph
from local.scenes.app_notifications import inbox, told
from local.stage import SceneFailed, Stage

NOTIFICATIONS, PICTURES = "AppNotificationsFunction", "ImageResizeFunction"


def replay(stage: Stage) -> None:
    """A payment and an upload are replayed: the functions run again, nobody is told twice, and no picture is made anew."""
    name, start = (
        f"scene-{uuid4()}",
        datetime.now(UTC).replace(microsecond=0),
    )  # an event's time has no parts of a second
    finance, payment, key = inbox(stage, "FinanceTopic"), f"pay_{uuid4().hex}", f"replays/{uuid4()}.jpg"

    stage.send(stage.sample("app_notifications/payment-completed", paymentId=payment), expect="PaymentCompleted")
    told(stage, "finance was told of the payment", finance, [payment])
    replay_application_bus(stage, name, start)
    ran_again(stage, NOTIFICATIONS, name)
    again = stage.take(finance)
    stage.expect("finance was not told again", lambda: not again, NOTIFICATIONS)

    bucket = stage.stack.outputs["UploadsBucket"]
    stage.client("s3").put_object(Bucket=bucket, Key=key, Body=photograph(), ContentType="image/jpeg")
    upload = stage.s3_event("ImageUploaded", key, "Object Created")
    before = written(stage, key)
    # MiniStack does not archive the events of S3: the function gets this one as a replay would bring it.
    [rule] = [rule for rule in stage.stack.rules if rule.name == "ImageUploaded"]
    stage.stack.invoke(rule.target, upload | {"replay-name": name})
    line = ran_again(stage, PICTURES, name)
    stage.expect("no picture was made anew", lambda: not line["made"] and written(stage, key) == before, PICTURES)


def replay_application_bus(stage: Stage, name: str, start: datetime) -> None:
    """Replay what came to the bus since then, to all rules of the stack, and wait for the end."""
    bus = stage.stack.outputs["ApplicationBus"]
    if stage.cloud.real:
        stage.say("wait", f"{ARRIVAL}, until the events are in the archive")
        time.sleep(ARRIVAL.total_seconds())
    [archive] = [archive for archive in archives.find(stage.stack) if archive.bus == bus]
    rules = [rule for rule in stage.stack.rules if rule.bus == bus and takes_replays(rule)]
    begin(stage.stack, name, archive, start, datetime.now(UTC), rules)
    if not stage.wait(lambda: describe(stage.stack, name)["State"] == "COMPLETED"):
        raise SceneFailed(f"The replay of {archive.name} is {describe(stage.stack, name)['State']}.")
    stage.say("replay", f"{archive.name}, what came since {start:%H:%M:%S} UTC: complete")


def ran_again(stage: Stage, function: str, replay: str) -> dict[str, Any]:
    """Wait for the function's line about an event of the replay, and show it."""
    [line, *_] = stage.expect(
        f"{function} ran again",
        lambda: [line for line in stage.stack.log(function) if line.get("replay") == replay and "message" in line],
        function,
    )
    stage.say("function", f"{function}: {line['level'].lower()}, {line['message']}")
    if line["level"] == "ERROR":
        raise SceneFailed(f"{function} failed for the replayed event: {line['message']}")
    return line


def written(stage: Stage, key: str) -> dict[str, datetime]:
    """When each derivative of the picture was written."""
    pages = (
        stage.client("s3").get_paginator("list_objects_v2").paginate(Bucket=stage.stack.outputs["DerivativesBucket"])
    )
    found = (item for page in pages for item in page.get("Contents", []))
    return {item["Key"]: item["LastModified"] for item in found if key in item["Key"]}
