"""What a deployment of the template creates, and what of it costs something while nobody uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from local.template import Values

BY_THE_HOUR = {
    "AWS::Kinesis::Stream": "The Kinesis stream, which is on demand, is billed for each hour that it exists.",
    "AWS::CloudWatch::Dashboard": "A dashboard is billed for the time that it exists; three small ones of an account are free.",
    "AWS::CloudWatch::Alarm": "Alarms are billed for the time that they exist; the first ten of an account are free.",
    "AWS::Events::Archive": "An archive is billed for what it takes in and keeps.",
}
"""By type. https://aws.amazon.com/kinesis/data-streams/pricing/, https://aws.amazon.com/cloudwatch/pricing/,
https://aws.amazon.com/eventbridge/pricing/"""
SECRETS = "Secrets are billed for the time that they exist."
ASKED = {
    "ec2": "A t3.micro instance is billed for the time that it runs, with its disk and its public address: three of them.",
    "rds": "Databases are billed for the time that they run, and snapshots for what they hold: three instances and a cluster.",
}
"""By the word that asks for it."""
REST = (
    "All else is paid by use, and a run uses little: some hundred requests, invocations, messages and log lines each, "
    "and some megabytes for minutes."
)


def resources(built: Path, parameters: Mapping[str, str]) -> Counter[str]:
    """How many resources of each type the built template has with these parameters."""
    template = yaml.safe_load(built.read_text())
    values = Values(template, {}, parameters)
    wanted = [
        item for item in template["Resources"].values() if "Condition" not in item or values.holds(item["Condition"])
    ]
    return Counter(item["Type"] for item in wanted)


def sentences(types: Iterable[str], asked: Iterable[str]) -> list[str]:
    """What costs something, in words: figures differ by region and change."""
    return [
        *(text for name, text in BY_THE_HOUR.items() if name in set(types)),
        SECRETS,
        *(ASKED[word] for word in asked if word in ASKED),
        REST,
    ]
