"""Failed and undelivered events from the command line, on the deployed application."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local.cloud import ACCOUNT, REGION, ROOT, wait_for
from local.receiver import Answer
from local.scenes.event_pipeline import stream
from local.stage import SECONDS, Stage

FUNCTION = "PartnerRelayFunction"
RECEIVER = "/crm"


@pytest.fixture
def empty(stage: Stage, started: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The deployed application, for the commands to find, with nothing in its queues."""
    monkeypatch.setattr("local.hold.WAIT", 0)  # MiniStack has one server, which knows every message
    sqs = stage.client("sqs")
    for queue in ("FailedEventsQueue", "UndeliveredEventsQueue", "IngestFailuresQueue", "SlackFailedMessages"):
        sqs.purge_queue(QueueUrl=stage.stack.outputs[queue])
    yield stage
    sqs.purge_queue(QueueUrl=stage.stack.outputs["UndeliveredEventsQueue"])


def test_what_a_receiver_refuses_is_listed_shown_and_after_it_is_mended_tried_again_once(run, empty: Stage) -> None:
    [event] = fail(empty, "i-0123456789abcd001")
    [told] = listed(run)

    assert (told["for"], told["attempts"], told["event"]) == (FUNCTION, 3, event)
    assert "crm refused the message: 404" in told["reason"]
    table = run("failed", "list", "--function", "partner_relay")[1]
    assert told["id"][:8] in table
    assert "1 event: 1 failed." in table
    assert "None of 1 event fits" in run("failed", "list", "--older-than", "1h")[1]
    status, shown = run("failed", "show", told["id"][:8])
    assert status == 0
    assert "i-0123456789abcd001" in shown
    assert "invoke PartnerRelayFunction with the event" in shown

    status, output = run("failed", "retry", "--all")  # the receiver still refuses
    assert (status, "0 succeeded, 1 failed again, 0 left." in output) == (1, True)
    assert "crm refused the message: 404" in output
    assert [item["id"] for item in listed(run)] == [told["id"]]

    empty.receiver.forget()
    status, output = run("failed", "retry", "--function", FUNCTION)

    assert (status, "1 succeeded, 0 failed again, 0 left." in output) == (0, True)
    assert len(empty.receiver.to(RECEIVER)) == 1
    assert listed(run) == []
    assert "Nothing waits in the queues." in run("failed", "list")[1]


def test_a_dry_run_changes_nothing(run, empty: Stage) -> None:
    fail(empty, "i-0123456789abcd002")
    empty.receiver.forget()

    status, output = run("failed", "retry", "--all", "--dry-run")

    assert status == 0
    assert "1 event would be tried again, 0 left. Nothing was changed." in output
    assert len(listed(run)) == 1
    assert empty.receiver.to(RECEIVER) == []


def test_an_undelivered_event_goes_to_its_function(run, empty: Stage) -> None:
    event = empty.sample("partner_relay/zendesk-ticket-created", note="i-0123456789abcd003")
    target = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{empty.stack.resources[FUNCTION]}"
    undelivered(empty, event, target)

    status, output = run("failed", "retry", "--all", "--queue", "undelivered")

    assert status == 0, output
    assert len(empty.receiver.to(RECEIVER)) == 1
    assert listed(run) == []


