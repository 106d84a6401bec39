"""What the Follow page shows of the effects: each is read back from the cloud, or came to the receiver."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from local.inbox import MAILS
from local.photo import photograph
from local.receiver import Answer, Receiver
from local.stack import Stack
from local.stage import IMAGE

from tests.browser.acts import HACK, choose, heading, sample, write


@pytest.fixture(scope="session")
def mailbox(stack: Stack, world: Receiver) -> None:
    """The topics' e-mails come to the receiver, as those of `make local` do."""
    sns = stack.cloud.client("sns")
    for output, path in MAILS.items():
        sns.subscribe(TopicArn=stack.outputs[output], Protocol="http", Endpoint=f"{world.url}{path}")


def send(page, console: str, event: dict[str, Any]) -> None:
    """Write the event and send it; the page follows it."""
    page.goto(console)
    write(page, event)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/follow*")


def station(page, name: str):
    return page.get_by_role("listitem").filter(has=page.get_by_text(name, exact=True))


def state(page, name: str):
    """The box of what a function touched, by its heading."""
    return page.locator("main div:has(> [role=heading])", has=heading(page, name)).last


@pytest.fixture
def machine(stack: Stack) -> str:
    """Id of a stopped instance that asks to be started again, with script in a tag."""
    ec2 = stack.cloud.client("ec2")
    tags = {"Name": "web-1", "automations:auto-restart": "true", "note": HACK}
    spec = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
    answer = ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=spec)
    [instance] = answer["Instances"]
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    return str(instance["InstanceId"])


def test_a_stopped_machine_is_shown_running_again_with_the_mail_and_the_message_about_it(
    page, console, expect, mailbox, machine: str
) -> None:
    event = sample("ec2_state_alerts/stopped")
    event["detail"]["instance-id"] = machine

    send(page, console, event)

    expect(heading(page, f"EC2 instance {machine}: running")).to_be_visible()
    expect(station(page, "EC2 instance")).to_contain_text(f"{machine}: running")
    expect(station(page, "E-mail")).to_contain_text("1 message")
    expect(station(page, "Slack")).to_contain_text("1 message")
    expect(station(page, "Function").filter(has_text="SlackSenderFunction")).to_contain_text("1 attempt")
    expect(page.get_by_role("heading", name=f"EC2 instance web-1 ({machine}) is stopped")).to_be_visible()
    expect(page.get_by_text("Open the instance: https://")).to_be_visible()
    expect(state(page, f"EC2 instance {machine}: running")).to_contain_text(HACK)
    assert page.evaluate("window.hacked") is None


def test_a_checkout_is_shown_as_the_order_in_the_table(page, console, expect) -> None:
    event = sample("ordering/basket-checked-out")
    event["detail"]["checkout_id"] = str(uuid4())
    event["detail"]["lines"][0]["name"] = HACK

    send(page, console, event)

    order = state(page, f"Order {event['detail']['checkout_id']}")
    expect(order).to_contain_text(event["detail"]["currency"])
    expect(order).to_contain_text(event["detail"]["lines"][0]["product_id"])
    expect(order).to_contain_text("<script>window.hacked=1</script>")
    expect(station(page, "Order")).to_contain_text("1 there")
    assert page.evaluate("window.hacked") is None


def test_a_call_of_an_api_shows_its_request_the_kept_answer_and_the_item(
    page, console, expect, world: Receiver
) -> None:
    path = "/deployments/pipelines/web-site-release/executions"
    event = sample("api_caller/pipeline-failed")
    event["detail"]["execution-id"] = str(uuid4())
    world.answer(path, Answer(201, {"Content-Type": "text/html"}, HACK.encode()))

    send(page, console, event)

    kept = page.get_by_role("heading", name="S3 object s3://")
    expect(kept).to_be_visible()
    expect(page.get_by_text("<script>window.hacked=1</script>").first).to_be_visible()
    expect(
        page.get_by_role("heading", name=f"DynamoDB item deployments/{event['detail']['execution-id']}")
    ).to_be_visible()
    expect(station(page, "Webhook")).to_contain_text("1 message")
    expect(page.get_by_text(f'"execution":"{event["detail"]["execution-id"]}"').first).to_be_visible()
    assert page.evaluate("window.hacked") is None


def test_a_retried_attempt_shows_why_the_first_failed(page, console, expect, world: Receiver) -> None:
    path = "/deployments/pipelines/web-site-release/executions"
    event = sample("api_caller/pipeline-failed")
    event["detail"]["execution-id"] = str(uuid4())
    world.answer(path, Answer(400, body=b"no"))

    send(page, console, event)

    expect(heading(page, "Attempts")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="deployments refused the request: 400")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="went well")).to_be_visible()
    expect(station(page, "Function").filter(has_text="ApiCallerFunction")).to_contain_text("2 attempts")


