"""The application as it is deployed: built and deployed by SAM CLI, then read back through the AWS APIs."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from local import archives, left_out
from local.cloud import ACCOUNT, REGION, ROOT, Aws, Cloud, LocalError
from local.explain import reaches
from local.hold import look

NAME = "eventbridge-automations"
BUILT = ROOT / ".aws-sam" / "local" / "build" / "template.yaml"
DEPLOYED = BUILT.with_name("deployed.yaml")  # as samconfig.toml says

DEFAULT_BUS = "default"

UPLOADS = "amzn-s3-demo-uploads"  # the bucket that the sample events name
DERIVATIVES = "amzn-s3-demo-derivatives"
INGESTED = "amzn-s3-demo-source-bucket"

# Everything is switched on, so that everything can be tried.
PARAMETERS = {
    "EnableImageResize": "true",
    "EnableEc2StateAlerts": "true",
    "EnableCodebuildSlack": "true",
    "CodebuildProjectPrefix": "web-",
    "EnableSecurityRemediation": "true",
    "EnablePartnerRelay": "true",
    "SlackWebhookSecret": "eventbridge-automations/slack-webhook",
    "UploadsBucketName": UPLOADS,
    "DerivativesBucketName": DERIVATIVES,
    "ImageFormats": "keep,webp",
    "AutoRestart": "true",
    "RestartAfterUserStop": "true",
    "SecurityMode": "enforce",
    "SessionPrincipals": f"arn:aws:iam::{ACCOUNT}:role/Operators",
    "SecretReaders": f"arn:aws:iam::{ACCOUNT}:role/Operators",
    "SecurityExemptionsParameter": f"/{NAME}/security-exemptions",
    "EnableRdsBackup": "true",
    "BackupMinimumCopies": "1",
    "EnableOfficeHours": "true",
    "EnableAppNotifications": "true",
    "EnableEventPipeline": "true",
    "PipelineSourceBucketName": INGESTED,
    # Made up: MiniStack's pipes do not feed a queue, and its Firehose takes Redshift's records without loading them.
    "PipelineTableStreamArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders/stream/2026-11-01T00:00:00.000",
    "PipelineKinesisStreamArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks",
    "PipelineRedshiftJdbcUrl": f"jdbc:redshift://analytics.c1.{REGION}.redshift.amazonaws.com:5439/dev",
    "PipelineRedshiftSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:redshift-Ab3dEf",
    "EnableApiCaller": "true",
    "EnableApigatewayLogging": "true",
    "ApiLogRetentionDays": "14",
    "ApiExecutionLogLevel": "INFO",
    "SetApiGatewayAccountRole": "true",
    "EnableAccountAlerts": "true",
    "EnableBasket": "true",
    "EnableOrdering": "true",
    # @ buses
    "ForwardedEvents": "true",
    "BusAccounts": "444455556666,777788889999",
    "BusOrganization": "o-exampleorgid",
    "BusSources": "aws.*,com.example.*",
    # @ webhook_receiver
    "EnableWebhookReceiver": "true",
    # @ archives
    "ArchiveEvents": "true",
    # @ schemas
    "DiscoverSchemas": "true",
    # @ order_events
    "PublishOrderEvents": "true",
    # @ dashboard
    "Dashboard": "true",
    "Alarms": "true",
}


@dataclass(frozen=True)
class Rule:
    """A deployed rule.

    Attributes:
        name: its key under Events in template.yaml, such as `InstanceStateChanged`; else its logical id.
        function: logical id of what it sends events to, a function of the stack or, say, a topic.
        bus: name of its bus.
        pattern: its event pattern, as JSON.
        target: ARN of what it sends events to.
        transformer: how EventBridge rewrites the event for the target, if it does.
        enabled: whether EventBridge judges events by it at all.
        arn: its own.
    """

    name: str
    function: str
    bus: str
    pattern: str
    target: str
    transformer: Mapping[str, Any] | None = None
    enabled: bool = True
    arn: str = ""

    @property
    def invokes(self) -> bool:
        """Whether it sends events to a function."""
        return self.function.endswith("Function")


@dataclass(frozen=True)
class Schedule:
    """A deployed schedule. `name` is its key under Events in template.yaml; `input` holds EventBridge's own placeholders."""

    name: str
    function: str
    input: str
    target: str
    arn: str

    def sends(self, event: Mapping[str, Any]) -> bool:
        """Whether it sends such an event, which names it: also one of a schedule of the same name in another deployment."""
        own = self.event(datetime.now(UTC))
        alike = all(event.get(part) == own.get(part) for part in ("source", "detail-type", "detail"))
        named = event.get("resources")
        return alike and isinstance(named, list) and [_name(str(arn)) for arn in named] == [_name(self.arn)]

    def event(self, at: datetime) -> dict[str, Any]:
        """The event that the function gets for the run of that time.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
        """
        values = {
            "schedule-arn": self.arn,
            "scheduled-time": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "execution-id": str(uuid4()),
            "attempt-number": "1",
        }
        text = self.input
        for name, value in values.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        event: dict[str, Any] = json.loads(text)
        return event