def test_an_undelivered_event_goes_to_its_queue(run, empty: Stage) -> None:
    event = empty.sample("event_pipeline/application-event")
    undelivered(empty, event, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{empty.stack.outputs['IngestQueue'].split('/')[-1]}")

    status, output = run("failed", "retry", "--all")

    assert status == 0, output
    assert wait_for(lambda: any(record["event_id"] == event["id"] for record in stream(empty)))
    assert listed(run) == []


def test_what_cannot_be_tried_again_is_named_and_stays(run, empty: Stage) -> None:
    undelivered(empty, empty.sample("account_alerts/health-event"), empty.stack.outputs["AlertsTopic"])
    [told] = listed(run)

    status, output = run("failed", "retry", "--id", told["id"][:8])

    assert status == 1
    assert "replay it from the archive for this rule" in output
    assert "Nothing can be tried again." in output
    assert run("failed", "retry", "--all")[0] == 0  # nothing failed again
    assert listed(run) == [told]


def test_what_slack_refuses_is_listed_and_after_slack_is_mended_posted_once(run, empty: Stage) -> None:
    empty.receiver.always("/slack", Answer(404, body=b"no_service"))
    instance = "i-0123456789abcd004"
    empty.send(empty.sample("ec2_state_alerts/terminated", instance_id=instance), expect="InstanceStateChanged")
    assert wait_for(lambda: listed(run))
    [told] = listed(run)

    assert (told["for"], told["queue"]) == ("SlackSenderFunction", "slack")
    assert told["reason"] == "Slack refused the message: 404 no_service"
    assert instance in told["event"]["payload"]["text"]
    assert "1 event: 1 slack." in run("failed", "list", "--queue", "slack")[1]
    assert "send the event to SlackQueue" in run("failed", "show", told["id"][:8])[1]

    empty.receiver.forget()
    assert run("failed", "retry", "--function", "slack_sender")[0] == 0

    assert wait_for(lambda: empty.receiver.to("/slack"))
    assert len(empty.receiver.to("/slack")) == 1
    assert listed(run) == []


def test_dead_letters_of_the_pipeline_are_mentioned(run, empty: Stage) -> None:
    url = empty.stack.outputs["IngestFailuresQueue"]
    empty.client("sqs").send_message(QueueUrl=url, MessageBody="{}")

    output = run("failed", "list")[1]

    assert "About 1 message in event_pipeline's IngestFailuresQueue" in output
    assert f"--source-arn arn:aws:sqs:{REGION}:{ACCOUNT}:{url.split('/')[-1]}" in output


@pytest.mark.parametrize("killed_by", [signal.SIGINT, signal.SIGKILL])
def test_a_retry_that_is_interrupted_loses_nothing_and_tells_nothing_twice(
    killed_by: signal.Signals, run, empty: Stage, tmp_path: Path
) -> None:
    first, second = fail(empty, f"i-0123456789abcd1{killed_by:02}", f"i-0123456789abcd2{killed_by:02}")
    empty.receiver.forget()
    empty.receiver.answer(RECEIVER, Answer(delay=2))

    with a_retry(tmp_path) as process:
        assert wait_for(lambda: empty.receiver.to(RECEIVER))
        process.send_signal(killed_by)  # its function has told the receiver; its message is not deleted yet
        process.wait(30)

    back = wait_for(lambda: sorted(item["event"]["id"] for item in listed(run)) == sorted([first["id"], second["id"]]))
    assert back
    wait_for(lambda: any(line["message"].startswith("Relayed") for line in empty.stack.log(FUNCTION, first["id"])))
    status, output = run("failed", "retry", "--all")
    assert (status, "2 succeeded, 0 failed again, 0 left." in output) == (0, True), output
    assert len(empty.receiver.to(RECEIVER)) == 2
    assert listed(run) == []


def fail(stage: Stage, *notes: str) -> list[dict[str, Any]]:
    """Have a webhook's receiver refuse events with these notes; returns the events when they wait in the queue."""
    stage.receiver.always(RECEIVER, Answer(404))
    events = [stage.sample("partner_relay/zendesk-ticket-created", note=note) for note in notes]
    for event in events:
        stage.stack.send(event)

    def waiting() -> bool:
        ids = {item["requestPayload"]["id"] for item in stage.stack.failed_events()}
        return {event["id"] for event in events} <= ids

    assert wait_for(waiting, SECONDS)
    return events


def undelivered(stage: Stage, event: dict[str, Any], target: str) -> None:
    """Put the event into the queue as EventBridge does; MiniStack ignores the dead-letter queues of rules."""
    told = {
        "RULE_ARN": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/of-the-test",
        "TARGET_ARN": target,
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": "EventBridge may not do this",
        "RETRY_ATTEMPTS": "0",
    }
    stage.client("sqs").send_message(
        QueueUrl=stage.stack.outputs["UndeliveredEventsQueue"],
        MessageBody=json.dumps(event),
        MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in told.items()},
    )


def listed(run) -> list[dict[str, Any]]:
    status, output = run("failed", "list", "--json")
    assert status == 0, output
    return json.loads(output)


def a_retry(folder: Path) -> subprocess.Popen[bytes]:
    """`failed retry --all` in a process of its own, whose hold on messages lasts for two seconds after its death."""
    program = (
        # Whoever runs the tests in the background makes their processes deaf to Ctrl-C.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import sys; from pathlib import Path; from local import cloud, hold, __main__ as command_line;"
        "from local.commands import failed;"
        f"cloud.STATE = Path({str(folder / 'cloud.json')!r}); hold.WAIT = 0; failed.MARGIN = 1; failed.longest_timeout = lambda *_: 0;"
        "sys.argv = ['local', 'failed', 'retry', '--all']; sys.exit(command_line.main())"
    )
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
