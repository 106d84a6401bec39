"""The local cloud from the command line: `python -m local demo|start|stop|send|env-vars|receiver`; `make` calls it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from local import cloud as local_cloud
from local.cloud import ROOT, STATE, LocalError
from local.page import write
from local.photo import photograph
from local.receiver import Request, receiver
from local.scenes import SCENES
from local.seed import seed, set_stage
from local.stack import UPLOADS, Stack, deploy
from local.stage import SceneFailed

console = Console(soft_wrap=True, highlight=False)
OUT = ROOT / "out"
ALERTS = "/alerts"


def demo() -> None:
    """Play every scene on a fresh local cloud."""
    folder = OUT / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    try:
        with receiver() as web, local_cloud.running_cloud(ROOT / ".local" / "demo.log") as cloud:
            console.print("Starting the local cloud, building and deploying template.yaml with SAM CLI ...")
            seed(cloud, web.url)
            stage = set_stage(deploy(cloud), web, folder, console)
            console.print(f"Deployed {len(stage.stack.resources)} resources in {time.monotonic() - began:.0f} s.")
            for scene in SCENES:
                console.print(f"\n[bold]{scene.__name__}[/]  {escape((scene.__doc__ or '').strip())}")
                scene(stage)
        console.print(
            f"\n[green]All {len(SCENES)} scenes, every effect read back.[/] {time.monotonic() - began:.0f} s."
        )
    finally:
        page = write(folder).relative_to(ROOT)
        console.print(f"Pictures and messages as they went out are in {page.parent}/; look at {page}")


def start(host: str, port: int) -> None:
    """Start the local cloud and a receiver for its messages, deploy, and leave them running."""
    fresh = local_cloud.find() is None
    cloud = local_cloud.start(host, port)
    if fresh:
        log = (ROOT / ".local" / "receiver.log").open("wb")
        command = [sys.executable, "-m", "local", "receiver", host, str(port + 1)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        local_cloud.remember(process.pid)
    seed(cloud, f"http://{host}:{port + 1}")
    console.print("Building and deploying template.yaml with SAM CLI ...")
    stack = deploy(cloud)
    for sample in sorted((ROOT / "events" / "image_resize").glob("uploaded*.json")):
        key = json.loads(sample.read_text())["detail"]["object"]["key"]
        cloud.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=photograph())  # for sam local invoke
    sns, topic = cloud.client("sns"), stack.outputs["AlertsTopic"]
    if fresh:
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://{host}:{port + 1}{ALERTS}")
    (STATE.parent / "env-vars.json").write_text(json.dumps(stack.variables(), indent=2))  # samconfig.toml names it
    console.print(f"The local cloud runs on {cloud.endpoint}; the stack is {stack.name}.")
    console.print("Send it an event:  make send EVENT=events/ec2_state_alerts/stopped.json")
    console.print(f"Slack messages, webhooks and alerts arrive in {(OUT / 'received').relative_to(ROOT)}/")
    console.print(
        f"Any AWS tool:      export AWS_ENDPOINT_URL={cloud.endpoint} AWS_DEFAULT_REGION={local_cloud.REGION}"
    )
    console.print(f"                   export AWS_ACCESS_KEY_ID={local_cloud.ACCOUNT} AWS_SECRET_ACCESS_KEY=local")
    console.print("Stop it:           make stop")


def send(path: str) -> bool:
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
    stack = Stack(local_cloud.running())
    rules = stack.matching(event)
    for rule in rules:
        console.print(f"{rule.name} matches: it {'invokes' if rule.invokes else 'sends to'} {rule.function}.")
    if not rules:
        console.print(f"No rule matches {event['detail-type']} from {event['source']}: nothing was invoked.")
        return True
    functions = [rule.function for rule in rules if rule.invokes]
    known = {function: len(stack.log(function)) for function in functions}
    event_id = "" if through_s3(stack, event) else stack.send(event).event_id
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


def env_vars(on_aws: bool) -> None:
    """Print the variables of the deployed functions, for `sam local invoke --env-vars`."""
    cloud = local_cloud.Aws() if on_aws else local_cloud.running()
    print(json.dumps(Stack(cloud).variables(), indent=2))


def receive(host: str, port: int) -> None:
    """Run a receiver until it is stopped, and keep each message in a file."""
    folder = OUT / "received"
    folder.mkdir(parents=True, exist_ok=True)

    def keep(request: Request) -> None:
        name = f"{time.strftime('%H%M%S')}-{time.monotonic_ns() % 10**6:06}{request.path.replace('/', '-')}"
        if request.path != ALERTS:
            (folder / f"{name}.json").write_bytes(request.body)
            return
        message = request.json()  # https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
        if message["Type"] == "SubscriptionConfirmation":
            sns = local_cloud.running().client("sns")
            sns.confirm_subscription(TopicArn=message["TopicArn"], Token=message["Token"])
        else:
            (folder / f"{name}.txt").write_text(f"Subject: {message['Subject']}\n\n{message['Message']}")

    with receiver(host, port, keep) as web:
        print(f"Receiving on {web.url}", flush=True)
        web.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help=demo.__doc__)
    commands.add_parser("start", help=start.__doc__)
    commands.add_parser("stop", help="Stop the local cloud that `start` left running")
    commands.add_parser("send", help=send.__doc__).add_argument("event")
    commands.add_parser("env-vars", help=env_vars.__doc__).add_argument(
        "--aws", action="store_true", help="of the stack in the AWS account of your credentials"
    )
    receiving = commands.add_parser("receiver", help=receive.__doc__)
    receiving.add_argument("host")
    receiving.add_argument("port", type=int)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up when it is told to end, too
    try:
        match chosen.command:
            case "demo":
                demo()
            case "start":
                start(os.environ.get("BIND_HOST", local_cloud.LOOPBACK), _port(os.environ.get("PORT", "4566")))
            case "stop":
                console.print("Stopped." if local_cloud.stop() else "No local cloud was running.")
            case "send":
                return 0 if send(chosen.event) else 1
            case "env-vars":
                env_vars(chosen.aws)
            case "receiver":
                receive(chosen.host, chosen.port)
    except (LocalError, SceneFailed, BotoCoreError, ClientError) as error:
        console.print(f"\n[bold red]Failed.[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and 1024 <= int(text) < 65535):
        raise LocalError(f"PORT must be a number from 1024 to 65534, not '{text}'.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
