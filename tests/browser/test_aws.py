"""The console for a stack in an AWS account, for which the tests' local cloud stands in."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from local.cloud import ACCOUNT, REGION, ROOT, Cloud, free_port
from local.stack import NAME, Stack

from tests.browser.acts import fail, heading, sample, write
from tests.browser.conftest import program

PAGES = {"/": "Explain an event", "/follow": "Follow events", "/map": "Map", "/failed": "Failed events"}
READS = ("Get", "Head", "List", "Describe", "Filter", "Test", "Receive", "ChangeMessageVisibility")
WHERE = f"AWS account {ACCOUNT}, region {REGION}, stack {NAME}"
WHOLE = re.compile(
    "Which rules match|^Looked at [0-9]|Ec2StateAlertsFunction|Nothing waits in the queues|A retry would do"
)
READ_ALL = re.compile(r"^Looked at \d")


@pytest.fixture(scope="module")
def account(local_cloud: Cloud) -> dict[str, str]:
    """The environment of somebody who has signed in."""
    return {
        "AWS_ENDPOINT_URL": local_cloud.endpoint,
        "STAND_IN_FOR_AWS": "ministack",
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "as-on-aws",
    }


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the console has called, a line for each call."""
    return tmp_path_factory.mktemp("calls") / "calls"


@pytest.fixture(scope="module")
def on_aws(chromium: object, stack: Stack, account: Mapping[str, str], calls: Path) -> Iterator[str]:
    """Address of the console, which notes its calls."""
    port = free_port()
    with program(["tests.browser.serve_on_aws", NAME, str(port), str(calls)], port, account) as address:
        yield address


@pytest.fixture
def page(chromium):
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


def build(event_id: str) -> dict[str, Any]:
    """The event of a failed build that no other test is about: each is told once."""
    event: dict[str, Any] = sample("codebuild_slack/failed") | {"id": event_id}
    event["detail"]["build-id"] = event["detail"]["build-id"].rsplit(":", 1)[0] + f":{event_id}"
    return event


def called(calls: Path) -> set[str]:
    return set(calls.read_text().split())


def test_a_session_that_looks_and_explains_changes_nothing(page, on_aws, expect, stack: Stack, calls: Path) -> None:
    stack.send(build("5e1f7f0e-0000-4000-8000-0000000000a1"))
    fail(stack, build("5e1f7f0e-0000-4000-8000-0000000000a2"))
    calls.write_text("")

    page.goto(on_aws)
    expect(heading(page, "Explain an event")).to_be_visible()
    expect(page.get_by_text("to Ec2StateAlertsFunction, on the bus default").first).to_be_visible()
    event = sample("ec2_state_alerts/stopped")
    event["detail"]["state"] = "running"
    write(page, event)
    expect(page.get_by_text('detail.state is "running"; the rule wants').first).to_be_visible()

    page.goto(f"{on_aws}/follow")
    expect(page.get_by_text(READ_ALL)).to_be_visible()
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Looked at a build").first).to_be_visible()
    page.get_by_role("button", name="5e1f7f0e").first.click()
    expect(page.get_by_text("1 attempt", exact=True).first).to_be_visible()

    page.goto(f"{on_aws}/map")
    expect(page.get_by_text("Ec2StateAlertsFunction").first).to_be_visible()

    page.goto(f"{on_aws}/failed")
    expect(page.get_by_text("counts as a receive")).to_be_visible()
    expect(page.get_by_text("DeliveryError: Slack refused")).to_be_visible()

    found = called(calls)
    assert {one.split(":")[0] for one in found} >= {"cloudformation", "events", "logs", "sqs", "sts", "scheduler"}
    assert [one for one in sorted(found) if not one.split(":")[1].startswith(READS)] == []
    documented = (ROOT / "docs" / "console.md").read_text()
    assert [one for one in sorted(found) if f"`{one.removesuffix('Batch')}`" not in documented] == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_says_the_account_region_and_stack(chromium, on_aws, expect, path: str, width: int) -> None:
    with chromium.new_context(viewport={"width": width, "height": 740}) as context:
        page = context.new_page()
        page.goto(on_aws + path)

        expect(page.get_by_text(WHERE, exact=True)).to_be_visible()
        expect(heading(page, PAGES[path])).to_be_visible()
        expect(page.get_by_text(WHOLE).first).to_be_visible()  # else it would look on while the next test looks
        page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")


