"""The pages of docs/automations, and the tables of parameters in the READMEs, held against the template."""

import re
from typing import Any

import pytest
from local import documents

from tests.template_file import RESOURCES, ROOT, TEMPLATE

AUTOMATIONS = documents.automations()
EACH_AUTOMATION = pytest.mark.parametrize("one", AUTOMATIONS, ids=lambda one: one.folder)
WRITTEN = documents.pages()
GROUPS: list[dict[str, Any]] = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]


def test_the_pages_are_what_would_be_written() -> None:
    there = {path: path.read_text() for path in documents.PAGES.glob("*.md")}

    stale = [path.name for path in there.keys() | WRITTEN.keys() if there.get(path) != WRITTEN.get(path)]
    assert not stale, f"run python -m local documents write: {stale}"


def test_every_resource_that_not_all_share_is_on_the_page_of_its_automation() -> None:
    """Rules, permissions of rules and alarms stand elsewhere on the page; what several automations share has a condition of its own."""
    owned = {name for one in AUTOMATIONS for name in one.resources}
    shared = {
        *("AlertsEmailSubscription", "AlertsTopicPolicy", "SharedLayerArm64", "SharedLayerX86", "ApplicationBus"),
        *("OwnAccountBusPolicy", "AccountsBusPolicy", "OrganizationBusPolicy"),
        *(
            "DefaultBusArchive",
            "ApplicationBusArchive",
            "SchemaRegistry",
            "ApplicationDiscoverer",
            "OperationsDashboard",
        ),
        *("RestApisAlarm", "FailedEventsQueueForgottenAlarm", "UndeliveredEventsQueueForgottenAlarm"),
    }

    others = {name for name, item in RESOURCES.items() if "Condition" in item and not name.endswith("Schema")} - owned
    assert others == shared


@EACH_AUTOMATION
def test_a_page_names_every_trigger_resource_and_alarm_of_its_automation(one: documents.Automation) -> None:
    text = WRITTEN[documents.PAGES / f"{one.folder}.md"]

    for name in [*one.resources, *one.function.get("Events", {}), *one.parameters]:
        named = one.resources.get(name, {}).get("Type") == "AWS::Lambda::Permission"
        assert named or f"`{name}`" in text, name


@EACH_AUTOMATION
def test_the_readme_lists_every_parameter_of_its_automation_with_the_default_of_the_template(
    one: documents.Automation,
) -> None:
    readme = one.readme.read_text()
    listed = documents.rows_of_parameters(readme)
    groups = re.findall(r"^\| `(\w+)` and so on \|", readme, re.MULTILINE)  # a row for a whole group of the console
    others = {name for group in GROUPS if set(groups) & set(group["Parameters"]) for name in group["Parameters"]}

    assert set(one.parameters) - others == set(listed)
    for name, (default, _) in listed.items():
        given = str(TEMPLATE["Parameters"][name].get("Default", ""))
        assert default == given if given else default in {"", "none", "created", "all", "empty"}, name


def test_every_parameter_is_on_a_page_or_in_a_chapter() -> None:
    chapters = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    on_pages = {name for one in AUTOMATIONS for name in one.parameters}

    assert {name for name in TEMPLATE["Parameters"] if name not in on_pages and f"`{name}`" not in chapters} == set()


def test_the_parameters_that_all_share_are_in_the_chapter_that_the_pages_link_to() -> None:
    chapter = (ROOT / "docs" / "deploy.md").read_text()

    assert {name for name in documents.SHARED if f"`{name}`" not in chapter} == set()


def test_no_readme_of_an_automation_has_a_table_of_permissions_metrics_alarms_or_outputs() -> None:
    """Their pages have it; a copy by hand would drift."""
    heads = ("| may |", "| metric |", "| alarm |", "| output |", "| resource |")

    for one in AUTOMATIONS:
        assert not [head for head in heads if head in one.readme.read_text()], one.folder
