"""The archives: found by the stack's resources, and made on the local cloud from the template."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from local import archives, left_out
from local.cloud import Aws
from local.stack import Stack
from local.template import Values

from tests.template_file import TEMPLATE
from tests.unit.conftest import REGION

BUS = "arn:aws:events:ap-northeast-2:111122223333:event-bus/"  # the local cloud's account
BUSES = {"ApplicationBus": "shop", "PartnerBus": "aws.partner/example.com/1"}
EVERYTHING = {
    "ArchiveEvents": "true",
    "EnableBasket": "true",
    "EnablePartnerRelay": "true",
    "PartnerEventSourceName": BUSES["PartnerBus"],
}


def stack_of(resources: Mapping[str, str]) -> Stack:
    stack = Stack(Aws(region=REGION), "shop")
    stack.__dict__["resources"] = dict(resources)  # as CloudFormation would list them
    return stack


@pytest.fixture
def built(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(yaml.safe_dump(TEMPLATE))
    return path


def make(stack: Stack, built: Path, parameters: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments with which each archive is created or updated, by its name; moto demands that the buses exist."""
    asked: dict[str, Any] = {}
    real = stack.cloud.client("events")

    class Client:
        def __getattr__(self, name: str) -> Any:
            if name in {"create_archive", "update_archive"}:
                return lambda **given: asked.update({given.pop("ArchiveName"): {"call": name, **given}})
            return getattr(real, name)

    monkeypatch.setattr(Aws, "client", lambda *_: Client())
    archives.create(stack, built, parameters)
    return asked


def test_on_aws_an_archive_is_found_by_the_name_that_cloudformation_gave_it(cloud):
    events = boto3.client("events")
    bus = events.create_event_bus(Name="shop")["EventBusArn"]
    for name in ("shop-Applic-1A2B3C", "of-somebody-else"):
        events.create_archive(ArchiveName=name, EventSourceArn=bus, RetentionDays=7)

    [found] = archives.find(stack_of({"ApplicationBusArchive": "shop-Applic-1A2B3C", "ApplicationBus": "shop"}))

    assert (found.name, found.bus, found.days) == ("shop-Applic-1A2B3C", "shop", 7)
    assert found.arn == events.describe_archive(ArchiveName=found.name)["ArchiveArn"]


def test_every_page_of_the_accounts_archives_is_read(monkeypatch):
    item = {"EventSourceArn": BUS + "shop", "CreationTime": None, "RetentionDays": 0}
    pages = {
        None: {"Archives": [{"ArchiveName": "other", **item}], "NextToken": "2"},
        "2": {"Archives": [{"ArchiveName": "mine", **item}]},
    }

    class Client:
        def list_archives(self, NextToken: str | None = None) -> Any:  # noqa: N803 # boto3's name
            return pages[NextToken]

    monkeypatch.setattr(Aws, "client", lambda *_: Client())

    assert [found.name for found in archives.find(stack_of({"DefaultBusArchive": "mine"}))] == ["mine"]


def test_the_local_cloud_gets_the_archives_of_the_template_with_its_values(cloud, built, monkeypatch):
    asked = make(stack_of(BUSES), built, {**EVERYTHING, "ArchiveRetentionDays": "7"}, monkeypatch)

    sources = TEMPLATE["Parameters"]["ArchiveSources"]["Default"].split(",")
    assert {name: (given["EventSourceArn"], given["RetentionDays"]) for name, given in asked.items()} == {
        "shop-DefaultBusArchive": (BUS + "default", 7),
        "shop-ApplicationBusArchive": (BUS + "shop", 7),
        "shop-PartnerBusArchive": (BUS + "aws.partner/example.com/1", 7),
    }
    assert json.loads(asked["shop-DefaultBusArchive"]["EventPattern"]) == {"source": sources}
    assert asked["shop-ApplicationBusArchive"]["EventPattern"] == ""


@pytest.mark.parametrize(
    ("parameters", "made"),
    [
        ({"ArchiveEvents": "false"}, set()),
        ({}, {"shop-DefaultBusArchive", "shop-ApplicationBusArchive", "shop-PartnerBusArchive"}),
        ({"EnableBasket": "false", "EnablePartnerRelay": "false"}, {"shop-DefaultBusArchive"}),
        ({"EnablePartnerRelay": "false"}, {"shop-DefaultBusArchive", "shop-ApplicationBusArchive"}),
    ],
)
def test_an_archive_is_made_when_it_is_wanted_and_its_bus_is_there(parameters, made, cloud, built, monkeypatch):
    assert set(make(stack_of(BUSES), built, EVERYTHING | parameters, monkeypatch)) == made


def test_an_archive_that_is_there_is_changed(cloud, built, monkeypatch):
    events = boto3.client("events")
    bus = events.create_event_bus(Name="shop")["EventBusArn"]
    events.create_archive(ArchiveName="shop-DefaultBusArchive", EventSourceArn=bus)

    asked = make(stack_of(BUSES), built, EVERYTHING, monkeypatch)

    assert asked["shop-DefaultBusArchive"]["call"] == "update_archive"
    assert asked["shop-ApplicationBusArchive"]["call"] == "create_archive"


def test_what_is_made_through_the_api_is_not_said_to_be_missing(tmp_path):
    def summary(*types: str) -> str:
        path = tmp_path / "built.yaml"
        path.write_text(yaml.safe_dump({"Resources": {kind: {"Type": kind} for kind in types}}))
        return left_out.summary(path)

    archive, policy = "AWS::Events::Archive", "AWS::Events::EventBusPolicy"
    made = f"Made through the API, because the local cloud refuses it in a stack: {archive}."
    assert summary(archive) == made
    assert summary(archive, policy) == f"Left out, because the local cloud refuses it: {policy}. {made}"
    assert summary() == "Nothing was left out."


def test_of_alarms_only_those_with_an_expression_are_left_out():
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    expression = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}}

    assert left_out.refused({"Resources": {"Plain": alarm, "Sum": expression}}) == {"Sum": left_out.EXPRESSION}


# ---------------------------------------------------------------- expressions

VALUES = Values(
    {
        "Parameters": {
            "Wanted": {"Type": "String", "Default": "true"},
            "Sources": {"Type": "CommaDelimitedList", "Default": "a,b"},
        },
        "Conditions": {
            "Yes": {"Fn::Equals": [{"Ref": "Wanted"}, "true"]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
        },
    },
    {"Bus": "shop"},
    {},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Bus"}, "shop"),
        ({"Ref": "Sources"}, ["a", "b"]),
        ({"Fn::Sub": "x-${Bus}-${Wanted}"}, "x-shop-true"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, 2]}, 2),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]}, True),
        ({"Fn::Select": [1, {"Ref": "Sources"}]}, "b"),
        ({"a": [{"Ref": "Bus"}, {"Ref": "AWS::NoValue"}], "b": {"Ref": "AWS::NoValue"}}, {"a": ["shop"]}),
        (7, 7),
    ],
)
def test_an_expression_is_worth_what_cloudformation_makes_of_it(expression, value):
    assert VALUES.of(expression) == value


@pytest.mark.parametrize(("expression", "named"), [({"Ref": "Absent"}, "Absent"), ({"Fn::Join": ["", []]}, "Fn::Join")])
def test_what_it_does_not_know_is_named(expression, named):
    with pytest.raises(KeyError, match=named):
        VALUES.of(expression)
