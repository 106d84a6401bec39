"""Send an event to the stack, and show what became of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from local import cloud as local_cloud
from local.cloud import Aws, LocalError
from local.event_file import complete, read, renew
from local.photo import photograph
from local.stack import Rule, Stack, ended
from local.terminal import chosen_stack, confirm, console, place

if TYPE_CHECKING:
    from argparse import _SubParsersAction

CLOCKS = timedelta(minutes=10)
"""So far may this machine's clock be ahead of Lambda's."""


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    parser = commands.add_parser("send", parents=[target], help=__doc__)
    parser.add_argument("event", help="file with the event as JSON; - reads it from standard input")
    parser.add_argument("--bus", metavar="NAME", help="as if the event were forwarded to this bus")
    parser.add_argument("--same", action="store_true", help="keep its id and time, as when the same event comes again")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for what the functions log")
    parser.add_argument("--yes", action="store_true", help="do not ask; without it, one is asked on AWS")
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> bool:
    """Send the event in the file, and show which rules matched and what their functions logged about it.

    Returns whether no function failed.
    """
    event = read(chosen.event, "send")
    stack = chosen_stack(chosen)
    buses = sorted({rule.bus for rule in stack.rules})
    if chosen.bus and chosen.bus not in buses:
        raise LocalError(f"No rule of {stack.name} is on a bus named {chosen.bus}; they are on {', '.join(buses)}.")
    account, region = place(stack)
    event, _ = complete(event if chosen.same else renew(event), account, region)
    on_aws = isinstance(stack.cloud, Aws)
    rules = []
    for rule in (matching := stack.matching(event, chosen.bus)):
        console.print(escape(f"{rule.name} matches: it {'invokes' if rule.invokes else 'sends to'} {rule.function}."))
        if reason := left_out(rule, event, on_aws):
            console.print(escape(f"{rule.function} is left out: {reason}."))
        else:
            rules.append(rule)
    if not matching:
        told = f"No rule matches {event['detail-type']} from {event['source']}: nothing was invoked."
        console.print(escape(f"{told} The command explain says why."))
    if not rules:
        return True
    if on_aws and not chosen.yes:
        console.print(escape(f"On AWS, in account {account} and region {region}, this {effects(rules, event)}."))
        confirm("Send it?")
    functions = list(dict.fromkeys(rule.function for rule in rules if rule.invokes))
    since = datetime.now(UTC) - CLOCKS
    known = {function: len(stack.log(function, since=since)) for function in functions}
    by_itself = not on_aws and not chosen.bus and through_s3(stack, event)
    event_id = "" if by_itself else stack.send(event, chosen.bus, rules=rules).event_id
    if event_id:
        console.print(f"Sent; the functions know it as {escape(event_id)}.")
    if chosen.no_wait:
        return True
    fine = [show_log(stack, function, event_id, known[function], since) for function in functions]  # all are shown
    return all(fine)


def is_own(event: Mapping[str, Any]) -> bool:
    """Whether one can put it on a bus: nobody can put an event of an AWS service or a partner there."""
    return not event["source"].startswith("aws.")


def left_out(rule: Rule, event: Mapping[str, Any], on_aws: bool) -> str:
    """Why the event is not sent to this rule's target; empty when it is."""
    if not rule.enabled:
        return "the rule is disabled"
    as_it_is = rule.invokes or (":sqs:" in rule.target and not rule.transformer)
    if on_aws and not is_own(event) and not as_it_is:
        return "nobody can put such an event on a bus, and only EventBridge can write what this rule makes of it"
    return ""


def effects(rules: Sequence[Rule], event: Mapping[str, Any]) -> str:
    """What sending it to these rules does on AWS."""
    if is_own(event):
        buses = " and ".join(sorted({rule.bus for rule in rules}))
        return f"puts the event on the bus {buses}, where every rule that matches acts on it, other stacks' rules too"
    done = [f"{'invokes' if rule.invokes else 'sends a message to'} {rule.function}" for rule in rules]
    return f"{' and '.join(dict.fromkeys(done))}, whose effects are real"


def through_s3(stack: Stack, event: Mapping[str, Any]) -> bool:
    """Do to the local cloud's bucket what an event of S3 tells, so that S3 sends it; False for any other event."""
    if event["source"] != "aws.s3" or event["detail-type"] not in {"Object Created", "Object Deleted"}:
        return False
    s3, bucket, key = stack.cloud.client("s3"), event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    if event["detail-type"] == "Object Created":
        s3.put_object(Bucket=bucket, Key=key, Body=photograph())
        console.print(escape(f"Uploaded a photo to s3://{bucket}/{key}"))
    else:
        s3.delete_object(Bucket=bucket, Key=key)
        console.print(escape(f"Deleted s3://{bucket}/{key}"))
    return True


def show_log(stack: Stack, function: str, event_id: str, known: int, since: datetime) -> bool:
    """Wait until the function has ended, print what it logged beyond the first `known` lines, say whether it went well.

    Args:
        event_id: empty when S3 gave the event an id that is not known here.
    """
    # CloudWatch Logs shows a line some seconds late, and does not like to be asked all the time.
    seconds, every = (180.0, 2.0) if isinstance(stack.cloud, Aws) else (60.0, 0.1)

    def fresh() -> list[dict[str, Any]]:
        lines = [line for line in stack.log(function, since=since)[known:] if "correlation_id" in line]
        return [line for line in lines if not event_id or line["correlation_id"] == event_id]

    def whole() -> list[dict[str, Any]] | None:
        lines = fresh()
        return lines if lines and ended(lines[-1]["function_request_id"], stack.messages(function, since)) else None

    lines = local_cloud.wait_for(whole, seconds, every) or fresh()
    for line in lines:
        console.print_json(data=line)
    if not lines:
        where = stack.resources.get(function.removesuffix("Function") + "LogGroup", "")
        console.print(escape(f"{function} logged nothing within {seconds:.0f} s; its log group is {where}"))
    return bool(lines) and lines[-1]["level"] != "ERROR"
