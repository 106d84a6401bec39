"""What a person sees and does on the console's pages."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest
from local.photo import photograph
from local.stack import Stack

from tests.browser.acts import HACK, choose, fail, heading, sample, shoot, write
from tests.browser.conftest import served

PAGES = {"/": "Send an event", "/follow": "Follow events", "/map": "Map", "/failed": "Failed events"}


def test_a_sample_is_judged_sent_and_followed_to_its_message_in_slack(page, console, expect) -> None:
    page.goto(console)
    choose(page, "Automation", "codebuild_slack")
    choose(page, "Situation", "failed")
    expect(page.get_by_text("to CodebuildSlackFunction, on the bus default").first).to_be_visible()
    shoot(page, "send")

    page.get_by_role("button", name="Send", exact=True).click()

    page.wait_for_url("**/follow*")
    expect(page.get_by_text("Looked at a build").first).to_be_visible()
    expect(page.get_by_text("1 attempt", exact=True).first).to_be_visible()
    expect(heading(page, "In Slack")).to_be_visible()
    expect(page.get_by_text("SlackSenderFunction", exact=True)).to_be_visible()
    shoot(page, "follow")


def test_an_edited_event_names_the_field_that_stops_it_and_cannot_be_sent(page, console, expect) -> None:
    page.goto(console)
    event = sample("ec2_state_alerts/stopped")
    event["detail"]["state"] = "running"

    write(page, event)

    expect(page.get_by_text('detail.state is "running"; the rule wants').first).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    write(page, "{")
    expect(page.get_by_text("This is no JSON yet")).to_be_visible()


def test_an_uploaded_picture_is_shown_beside_its_derivatives(page, console, expect, tmp_path: Path) -> None:
    page.goto(console)
    (tmp_path / "hills.jpg").write_bytes(photograph(900, 600))

    page.locator("input[type=file]").set_input_files(tmp_path / "hills.jpg")

    page.wait_for_url("**/follow")
    expect(page.get_by_text("Changed a picture's derivatives").first).to_be_visible()
    pictures = page.locator("figure img")
    expect(pictures.first).to_be_visible()
    assert pictures.count() > 1
    page.wait_for_function("[...document.querySelectorAll('figure img')].every(img => img.naturalWidth > 0)")
    expect(page.get_by_text("ImageUploaded").first).to_be_visible()
    page.wait_for_function(
        "[...document.querySelectorAll('figure img')].every(img => getComputedStyle(img).opacity === '1')"
    )
    shoot(page, "picture")


def test_a_failed_event_is_retried(page, console, expect, stack: Stack) -> None:
    event = sample("codebuild_slack/failed") | {"id": "5e1f7f0e-0000-4000-8000-0000000000f1"}
    fail(stack, event)
    page.goto(f"{console}/failed")
    expect(page.get_by_text("DeliveryError: Slack refused")).to_be_visible()
    shoot(page, "failed")

    page.get_by_role("button", name="Retry", exact=True).first.click()

    expect(page.get_by_text("Nothing waits in the queues.")).to_be_visible()
    assert stack.failed_events() == []


def test_a_remediation_is_shown_before_and_after_and_undone(page, console, expect, stack: Stack) -> None:
    ec2 = stack.cloud.client("ec2")
    group = ec2.create_security_group(GroupName="console", Description="console")["GroupId"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])

    def is_open() -> bool:
        [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return any(one.get("FromPort") == 22 for one in found["IpPermissions"])

    event = sample("security_remediation/authorize-ingress-open-flat")
    event["detail"]["requestParameters"]["groupId"] = group
    event["detail"]["responseElements"] = None
    page.goto(console)
    write(page, event)
    expect(page.get_by_text("to SecurityRemediationFunction, on the bus default").first).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    assert not is_open()
    expect(heading(page, "Before")).to_be_visible()
    shoot(page, "remediation")

    undo.click()

    expect(page.get_by_text("Put back. It is exempt until")).to_be_visible()
    assert is_open()


def test_script_in_any_field_of_an_event_stays_text(page, console, expect, stack: Stack, inbox: Path) -> None:
    event = {
        "source": HACK,
        "detail-type": HACK,
        "detail": {HACK: HACK, "list": [HACK]},
        "resources": [HACK],
        "id": HACK,
        "account": HACK,
        "region": HACK,
    }
    page.goto(console)
    write(page, event)
    expect(page.get_by_text("An event of one's own arrives")).to_be_visible()

    events = stack.cloud.client("events")
    entry = {
        "Source": "com.example.hack",
        "DetailType": HACK,
        "Detail": json.dumps(event["detail"]),
        "Resources": [HACK],
    }
    [answer] = events.put_events(Entries=[entry])["Entries"]
    block = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"{HACK} <https://x|{HACK}> event {answer['EventId']}"},
    }
    (inbox / "1-1-slack.json").write_text(json.dumps({"blocks": [block]}))
    (inbox / f"1-2-{'img src=x onerror=window.hacked=1'}.txt").write_text(f"{HACK} event {answer['EventId']}")
    page.goto(f"{console}/follow?event={answer['EventId']}")
    expect(heading(page, "In Slack")).to_be_visible()
    expect(page.get_by_text("<script>window.hacked=1</script>").first).to_be_visible()

    page.goto(f"{console}/follow?event={quote(HACK)}")
    expect(page.get_by_text("Nothing is known of the event")).to_be_visible()

    fail(stack, event, reason=HACK)
    page.goto(f"{console}/failed")
    expect(page.get_by_text(HACK).first).to_be_visible()

    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img[src=x]").count() == 0
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["FailedEventsQueue"])


def test_half_a_letter_in_an_event_hides_no_page(page, console, expect, stack: Stack) -> None:
    half = {"text": "before \ud800 after"}  # which JSON can hold, and a page cannot get
    entry = {"Source": "com.example.half", "DetailType": "Half", "Detail": json.dumps(half)}
    [answer] = stack.cloud.client("events").put_events(Entries=[entry])["Entries"]
    page.goto(f"{console}/follow?event={answer['EventId']}")
    page.get_by_role("button", name="The event").click()
    expect(page.get_by_text("before ? after").first).to_be_visible()

    fail(stack, {"source": "com.example.half", "detail-type": "Half", "id": "half", "detail": half}, half["text"])
    page.goto(f"{console}/failed")
    expect(page.get_by_text("DeliveryError: before ? after")).to_be_visible()
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.outputs["FailedEventsQueue"])


def test_a_script_that_got_into_a_page_after_all_does_not_run(page, console, expect) -> None:
    page.goto(console)
    expect(heading(page, PAGES["/"])).to_be_visible()
    outcome = """html => new Promise(done => {
        window.ran = () => done("it ran");
        document.addEventListener("securitypolicyviolation", refused => done(refused.effectiveDirective));
        document.querySelector("main").innerHTML += html;
    })"""

    assert page.evaluate(outcome, "<img src=x onerror=window.ran()>") == "script-src-attr"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone_in_light_and_dark(chromium, console, expect, path: str, scheme: str) -> None:
    with chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(console + path)
        expect(heading(page, PAGES[path])).to_be_visible()
        if path == "/":
            expect(heading(page, "Which rules match")).to_be_visible()

        page.wait_for_function("document.documentElement.scrollWidth <= 360")  # once the styles are there
        assert page.evaluate("document.body.classList.contains('body--dark')") is (scheme == "dark")


def test_the_pages_are_reached_by_keyboard(page, console, expect) -> None:
    page.goto(console)
    expect(heading(page, PAGES["/"])).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")

    page.keyboard.press("Enter")

    expect(heading(page, PAGES["/follow"])).to_be_visible()
    assert page.locator('[aria-current="page"]').inner_text().split()[-1] == "Follow"


def test_an_event_is_chosen_written_and_sent_by_keyboard(page, console, expect) -> None:
    page.goto(console)
    page.get_by_label("Automation").focus()
    page.keyboard.type("codebuild")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("to CodebuildSlackFunction, on the bus default").first).to_be_visible()
    editor = page.get_by_role("textbox", name="The event, as JSON")
    editor.focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(json.dumps(sample("codebuild_slack/failed")))
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    page.keyboard.press("Escape")  # so that Tab leaves the editor

    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url("**/follow*")
    expect(page.get_by_text("Looked at a build").first).to_be_visible()


def test_a_failed_event_is_retried_by_keyboard(page, console, expect, stack: Stack) -> None:
    fail(stack, sample("codebuild_slack/failed") | {"id": "5e1f7f0e-0000-4000-8000-0000000000f2"})
    page.goto(f"{console}/failed")
    retry = page.get_by_role("button", name="Retry", exact=True)
    expect(retry).to_be_visible()
    page.get_by_role("button", name="Look again").focus()

    for _ in range(2):  # past Retry all
        page.keyboard.press("Tab")
    expect(retry).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Nothing waits in the queues.")).to_be_visible()


def test_other_names_and_foreign_pages_are_refused(page, console) -> None:
    request = urllib.request.Request(console, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)

    page.goto("about:blank")
    address = console.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    outcome = "address => new Promise(done => { const s = new WebSocket(address); s.onopen = () => done('open'); s.onerror = () => done('refused') })"

    assert page.evaluate(outcome, address) == "refused"


@pytest.mark.parametrize("path", PAGES)
def test_a_stopped_local_cloud_is_said_with_the_remedy(chromium, expect, tmp_path: Path, path: str) -> None:
    with served("http://127.0.0.1:9", tmp_path / "none") as address, chromium.new_context() as context:
        page = context.new_page()
        page.goto(address + path)

        expect(
            page.get_by_text("The local cloud does not answer. Start it again, in a terminal: make local")
        ).to_be_visible()
