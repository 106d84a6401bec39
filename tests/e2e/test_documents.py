"""Every command in the documents: run here on the local cloud, or named in `ELSEWHERE` with the test that runs it or why none can.

What is for AWS (`--aws`, `--profile`, the AWS CLI) runs with the local cloud standing in for AWS.
"""

import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import yaml
from local.__main__ import parser
from local.cloud import ACCOUNT, REGION, Cloud, wait_for
from local.documents import takes
from local.stack import PARAMETERS
from local.stage import SECONDS, Stage
from local.template import Loader
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.delete.command import cli as sam_delete
from samcli.commands.deploy.command import cli as sam_deploy
from samcli.commands.local.invoke.cli import cli as sam_local_invoke

from security_remediation.audit import PREFIX
from tests import aws_cli
from tests.documents import commands
from tests.template_file import RESOURCES, ROOT, TEMPLATE

COMMANDS = commands()
LOCAL = ".venv/bin/python -m local "

RUN = {
    "make send EVENT=events/account_alerts/guardduty-high.json": "GuardDutyFindingRule matches",
    "make send EVENT=events/api_caller/pipeline-failed.json": "ConfiguredEvent matches",
    "make send EVENT=events/apigateway_logging/create-stage-rest.json": "ApiStageCreated matches",
    "make send EVENT=events/app_notifications/large-payment.json": "PaymentCompleted matches",
    "make send EVENT=events/codebuild_slack/failed.json": "BuildFinished matches",
    "make send EVENT=events/ec2_state_alerts/stopped.json": "Looked at an instance",
    "make send EVENT=events/event_pipeline/application-event.json": "IngestApplicationEvent matches",
    "make send EVENT=events/image_resize/uploaded.json": "Uploaded a photo to s3://",
    "make send EVENT=events/ordering/basket-checked-out.json": "BasketCheckedOut matches",
    "make send EVENT=events/partner_relay/datadog-monitor.json": "PartnerEvent matches",
    "make send EVENT=events/rds_backup/snapshot-created.json": "SnapshotFinished matches",
    "make send EVENT=events/security_remediation/put-bucket-policy-public.json": "S3Call matches",
    "make explain EVENT=events/ec2_state_alerts/running.json": 'detail.state is "running"; the rule wants "stopped" or "terminated"',
    "make explain EVENT=events/rds_backup/snapshot-creating.json": 'detail.EventID is "RDS-EVENT-0040"',
    LOCAL + "send --aws events/ec2_state_alerts/stopped.json": "whose effects are real",
    LOCAL + "send --profile ops --region us-east-1 events/ec2_state_alerts/stopped.json": "whose effects are real",
    LOCAL + "send --aws --bus eventbridge-automations event.json": "ForwardedRootActivity matches",
    LOCAL
    + "send --bus eventbridge-automations events/security_remediation/root-console-sign-in.json": "ForwardedRootActivity matches",
    LOCAL + "explain --aws events/ec2_state_alerts/running.json": "No rule matches.",
    LOCAL + "env-vars --aws > /tmp/env-vars.json": '"POWERTOOLS_SERVICE_NAME": "ec2_state_alerts"',
    LOCAL + "failed list": "1 event: 1 failed.",
    LOCAL + "failed list --aws": "1 event: 1 failed.",
    LOCAL + "failed show 6a9cc13b": "invoke Ec2StateAlertsFunction with the event",
    LOCAL + "failed show --aws 6a9cc13b": "invoke Ec2StateAlertsFunction with the event",
    LOCAL + "failed retry --all": "1 succeeded, 0 failed again, 0 left.",
    LOCAL + "failed retry --aws --all": "1 succeeded, 0 failed again, 0 left.",
    LOCAL + "replay --aws --from 2026-11-22T09:00+09:00 --to 2026-11-22T10:30+09:00 --bus default": "is complete.",
    LOCAL + "replay --aws --from -2h --to -10m --rule PaymentCompleted": "is complete.",
    LOCAL + "replay list --aws": "COMPLETED",
    LOCAL + "replay follow NAME --aws": "is complete.",
    LOCAL + "report": "Price of the application",
    LOCAL + "report --month 2026-11 --html report.html": "Price of the application",
    LOCAL + "report --aws --month 2026-11 --hourly-price 0.05": "Price of the application",
    LOCAL + "schemas check": "as the models say",
    LOCAL + "schemas write": "as the models say",
    LOCAL + "schemas show": "com.example.basket@CheckoutBasket",
    LOCAL + "schemas show com.example.basket@CheckoutBasket": "x-amazon-events-detail-type",
    LOCAL + "schemas bindings --output ../shop/shop_events": "com_example_basket_checkoutbasket",
    LOCAL + "security list --aws": "has the policy AdministratorAccess",
    LOCAL + 'security undo --aws RECORD --reason "it is meant to be public"': "Put back. It is exempt until",
    LOCAL + 'security undo --aws ID --reason "vendor needs SSH" --days 7': "Put back. It is exempt until",
    LOCAL + "dashboard write": "All of it was up to date.",
}
"""What is run here, as it is typed, and a part of what it must print; in this order."""

