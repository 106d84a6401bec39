"""The demo in an AWS account: the same scenes, on a stack of its own that is removed at the end."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Mapping
from uuid import uuid4

from rich.markup import escape

from local import artifacts, costs, left_out
from local.cloud import REGION, ROOT, Aws, LocalError
from local.far_receiver import far_receiver
from local.page import write
from local.removal import TAG, Account, find, remove
from local.scenes import NEEDS, SCENES, WORDS, Scene
from local.seed import create_bucket, seed, set_stage
from local.stack import PARAMETERS, Stack, sam
from local.terminal import confirm, console

BUILT = ROOT / ".aws-sam" / "demo" / "build" / "template.yaml"  # as samconfig.toml says
OUT = ROOT / "out" / "demo-on-aws"
S3_SETTLING = 300.0
"""Seconds from when a bucket is told to send its events to EventBridge until it does.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html"""

NOT_IN_AN_ACCOUNT = (
    # They name accounts, streams, roles and a database that are made up.
    *("BusAccounts", "BusOrganization", "SessionPrincipals", "SecretReaders", "PipelineTableStreamArn"),
    *("PipelineKinesisStreamArn", "PipelineRedshiftJdbcUrl", "PipelineRedshiftSecretArn"),
)
WITHOUT: dict[str, dict[str, str]] = {
    "ec2": {
        "EnableEc2StateAlerts": "false",
        "EnableOfficeHours": "false",
        "AutoRestart": "false",
        "RestartAfterUserStop": "false",
    },
    "rds": {"EnableRdsBackup": "false"},
    "security": {"SecurityMode": "notify"},
    "apigateway": {"EnableApigatewayLogging": "false", "SetApiGatewayAccountRole": "false"},
    "replay": {"ArchiveEvents": "false"},
}
"""The parameters without each word, so that nothing of others in the account is acted on."""


def parameters(name: str, account: str, asked: Iterable[str], endpoint: str = "") -> dict[str, str]:
    """The template's parameters for a demo of this name: all that it makes or reads has the name in its own.

    Args:
        asked: the words of what else is played.
        endpoint: of the cloud that stands in for AWS.
    """
    values = PARAMETERS | {
        "UploadsBucketName": f"{name}-uploads-{account}",
        "DerivativesBucketName": f"{name}-derivatives-{account}",
        "PipelineSourceBucketName": f"{name}-ingested-{account}",
        "CodebuildProjectPrefix": f"{name}-",
        "SlackWebhookSecret": f"{name}/slack-webhook",
        "PartnerRoutesParameter": f"/{name}/partner-routes",
        "PartnerSecretsPrefix": f"{name}/partner",
        "WebhooksParameter": f"/{name}/webhooks",
        "WebhookSecretsPrefix": f"{name}/webhook",
        "WebhookConcurrency": "0",  # to reserve some takes a quota that new accounts have not
        "ApiCallerRequestParameter": f"/{name}/api-request",
        "ApiCallerSecretsPrefix": f"{name}/api",
        "SecurityExemptionsParameter": f"/{name}/security-exemptions",
        "ScheduleTag": f"{name}:office-hours",
        "DiscoverSchemas": "false",  # what it finds stays in a registry that is the account's
        "AwsEndpointUrl": endpoint,
    }
    for word in WITHOUT.keys() - set(asked):
        values |= WITHOUT[word]
    return {key: value for key, value in values.items() if key not in NOT_IN_AN_ACCOUNT and value}


def demo_on_aws(chosen: Namespace) -> bool:
    """Deploy, play the scenes that can be played, and remove everything; returns whether nothing is left."""
    if chosen.remove and not chosen.stack:
        raise LocalError("Name the stack of the demo that left something: --stack NAME")
    name = chosen.stack or f"automations-demo-{uuid4().hex[:6]}"
    cloud = Aws(chosen.profile, chosen.region or os.environ.get("AWS_REGION", REGION))
    account = Account(cloud, check_name(name))
    if chosen.remove:
        return remove_again(account, sure=chosen.yes)
    asked = words(getattr(chosen, "with"))
    scenes = choose(asked, chosen.scenes)
    values = parameters(name, cloud.account, asked, cloud.stand_in)
    if there := find(account):
        raise LocalError(
            f"There is something with this name in the account already: {there[0].what}. Name another with --stack NAME; "
            f"or, if a demo left it: {remedy(account)}"
        )
    console.print("Building template.yaml with SAM CLI ...")
    build(cloud)
    announce(account, values, asked, scenes)
    if not chosen.yes:
        confirm("Create this, play the scenes, and remove it all?")
    try:
        play(account, values, scenes)
    finally:
        whole = take_away(account)
    return whole


def check_name(name: str) -> str:
    """The name, if names of buckets, roles, rules and databases can begin with it.

    Raises:
        LocalError: they cannot.
    """
    if not re.fullmatch(r"[a-z](-?[a-z0-9]){3,}", name) or len(name) > 24:
        raise LocalError(
            f"'{name}' cannot be the demo's stack: 4 to 24 small letters, digits and single hyphens, the first one a "
            "letter. Buckets and databases have names that begin with it."
        )
    return name


def words(text: str) -> list[str]:
    """The words in a list with commas.

    Raises:
        LocalError: one is not known.
    """
    asked = [word.strip() for word in text.split(",") if word.strip()]
    if unknown := sorted(set(asked) - WORDS.keys()):
        raise LocalError(f"Nobody knows how to play with {', '.join(unknown)}. There are: {', '.join(WORDS)}")
    return asked


def choose(asked: Iterable[str], names: str = "") -> list[Scene]:
    """The scenes that are played: those that need nothing that was not asked for; of these, the ones that are named.

    Raises:
        LocalError: a name is none, or that of a scene that needs more.
    """
    possible = {scene.__name__: scene for scene in SCENES if set(NEEDS.get(scene, ())) <= set(asked)}
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(possible)
    for name in wanted:
        if name not in possible:
            known = {scene.__name__: scene for scene in SCENES}
            if name not in known:
                raise LocalError(f"There is no scene {name}. There are: {', '.join(known)}")
            raise LocalError(f"The scene {name} needs --with {','.join(NEEDS[known[name]])}.")
    return [scene for name, scene in possible.items() if name in wanted]


def build(cloud: Aws) -> None:
    """Build for Lambda; for a cloud that stands in for AWS, as `deploy` does for the local cloud.

    Raises:
        LocalError: what was built does not fit Lambda.
    """
    here = {"PYTHON_VERSION": f"{sys.version_info.major}.{sys.version_info.minor}", "PYTHON_PLATFORM": ""}
    sam("build", "--config-env", "demo", env=cloud.environment() | (here if cloud.stand_in else {}))
    if not cloud.stand_in and (wrong := artifacts.all_problems(artifacts.artifacts(BUILT))):
        raise LocalError("What was built would not work on Lambda.\n" + "\n".join(wrong))


def announce(account: Account, values: Mapping[str, str], asked: Iterable[str], scenes: list[Scene]) -> None:
    """Say what will be created and played, and what of it costs something."""
    console.print(
        f"\nIn account [bold]{account.cloud.account}[/], region [bold]{account.cloud.region}[/], "
        f"the stack [bold]{account.name}[/]:"
    )
    found = costs.resources(BUILT, values)
    console.print("  " + ", ".join(f"{count} {kind.removeprefix('AWS::')}" for kind, count in sorted(found.items())))
    console.print(
        f"with the roles, rules and permissions that SAM makes of them, and beside it the stack {account.name}-receiver, which stands for Slack and webhooks; for one scene the stack "
        f"{account.name}-forwarder; four buckets, three secrets, some parameters, and queues and rules to look on."
    )
    console.print("\nWhat it costs:")
    for sentence in costs.sentences(found, asked):
        console.print(f"  {sentence}")
    console.print(f"\nScenes: {', '.join(scene.__name__ for scene in scenes)}")
    for word, reason in WORDS.items():
        with_it = ", ".join(scene.__name__ for scene, needed in NEEDS.items() if word in needed)
        console.print(escape(f"{'With' if word in asked else 'Left out without --with'} {word}: {with_it}. {reason}"))
    console.print("\nAt the end all of it is removed, also after a failure or Ctrl-C.")


def play(account: Account, values: Mapping[str, str], scenes: list[Scene]) -> None:
    """Deploy and play."""
    cloud, name = account.cloud, account.name
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    began = time.monotonic()
    artifacts = f"{name}-artifacts-{cloud.account}"
    create_bucket(cloud, artifacts)
    console.print("\nDeploying the receiver ...")
    with far_receiver(cloud, f"{name}-receiver", cloud.stand_in) as web:
        seed(cloud, web.url, values, name)
        seeded = time.monotonic()
        console.print("Deploying template.yaml with SAM CLI, which takes some minutes ...")
        stack = deploy(cloud, name, artifacts, values)
        console.print(f"Deployed {len(stack.resources)} resources in {time.monotonic() - began:.0f} s.")
        stage = set_stage(stack, web, OUT, console)
        if cloud.settling and (wait := seeded + S3_SETTLING - time.monotonic()) > 0:
            console.print(f"Waiting {wait:.0f} s, until S3 sends the buckets' events.")
            time.sleep(wait)
        try:
            for scene in scenes:
                console.print(f"\n[bold]{scene.__name__}[/]  {escape((scene.__doc__ or '').strip())}")
                scene(stage)
            console.print(
                f"\n[green]All {len(scenes)} scenes, every effect read back.[/] {time.monotonic() - began:.0f} s."
            )
        finally:
            console.print(f"Pictures and messages as they went out: {write(OUT).relative_to(ROOT)}")


def deploy(cloud: Aws, name: str, artifacts: str, values: Mapping[str, str]) -> Stack:
    """Deploy what was built as a stack of this name, by way of a bucket of its own."""
    template = BUILT
    if cloud.stand_in:
        template = BUILT.with_name("deployed.yaml")
        left_out.leave_out(BUILT, template)
        console.print(f"Left out, because a local cloud stands in for AWS: {', '.join(sorted(left_out.REFUSED))}.")
    sam(
        *("deploy", "--config-env", "demo", "--template-file", str(template), "--stack-name", name),
        *("--s3-bucket", artifacts, "--region", cloud.region, *(["--profile", cloud.profile] if cloud.profile else [])),
        *("--parameter-overrides", *(f"{key}={value}" for key, value in values.items())),
        *("--tags", f"{TAG}={name}"),
        env=cloud.environment(),
    )
    return Stack(cloud, name)


def take_away(account: Account) -> bool:
    """Remove what the demo made; says what is left, with the command that removes it, and returns whether that is nothing."""
    console.print("\nRemoving it all, which takes some minutes ...")
    try:
        failed = remove(account, lambda what: console.print(escape(f"  {what}")))
    except KeyboardInterrupt:
        console.print(f"[bold red]Not everything is removed.[/] Go on with: {escape(remedy(account))}")
        raise
    if not failed:
        console.print("Nothing of it is left.")
        return True
    console.print("[bold red]Not everything is removed.[/]")
    for removal, reason in failed:
        console.print(escape(f"  {removal.what if removal else ''}: {reason}".removeprefix("  : ")))
        if removal:
            console.print(escape(f"    {removal.command}"))
    console.print(escape(f"Or try all again: {remedy(account)}"))
    return False


def remove_again(account: Account, *, sure: bool) -> bool:
    """Remove what an earlier demo left.

    Raises:
        LocalError: the stack of this name is none of a demo.
    """
    pages = account.pages("cloudformation", "describe_stacks", "Stacks")
    if any(
        stack["StackName"] == account.name and {"Key": TAG, "Value": account.name} not in stack.get("Tags", [])
        for stack in pages
    ):
        raise LocalError(f"The stack {account.name} has no tag {TAG}, so no demo has deployed it. It is left alone.")
    there = find(account)
    if not there:
        console.print(f"There is nothing of {account.name}.")
        return True
    for removal in there:
        console.print(escape(f"  {removal.what}"))
    if not sure:
        confirm(f"In account {account.cloud.account}, region {account.cloud.region}: remove all of it?")
    return take_away(account)


def remedy(account: Account) -> str:
    profile = f" --profile {account.cloud.profile}" if account.cloud.profile else ""
    return f"python -m local demo --target aws{profile} --region {account.cloud.region} --stack {account.name} --remove"
