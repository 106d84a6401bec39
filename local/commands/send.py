"""Send an event to the stack, and show what became of it."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import cloud as local_cloud
from local.cloud import ROOT, LocalError
from local.photo import photograph
from local.stack import Stack
from local.terminal import chosen_stack, console

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    parser = commands.add_parser("send", parents=[target], help=__doc__)
    parser.add_argument("event", help="file with the event as JSON, such as events/ec2_state_alerts/stopped.json")
    parser.add_argument("--bus", metavar="NAME", help="as if the event were forwarded to this bus")
    parser.set_defaults(run=lambda chosen: send(chosen.event, chosen))


def send(path: str, chosen: Namespace) -> bool:
    """Send the event in the file, and show which rules matched and what their functions logged about it.

    Returns whether no function failed.
    """
    if not path:
        samples = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "events").glob("*/*.json"))
        raise LocalError("Name a file: make send EVENT=events/<automation>/<situation>.json\n" + "\n".join(samples))
    try:
        event = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise LocalError(f"{path} cannot be read as an event: {error}") from None
    missing = {"id", "source", "detail-type", "detail"} - set(event if isinstance(event, dict) else {})
    if missing:
        raise LocalError(f"{path} is no event: it has no {', '.join(sorted(missing))}")
    stack = chosen_stack(chosen)
    buses = sorted({rule.bus for rule in stack.rules})
    if chosen.bus and chosen.bus not in buses:
        raise LocalError(f"No rule of {stack.name} is on a bus named {chosen.bus}; they are on {', '.join(buses)}.")
    rules = stack.matching(event, chosen.bus)
    for rule in rules:
        console.print(f"{rule.name} matches: it {'invokes' if rule.invokes else 'sends to'} {rule.function}.")
    if not rules:
        console.print(f"No rule matches {event['detail-type']} from {event['source']}: nothing was invoked.")
        return True
    functions = [rule.function for rule in rules if rule.invokes]
    known = {function: len(stack.log(function)) for function in functions}
    event_id = "" if not chosen.bus and through_s3(stack, event) else stack.send(event, chosen.bus).event_id
    fine = [show_log(stack, function, event_id, known[function]) for function in functions]  # all are shown
    return all(fine)


def through_s3(stack: Stack, event: dict[str, Any]) -> bool:
    """Do to the bucket what an event of S3 tells, so that S3 sends the event itself; False for any other event."""
    if event["source"] != "aws.s3" or event["detail-type"] not in {"Object Created", "Object Deleted"}:
        return False
    s3, bucket, key = stack.cloud.client("s3"), event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    if event["detail-type"] == "Object Created":
        s3.put_object(Bucket=bucket, Key=key, Body=photograph())
        console.print(f"Uploaded a photo to s3://{bucket}/{key}")
    else:
        s3.delete_object(Bucket=bucket, Key=key)
        console.print(f"Deleted s3://{bucket}/{key}")
    return True


def show_log(stack: Stack, function: str, event_id: str, known: int) -> bool:
    """Wait for what the function logs beyond the first `known` lines, print it, and say whether it did not fail.

    Args:
        event_id: empty when S3 gave the event an id that is not known here.
    """

    def fresh() -> list[dict[str, Any]]:
        lines = [line for line in stack.log(function)[known:] if "correlation_id" in line]
        return [line for line in lines if not event_id or line["correlation_id"] == event_id]

    lines = local_cloud.wait_for(fresh, 60) or []
    for line in lines:
        console.print_json(data=line)
    if not lines:
        console.print(f"{function} logged nothing within a minute; see .local/ministack.log")
    return bool(lines) and lines[-1]["level"] != "ERROR"