def test_a_schedules_event_is_recognised_and_sent_to_its_function(page, console, expect, stack: Stack) -> None:
    stack.cloud.client("rds").create_db_instance(
        **{"DBInstanceIdentifier": "ledger", "Engine": "mysql", "DBInstanceClass": "db.t4g.micro"},
        **{"AllocatedStorage": 20, "MasterUsername": "admin1", "MasterUserPassword": "not-a-secret-1"},
        Tags=[{"Key": "automations:backup", "Value": "true"}],
    )
    page.goto(console)
    choose(page, "Automation", "rds_backup")
    choose(page, "Situation", "nightly")
    expect(page.get_by_text("The schedule Nightly sends such an event")).to_be_visible()

    page.get_by_role("button", name="Send", exact=True).click()

    page.wait_for_url("**/follow*")
    expect(page.get_by_role("heading", name="RDS snapshot automations-ledger-")).to_be_visible()
    expect(station(page, "Rule")).to_contain_text("schedule Nightly")
    expect(station(page, "RDS snapshot")).to_contain_text("available")


def test_a_logged_stage_is_shown_with_its_log_groups(page, console, expect, stack: Stack) -> None:
    gateway = stack.cloud.client("apigatewayv2")
    api = gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    event = sample("apigateway_logging/create-stage-http")
    event["detail"]["requestParameters"]["apiId"] = api

    send(page, console, event)

    group = f"/aws/vendedlogs/apigateway/{api}/default"
    expect(state(page, f"Log group {group}")).to_contain_text("14 days")
    expect(state(page, f"API stage {api}/$default")).to_contain_text(group)


def test_a_pipelines_record_is_shown_with_the_object_that_holds_it(page, console, expect) -> None:
    event = sample("event_pipeline/application-event")
    event["detail"]["note"] = HACK

    send(page, console, event)

    expect(page.get_by_role("heading", name="Record in S3 s3://")).to_be_visible()
    expect(page.get_by_text('"event_id":').first).to_be_visible()
    expect(station(page, "Function").filter(has_text="EventPipelineFunction")).to_be_visible()
    assert page.evaluate("window.hacked") is None


def test_derivatives_that_are_right_already_are_shown_too(page, console, expect, tmp_path: Path) -> None:
    (tmp_path / "again.jpg").write_bytes(photograph(900, 600))
    for said in ("Changed a picture's derivatives", "Its derivatives are right already"):
        page.goto(console)
        page.locator("input[type=file]").set_input_files(tmp_path / "again.jpg")
        page.wait_for_url("**/follow")
        expect(heading(page, said)).to_be_visible()

    expect(page.locator("figure img").nth(1)).to_be_visible()
    expect(page.get_by_text("derivatives: 200/again.jpg", exact=True)).to_be_visible()


def test_what_is_gone_is_said(page, console, expect, stack: Stack, machine: str) -> None:
    event = sample("ec2_state_alerts/stopped")
    event["detail"]["instance-id"] = "i-0fedcba9876543210"

    send(page, console, event)

    expect(state(page, "EC2 instance i-0fedcba9876543210")).to_contain_text("It is not there (any more).")
    expect(station(page, "EC2 instance")).to_contain_text("1 not there")


def test_a_function_that_is_still_at_work_is_shown_as_running(page, console, expect, world: Receiver) -> None:
    path = "/deployments/pipelines/web-site-release/executions"
    event = sample("api_caller/pipeline-failed")
    event["detail"]["execution-id"] = str(uuid4())
    world.answer(path, Answer(delay=4))

    send(page, console, event)

    expect(station(page, "Function").filter(has_text="ApiCallerFunction")).to_contain_text("it runs")
    expect(station(page, "Function").filter(has_text="ApiCallerFunction")).to_contain_text("1 attempt")


def test_script_in_an_audit_record_and_a_log_line_stays_text(page, console, expect, stack: Stack) -> None:
    ec2 = stack.cloud.client("ec2")
    group = ec2.create_security_group(GroupName="hacked", Description="hacked")["GroupId"]
    open_to_all = {"CidrIp": "0.0.0.0/0", "Description": HACK}
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [open_to_all]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
    event = sample("security_remediation/authorize-ingress-open-flat")
    event["detail"]["requestParameters"]["groupId"] = group
    event["detail"]["responseElements"] = None

    send(page, console, event)

    expect(heading(page, "Before")).to_be_visible()
    expect(page.get_by_text("<script>window.hacked=1</script>").first).to_be_visible()
    expect(station(page, "Remediation")).to_contain_text("closed")

    line = {"message": HACK, "why": HACK, "level": "INFO", "correlation_id": event["id"], HACK: [HACK]}
    logs, name = stack.cloud.client("logs"), stack.resources["SecurityRemediationLogGroup"]
    shown = page.get_by_text("The event", exact=True)
    expect(shown).to_be_visible()
    event_id = page.url.split("event=")[1]
    logs.create_log_stream(logGroupName=name, logStreamName="hacked")
    entries = [{"timestamp": int(time.time() * 1000), "message": json.dumps(line | {"correlation_id": event_id})}]
    logs.put_log_events(logGroupName=name, logStreamName="hacked", logEvents=entries)

    expect(heading(page, HACK)).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img[src=x]").count() == 0
