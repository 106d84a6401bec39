"""What security_remediation changed, and putting it back; and its parts of the template and the documents."""

from __future__ import annotations

import json
import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from automations import aws
from local import security
from local.cloud import Cloud, LocalError
from local.stack import Stack
from local.terminal import chosen_stack, confirm, console, say_written
from security_remediation.audit import PREFIX, key_of

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    parser = commands.add_parser("security", help=__doc__)
    does = parser.add_subparsers(required=True, metavar="WHAT")
    writing = does.add_parser("write", help="Write what the registry says into template.yaml and the documents")
    writing.set_defaults(run=lambda _: write())
    listing = does.add_parser("list", parents=[target], help="List what was changed, newest first")
    listing.set_defaults(run=lambda chosen: show_changes(chosen_stack(chosen)))
    undoing = does.add_parser("undo", parents=[target], help="Put back what was there before a change")
    undoing.add_argument("id", help="of the audit record, as the message and `security list` show it")
    undoing.add_argument("--reason", required=True, help="why it is to be open; kept with the exemption")
    undoing.add_argument("--days", type=int, default=7, help="how long it may stay so (%(default)s)")
    undoing.add_argument("--yes", action="store_true", help="do not ask")
    undoing.set_defaults(run=undo)


def write() -> None:
    """Write the generated parts, and say which files changed."""
    say_written(security.write())


def show_changes(stack: Stack) -> None:
    """List the audit records, newest first."""
    pages = stack.cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=_bucket(stack), Prefix=PREFIX)
    found = [item for page in pages for item in page.get("Contents", [])]
    for item in sorted(found, key=lambda one: one["LastModified"], reverse=True):
        record = read_record(stack, item["Key"].removeprefix(PREFIX).removesuffix(".json"))
        console.print(escape(f"{record['id']}  {record['outcome']}: {record['resource']} {record['finding']}"))
    if not found:
        console.print("Nothing was changed yet.")


def undo(chosen: Namespace) -> None:
    """Show what was there before, ask, and put it back."""
    stack = chosen_stack(chosen)
    record = read_record(stack, chosen.id)
    console.print(escape(f"{record['resource']} {record['finding']}: changed because of {record['actor']['who']}."))
    console.print_json(data=record["before"])
    if not isinstance(stack.cloud, Cloud) and not chosen.yes:
        confirm(f"Put this back, and exempt {escape(record['resource'])} for {chosen.days} days?")
    until = put_back(stack, chosen.id, reason=chosen.reason, days=chosen.days)
    console.print(f"Put back. It is exempt until {until}; after that the next call like it is judged again.")


def put_back(stack: Stack, record_id: str, *, reason: str, days: int) -> date:
    """Exempt the resource for some days, then put back what was there before, with the caller's own rights.

    Returns the last day of the exemption.

    Raises:
        LocalError: there is no such record, nothing that could be put back, or nowhere to note the exemption.
    """
    record = read_record(stack, record_id)
    if not record["before"]:
        raise LocalError(f"{record_id} changed nothing that could be put back. {record.get('remark', '')}".strip())
    until = datetime.now(UTC).date() + timedelta(days=days)
    exempt(stack, record, reason, until)
    module: Any = import_module(f"security_remediation.remediations.{record['remediation']}")
    with used_by_remediations(stack):
        module.restore(record["before"])
    return until


def exempt(stack: Stack, record: dict[str, Any], reason: str, until: date) -> None:
    """Add an exemption to the stack's configuration, or else the change would be made again at once.

    Raises:
        LocalError: the stack has no parameter for exemptions.
    """
    name = stack.variables()["SecurityRemediationFunction"].get("EXEMPTIONS_PARAMETER")
    if not name:
        raise LocalError(
            "The stack has no SecurityExemptionsParameter, so the change would be made again. Give it the name of an SSM "
            "parameter such as /eventbridge-automations/security-exemptions, and deploy."
        )
    ssm = stack.cloud.client("ssm")
    try:
        found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        found = {"Value": "[]", "Type": "String"}
    today = f"{datetime.now(UTC).date()}"
    entries = [one for one in json.loads(found["Value"]) if one["until"] >= today]  # a parameter holds a few kilobytes
    entry = {
        "remediation": record["remediation"],
        "resource": re.sub(r"([*?[])", r"[\1]", record["resource"]),  # this one, whatever its name
        "reason": reason,
        "until": f"{until}",
    }
    value = json.dumps([*entries, entry], indent=1)
    ssm.put_parameter(Name=name, Value=value, Type=found["Type"], Tier="Intelligent-Tiering", Overwrite=True)


def read_record(stack: Stack, record: str) -> dict[str, Any]:
    """The audit record of that id as it is now, with what was there before the first attempt to change it, and under that name.

    A retry after a partial change finds less to change, and writes a new version of the record.

    Raises:
        LocalError: there is none.
    """
    s3, bucket, key = stack.cloud.client("s3"), _bucket(stack), key_of(record)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    versions = [one["VersionId"] for page in pages for one in page.get("Versions", []) if one["Key"] == key]
    if not versions:
        raise LocalError(f"There is no audit record {record}. See: python -m local security list")
    newest, oldest = (
        json.loads(s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read())
        for version in (versions[0], versions[-1])
    )
    return {**newest, "before": oldest["before"], "resource": oldest["resource"]}


@contextmanager
def used_by_remediations(stack: Stack) -> Iterator[None]:
    """Have the remediations' own clients speak to the stack's cloud."""
    if isinstance(stack.cloud, Cloud):
        wanted = stack.cloud.environment()
    else:
        wanted = {"AWS_DEFAULT_REGION": stack.cloud.region, "AWS_REGION": stack.cloud.region}
        wanted |= {"AWS_PROFILE": stack.cloud.profile} if stack.cloud.profile else {}
    before = dict(os.environ)
    os.environ.update(wanted)
    aws.forget_clients()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        aws.forget_clients()


def _bucket(stack: Stack) -> str:
    if "AuditBucket" not in stack.resources:
        raise LocalError(
            f"The stack {stack.name} has no security_remediation. Deploy it with EnableSecurityRemediation=true."
        )
    return stack.resources["AuditBucket"]
