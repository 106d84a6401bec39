"""The local cloud and the deployed stack from the command line: `python -m local --help`; `make` calls it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from rich.markup import escape

from local import cloud as local_cloud
from local import inbox, left_out, terminal
from local.changed import digest
from local.cloud import ROOT, STATE, LocalError
from local.commands.every import COMMANDS
from local.demo_on_aws import demo_on_aws
from local.page import write
from local.receiver import receiver
from local.scenes import SCENES, WORDS
from local.seed import seed, seed_pictures, set_stage
from local.stack import BUILT, PARAMETERS, Stack, deploy
from local.stage import SceneFailed
from local.terminal import chosen_stack, console

OUT = ROOT / "out"
CONSOLE_PYTHON = ROOT / ".venv-console" / "bin" / "python"


def demo() -> None:
    """Play every scene on a fresh local cloud."""
    folder = OUT / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    try:
        with receiver() as web, local_cloud.running_cloud(ROOT / ".local" / "demo.log") as cloud:
            console.print("Starting the local cloud, building and deploying template.yaml with SAM CLI ...")
            seed(cloud, web.url, PARAMETERS)
            stage = set_stage(deploy(cloud), web, folder, console)
            console.print(f"Deployed {len(stage.stack.resources)} resources in {time.monotonic() - began:.0f} s.")
            console.print(left_out.summary(BUILT))
            for scene in SCENES:
                console.print(f"\n[bold]{scene.__name__}[/]  {escape((scene.__doc__ or '').strip())}")
                scene(stage)
        console.print(
            f"\n[green]All {len(SCENES)} scenes, every effect read back.[/] {time.monotonic() - began:.0f} s."
        )
    finally:
        page = write(folder).relative_to(ROOT)
        console.print(f"Pictures and messages as they went out are in {page.parent}/; look at {page}")


def play(chosen: argparse.Namespace) -> bool:
    """Play the demo where it is to be played.

    Raises:
        LocalError: what is for AWS was said without AWS.
    """
    if chosen.target == "aws":
        return demo_on_aws(chosen)
    said = [name for name in ("profile", "region", "stack", "with", "scenes", "yes", "remove") if getattr(chosen, name)]
    if said:
        raise LocalError(f"--{said[0]} is for the demo on AWS. Say so: --target aws")
    demo()
    return True


def start(host: str, port: int) -> None:
    """Start the local cloud and a receiver for its messages, deploy, and leave them running."""
    fresh = local_cloud.find() is None
    cloud, made_of = local_cloud.start(host, port), digest()
    if fresh:
        log = (ROOT / ".local" / "receiver.log").open("wb")
        command = [sys.executable, "-m", "local", "receiver", host, str(port + 1)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        local_cloud.remember(process.pid)
        seed_pictures(cloud)
    seed(cloud, f"http://{host}:{port + 1}", PARAMETERS)
    console.print("Building and deploying template.yaml with SAM CLI ...")
    stack = deploy(cloud)
    if fresh:
        sns = cloud.client("sns")
        for output, path in inbox.MAILS.items():
            sns.subscribe(TopicArn=stack.outputs[output], Protocol="http", Endpoint=f"http://{host}:{port + 1}{path}")
    (STATE.parent / "env-vars.json").write_text(json.dumps(stack.variables(), indent=2))  # samconfig.toml names it
    local_cloud.note_deployment(made_of)
    console.print(f"The local cloud runs on {cloud.endpoint}; the stack is {stack.name}. {left_out.summary(BUILT)}")
    console.print("Send it an event:  make send EVENT=events/ec2_state_alerts/stopped.json")
    console.print(f"Slack messages, webhooks and alerts arrive in {(OUT / 'received').relative_to(ROOT)}/")
    console.print(
        f"Any AWS tool:      export AWS_ENDPOINT_URL={cloud.endpoint} AWS_DEFAULT_REGION={local_cloud.REGION}"
    )
    console.print(f"                   export AWS_ACCESS_KEY_ID={local_cloud.ACCOUNT} AWS_SECRET_ACCESS_KEY=local")
    console.print("Stop it:           make stop")


def deploy_what_changed() -> None:
    """Start the local cloud when it does not run, and deploy when something has changed since the last deployment."""
    running = local_cloud.find()
    if not running or local_cloud.deployment() != digest():
        place = urlsplit(running.endpoint) if running else None
        host = place.hostname if place else os.environ.get("BIND_HOST")
        start(host or local_cloud.LOOPBACK, (place and place.port) or _port(os.environ.get("PORT", "4566")))


def open_console(port: int, browser: bool, chosen: argparse.Namespace) -> None:
    """Open a page to look at the local cloud, which is started when it does not run, or at a stack on AWS."""
    if not CONSOLE_PYTHON.exists():
        raise LocalError(
            "The console's environment is not installed. This installs it and opens the page: make console"
        )
    terminal.check_free(port)  # the page checks it, too, but only when all is deployed
    if not terminal.is_on_aws(chosen):
        deploy_what_changed()
    shown = [*([] if browser else ["--no-browser"]), *terminal.options(chosen)]
    sys.stdout.flush()
    os.execv(CONSOLE_PYTHON, [str(CONSOLE_PYTHON), "-m", "local.console", "--port", str(port), *shown])  # noqa: S606


def env_vars(stack: Stack) -> None:
    """Print the variables of the deployed functions, for `sam local invoke --env-vars`."""
    print(json.dumps(stack.variables(), indent=2))


def receive(host: str, port: int) -> None:
    """Run a receiver until it is stopped, and keep each message in a file."""
    folder = OUT / "received"
    folder.mkdir(parents=True, exist_ok=True)

    def confirm(topic: str, token: str) -> None:
        local_cloud.running().client("sns").confirm_subscription(TopicArn=topic, Token=token)

    with receiver(host, port, lambda request: inbox.keep(folder, request, confirm)) as web:
        print(f"Receiving on {web.url}", flush=True)
        web.wait()


def stop() -> None:
    """Stop the local cloud that `start` left running."""
    console.print("Stopped." if local_cloud.stop() else "No local cloud was running.")


def parser() -> argparse.ArgumentParser:
    """All commands, each with the function that runs it as the default of `run`."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    target = terminal.target()
    playing = commands.add_parser("demo", help="Play every scene on a fresh local cloud, or those that can be on AWS")
    playing.add_argument("--target", choices=["local", "aws"], default="local", help="where (%(default)s)")
    on_aws = playing.add_argument_group("on AWS", "docs/demo-on-aws.md says what it does there.")
    on_aws.add_argument("--profile", metavar="NAME", help="in the account of this profile of your AWS configuration")
    on_aws.add_argument("--region", help=f"in this region; {local_cloud.REGION} when not given")
    on_aws.add_argument("--stack", metavar="NAME", help="of the stack; made up when not given")
    on_aws.add_argument("--with", default="", metavar="WORDS", help=f"also what needs: {', '.join(WORDS)}; with commas")
    on_aws.add_argument("--scenes", default="", metavar="NAMES", help="only these, with commas")
    on_aws.add_argument("--yes", action="store_true", help="do not ask before it begins")
    on_aws.add_argument("--remove", action="store_true", help="only remove what a demo of this --stack has left")
    playing.set_defaults(run=play)
    commands.add_parser("start", help=start.__doc__).set_defaults(
        run=lambda _: start(os.environ.get("BIND_HOST", local_cloud.LOOPBACK), _port(os.environ.get("PORT", "4566")))
    )
    commands.add_parser("stop", help=stop.__doc__).set_defaults(run=lambda _: stop())
    looking = commands.add_parser("console", parents=[target], help=open_console.__doc__)
    looking.add_argument("--port", default="4568", help="of the page (%(default)s)")
    looking.add_argument("--no-browser", action="store_true", help="only say where it is")
    looking.set_defaults(run=lambda chosen: open_console(_port(chosen.port), not chosen.no_browser, chosen))
    receiving = commands.add_parser("receiver", help=receive.__doc__)
    receiving.add_argument("host")
    receiving.add_argument("port", type=int)
    receiving.set_defaults(run=lambda chosen: receive(chosen.host, chosen.port))
    commands.add_parser("env-vars", parents=[target], help=env_vars.__doc__).set_defaults(
        run=lambda chosen: env_vars(chosen_stack(chosen))
    )
    for command in COMMANDS:
        command.add(commands, target)
    return parser


def main() -> int:
    chosen = parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up when it is told to end, too
    try:
        return 1 if chosen.run(chosen) is False else 0
    except NoCredentialsError:
        console.print(
            "\n[bold red]Failed.[/] There are no AWS credentials here. Sign in, or name a profile: --profile NAME"
        )
    except (LocalError, SceneFailed, BotoCoreError, ClientError) as error:
        console.print(f"\n[bold red]Failed.[/] {escape(str(error))}")
    except KeyboardInterrupt:
        return 130
    return 1


def _port(text: str) -> int:
    if not (text.isdecimal() and 1024 <= int(text) < 65535):
        raise LocalError(f"PORT must be a number from 1024 to 65534, not '{text}'.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
