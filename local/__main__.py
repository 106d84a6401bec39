"""The local cloud from the command line: `python -m local demo|start|stop|send|env-vars|receiver`; `make` calls it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def demo() -> None:
    """Play every scene on a fresh local cloud."""
    folder = OUT / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    with receiver() as web, local_cloud.running_cloud(ROOT / ".local" / "demo.log") as cloud:
        console.print("Starting the local cloud, building and deploying template.yaml with SAM CLI ...")
        seed(cloud, web.url)
        stage = set_stage(deploy(cloud), web, folder, console)
        console.print(f"Deployed {len(stage.stack.resources)} resources in {time.monotonic() - began:.0f} s.")
        for scene in SCENES:
            console.print(f"\n[bold]{scene.__name__}[/]  {escape((scene.__doc__ or '').strip())}", soft_wrap=True)
            scene(stage)
    console.print(f"\n[green]All {len(SCENES)} scenes, every effect read back.[/] {time.monotonic() - began:.0f} s.")
    page = write(folder).relative_to(ROOT)
    console.print(f"Pictures and messages as they went out are in {page.parent}/; look at {page}")


def start(host: str, port: int) -> None:
    """Start the local cloud and a receiver for its messages, deploy, and leave them running."""
    cloud = local_cloud.start(host, port)
    state = json.loads(STATE.read_text())
    if not state.get("receiver"):
        log = (ROOT / ".local" / "receiver.log").open("wb")
        command = [sys.executable, "-m", "local", "receiver", host, str(port + 1)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        STATE.write_text(json.dumps(state | {"receiver": process.pid}))
    seed(cloud, f"http://{host}:{port + 1}")
    console.print("Building and deploying template.yaml with SAM CLI ...")
    stack = deploy(cloud)
    for sample in sorted((ROOT / "events" / "image_resize").glob("uploaded*.json")):
        key = json.loads(sample.read_text())["detail"]["object"]["key"]
        cloud.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=photograph())  # for sam local invoke
    console.print(f"The local cloud runs on {cloud.endpoint}; the stack is {stack.name}.")
    console.print("Send it an event:  make send EVENT=events/ec2_state_alerts/stopped.json")
    console.print(f"What it posts to Slack and webhooks arrives in {(OUT / 'received').relative_to(ROOT)}/")
    console.print(
        f"Any AWS tool:      export AWS_ENDPOINT_URL={cloud.endpoint} AWS_DEFAULT_REGION={local_cloud.REGION}"
    )
    console.print(f"                   export AWS_ACCESS_KEY_ID={local_cloud.ACCOUNT} AWS_SECRET_ACCESS_KEY=local")
    console.print("Stop it:           make stop")


def send(path: str) -> None:
    """Send the event in the file to the functions whose rules match, and show what they logged about it."""
    if not path:
        samples = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "events").glob("*/*.json"))
        raise LocalError("Name a file: make send EVENT=events/<automation>/<situation>.json\n" + "\n".join(samples))
    try:
        event = json.loads(Path(path).read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise LocalError(f"{path} cannot be read as an event: {error}") from None
    missing = {"id", "source", "detail-type", "detail"} - set(event if isinstance(event, dict) else {})
    if missing:
        raise LocalError(f"{path} is no event: it has no {', '.join(sorted(missing))}")
    stack = Stack(local_cloud.running())
    if event["source"] == "aws.s3" and event["detail-type"] in {"Object Created", "Object Deleted"}:
        through_s3(stack, event)
        return
    rules = stack.matching(event)
    if not rules:
        console.print(f"No rule matches {event['detail-type']} from {event['source']}: nothing was invoked.")
    known = {rule.function: len(stack.log(rule.function, event["id"])) for rule in rules if rule.function}
    sent = stack.send(event)
    for rule in rules:
        if not rule.function:
            console.print(f"{rule.name} matches; its target is {rule.target}.")
            continue
        console.print(f"{rule.name} matches; {rule.function} was invoked.")
        show_log(stack, rule.function, lambda line: line.get("correlation_id") == sent.event_id, known[rule.function])


def through_s3(stack: Stack, event: dict[str, Any]) -> None:
    """Do to the bucket what the event tells, so that S3 sends the event itself."""
    s3, key = stack.cloud.client("s3"), event["detail"]["object"]["key"]
    bucket = event["detail"]["bucket"]["name"]
    if bucket != stack.outputs["UploadsBucket"]:
        console.print(f"No rule matches {event['detail-type']} of the bucket {bucket}: nothing was invoked.")
        return
    known = len([line for line in stack.log("ImageResizeFunction") if "correlation_id" in line])
    if event["detail-type"] == "Object Created":
        s3.put_object(Bucket=bucket, Key=key, Body=photograph())
        console.print(f"Uploaded a photo to s3://{bucket}/{key}")
    else:
        s3.delete_object(Bucket=bucket, Key=key)
        console.print(f"Deleted s3://{bucket}/{key}")
    show_log(stack, "ImageResizeFunction", lambda line: "correlation_id" in line, known)


def show_log(stack: Stack, function: str, wanted: Callable[[dict[str, Any]], bool], known: int) -> None:
    """Wait for what the function logs beyond the first `known` lines, and print it."""
    lines = local_cloud.wait_for(lambda: [line for line in stack.log(function) if wanted(line)][known:], 60)
    for line in lines or []:
        console.print_json(data=line)
    if not lines:
        console.print(f"{function} logged nothing within a minute; see .local/ministack.log")


def env_vars(on_aws: bool) -> None:
    """Print the variables of the deployed functions, for `sam local invoke --env-vars`."""
    cloud = local_cloud.Aws() if on_aws else local_cloud.running()
    print(json.dumps(Stack(cloud).variables(), indent=2))


def receive(host: str, port: int) -> None:
    """Run a receiver until it is stopped, and keep each message in a file."""
    folder = OUT / "received"
    folder.mkdir(parents=True, exist_ok=True)

    def keep(request: Request) -> None:
        name = f"{time.strftime('%H%M%S')}-{time.monotonic_ns() % 10**6:06}{request.path.replace('/', '-')}.json"
        (folder / name).write_bytes(request.body)

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
    try:
        match chosen.command:
            case "demo":
                demo()
            case "start":
                start(os.environ.get("BIND_HOST", local_cloud.LOOPBACK), int(os.environ.get("PORT", "4566")))
            case "stop":
                console.print("Stopped." if local_cloud.stop() else "No local cloud was running.")
            case "send":
                send(chosen.event)
            case "env-vars":
                env_vars(chosen.aws)
            case "receiver":
                receive(chosen.host, chosen.port)
    except (LocalError, SceneFailed) as error:
        console.print(f"\n[bold red]Failed.[/] {escape(str(error))}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
