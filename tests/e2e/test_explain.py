"""The commands explain and send, on the local cloud and, with the same answers, as on AWS."""

import io
import json
import tomllib
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from local.cloud import ACCOUNT, Cloud, wait_for
from local.explain import Leaf, Stop, explain, judge
from local.photo import photograph
from local.stack import Stack
from local.stage import Stage

EVENTS = Path(__file__).parents[2] / "events"
INDEX: dict[str, dict[str, Any]] = tomllib.loads((EVENTS / "index.toml").read_text())
NEAR = {name: entry["near"] for name, entry in INDEX.items() if "near" in entry}
RUNNING = str(EVENTS / "ec2_state_alerts/running.json")
STOPPED = str(EVENTS / "ec2_state_alerts/stopped.json")


@pytest.fixture
def on_aws(stack: Stack, local_cloud: Cloud, monkeypatch, tmp_path):
    """As on AWS: no local cloud is known, and boto3 finds its endpoint and credentials by itself."""
    monkeypatch.setattr("local.cloud.STATE", tmp_path / "none.json")
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_cloud.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "as-on-aws")


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return event


def fields(stops: tuple[Stop, ...]) -> list[Leaf]:
    """The fields that stopped a rule, those of an `$or`'s branches among them."""
    return [
        leaf
        for stop in stops
        for leaf in ([field for branch in stop.branches for field in fields(branch)] if stop.branches else [stop.leaf])
    ]


def mend(event: dict[str, Any], like: dict[str, Any], path: tuple[str, ...]) -> None:
    """Give the event what the other one has at the path; nothing where that has nothing."""
    for key in path[:-1]:
        event[key] = event.get(key) or {}
        event, like = event[key], like.get(key) or {}
    event.pop(path[-1], None)
    if path[-1] in like:
        event[path[-1]] = like[path[-1]]


@pytest.mark.parametrize("name", NEAR)
def test_mending_what_explain_names_makes_a_near_miss_match(name: str, stack: Stack) -> None:
    rule = next(found for found in stack.rules if found.name == NEAR[name])
    events, event, pattern = stack.cloud.client("events"), load(name), json.loads(rule.pattern)
    like = load(next(sample for sample, entry in INDEX.items() if rule.name in entry["matches"]))
    whole = deepcopy(event)

    stops = explain(pattern, judge(events, event)).stops

    assert stops
    for stop in stops:
        mended = deepcopy(event)
        for leaf in fields((stop,)):
            mend(mended, like, leaf.path)
            mend(whole, like, leaf.path)
        assert not judge(events, event)(stop.leaf.pattern)
        assert judge(events, mended)(stop.leaf.pattern)
    assert judge(events, whole)(pattern)


@pytest.mark.parametrize("name", NEAR)
def test_a_near_miss_is_explained_to_a_person(name: str, run, started) -> None:
    status, output = run("explain", str(EVENTS / name), "--rule", NEAR[name])

    assert status == 0
    assert f"✗ {NEAR[name]} -> " in output
    assert "; the rule wants " in output
    assert "No rule matches." in output


def test_explain_shows_the_rule_that_matches_and_its_bus(run, started) -> None:
    status, output = run("explain", str(EVENTS / "app_notifications/account-of-another-source.json"))

    assert status == 0
    lines = output.splitlines()
    assert lines[1:4] == [
        "✓ IngestApplicationEvent -> IngestQueue, on the bus eventbridge-automations",
        "✗ AccountCreated -> AppNotificationsFunction, on the bus eventbridge-automations",
        '    source is "com.example.accounts.staging"; the rule wants "com.example.accounts"',
    ]
    assert "No rule matches." not in output


def test_rules_about_other_events_are_summed_up_unless_one_wants_them_all(run, started, stack: Stack) -> None:
    _, brief = run("explain", RUNNING)
    _, whole = run("explain", RUNNING, "--all")

    assert brief.count("✗") < len(stack.rules) == whole.count("✗")
    assert "about other sources and detail types (--all explains them)" in brief
    assert brief.index("✗ InstanceStateChanged") < brief.index("✗ Ec2Call")
    assert 'detail.state is "running"; the rule wants "stopped" or "terminated"' in brief


def test_explain_prints_json_for_programs(run, started, stack: Stack) -> None:
    status, output = run("explain", RUNNING, "--json")

    told = {rule["rule"]: rule for rule in json.loads(output)}
    assert status == 0
    assert set(told) == {rule.name for rule in stack.rules}
    assert [stop["field"] for stop in told["InstanceStateChanged"]["stopped_by"]] == ["detail.state"]
    assert not told["InstanceStateChanged"]["other_kind"]
    assert told["BuildFinished"]["other_kind"]


