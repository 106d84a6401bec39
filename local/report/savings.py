"""What an hour of the machines costs that keep office hours: asked of AWS's price list, or given, never made up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.stack import Stack
from office_hours.plan import STOP, STOP_ONLY

PRICE_LIST = "us-east-1"
"""One of the few regions where the price list of all regions is.
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html"""
TENANCY = {"default": "Shared", "dedicated": "Dedicated"}
GIVE = "Give the price of a machine's hour yourself: --hourly-price 0.05"


@dataclass(frozen=True)
class Hourly:
    """Attributes:
    price: US dollars for an hour of a machine; None when it is not known.
    because: what is assumed, or why it is not known and what to do.
    """

    price: float | None
    because: str


@dataclass(frozen=True)
class Machine:
    """What the price of an instance depends on.

    Attributes:
        operation: the billing code of its operating system and software, as EC2 and the price list call it.
        tenancy: as EC2 calls it.
    """

    type: str
    operation: str
    tenancy: str

    def __str__(self) -> str:
        more = [*([self.operation] if self.operation != "RunInstances" else []), *({self.tenancy} - {"default"})]
        return f"{self.type} ({', '.join(more)})" if more else self.type


def hourly(stack: Stack, given: float | None) -> Hourly:
    """The price of an hour, on average over the machines that keep office hours now: all keep the same hours."""
    if given is not None:
        return Hourly(given, f"At the ${given:g} for an hour of a machine that --hourly-price says.")
    if not stack.cloud.real:
        return Hourly(None, f"The local cloud has no price list. {GIVE}")
    tag = stack.parameters["ScheduleTag"]
    machines = tagged(stack.cloud.client("ec2"), tag)
    if not machines:
        return Hourly(None, f"No machine carries the tag {tag} now, so that its type would tell the price. {GIVE}")
    pricing = stack.cloud.client("pricing", Config(region_name=PRICE_LIST))
    try:
        prices = {machine: listed(pricing, machine, stack.cloud.region) for machine in machines}
    except (ClientError, BotoCoreError) as error:
        return Hourly(None, f"AWS's price list did not answer: {error}. Allow pricing:GetProducts to your role. {GIVE}")
    return average(machines, prices)


def average(machines: Counter[Machine], prices: Mapping[Machine, float | None]) -> Hourly:
    """The mean price of the machines, each counted alike."""
    if unknown := [str(machine) for machine in machines if prices[machine] is None]:
        return Hourly(None, f"AWS's price list has no single price for {', '.join(sorted(unknown))}. {GIVE}")
    total = sum((prices[machine] or 0) * count for machine, count in machines.items())
    mean = total / machines.total()
    named = ", ".join(f"{count} {machine}" for machine, count in sorted(machines.items(), key=lambda one: str(one[0])))
    return Hourly(
        mean,
        f"At ${mean:.4f} for an hour: the mean on-demand list price today of the machines that carry the tag now ({named}), as if they were "
        "those of the month. Savings plans and reservations save less. Disks and addresses are billed on.",
    )


def tagged(ec2: Any, tag: str) -> Counter[Machine]:
    """The instances that keep office hours."""
    states = ["pending", "running", "stopping", "stopped"]
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "tag-key", "Values": [tag]}, {"Name": "instance-state-name", "Values": states}]
    )
    found = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
    return Counter(
        Machine(one["InstanceType"], one.get("UsageOperation", "RunInstances"), one["Placement"]["Tenancy"])
        for one in found
        if {item["Key"]: item["Value"] for item in one["Tags"]}[tag].strip().lower() in {STOP, STOP_ONLY}
    )


def listed(pricing: Any, machine: Machine, region: str) -> float | None:
    """The on-demand price of an hour in US dollars; None when the list has none, or several."""
    wanted = {
        "regionCode": region,
        "instanceType": machine.type,
        "operation": machine.operation,
        "tenancy": TENANCY.get(machine.tenancy, machine.tenancy),
        "capacitystatus": "Used",
        "marketoption": "OnDemand",
    }
    pages = pricing.get_paginator("get_products").paginate(
        ServiceCode="AmazonEC2",
        Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()],
    )
    prices = {
        float(dimension["pricePerUnit"]["USD"])
        for page in pages
        for product in map(json.loads, page["PriceList"])
        for term in product["terms"].get("OnDemand", {}).values()
        for dimension in term["priceDimensions"].values()
        if dimension["unit"] == "Hrs" and "USD" in dimension["pricePerUnit"]
    } - {0.0}
    return prices.pop() if len(prices) == 1 else None