ELSEWHERE = {
    "make demo": "tests/e2e/test_scenes.py::test_a_scene_of_the_demo_ends_with_every_effect_read_back",
    "make demo TARGET=aws": "tests/proofs/on_the_local_cloud/test_the_same_on_aws.py::test_the_scenes_are_played_as_on_aws_and_nothing_of_them_is_left",
    "make console": "tests/unit/local/test_console_command.py",
    LOCAL + "console": "tests/unit/local/test_console_command.py",
    "make local": "It is what the fixtures `local_cloud` and `stack` do, on the port 4566, which may be in use.",
    "make stop": "tests/e2e/test_command_line.py::test_stop_leaves_a_process_alone_that_only_has_the_number_of_ours",
    "make build": "tests/e2e/test_runtime.py",
    "make deploy": "It asks a person and needs an account; `sam deploy` to the local cloud is what the fixture `stack` does.",
    "make test": ".ci/run runs it.",
    "make prove": ".ci/run runs it.",
    "make check": ".ci/run runs it.",
    "make format": "It changes files; `make check`, which .ci/run runs, says what it would change.",
    "make browser": "tests/browser/test_console.py",
    ".venv/bin/sam deploy": "It asks a person and needs an account; its options and parameters are checked below.",
    ".venv/bin/sam delete": "It asks a person and deletes the stack; its options are checked below.",
    ".venv/bin/sam local invoke": "It needs a container runtime; its options, function and event are checked below.",
    LOCAL + "replay cancel": "tests/unit/local/test_replay.py::test_cancelling_asks_first_and_stops_one_that_runs",
    LOCAL
    + "schemas bindings --output ../shop/shop_events --registry": "tests/unit/local/test_schemas.py::test_bindings_of_a_registry_are_made_of_the_stacks_or_the_named_one",
    LOCAL
    + "schemas bindings --output ../shop/ec2_events --registry": "tests/unit/local/test_schemas.py::test_bindings_of_a_registry_are_made_of_the_stacks_or_the_named_one",
    LOCAL + "failed list [": "A form; its options are checked below.",
    LOCAL + "failed retry (": "A form; its options are checked below.",
    'curl -i "$URL/': "tests/e2e/test_webhooks.py::test_the_documented_command_sends_a_message_that_is_put_once",
    "aws cloudformation deploy": "tests/e2e/test_buses.py",
    "export AWS_ENDPOINT_URL=": "The fixture `on_aws` sets the same variables.",
    "unset AWS_ENDPOINT_URL": "The fixture `on_aws` takes them away.",
    "URL=http://127.0.0.1:4566": "An address, of which a part is named.",
    "git pull": "It needs the repository's origin.",
}
"""By the beginning of a command, the longest that fits: the test that runs it, or why none can."""

Run = Callable[..., tuple[int, str]]


def elsewhere(command: str) -> str:
    """Which beginning in `ELSEWHERE` the command has; empty when none."""
    return max((begin for begin in ELSEWHERE if command.startswith(begin)), key=len, default="")


def inside(command: str) -> list[str]:
    """The AWS CLI's commands in a command that is another's."""
    return [] if command.startswith("aws ") else [found[1] for found in aws_cli.INNER.finditer(command)]


