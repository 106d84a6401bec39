"""What the console asks the local cloud or AWS, and what it lets it do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import cloud as local_cloud
from local import inbox
from local.cloud import ROOT, Aws, Cloud, LocalError
from local.commands.explain import PATIENT, Judged, judge_rule
from local.commands.failed import LIMIT, Wanted, counts, ingest_failures, not_read, take, target_of
from local.commands.security import put_back, read_record
from local.commands.send import effects, left_out, through_s3
from local.console.chart import Station, stations
from local.console.effects import State, look_at, things
from local.console.journeys import Journey, Told, Way, follow, is_young, received, record_ids
from local.event_file import complete, renew
from local.explain import judge
from local.failed import FailedEvent
from local.hold import Hold
from local.retry import MARGIN, Hands, Leave, Step, Throttled, longest_timeout, plan
from local.stack import Rule, Schedule, Stack
from local.stage import look_queue
from local.template import Loader
from local.terminal import place

INBOX = ROOT / "out" / "received"
TEMPLATE = ROOT / "template.yaml"
WINDOW = timedelta(hours=1)
"""How far back the console looks."""
MOST = 1000
"""So many events are known at a time."""
AT_ONCE = 3
"""So many events are judged at a look: each takes a call of EventBridge for each rule."""
EXEMPT_DAYS = 7
"""For how long what was undone is not changed again."""
LARGEST = 20 * 2**20
"""Bytes of a picture, as the template allows unless it is told otherwise."""
PICTURES = frozenset(f"image/{kind}" for kind in ("jpeg", "png", "gif", "webp", "avif", "bmp", "tiff"))
"""What a browser is shown as a picture. SVG is none of them: it can hold scripts."""
EVERY_EVENT = {"source": [{"prefix": ""}]}


@dataclass
class Watch:
    """The deployed application, as the console sees it.

    Attributes:
        inbox: where the local cloud's receiver puts the messages that come to it.
        tap: URL of a queue that gets every event of every bus.
        state: the file that says which local cloud runs and what is deployed on it: when it changes, the stack is looked at anew.
        on_aws: it is a stack in an AWS account, where nothing is made to look at it and no local receiver hears of it.
    """

    stack: Stack
    inbox: Path = INBOX
    tap: str = ""
    state: Path | None = None
    on_aws: bool = False
    _seen: int = 0
    _version: str = ""
    _account: str = ""
    _events: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _came: dict[str, datetime] = field(default_factory=dict)
    _ways: dict[str, Sequence[Way]] = field(default_factory=dict)
    _looked: tuple[float, list[Journey]] = (0.0, [])
    _looking: Lock = field(default_factory=Lock)
    _renewing: Lock = field(default_factory=Lock)

    @property
    def _config(self) -> Config | None:
        """AWS may ask for patience; the local cloud answers at once or not at all."""
        return PATIENT if self.on_aws else None

    def account(self) -> str:
        """The number of the account, which stays the one that the pages have named."""
        with self._renewing:
            self._account = self._asked(lambda: str(self.stack.cloud.account))
            return self._account

    def open_tap(self) -> None:
        """Have every event of every bus copied to a queue from now on, so that those are known that others send."""
        events = self.stack.cloud.client("events")
        self.tap, arn = look_queue(self.stack, "console")
        for bus in events.list_event_buses()["EventBuses"]:
            name = f"{self.stack.name}-look-console"
            events.put_rule(Name=name, EventBusName=bus["Name"], EventPattern=json.dumps(EVERY_EVENT))
            events.put_targets(Rule=name, EventBusName=bus["Name"], Targets=[{"Id": "look", "Arn": arn}])

    def keep_up(self) -> None:
        """Look at the stack anew when something was deployed, or a local cloud was started, since the last time."""
        with self._renewing:
            if self.on_aws:
                self._keep_up_with_aws()
                return
            changed = self.state.stat().st_mtime_ns if self.state and self.state.exists() else self._seen
            if changed != self._seen and (cloud := local_cloud.find()):
                self._renew(cloud)
                self.open_tap()
                self._seen = changed

    def _keep_up_with_aws(self) -> None:
        version = self._asked(lambda: self.stack.version())
        if version != self._version:
            self._renew(self.stack.cloud)
            self._version = version

    def _asked(self, question: Callable[[], str]) -> str:
        """The answer; asked again in a new session, because one keeps its credentials and somebody may have signed in meanwhile."""
        try:
            return question()
        except (BotoCoreError, ClientError):
            fresh = replace(self.stack.cloud)
            if self._account and fresh.account != self._account:
                raise LocalError(
                    f"This console looks at account {self._account}, and you are signed in to {fresh.account} now. "
                    "Start another one for that, in a terminal: make console PROFILE=name"
                ) from None
            self._renew(fresh)
            return question()

    def _renew(self, cloud: Cloud | Aws) -> None:
        self.stack = Stack(cloud, self.stack.name)
        self._ways.clear()

    # ---------------------------------------------------------------- Send

    def explain(self, event: Mapping[str, Any]) -> list[Judged]:
        """Each rule's judgement of the event: those that match, then the near misses, then the others."""
        self.keep_up()
        whole, _ = complete(event, *place(self.stack))
        matches = judge(self.stack.cloud.client("events", self._config), whole)
        return sorted(
            (judge_rule(rule, matches, thoroughly=False) for rule in self.stack.rules), key=lambda one: one.rank
        )

    def kept_from(self, rule: Rule, event: Mapping[str, Any]) -> str:
        """Why the event is not sent to this rule's target from here; empty when it is."""
        return left_out(rule, event, on_aws=self.on_aws)

    def schedules_of(self, event: Mapping[str, Any]) -> list[Schedule]:
        """The schedules that send such an event; one at most, because it names its schedule."""
        return [schedule for schedule in self.stack.schedules if schedule.sends(event)]

    def send(self, event: Mapping[str, Any]) -> tuple[Sequence[Rule | Schedule], str]:
        """Send the event as `make send` does: new, and an upload by uploading a picture; that of a schedule to its function.

        Returns the rules or schedules that it goes by, and its id; that is empty when S3 gives it one.
        """
        if schedules := self.schedules_of(event):
            return schedules, self.fire(schedules[0])
        new, rules = self._renewed(event)
        if not rules or (not self.on_aws and through_s3(self.stack, new)):
            return rules, ""
        sent = self.stack.send(new, rules=rules)
        self._know({**new, "id": sent.event_id}, ways(rules))
        return rules, sent.event_id

    def would_do(self, event: Mapping[str, Any]) -> str:
        """What sending it does on AWS, in words; empty when nothing is sent."""
        if schedules := self.schedules_of(event):
            return f"invokes {schedules[0].function}, whose effects are real"
        new, rules = self._renewed(event)
        return effects(rules, new) if rules else ""

    def _renewed(self, event: Mapping[str, Any]) -> tuple[dict[str, Any], list[Rule]]:
        """The event as a new one, and the rules that it goes to."""
        new, _ = complete(renew(event), *place(self.stack))
        return new, [rule for rule in self.stack.matching(new) if not self.kept_from(rule, new)]

    def upload(self, name: str, content: bytes) -> str:
        """Put the file into the uploads bucket under its own name, of which only the last part counts; returns the key.

        Raises:
            LocalError: the stack has no such bucket.
        """
        bucket = self.stack.outputs.get("UploadsBucket")
        if not bucket:
            raise LocalError(f"The stack {self.stack.name} has no uploads bucket: EnableImageResize is not true.")
        key = name.replace("\\", "/").rsplit("/", 1)[-1]
        self.stack.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return key

    # ---------------------------------------------------------------- Follow

    def look(self) -> list[Journey]:
        """What became of the events of the last hour, the newest first. Who asks meanwhile shares the next look."""
        asked = monotonic()
        with self._looking:
            if self._looked[0] < asked:
                self._looked = monotonic(), self._look()
            return self._looked[1]

    def _look(self) -> list[Journey]:
        self.keep_up()
        self._drain()
        self._judge()
        now = datetime.now(UTC)
        since = now - WINDOW
        self._forget(since)
        functions = [name for name in self.stack.resources if name.endswith("Function")]
        # One for all: it slows down for all of them when CloudWatch Logs asks for that.
        client = self.stack.cloud.client("logs", self._config)
        logs = {name: self.stack.messages(name, since, client) for name in functions}
        return follow(dict(self._events), dict(self._ways), logs, [] if self.on_aws else self._told(since), now)

    def _know(self, event: Mapping[str, Any], brought: Sequence[Way] | None = None) -> None:
        """Keep the event, and what brings it to functions where that is known already."""
        event_id = str(event["id"])
        if brought is not None:
            self._ways[event_id] = brought
        self._came[event_id] = datetime.now(UTC)
        self._events[event_id] = event

    def _forget(self, since: datetime) -> None:
        """Forget the events that came before, and the oldest when there are very many."""
        known = list(self._came.items())
        old = [event_id for event_id, came in known if came < since]
        for event_id in [*old, *(event_id for event_id, _ in known[len(old) : -MOST])]:
            for kept in (self._events, self._came, self._ways):
                kept.pop(event_id, None)

    def rules_of(self, journey: Journey) -> Sequence[str]:
        """The names of the rules and schedules of its event, judged when somebody asks."""
        if not journey.ways and journey.event is not None and journey.id not in self._ways:
            self._ways[journey.id] = self._ways_of(journey.event)
        return [way.name for way in journey.ways or self._ways.get(journey.id, ())]

    def _ways_of(self, event: Mapping[str, Any]) -> list[Way]:
        if schedules := self.schedules_of(event):
            return ways(schedules)
        whole, _ = complete(event, *place(self.stack))
        return ways(self.stack.matching(whole))

    def _judge(self) -> None:
        """Judge some of the events that have just come, so that it is known which functions are at work on them."""
        now = datetime.now(UTC)
        new = [one for one, event in list(self._events.items()) if one not in self._ways and is_young(event, now)]
        for event_id in new[-AT_ONCE:]:
            self._ways[event_id] = self._ways_of(self._events[event_id])

    def touched(self, journey: Journey) -> dict[str, list[State]]:
        """What its functions touched, as it is now, by the function."""
        return {
            run.function: [state for thing in things(run, journey.event) for state in look_at(self.stack, thing)]
            for run in journey.runs
        }

    def _drain(self) -> None:
        sqs = self.stack.cloud.client("sqs")
        while self.tap and (messages := sqs.receive_message(QueueUrl=self.tap, MaxNumberOfMessages=10).get("Messages")):
            for message in messages:
                self._know(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.tap, ReceiptHandle=message["ReceiptHandle"])

    def _told(self, since: datetime) -> list[Told]:
        files = sorted(self.inbox.glob("*")) if self.inbox.is_dir() else []
        return [
            received(file.name, read(file), read(inbox.call_of(file)))
            for file in files
            if file.suffix != inbox.CALL and file.stat().st_mtime >= since.timestamp()
        ]

    def picture(self, bucket: str, key: str) -> tuple[bytes, str] | None:
        """A picture of the `uploads` or the `derivatives`, and its type; None when there is none."""
        name = self.stack.outputs.get({"uploads": "UploadsBucket", "derivatives": "DerivativesBucket"}.get(bucket, ""))
        if not name:
            return None
        s3 = self.stack.cloud.client("s3")
        try:
            found = s3.get_object(Bucket=name, Key=key)
        except s3.exceptions.NoSuchKey:
            return None
        if found["ContentLength"] > LARGEST:
            return None
        content = found["Body"].read()
        kind = found["ContentType"] if found["ContentType"] in PICTURES else kind_of(content)
        return (content, kind) if kind else None

    def records(self, journey: Journey) -> list[dict[str, Any]]:
        """The audit records of what security_remediation did because of the event."""
        found = []
        for record in record_ids(journey):
            try:
                found.append(read_record(self.stack, record))
            except LocalError:  # it found nothing to do, or does not do it by itself
                continue
        return found

    def undo(self, record: str) -> date:
        """Put back what was there before that change; returns the last day on which it stays exempt."""
        return put_back(self.stack, record, reason="Undone in the console", days=EXEMPT_DAYS)

    # ---------------------------------------------------------------- Map

    def stations(self) -> list[Station]:
        """What is deployed."""
        self.keep_up()
        self.stack.version()  # so that a local cloud that was stopped is said, and not what is remembered of it
        return stations(
            read_template(TEMPLATE.stat().st_mtime_ns), self.stack.rules, self.stack.schedules, self.stack.resources
        )

    def fire(self, schedule: Schedule) -> str:
        """Run the schedule's function as if it were its time now; returns the event's id."""
        event = schedule.event(datetime.now(UTC))
        self.stack.invoke(schedule.target, event)
        self._know(event, ways([schedule]))
        return str(event["id"])

    # ---------------------------------------------------------------- Failed

    def failed(self) -> list[tuple[FailedEvent, str, Step]]:
        """What waits in the queues, the oldest first: with what it was for, and what a retry would do."""
        self.keep_up()
        with Hold(self.stack.cloud.client("sqs")) as hold:
            found = take(hold, self.stack, Wanted())
        return [(item, target_of(item, self.stack), plan(item, self.stack.resources)) for item in found]

    def not_seen(self) -> list[str]:
        """What to say about messages that a look at the queues now does not show."""
        self.keep_up()
        return [*not_read(counts(self.stack, Wanted()), LIMIT), *ingest_failures(self.stack)]

    def retry(self, ids: Iterable[str]) -> tuple[int, list[str]]:
        """Try these again, and delete each that succeeds; returns how many did, and why others did not."""
        wanted, problems, done = set(ids), [], 0
        with Hold(self.stack.cloud.client("sqs")) as hold:
            found = [item for item in take(hold, self.stack, Wanted()) if item.id in wanted]
            steps = [(item, plan(item, self.stack.resources)) for item in found]
            longest = longest_timeout(self.stack, [step for _, step in steps])
            hold.seconds = longest + 2 * MARGIN
            hold.renew()
            hands = Hands.of(self.stack, longest)
            for item, step in steps:
                try:
                    why = step.why if isinstance(step, Leave) else hands.carry_out(step, item)
                except Throttled as error:
                    problems.append(f"Stopped, the rest was not tried: Lambda takes no more at the moment: {error}")
                    break
                if why:
                    problems.append(f"{item.id[:8]}: {why}")
                    hold.give_back(item.id)
                else:
                    hold.delete(item.id)
                    done += 1
        missing = wanted - {item.id for item in found}
        return done, problems + [f"{one[:8]}: it is not in its queue any more" for one in sorted(missing)]


def ways(of: Iterable[Rule | Schedule]) -> list[Way]:
    """The rules and schedules, by their names."""
    return [Way(f"schedule {one.name}" if isinstance(one, Schedule) else one.name, one.function) for one in of]


def read(file: Path) -> str:
    """What is in the file; nothing when there is none."""
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


@lru_cache(maxsize=1)
def read_template(_: int) -> Mapping[str, Any]:
    """The template, read again when its file has another time: it takes seconds."""
    found: Mapping[str, Any] = yaml.load(TEMPLATE.read_text(), Loader)  # noqa: S506 # a SafeLoader
    return found


def kind_of(content: bytes) -> str:
    """The type of a picture by its first bytes, for one that was uploaded without; empty when it is none.

    https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern
    """
    signatures = {
        b"\xff\xd8\xff": "image/jpeg",
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"GIF8": "image/gif",
        b"BM": "image/bmp",
    }
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in signatures.items() if content.startswith(start)), "")
