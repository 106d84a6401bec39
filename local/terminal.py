"""What the commands share: the console, and which stack a command is about."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from local import cloud as local_cloud
from local.cloud import LOOPBACK, REGION, ROOT, Aws, LocalError
from local.stack import NAME, Stack

console = Console(soft_wrap=True, highlight=False)


def target() -> ArgumentParser:
    """The options that say which stack a command is about: a parent of each command's parser."""
    parser = ArgumentParser(add_help=False)
    group = parser.add_argument_group("which stack", "The local cloud's, unless one of the first three says AWS.")
    group.add_argument("--aws", action="store_true", help="in the AWS account of your credentials")
    group.add_argument("--profile", metavar="NAME", help="in the AWS account of this profile of your AWS configuration")
    group.add_argument("--region", help=f"in this region of AWS; {REGION}, as in samconfig.toml, when not given")
    group.add_argument("--stack", default=NAME, metavar="NAME", help="by this name (%(default)s)")
    return parser


def is_on_aws(chosen: Namespace) -> bool:
    """Whether the options of `target` say AWS."""
    return bool(chosen.aws or chosen.profile or chosen.region)


def options(chosen: Namespace) -> list[str]:
    """The options of `target` for another program that is to be about the same stack."""
    named = {"--profile": chosen.profile, "--region": chosen.region, "--stack": chosen.stack}
    return ["--aws"] * chosen.aws + [word for name, text in named.items() if text for word in (name, text)]


def chosen_stack(chosen: Namespace) -> Stack:
    """The stack that the options of `target` name.

    Raises:
        LocalError: it is to be the local cloud's, and that does not run.
    """
    region = chosen.region or os.environ.get("AWS_REGION", REGION)
    return Stack(Aws(chosen.profile, region) if is_on_aws(chosen) else local_cloud.running(), chosen.stack)


def check_free(port: int) -> None:
    """Make sure that the console's page can have this port.

    Raises:
        LocalError: another program has it.
    """
    if local_cloud.is_taken(LOOPBACK, port):
        raise LocalError(
            f"Port {port} is in use by another program, which may be another console. Name another one: "
            ".venv/bin/python -m local console --port 4700"
        )


def confirm(question: str) -> None:
    """Ask before something is changed on AWS.

    Raises:
        LocalError: the answer is not yes, or nobody is there to give one.
    """
    try:
        answer = console.input(f"{question} \\[y/N] ")
    except EOFError:
        raise LocalError(
            "Nobody is here to be asked, so nothing was changed. --yes goes ahead without asking."
        ) from None
    if answer.strip().lower() not in {"y", "yes"}:
        raise LocalError("Nothing was changed.")


def say_written(changed: Iterable[Path]) -> None:
    """Say which generated files changed."""
    names = ", ".join(str(path.relative_to(ROOT)) for path in changed)
    console.print(f"Wrote {names}." if names else "All of it was up to date.")


def place(stack: Stack) -> tuple[str, str]:
    """Account and region of the stack, as its rules' targets name them.

    Raises:
        LocalError: it has no rules.
    """
    if not stack.rules:
        raise LocalError(f"The stack {stack.name} has no rules that send events to its resources.")
    _, _, _, region, account, *_ = stack.rules[0].target.split(":")
    return account, region
