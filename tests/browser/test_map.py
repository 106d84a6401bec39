"""What a person sees and does on the map."""

import pytest
from local.stack import Stack

from tests.browser.acts import choose, heading, shoot

ALL = "All of them"


def test_the_overview_shows_every_function_and_a_list_says_the_same(page, console, expect, stack: Stack) -> None:
    page.goto(f"{console}/map")
    drawing = page.get_by_role("img", name="All automations")
    for name in (name for name in stack.resources if name.endswith("Function")):
        expect(drawing.get_by_text(name, exact=True)).to_be_visible()
    expect(drawing.get_by_text("bus default", exact=True)).to_be_visible()
    shoot(page, "map")

    page.get_by_role("button", name="Ec2StateAlertsFunction").click()
    page.get_by_role("button", name="Permissions").first.click()

    expect(page.get_by_text("ec2:DescribeInstances").first).to_be_visible()


def test_a_click_in_the_overview_draws_that_automation_whole(page, console, expect) -> None:
    page.goto(f"{console}/map")
    page.get_by_role("img", name="All automations").get_by_text("Ec2StateAlertsFunction", exact=True).click()

    drawing = page.get_by_role("img", name="What belongs to Ec2StateAlertsFunction")

    for text in (
        *("aws.ec2: EC2 Instance State-change Notification", "InstanceStateChanged", "bus default", "RestartsTable"),
        *("FailedEventsQueue", "UndeliveredEventsQueue", "Ec2StateAlertsErrorsAlarm"),
    ):
        expect(drawing).to_contain_text(text)


@pytest.mark.parametrize(
    ("node", "says"),
    [
        ("EC2 Instance State-change Notification", '"state"'),
        ("RestartsTable", "dynamodb:PutItem, dynamodb:Query"),
        ("Ec2StateAlertsErrorsAlarm", "ec2_state_alerts has failed for a quarter of an hour"),
        ("UndeliveredEventsQueue", "could not hand over wait here, for 14 days"),
        ("Ec2StateAlertsFunction", "README"),
    ],
)
def test_a_click_on_a_station_shows_what_belongs_to_it(page, console, expect, node: str, says: str) -> None:
    page.goto(f"{console}/map")
    expect(page.get_by_role("img", name="All automations")).to_be_visible()
    choose(page, "Automation", "Ec2StateAlertsFunction")

    page.locator(".node", has_text=node).first.click()

    expect(page.get_by_role("dialog")).to_contain_text(says)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_schedule_is_run_from_the_map_and_followed(page, console, expect) -> None:
    page.goto(f"{console}/map")
    expect(page.get_by_role("img", name="All automations")).to_be_visible()
    choose(page, "Automation", "SecurityRemediationFunction")

    page.get_by_role("button", name="Run it now").click()

    page.wait_for_url("**/follow*")
    expect(page.get_by_text("SecurityRemediationFunction").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [ALL, "SecurityRemediationFunction"])
def test_the_map_fits_a_phone_and_its_texts_have_the_pages_colour(
    chromium, console, expect, scheme: str, name: str
) -> None:
    with chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{console}/map")
        expect(heading(page, "Map")).to_be_visible()
        expect(page.get_by_role("img", name="All automations")).to_be_visible()
        if name != ALL:
            choose(page, "Automation", name)
        drawing = page.get_by_role("img", name="All automations" if name == ALL else f"What belongs to {name}")
        text = drawing.get_by_text("SecurityRemediationFunction", exact=True).first

        colour = page.evaluate("getComputedStyle(document.body).color")
        expect(text).to_have_css("fill" if name == ALL else "color", colour)
        page.wait_for_function("document.documentElement.scrollWidth <= 360")
