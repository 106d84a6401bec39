"""Where the scenes of the demo play: the deployed application, a receiver for messages, and checks that speak."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from rich.console import Console
from rich.markup import escape

from local.cloud import ACCOUNT, REGION, ROOT, Aws, Cloud, wait_for
from local.event_file import renew
from local.receiver import Receiver
from local.removal import TAG
from local.stack import Rule, Stack, ended

T = TypeVar("T")

SECONDS = Cloud.patience
IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
"""The latest Amazon Linux. https://docs.aws.amazon.com/linux/al2023/ug/ec2.html"""


class SceneFailed(Exception):
    """An effect did not happen; the message says which, and holds the function's log."""


@dataclass
class Stage:
    """What a scene uses to act, to show and to check.

    Attributes:
        alerts: URL of a queue that is subscribed to the alerts topic.
        tap: URL of a queue that gets what S3 sends about the uploads bucket.
        folder: where pictures and messages are put for a person to look at.
    """

    stack: Stack
    receiver: Receiver
    alerts: str
    tap: str
    folder: Path
    console: Console = field(default_factory=Console)

    def client(self, service: str) -> Any:
        return self.stack.cloud.client(service)

    @property
    def cloud(self) -> Cloud | Aws:
        return self.stack.cloud

    def wait(self, probe: Callable[[], T | None]) -> T | None:
        """Look until there is something, as long and as often as is usual in this cloud."""
        return wait_for(probe, self.cloud.patience, self.cloud.poll)

    def settle(self) -> None:
        """Wait until a rule that was just made hears events."""
        if self.cloud.settling:
            self.say("wait", f"{self.cloud.settling:.0f} s, until EventBridge knows the new rule")
            time.sleep(self.cloud.settling)

    def say(self, label: str, text: str) -> None:
        self.console.print(f"  [dim]{label:>8}[/]  {escape(text)}", highlight=False, soft_wrap=True)

    def sample(self, name: str, **detail: Any) -> dict[str, Any]:
        """A sample event by `<automation>/<situation>`, new: with ids and a time of its own, of this account and region.

        Fields of its detail are replaced by those given (`_` stands for `-`).
        """
        text = (ROOT / "events" / f"{name}.json").read_text()
        text = text.replace(ACCOUNT, self.cloud.account).replace(REGION, self.cloud.region)
        event: dict[str, Any] = json.loads(text)
        event["detail"].update({key.replace("_", "-"): value for key, value in detail.items()})
        return renew(event)

    def send(self, event: Mapping[str, Any], expect: str | None, bus: str | None = None) -> None:
        """Send the event, show the rule that matched, and wait for its function when it invokes one.

        `expect` is that rule, or None for no rule. With a `bus`, the event comes as if it were forwarded there.
        """
        self.say("event", f"{event['detail-type']} from {event['source']}" + (f", forwarded to {bus}" if bus else ""))
        known = len(self.stack.log(self._function(expect), event["id"])) if expect else 0
        sent = self.stack.send(event, bus)
        self._matched(sent.rules, expect)
        if sent.rules and event["source"].startswith("aws."):
            self.say(
                "sent", f"to the rule's target directly: nobody but AWS may put events of {event['source']} on a bus"
            )
        if expect and any(rule.invokes for rule in sent.rules if rule.name == expect):
            self.ran(self._function(expect), sent.event_id, known)

    def fire(self, schedule: str, at: datetime) -> None:
        """Run a schedule as if it were that time, and wait for its function."""
        found = next(item for item in self.stack.schedules if item.name == schedule)
        event = found.event(at)
        self.say("schedule", f"{found.name} at {at:%Y-%m-%d %H:%M %Z} -> {found.function}")
        self.stack.invoke(found.target, event)
        self.ran(found.function, event["id"])

    def _matched(self, rules: list[Rule], expect: str | None) -> None:
        names = [rule.name for rule in rules]
        self.say("rule", ", ".join(f"{rule.name} -> {rule.function}" for rule in rules) or "none matches: left alone")
        if expect not in [*names, None] or (expect is None and names):
            raise SceneFailed(f"The rule {expect or '(none)'} should have matched, and {names or 'none'} did.")

    def ran(self, function: str, event_id: str, known: int = 0, refuses: bool = False) -> None:
        """Wait until the function has logged something about the event beyond the `known` lines.

        Its last line must be an error when the function is to refuse the event, and none otherwise.
        """

        def whole() -> list[dict[str, Any]] | None:
            found = self.stack.log(function, event_id)[known:]
            if not (found and ended(found[-1]["function_request_id"], self.stack.messages(function))):
                return None
            return self.stack.log(function, event_id)[known:]

        lines = self.wait(whole)
        if not lines:
            raise SceneFailed(
                f"{function} did not end, or logged nothing about the event {event_id}.\n{self._tail(function)}"
            )
        last = lines[-1]
        self.say("function", f"{function}: {last['level'].lower()}, {last['message']}")
        if (last["level"] == "ERROR") is not refuses:
            raise SceneFailed(f"{function} should have {'refused' if refuses else 'taken'} it.\n{self._tail(function)}")

    def s3_event(self, rule: str, key: str, detail_type: str, refuses: bool = False) -> dict[str, Any]:
        """Wait for the event that S3 itself sent about the key, and show the rule that it matched."""
        seen: list[dict[str, Any]] = []

        def look() -> dict[str, Any] | None:
            seen.extend(self.take(self.tap))
            return next(
                (e for e in seen if e["detail-type"] == detail_type and e["detail"]["object"]["key"] == key), None
            )

        event = self.wait(look)
        if not event:
            raise SceneFailed(f"S3 sent no '{detail_type}' for {key}; it sent {[e['detail-type'] for e in seen]}.")
        self.say("event", f"{detail_type} from aws.s3: {key}")
        self._matched(self.stack.matching(event), rule)
        self.ran(self._function(rule), event["id"], refuses=refuses)
        return event

    def expect(self, what: str, probe: Callable[[], T | None], function: str) -> T:
        """Read the account until the effect is there.

        Raises:
            SceneFailed: it did not come; the message ends with the function's log.
        """
        found = self.wait(probe)
        if not found:
            raise SceneFailed(f"This did not happen: {what}\n{self._tail(function)}")
        self.console.print(f"  [green]{'✓':>8}[/]  {escape(what)}", highlight=False, soft_wrap=True)
        return found

    def take(self, queue: str) -> list[dict[str, Any]]:
        """Take the next messages, at most ten, out of the queue with this URL; they are JSON."""
        sqs = self.client("sqs")
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def tags(self, kind: str, **tags: str) -> list[dict[str, Any]]:
        """The tags of a new resource of EC2, and the one by which `removal` finds it."""
        every = tags | {TAG: self.stack.name}
        return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in every.items()]}]

    def machine(self, **tags: str) -> str:
        """Id of a new instance that runs."""
        ec2 = self.client("ec2")
        [machine] = ec2.run_instances(
            ImageId=IMAGE,
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=self.tags("instance", **tags),
        )["Instances"]
        ec2.get_waiter("instance_running").wait(InstanceIds=[machine["InstanceId"]])
        return str(machine["InstanceId"])

    @contextmanager
    def listening(self, bus: str, source: str) -> Iterator[str]:
        """URL of a queue that gets the source's events of the bus, for the length of a `with` block."""
        events, name = self.client("events"), uuid4().hex[:12]  # a rule's name has at most 64
        queue, arn = look_queue(self.stack, name)
        rule = f"{self.stack.name}-look-{name}"
        events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": [source]}))
        events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "look", "Arn": arn}])
        try:
            self.settle()
            yield queue
        finally:
            events.remove_targets(Rule=rule, EventBusName=bus, Ids=["look"])
            events.delete_rule(Name=rule, EventBusName=bus)
            self.client("sqs").delete_queue(QueueUrl=queue)

    def alert(self, containing: str, function: str) -> dict[str, Any]:
        """Wait for an e-mail of the alerts topic whose subject contains the text; show it and keep it in the folder."""
        seen: list[dict[str, Any]] = []

        def look() -> dict[str, Any] | None:
            seen.extend(self.take(self.alerts))
            return next((mail for mail in seen if containing in mail["Subject"]), None)

        mail = self.expect("an alert was mailed", look, function)
        self.say("mail", mail["Subject"])
        self.keep(f"{function}-mail.txt", f"Subject: {mail['Subject']}\n\n{mail['Message']}".encode())
        return mail

    def slack(self, path: str, containing: str, function: str) -> dict[str, Any]:
        """Wait for a Slack message on the path whose text contains the words; show it and keep it in the folder."""
        found = self.expect(
            "Slack got a message",
            lambda: next((r.json() for r in self.receiver.to(path) if containing in r.json()["text"]), None),
            function,
        )
        self.say("Slack", found["text"])
        self.keep(f"{function}-slack.json", json.dumps(found, indent=2, ensure_ascii=False).encode())
        return found

    def keep(self, name: str, content: bytes) -> Path:
        """Put a file into the folder for a person to look at; a number is added to a name that is taken."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        number = 2
        while path.exists():
            path = (self.folder / name).with_stem(f"{Path(name).stem}-{number}")
            number += 1
        path.write_bytes(content)
        return path

    def _function(self, rule: str) -> str:
        return next(item.function for item in self.stack.rules if item.name == rule)

    def _tail(self, function: str) -> str:
        lines = "\n".join(json.dumps(line, ensure_ascii=False) for line in self.stack.log(function)[-15:])
        return f"The log of {function}:\n{lines or '(empty)'}"


def look_queue(stack: Stack, name: str) -> tuple[str, str]:
    """URL and ARN of a new queue to look at, which takes what the account's topics and rules send."""
    sqs = stack.cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"{stack.name}-look-{name}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    _, partition, _, region, account, _ = arn.split(":")
    senders = [f"arn:{partition}:{service}:{region}:{account}:*" for service in ("sns", "events")]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": senders}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return str(url), str(arn)
