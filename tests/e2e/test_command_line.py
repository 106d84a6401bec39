"""What a person types: `make send` and the variables for `sam local invoke`."""

import json
import subprocess
from pathlib import Path

import pytest
from local.cloud import STATE
from local.stack import Stack

ROOT = Path(__file__).parents[2]
SAMPLE = str(ROOT / "events/ec2_state_alerts/terminated.json")


def test_the_variables_for_sam_local_invoke_are_those_of_the_deployed_functions(run, started, stack: Stack) -> None:
    status, output = run("env-vars")

    assert status == 0
    assert json.loads(output) == stack.variables()
    assert set(json.loads(output)) == {name for name in stack.resources if name.endswith("Function")}


def test_send_shows_the_rule_that_matched_and_what_the_function_logged(run, started) -> None:
    status, output = run("send", SAMPLE)

    assert status == 0
    assert "InstanceStateChanged matches: it invokes Ec2StateAlertsFunction." in output
    assert "Looked at an instance" in output


def test_send_uploads_a_photo_for_an_upload_event(run, started) -> None:
    status, output = run("send", str(ROOT / "events/image_resize/uploaded-korean-key.json"))

    assert status == 0
    assert "Uploaded a photo to s3://amzn-s3-demo-uploads/" in output
    assert '"service": "image_resize"' in output


def test_send_says_when_no_rule_matches(run, started) -> None:
    status, output = run("send", str(ROOT / "events/ec2_state_alerts/running.json"))

    assert status == 0
    assert "No rule matches EC2 Instance State-change Notification" in output


def test_send_does_nothing_to_s3_for_an_event_that_matches_no_rule(run, started) -> None:
    status, output = run("send", str(ROOT / "events/image_resize/not-an-image.json"))

    assert status == 0
    assert "No rule matches Object Created from aws.s3" in output
    assert "Uploaded" not in output


def test_send_fails_when_the_function_does(run, started, tmp_path) -> None:
    event = json.loads(Path(SAMPLE).read_text())
    event["id"], event["detail"]["instance-id"] = "5e1f7f0e-0000-4000-8000-000000000001", "none"
    (tmp_path / "event.json").write_text(json.dumps(event))

    status, output = run("send", str(tmp_path / "event.json"))

    assert status == 1
    assert "InvalidEvent" in output


@pytest.mark.parametrize("port", ["abc", "80", "99999"])
def test_start_names_a_port_that_is_none(port, run, monkeypatch) -> None:
    monkeypatch.setenv("PORT", port)

    status, output = run("start")

    assert status == 1
    assert f"PORT must be a number from 1024 to 65534, not '{port}'" in output


def test_stop_leaves_a_process_alone_that_only_has_the_number_of_ours(run, monkeypatch, tmp_path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        state = tmp_path / "cloud.json"
        process = {"pid": stranger.pid, "started": 1.0}
        state.write_text(
            json.dumps({"endpoint": "", "log": "", "folder": str(tmp_path / "gone"), "processes": [process]})
        )
        monkeypatch.setattr("local.cloud.STATE", state)

        status, _ = run("stop")

        alive = stranger.poll() is None
        stranger.kill()

    assert (status, alive, state.exists()) == (0, True, False)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read as an event"),
        ("{", "cannot be read as an event"),
        ("\udcff", "cannot be read as an event"),
        ('{"id": "1"}', "it has no detail"),
    ],
)
def test_send_names_what_is_wrong_with_a_file(content, problem, run, started, tmp_path) -> None:
    file = tmp_path / "event.json"
    if content:
        file.write_bytes(content.encode(errors="surrogateescape"))

    status, output = run("send", str(file))

    assert status == 1
    assert problem in output


def test_send_without_a_file_lists_the_samples(run, started) -> None:
    status, output = run("send", "")

    assert status == 1
    assert "events/ec2_state_alerts/stopped.json" in output


def test_send_says_how_to_start_the_local_cloud(run, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("local.cloud.STATE", tmp_path / STATE.name)

    status, output = run("send", SAMPLE)

    assert status == 1
    assert "Start it: make local" in output