OF_AWS = [
    *(command for command in COMMANDS if command.startswith("aws ") and not elsewhere(command)),
    *(inner for command in COMMANDS for inner in inside(command)),
]
OF_SAM = [command for command in COMMANDS if command.startswith(".venv/bin/sam ")]
FORMS = [command for command in COMMANDS if command.startswith(LOCAL) and re.search(r"[\[(]", command)]
SHELL = [command for command in COMMANDS if command.startswith(("openssl ", "curl --aws-sigv4 "))]


def test_every_command_in_the_documents_is_run_or_said_to_be_run_elsewhere() -> None:
    here = {command for command in COMMANDS if command in {*RUN, *OF_AWS, *SHELL} or inside(command)}
    homeless = {command: files for command, files in COMMANDS.items() if (command in here) == bool(elsewhere(command))}

    assert not homeless
    assert not [command for command in RUN if command not in COMMANDS], "no document shows these any more"
    assert not [begin for begin in ELSEWHERE if not any(elsewhere(command) == begin for command in COMMANDS)]


@pytest.mark.parametrize("where", sorted({text for text in ELSEWHERE.values() if text.startswith("tests/")}))
def test_the_test_that_runs_a_command_elsewhere_exists(where: str) -> None:
    file, _, name = where.partition("::")

    assert f"def {name}" in (ROOT / file).read_text()


# ---------------------------------------------------------------- python -m local, and make