@dataclass(frozen=True)
class Sent:
    """Attributes:
    rules: those that matched.
    event_id: the id under which the functions know the event; `PutEvents` gives a new one.
    """

    rules: list[Rule]
    event_id: str


def deploy(cloud: Cloud, parameters: Mapping[str, str] | None = None) -> Stack:
    """Build for this machine's Python and deploy, both with SAM CLI, as one does for AWS.

    Raises:
        LocalError: SAM CLI failed; the message holds what it wrote.
    """
    with _alone():
        return _deploy(cloud, parameters)


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process builds and deploys: all use the same folder."""
    BUILT.parents[1].mkdir(parents=True, exist_ok=True)
    with (BUILT.parents[1] / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield


def _deploy(cloud: Cloud, parameters: Mapping[str, str] | None) -> Stack:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    # MiniStack runs the functions on the Python that runs it.
    sam("build", "--config-env", "local", env={**os.environ, "PYTHON_VERSION": python, "PYTHON_PLATFORM": ""})
    values = {**PARAMETERS, "AwsEndpointUrl": cloud.endpoint, **(parameters or {})}
    overrides = [f"{name}={value}" for name, value in values.items() if value]  # SAM CLI takes no empty value
    left_out.leave_out(BUILT, DEPLOYED)
    sam(
        *("deploy", "--config-env", "local", "--parameter-overrides", *overrides),
        env={**cloud.environment(), "SAM_CLI_POLL_DELAY": "0.1"},
    )
    stack = Stack(cloud)
    archives.create(stack, BUILT, values)
    return stack


def sam(*arguments: str, env: Mapping[str, str]) -> None:
    """Run SAM CLI.

    Raises:
        LocalError: it failed; the message holds the end of what it wrote.
    """
    tools = Path(sys.executable).parent  # SAM CLI, and the uv that its builds call
    done = subprocess.run(
        [tools / "sam", *arguments],
        cwd=ROOT,
        env={**env, "PATH": f"{tools}{os.pathsep}{env['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalError(
            f"sam {arguments[0]} failed ({done.returncode}).\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )


@dataclass(frozen=True)
class Stack:
    """The deployed stack, on the local cloud or on AWS."""

    cloud: Cloud | Aws
    name: str = NAME

    @cached_property
    def outputs(self) -> dict[str, str]:
        [stack] = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The values of the template's parameters in this deployment."""
        [stack] = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}

    @cached_property
    def resources(self) -> dict[str, str]:
        """Physical id by logical id.

        Raises:
            LocalError: there is no stack of this name.
        """
        pages = self.cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        with self._there():
            return {
                item["LogicalResourceId"]: item["PhysicalResourceId"]
                for page in pages
                for item in page["StackResourceSummaries"]
                if "PhysicalResourceId" in item  # not of one that is being made, or could not be
            }

    def version(self) -> str:
        """What is another text after each deployment; asked for anew each time.

        Raises:
            LocalError: there is no stack of this name.
        """
        with self._there():
            [found] = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return f"{found['StackId']} {found.get('LastUpdatedTime')} {found['StackStatus']}"

    @contextmanager
    def _there(self) -> Iterator[None]:
        """Say it in words when CloudFormation knows no stack of this name."""
        try:
            yield
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise LocalError(
                f"There is no stack {self.name} in {self.cloud.region}. Name another: --stack NAME, --region REGION"
            ) from None

    @cached_property
    def rules(self) -> list[Rule]:
        """The rules that send events to a resource of this stack."""
        events = self.cloud.client("events")
        # Physical ids are names, ARNs and URLs; that of a rule may carry its bus before its name.
        logical_ids = {_name(physical): logical for logical, physical in self.resources.items()}
        found = []
        for bus, rule in self._rules_of_all_buses():
            if rule["Name"] in logical_ids:
                for target in events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]:
                    if function := logical_ids.get(_name(target["Arn"])):
                        # SAM names the rule of a function after the function's logical id and the rule's own key.
                        name = logical_ids[rule["Name"]].removeprefix(function)
                        transformer = target.get("InputTransformer")
                        enabled = rule.get("State") != "DISABLED"
                        pattern, arn = rule["EventPattern"], rule["Arn"]
                        found.append(Rule(name, function, bus, pattern, target["Arn"], transformer, enabled, arn))
        return found

    def _rules_of_all_buses(self) -> Iterator[tuple[str, Any]]:
        """Name of the bus and rule, for each rule of the account and region."""
        events = self.cloud.client("events")
        more: dict[str, str] = {}
        while True:
            page = events.list_event_buses(**more)
            for bus in page["EventBuses"]:
                for rules in events.get_paginator("list_rules").paginate(EventBusName=bus["Name"]):
                    yield from ((bus["Name"], rule) for rule in rules["Rules"])
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}

    def matching(self, event: Mapping[str, Any], bus: str | None = None) -> list[Rule]:
        """The rules whose pattern matches, judged by EventBridge's own `TestEventPattern`.

        Only rules of a bus on which the event arrives by itself; or, as if it were forwarded there, of the bus that is named.
        A partner's event whose bus has no rule here is judged as if it were forwarded to the default bus: without a bus for
        partners, the template's rule is there.
        """
        events, text, source = self.cloud.client("events"), json.dumps(event), str(event.get("source", ""))
        if not bus and not any(reaches(rule.bus, source) for rule in self.rules):
            bus = DEFAULT_BUS
        return [
            rule
            for rule in self.rules
            if (rule.bus == bus if bus else reaches(rule.bus, source))
            and events.test_event_pattern(EventPattern=rule.pattern, Event=text)["Result"]
        ]

    def send(self, event: Mapping[str, Any], bus: str | None = None, rules: list[Rule] | None = None) -> Sent:
        """Send the event: one's own by `PutEvents` to the bus of the rules that match.

        With a `bus`, as if it were forwarded there; with `rules`, to these alone.

        Nobody can put the event of an AWS service or a partner on a bus by hand, on AWS or here: for these, do what
        EventBridge does, and invoke the functions, and fill the queues, of the rules that match. A rule with another target is copied.
        """
        matching = self.matching(event, bus) if rules is None else rules
        if event["source"].startswith("aws."):
            for rule in matching:
                if rule.invokes:
                    self.invoke(rule.target, event)
                elif ":sqs:" in rule.target and not rule.transformer:
                    self.queue(rule.target.split(":")[-1], json.dumps(event))
                else:
                    self.send_through_copy(rule, event)
            return Sent(matching, event["id"])
        ids = {name: self._put(name, event) for name in {rule.bus for rule in matching}}
        return Sent(matching, next(iter(ids.values()), event["id"]))

    def _put(self, bus: str, event: Mapping[str, Any]) -> str:
        entry = {
            "EventBusName": bus,
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": event.get("resources", []),
        }
        [answer] = self.cloud.client("events").put_events(Entries=[entry])["Entries"]
        if "EventId" not in answer:
            raise LocalError(f"The bus {bus} did not take the event: {answer}")
        return str(answer["EventId"])

    def send_through_copy(self, rule: Rule, event: Mapping[str, Any]) -> None:
        """Let EventBridge itself hand the event to the rule's target, rewritten as the rule says.

        A copy of the rule, on a bus of its own, matches a source of our own. So the event's source and id are others there, and
        its account and region those of the bus. The local cloud has delivered it when `PutEvents` returns; on AWS the bus stays,
        because EventBridge delivers after a while, until `removal` finds it by its name.
        """
        events, name = self.cloud.client("events"), f"{self.name}-copy-{uuid4().hex[:12]}"
        transformed = {"InputTransformer": rule.transformer} if rule.transformer else {}
        events.create_event_bus(Name=name)
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": name, "Arn": rule.target, **transformed}])
        time.sleep(self.cloud.settling)
        self._put(name, {**event, "source": name})
        if self.cloud.settling:
            return
        events.remove_targets(Rule=name, EventBusName=name, Ids=[name])
        events.delete_rule(Name=name, EventBusName=name)
        events.delete_event_bus(Name=name)

    def invoke(self, target: str, event: Mapping[str, Any]) -> None:
        """Invoke a function asynchronously, with Lambda's retries and failure destination."""
        self.cloud.client("lambda").invoke(
            FunctionName=target, InvocationType="Event", Payload=json.dumps(event).encode()
        )

    def queue(self, name: str, body: str) -> None:
        """Send a message to a queue."""
        sqs = self.cloud.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], MessageBody=body)

    @cached_property
    def schedules(self) -> list[Schedule]:
        """The schedules that invoke a function of this stack."""
        scheduler = self.cloud.client("scheduler")
        logical_ids = {physical.split("|")[-1]: logical for logical, physical in self.resources.items()}
        found = []
        for page in scheduler.get_paginator("list_schedules").paginate():
            for item in page["Schedules"]:
                if item["Name"] in logical_ids:
                    schedule = scheduler.get_schedule(Name=item["Name"], GroupName=item["GroupName"])
                    target = schedule["Target"]["Arn"]
                    function = logical_ids.get(target.split(":")[-1], "")
                    if function.endswith("Function"):
                        name = logical_ids[item["Name"]].removeprefix(function)
                        found.append(Schedule(name, function, schedule["Target"]["Input"], target, schedule["Arn"]))
        return found

    def variables(self) -> dict[str, dict[str, str]]:
        """The environment variables of each function, as `sam local invoke --env-vars` reads them."""
        functions = self.cloud.client("lambda")
        return {
            logical: functions.get_function_configuration(FunctionName=physical)["Environment"]["Variables"]
            for logical, physical in sorted(self.resources.items())
            if logical.endswith("Function")
        }

    def log(self, function: str, event_id: str = "", since: datetime | None = None) -> list[dict[str, Any]]:
        """What the function logged as JSON, oldest first; only the lines about one event when its id is given."""
        lines = []
        for text in self.messages(function, since):
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue
            if isinstance(line, dict) and (not event_id or line.get("correlation_id") == event_id):
                lines.append(line)
        return lines

    def messages(self, function: str, since: datetime | None = None, logs: Any = None) -> list[str]:
        """The lines in the function's log group, Lambda's own among them, oldest first.

        Args:
            logs: a boto3 client of CloudWatch Logs, for who asks about many functions.
        """
        return [text for _, text in self.dated_messages(function, since, logs)]

    def dated_messages(
        self, function: str, since: datetime | None = None, logs: Any = None
    ) -> list[tuple[datetime, str]]:
        """The same, each with its time."""
        group = self.resources.get(function.removesuffix("Function") + "LogGroup")
        if not group:  # a topic, say, logs nothing
            return []
        start = {"startTime": int(since.timestamp() * 1000)} if since else {}
        logs = logs or self.cloud.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **start)
        try:
            return [
                (datetime.fromtimestamp(entry["timestamp"] / 1000, UTC), text)
                for page in pages
                for entry in page["events"]
                # A JSON line may hold other ends of lines, which splitlines knows: in the name of a picture, say.
                for text in entry["message"].split("\n")
                if text
            ]
        except logs.exceptions.ResourceNotFoundException:  # somebody deleted the group
            return []

    def failed_events(self) -> list[dict[str, Any]]:
        """What is in the failed-events queue: each with `requestPayload`, the event, and `responsePayload`, why."""
        messages = look(self.cloud.client("sqs"), self.outputs["FailedEventsQueue"])
        return [json.loads(message["Body"]) for message in messages]


def ended(request: str, messages: Iterable[str]) -> bool:
    """Whether Lambda has reported the end of the invocation, as JSON or as text.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
    """
    return any(request in line and (line.startswith("REPORT ") or '"platform.report"' in line) for line in messages)


def _name(identifier: str) -> str:
    """The name at the end of an ARN, a URL or `bus|rule`; else the identifier itself."""
    return re.split(r"[|:/]", identifier)[-1]
