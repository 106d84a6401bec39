"""What the commands share: the console, and which stack a command is about."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from rich.console import Console

from local import cloud as local_cloud
from local.cloud import REGION, Aws, LocalError
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


def chosen_stack(chosen: Namespace) -> Stack:
    """The stack that the options of `target` name.

    Raises:
        LocalError: it is to be the local cloud's, and that does not run.
    """
    on_aws = chosen.aws or chosen.profile or chosen.region
    region = chosen.region or os.environ.get("AWS_REGION", REGION)
    return Stack(Aws(chosen.profile, region) if on_aws else local_cloud.running(), chosen.stack)


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


def place(stack: Stack) -> tuple[str, str]:
    """Account and region of the stack, as its rules' targets name them.

    Raises:
        LocalError: it has no rules.
    """
    if not stack.rules:
        raise LocalError(f"The stack {stack.name} has no rules that send events to its resources.")
    _, _, _, region, account, *_ = stack.rules[0].target.split(":")
    return account, region