@pytest.fixture
def on_aws(local_cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The local cloud is AWS: the environment says where it is and who one is, also by the profile `ops`."""
    config = tmp_path / "aws-config"
    config.write_text(
        f"[profile ops]\nregion = {REGION}\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = as-on-aws\n"
    )
    for name, value in {
        "AWS_ENDPOINT_URL": local_cloud.endpoint,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "as-on-aws",
        "AWS_CONFIG_FILE": str(config),
        "STAND_IN_FOR_AWS": "ministack",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def record(session_stage: Stage) -> str:
    """The id of an audit record, of a change that can be undone, also twice."""
    stage, user = session_stage, f"user-{uuid4().hex[:8]}"
    event = stage.sample("security_remediation/attach-user-policy-admin")
    event["detail"]["requestParameters"]["userName"] = user
    iam, s3, bucket = stage.client("iam"), stage.client("s3"), stage.stack.resources["AuditBucket"]
    iam.create_user(UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn=event["detail"]["requestParameters"]["policyArn"])
    stage.send(event, expect="IamCall")

    def closed() -> str:
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX).get("Contents", []):
            found = json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
            if found["outcome"].startswith("closed") and user in found["resource"]:
                return str(found["id"])
        return ""

    return wait_for(closed, SECONDS) or pytest.fail("The policy was not detached")


def wait_in_queue(stage: Stage) -> None:
    """Have an event of a stopped machine wait among the failed ones, as Lambda leaves it there.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stage.stack.resources['Ec2StateAlertsFunction']}"
    record = {
        "requestContext": {"functionArn": function, "condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": stage.sample("ec2_state_alerts/stopped"),
        "responsePayload": {"errorType": "ClientError", "errorMessage": "Throttled"},
    }
    for queue in ("UndeliveredEventsQueue", "IngestFailuresQueue"):
        stage.client("sqs").purge_queue(QueueUrl=stage.stack.outputs[queue])
    stage.client("sqs").send_message(QueueUrl=stage.stack.outputs["FailedEventsQueue"], MessageBody=json.dumps(record))


def typed(command: str) -> list[str]:
    """The arguments of `python -m local` in the command, or in the recipe of make's target."""
    if command.startswith("make "):
        there = [f"--old-file={name}/.installed" for name in (".venv", ".venv-local")]
        command = subprocess.run(
            ["make", "--no-print-directory", "--dry-run", *there, *shlex.split(command)[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    words = shlex.split(command.split(" > ")[0])
    return words[words.index("local") + 1 :]


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("command", RUN)
def test_a_documented_command_does_what_the_document_says(
    command: str,
    run: Run,
    stage: Stage,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("local.hold.WAIT", 0)  # MiniStack has one server, which knows every message
    arguments = typed(command)
    there = {
        "report.html": str(tmp_path / "report.html"),
        "../shop/shop_events": str(tmp_path / "shop_events"),
        "us-east-1": REGION,  # where the stack is here
        "-10m": "now",
    }
    if arguments[0] == "failed":
        wait_in_queue(stage)
        status, output = run("failed", "list", "--json")
        there["6a9cc13b"] = json.loads(output)[0]["id"][:8]
    if arguments[0] == "security":
        there["RECORD"] = there["ID"] = request.getfixturevalue("record")
    if "event.json" in arguments:
        there["event.json"] = str(ROOT / "events/security_remediation/root-console-sign-in.json")
    if "replay" in arguments and {"NAME", "list"} & set(arguments):
        there["NAME"] = f"documented-{uuid4()}"
        run("replay", "--from", "-1h", "--bus", "default", "--name", there["NAME"])
    if "--from" in arguments:
        there |= {"2026-11-22T09:00+09:00": "-1h", "2026-11-22T10:30+09:00": "now"}
        arguments += [
            "--name",
            f"documented-{uuid4()}",
        ]  # without it they have the time for a name, and two are of one second
    if "2026-11" in arguments:
        there["2026-11"] = f"{datetime.now(UTC):%Y-%m}"
    if {"--aws", "--profile"} & set(arguments):
        request.getfixturevalue("on_aws")
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    status, output = run(*(there.get(word, word) for word in arguments))

    assert status == 0, output
    assert RUN[command] in output


@pytest.mark.parametrize("form", FORMS)
def test_the_options_in_a_form_of_a_command_exist(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([*typed(re.split(r" [\[(]", form)[0]), "--help"])

    assert set(re.findall(r"--[a-z-]+", form)) <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


# ---------------------------------------------------------------- SAM CLI


def parameters_of(command: str) -> dict[str, str]:
    _, _, given = command.partition("--parameter-overrides ")
    found: dict[str, str] = CfnParameterOverridesType().convert(tuple(shlex.split(given)), None, None) if given else {}
    return found


@pytest.mark.parametrize("command", OF_SAM)
def test_a_command_of_sam_has_options_that_it_knows_and_names_what_exists(command: str) -> None:
    words = shlex.split(command)[1:]
    cli = {"deploy": sam_deploy, "delete": sam_delete, "local": sam_local_invoke}[words[0]]
    known = {option for parameter in cli.params for option in parameter.opts}

    assert {word for word in words if word.startswith("--")} <= known
    if words[0] == "local":
        event = words[words.index("--event") + 1]
        assert (RESOURCES[words[2]]["Type"], (ROOT / event).exists()) == ("AWS::Serverless::Function", True)


@pytest.mark.parametrize("command", [command for command in COMMANDS if "--parameter-overrides" in command])
def test_the_parameters_that_a_command_gives_exist_and_may_have_these_values(command: str) -> None:
    other = re.search(r"--template-file (\S+)", command)
    template = yaml.load((ROOT / other[1]).read_text(), Loader) if other else TEMPLATE

    for name, value in parameters_of(command).items():
        declared = template["Parameters"][name]
        assert value in map(str, declared.get("AllowedValues", [value])), takes(declared)
        assert re.fullmatch(declared.get("AllowedPattern", ".*"), value), takes(declared)


def test_what_the_documents_deploy_is_what_the_tests_deploy() -> None:
    """So that nobody follows a document into a combination that nothing tried."""
    switched_on = {
        name
        for command in OF_SAM
        for name, value in parameters_of(command).items()
        if value == "true" and name in TEMPLATE["Parameters"]
    }

    assert {name for name in switched_on if PARAMETERS.get(name) != "true"} == set()


# ---------------------------------------------------------------- AWS CLI


@pytest.fixture(scope="module")
def elsewhere_on_aws(local_cloud: Cloud) -> Callable[[str], Any]:
    """Clients of another account, in which a command may leave things; with what the commands expect there."""
    session = boto3.Session("444455556666", "local", region_name=REGION)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=local_cloud.endpoint)  # type: ignore[call-overload]

    client("s3").create_bucket(Bucket="of-the-documents", CreateBucketConfiguration={"LocationConstraint": REGION})
    client("events").create_event_bus(Name="eventbridge-automations")
    return client


def of_the_stack(command: str) -> bool:
    """Whether the command is about what is deployed, and not about something that it makes."""
    return bool(re.search(r"describe-stack|aws (dynamodbstreams|scheduler) ", command))


@pytest.mark.parametrize("command", OF_AWS)
def test_a_command_of_the_aws_cli_does_something(
    command: str, stage: Stage, elsewhere_on_aws: Callable[[str], Any]
) -> None:
    there = {
        "--bucket NAME": "--bucket of-the-documents",
        "FILTER": '{"eventName": ["INSERT"]}',
        "RECORD": '{"eventName": "INSERT"}',
        '"{...}"': '"{}"',
        "--topic-arn ARN": f"--topic-arn {elsewhere_on_aws('sns').create_topic(Name='departments')['TopicArn']}",
    }
    if "dynamodbstreams" in command:
        there |= record_of_an_order(stage)
    for name, value in there.items():
        command = command.replace(name, value)

    printed = aws_cli.run(command, stage.client if of_the_stack(command) else elsewhere_on_aws)

    assert printed not in {"", "null", "[]", "None"}
    if "put-function-concurrency" in command:
        function = stage.stack.resources["WebhookReceiverFunction"]
        assert (
            stage.client("lambda").get_function_concurrency(FunctionName=function)["ReservedConcurrentExecutions"] == 0
        )
        stage.client("lambda").delete_function_concurrency(FunctionName=function)


def record_of_an_order(stage: Stage) -> dict[str, str]:
    """What the message about a record that was given up says of it."""
    table = stage.stack.resources["OrdersTable"]
    item = {"customer": {"S": "customer-of-the-documents"}, "order_id": {"S": str(uuid4())}}
    stage.client("dynamodb").put_item(TableName=table, Item=item)
    streams = stage.client("dynamodbstreams")
    [stream] = streams.list_streams(TableName=table)["Streams"]
    shard = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"][-1]["ShardId"]
    named = {"StreamArn": stream["StreamArn"], "ShardId": shard}
    first = streams.get_shard_iterator(**named, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    start = streams.get_records(ShardIterator=first)["Records"][-1]["dynamodb"]["SequenceNumber"]
    iterator = streams.get_shard_iterator(**named, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=start)
    return {
        "STREAM": stream["StreamArn"],
        "SHARD ": f"{shard} ",
        "START": start,
        "ITERATOR": iterator["ShardIterator"],
        "SIZE": "1",
    }


INLINE = sorted(
    {
        command
        for path in {file for files in COMMANDS.values() for file in files}
        for command in re.findall(r"`(aws [a-z0-9]+ [a-z-]+[^`]*)`", (ROOT / path).read_text())
    }
)


@pytest.mark.parametrize("command", INLINE)
def test_a_command_of_the_aws_cli_within_a_sentence_exists(command: str) -> None:
    only_named = "--" not in command

    why = problem(re.sub(r"<[^>]*>", "ARN", command))

    assert not why or (only_named and "Missing required parameter" in why)


def problem(command: str) -> str:
    """Why the AWS CLI would refuse the command; empty when it would not."""
    try:
        aws_cli.read(command)
    except ValueError as error:
        return str(error)
    return ""


# ---------------------------------------------------------------- the shell


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="no curl or no openssl here")
@pytest.mark.parametrize("command", SHELL)
def test_a_command_of_the_shell_does_what_the_document_says(command: str, stage: Stage, tmp_path: Path) -> None:
    line = {"product_id": "mug-white", "quantity": 1, "unit_price": "8400.50"}
    (tmp_path / "basket.json").write_text(json.dumps({"currency": "KRW", "lines": [line]}))
    url = stage.stack.cloud.address(stage.stack.outputs["BasketUrl"])

    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env={**stage.stack.cloud.environment(), "AWS_SESSION_TOKEN": "of-a-role", "BASKET_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )

    secret = tmp_path / "secret.txt"
    assert re.fullmatch(r"[0-9a-f]{64}\n", secret.read_text() if secret.exists() else "") or '"total"' in done.stdout