def test_explain_says_what_it_filled_in(run, started, tmp_path) -> None:
    event = {"source": "com.example.[bold]shop", "detail-type": "Order Placed", "detail": {}}
    (tmp_path / "event.json").write_text(json.dumps(event))

    status, output = run("explain", str(tmp_path / "event.json"))

    assert status == 0
    assert "Order Placed from com.example.[bold]shop." in output
    assert 'judged as if it had id "' in output
    assert f'account "{ACCOUNT}"' in output


def test_explain_takes_the_word_of_a_person_for_the_bus(run, started) -> None:
    status, output = run("explain", RUNNING, "--all", "--bus", "eventbridge-automations")

    assert status == 0
    assert "On the bus eventbridge-automations." in output
    assert "forwards it" not in output
    assert "on the bus default" not in output


def test_explain_names_the_rules_when_there_is_none_of_that_name(run, started) -> None:
    status, output = run("explain", RUNNING, "--rule", "Nope")

    assert status == 1
    assert "There is no rule Nope. There are AccountCreated, " in output


@pytest.mark.parametrize("command", ["explain", "send"])
def test_a_stack_that_does_not_exist_is_named(command: str, run, started) -> None:
    status, output = run(command, RUNNING, "--stack", "another")

    assert status == 1
    assert "There is no stack another in ap-northeast-2." in output


@pytest.mark.parametrize("command", ["explain", "send"])
def test_without_credentials_one_is_told_to_sign_in(command: str, run, monkeypatch, tmp_path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    status, output = run(command, "--aws", RUNNING)

    assert status == 1
    assert "There are no AWS credentials here." in output


def test_explain_says_the_same_on_aws(run, on_aws) -> None:
    status, output = run("explain", "--aws", RUNNING)

    assert status == 0
    assert '    detail.state is "running"; the rule wants "stopped" or "terminated"' in output


def next_second() -> None:
    """Wait for it: an event's time has no parts of a second."""
    now = datetime.now(UTC).second
    assert wait_for(lambda: datetime.now(UTC).second != now)


def test_the_same_sample_is_told_each_time_unless_it_is_to_be_the_same_event(run, started, stage: Stage) -> None:
    for _ in range(2):
        assert run("send", STOPPED)[0] == 0
        next_second()
    assert wait_for(lambda: len(stage.receiver.to("/slack")) == 2)

    for _ in range(2):
        _, output = run("send", STOPPED, "--same")

    assert len(stage.receiver.to("/slack")) <= 3
    assert load("ec2_state_alerts/stopped.json")["id"] in output
    assert '"told": []' in output


def test_send_does_not_wait_when_told_so(run, started) -> None:
    status, output = run("send", STOPPED, "--no-wait")

    assert status == 0
    assert "Sent; the functions know it as " in output
    assert "Looked at" not in output


def test_send_on_aws_does_nothing_without_a_yes(run, on_aws, stage: Stage, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))

    status, output = run("send", "--aws", STOPPED)

    assert status == 1
    assert "On AWS, in account 111122223333 and region ap-northeast-2, this invokes Ec2StateAlertsFunction" in output
    assert "Send it? [y/N] " in output
    assert "Nothing was changed." in output
    assert "Sent" not in output


def test_send_on_aws_asks_nobody_who_is_not_there(run, on_aws, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(Path(STOPPED).read_text()))

    status, output = run("send", "--aws", "-")

    assert status == 1
    assert "--yes goes ahead without asking" in output


def test_send_on_aws_invokes_the_functions_and_shows_what_they_logged(run, on_aws, stage: Stage) -> None:
    status, output = run("send", "--aws", "--yes", STOPPED)

    assert status == 0
    assert "Looked at an instance" in output
    assert wait_for(lambda: len(stage.receiver.to("/slack")) == 1)


def test_send_on_aws_puts_ones_own_event_on_its_bus(run, on_aws) -> None:
    status, output = run("send", "--aws", "--yes", str(EVENTS / "app_notifications/large-payment.json"))

    assert status == 0
    assert "PaymentCompleted matches: it invokes AppNotificationsFunction." in output
    assert '"service": "app_notifications"' in output


def test_send_on_aws_touches_no_bucket(run, on_aws, stage: Stage) -> None:
    event = load("image_resize/uploaded.json")
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    s3 = stage.client("s3")
    before = s3.put_object(Bucket=bucket, Key=key, Body=photograph(300, 200))["ETag"]

    _, output = run("send", "--aws", "--yes", str(EVENTS / "image_resize/uploaded.json"))

    assert '"service": "image_resize"' in output
    assert "Uploaded a photo" not in output
    assert s3.head_object(Bucket=bucket, Key=key)["ETag"] == before


def test_send_on_aws_leaves_out_what_only_eventbridge_can_write(run, on_aws, stage: Stage) -> None:
    status, output = run("send", "--aws", "--yes", str(EVENTS / "account_alerts/health-event.json"))

    assert status == 0
    assert "AlertsTopic is left out: nobody can put such an event on a bus" in output
    assert stage.take(stage.alerts) == []