def test_a_retry_needs_the_name_of_the_stack(page, on_aws, expect, stack: Stack, calls: Path) -> None:
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["FailedEventsQueue"])
    fail(stack, build("5e1f7f0e-0000-4000-8000-0000000000a3"))
    page.goto(f"{on_aws}/failed")
    calls.write_text("")
    page.get_by_role("button", name="Retry", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Try 1 event again: invoke CodebuildSlackFunction with the event")
    for fact in (f"Account: {ACCOUNT}", f"Region: {REGION}", f"Stack: {NAME}"):
        expect(dialog).to_contain_text(fact)

    typed = dialog.get_by_label(f"Type {NAME} to go on")
    typed.fill("eventbridge")
    typed.press("Enter")
    expect(dialog.get_by_role("button", name="Go on")).to_be_disabled()
    dialog.get_by_role("button", name="Change nothing").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert len(stack.failed_events()) == 1
    assert not called(calls) & {"lambda:Invoke", "sqs:DeleteMessage"}

    page.get_by_role("button", name="Retry", exact=True).click()
    typed.fill(NAME)
    dialog.get_by_role("button", name="Go on").click()

    expect(page.get_by_text("Nothing waits in the queues.")).to_be_visible()
    assert stack.failed_events() == []
    assert called(calls) >= {"lambda:Invoke", "sqs:DeleteMessage"}


def test_to_send_needs_the_name_of_the_stack(page, on_aws, expect, calls: Path) -> None:
    page.goto(on_aws)
    expect(page.get_by_text("to Ec2StateAlertsFunction, on the bus default").first).to_be_visible()
    calls.write_text("")
    page.get_by_role("button", name="Send", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("invokes Ec2StateAlertsFunction, whose effects are real")

    page.keyboard.press("Escape")

    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    assert "lambda:Invoke" not in called(calls)


def test_to_run_a_schedule_needs_the_name_of_the_stack(page, on_aws, expect, calls: Path) -> None:
    page.goto(f"{on_aws}/map")
    page.get_by_role("button", name="RdsBackupFunction").click()
    calls.write_text("")
    page.get_by_role("button", name="Run it now").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Invoke RdsBackupFunction")

    dialog.get_by_role("button", name="Change nothing").click()

    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert "lambda:Invoke" not in called(calls)


def test_to_upload_needs_the_name_of_the_stack(page, on_aws, expect, calls: Path, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    page.goto(on_aws)
    expect(page.get_by_text("to Ec2StateAlertsFunction, on the bus default").first).to_be_visible()
    calls.write_text("")

    page.locator("input[type=file]").set_input_files(tmp_path / "cat.png")

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Put the picture cat.png into the uploads bucket")
    dialog.get_by_role("button", name="Change nothing").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    page.goto(f"{on_aws}/failed")
    expect(page.get_by_text(WHOLE).first).to_be_visible()  # by now an upload would have been made
    assert "s3:PutObject" not in called(calls)


def test_without_credentials_the_remedy_is_said_and_the_page_works_once_there_are_some(
    page, expect, stack: Stack, account: Mapping[str, str], tmp_path: Path
) -> None:
    port = free_port()
    here = {name: text for name, text in account.items() if "KEY" not in name} | {"HOME": str(tmp_path)}
    with program(["local.console", "--aws", "--port", str(port), "--no-browser"], port, here) as address:
        page.goto(f"{address}/failed")
        expect(page.get_by_text("There are no AWS credentials here")).to_be_visible()
        expect(page.get_by_text("make console PROFILE=name")).to_be_visible()

        (tmp_path / ".aws").mkdir()
        keys = f"[default]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = as-on-aws\n"
        (tmp_path / ".aws" / "credentials").write_text(keys)
        page.reload()

        expect(page.get_by_text("They wait in queues for 14 days")).to_be_visible()
        expect(page.get_by_text(WHERE, exact=True)).to_be_visible()
        expect(page.get_by_text("There are no AWS credentials here")).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
def test_a_stack_that_is_not_there_is_said_on_every_page(page, on_another, expect, path: str) -> None:
    page.goto(on_another + path)

    expect(page.get_by_text(f"There is no stack another in {REGION}. Name another: --stack NAME")).to_be_visible()


@pytest.fixture(scope="module")
def on_another(chromium: object, stack: Stack, account: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    options = ["--region", REGION, "--stack", "another", "--no-browser"]
    with program(["local.console", "--port", str(port), *options], port, account) as address:
        yield address
