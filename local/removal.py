"""What the demo leaves in an AWS account, found by its name, and taken away.

Everything that the demo makes has a name that begins with its stack's, or a tag with it. So what a run left that was
killed is found as well, and nothing must be remembered.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import Aws

TAG = "automations-demo"
"""Key of the tag of what has no name; its value is the stack's name."""
GONE = ("NotFound", "NonExistent", "NoSuch", "does not exist")
"""In the code or the message of an error that means: somebody else has removed it."""
BATCH = 1000  # what S3 deletes in one call
QUICKLY: Any = {"Delay": 2, "MaxAttempts": 900}


@dataclass(frozen=True)
class Removal:
    """Attributes:
    what: is to go, for people.
    command: that removes it by hand.
    run: removes it.
    """

    what: str
    command: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Account:
    """The account in which a demo ran.

    Attributes:
        name: of the demo's stack.
    """

    cloud: Aws
    name: str

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Every item of an operation that lists."""
        for page in self.client(service).get_paginator(operation).paginate(**parameters):
            yield from page.get(key, [])

    def ours(self, name: str) -> bool:
        return name.startswith(f"{self.name}-")

    def call(self, what: str, service: str, operation: str, **parameters: Any) -> Removal:
        """A removal by one call, named as boto3 names it."""
        return Removal(
            what,
            command(self.cloud, service, operation, parameters),
            lambda: getattr(self.client(service), operation)(**parameters),
        )


def command(cloud: Aws, service: str, operation: str, parameters: dict[str, Any]) -> str:
    """The AWS CLI's form of a call whose parameters are texts, lists of texts, or true."""
    words = ["aws", {"s3": "s3api"}.get(service, service), operation.replace("_", "-")]
    for name, value in parameters.items():
        words.append(f"--{xform_name(name, '-')}")
        words += [] if value is True else value if isinstance(value, list) else [value]
    words += ["--region", cloud.region, *(["--profile", cloud.profile] if cloud.profile else [])]
    return shlex.join(words)


def find(account: Account) -> list[Removal]:
    """What there is now of the demo, as it would be removed.

    Raises:
        ClientError: something cannot be listed.
    """
    return [removal for kind in KINDS for removal in kind(account)]


def remove(account: Account, say: Callable[[str], object]) -> list[tuple[Removal | None, str]]:
    """Remove what there is of the demo; returns what could not be removed or looked for, each with the reason."""
    failed: list[tuple[Removal | None, str]] = []
    for kind in KINDS:
        try:
            found = list(kind(account))
        except (ClientError, BotoCoreError) as error:
            failed.append((None, f"{kind.__name__} could not be listed: {error}"))
            continue
        for removal in found:
            say(removal.what)
            try:
                removal.run()
            except (ClientError, BotoCoreError) as error:
                if not any(word in str(error) for word in GONE):
                    failed.append((removal, str(error)))
    return failed


# ---------------------------------------------------------------- what there may be, in the order in which it can go


def instances(account: Account) -> Iterator[Removal]:
    ec2, tagged = account.client("ec2"), [{"Name": f"tag:{TAG}", "Values": [account.name]}]
    there = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    for group in account.pages("ec2", "describe_instances", "Reservations", Filters=[*tagged, there]):
        for item in group["Instances"]:
            ids = [item["InstanceId"]]
            by_hand = account.call(f"instance {ids[0]}", "ec2", "terminate_instances", InstanceIds=ids)

            def run(by_hand: Removal = by_hand, ids: list[str] = ids) -> None:
                by_hand.run()
                ec2.get_waiter("instance_terminated").wait(InstanceIds=ids)

            yield Removal(by_hand.what, by_hand.command, run)


def databases(account: Account) -> Iterator[Removal]:
    quiet: dict[str, Any] = {"SkipFinalSnapshot": True}
    for item in account.pages("rds", "describe_db_instances", "DBInstances"):
        if account.ours(name := item["DBInstanceIdentifier"]):
            yield account.call(f"database {name}", "rds", "delete_db_instance", DBInstanceIdentifier=name, **quiet)
    for item in account.pages("rds", "describe_db_clusters", "DBClusters"):
        if account.ours(name := item["DBClusterIdentifier"]):
            yield account.call(f"database {name}", "rds", "delete_db_cluster", DBClusterIdentifier=name, **quiet)


def snapshots(account: Account) -> Iterator[Removal]:
    for kind in ("DBSnapshot", "DBClusterSnapshot"):
        plain = xform_name(kind)
        for item in account.pages("rds", f"describe_{plain}s", f"{kind}s", SnapshotType="manual"):
            if (name := item[f"{kind}Identifier"]).startswith(f"automations-{account.name}-"):
                yield account.call(f"snapshot {name}", "rds", f"delete_{plain}", **{f"{kind}Identifier": name})


def rules(account: Account) -> Iterator[Removal]:
    """Those that look on, and the copies of rules; the stack's own go with the stack."""
    events = account.client("events")
    for bus in buses_of_events(account):
        for rule in account.pages("events", "list_rules", "Rules", EventBusName=bus):
            name = rule["Name"]
            if name.startswith((f"{account.name}-look-", f"{account.name}-copy-")):
                there = {"EventBusName": bus}
                targets = [item["Id"] for item in events.list_targets_by_rule(Rule=name, **there)["Targets"]]
                if targets:
                    yield account.call(
                        f"targets of rule {name}", "events", "remove_targets", Rule=name, Ids=targets, **there
                    )
                yield account.call(f"rule {name}", "events", "delete_rule", Name=name, **there)


def copied_buses(account: Account) -> Iterator[Removal]:
    for name in buses_of_events(account):
        if name.startswith(f"{account.name}-copy-"):
            yield account.call(f"bus {name}", "events", "delete_event_bus", Name=name)


def buses_of_events(account: Account) -> list[str]:
    more: dict[str, str] = {}
    found = []
    while True:  # there is no paginator
        page = account.client("events").list_event_buses(**more)
        found += [bus["Name"] for bus in page["EventBuses"]]
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}


def api_logs(account: Account) -> Iterator[Removal]:
    """The log groups that apigateway_logging made, which are named after an API's id."""
    ids = [item["id"] for item in rest_api_items(account)] + [item["ApiId"] for item in http_api_items(account)]
    for prefix in [
        start + text for text in ids for start in ("/aws/vendedlogs/apigateway/", "API-Gateway-Execution-Logs_")
    ]:
        yield from log_groups(account, f"{prefix}/")


def apis(account: Account) -> Iterator[Removal]:
    for item in rest_api_items(account):
        yield account.call(f"REST API {item['name']}", "apigateway", "delete_rest_api", restApiId=item["id"])
    for item in http_api_items(account):
        yield account.call(f"HTTP API {item['Name']}", "apigatewayv2", "delete_api", ApiId=item["ApiId"])


def rest_api_items(account: Account) -> list[Any]:
    """The scenes' own; those of the stack go with the stack."""
    return [item for item in account.pages("apigateway", "get_rest_apis", "items") if account.ours(item["name"])]


def http_api_items(account: Account) -> list[Any]:
    return [item for item in account.pages("apigatewayv2", "get_apis", "Items") if account.ours(item["Name"])]


def api_gateway_role(account: Account) -> Iterator[Removal]:
    """The account's setting, when it names the stack's role."""
    role = account.client("apigateway").get_account().get("cloudwatchRoleArn", "")
    if account.ours(role.split("/")[-1]):
        patch = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}]
        text = "op=replace,path=/cloudwatchRoleArn,value=''"
        yield Removal(
            "API Gateway's role in the account's settings",
            command(account.cloud, "apigateway", "update_account", {"patchOperations": [text]}),
            lambda: account.client("apigateway").update_account(patchOperations=patch),
        )


def stacks(account: Account) -> Iterator[Removal]:
    cloudformation = account.client("cloudformation")
    wanted = [f"{account.name}-forwarder", account.name, f"{account.name}-receiver"]
    there = {
        item["StackName"]
        for item in account.pages("cloudformation", "list_stacks", "StackSummaries")
        if item["StackStatus"] != "DELETE_COMPLETE"
    }
    for name in [name for name in wanted if name in there]:
        by_hand = account.call(f"stack {name}", "cloudformation", "delete_stack", StackName=name)

        def run(by_hand: Removal = by_hand, name: str = name) -> None:
            by_hand.run()
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=QUICKLY)

        yield Removal(by_hand.what, by_hand.command, run)


def buckets(account: Account) -> Iterator[Removal]:
    """With all versions of what is in them. The stack keeps its own when it is deleted."""
    for item in account.client("s3").list_buckets()["Buckets"]:
        if account.ours(name := item["Name"]):
            profile = f" --profile {shlex.quote(account.cloud.profile)}" if account.cloud.profile else ""

            def run(name: str = name) -> None:
                empty(account, name)
                account.client("s3").delete_bucket(Bucket=name)

            yield Removal(f"bucket {name}", f"aws s3 rb s3://{name} --force{profile}", run)


def versions(account: Account, bucket: str) -> Iterator[dict[str, str]]:
    """Key and version of everything in the bucket, with the markers of what was deleted."""
    for page in account.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
        for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            yield {"Key": item["Key"], "VersionId": item["VersionId"]}


def empty(account: Account, bucket: str) -> None:
    found = list(versions(account, bucket))
    for start in range(0, len(found), BATCH):
        account.client("s3").delete_objects(
            Bucket=bucket, Delete={"Objects": found[start : start + BATCH], "Quiet": True}
        )


def tables(account: Account) -> Iterator[Removal]:
    for name in account.pages("dynamodb", "list_tables", "TableNames"):
        if account.ours(name):
            yield account.call(f"table {name}", "dynamodb", "delete_table", TableName=name)


def queues(account: Account) -> Iterator[Removal]:
    for url in account.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=f"{account.name}-"):
        yield account.call(f"queue {url.split('/')[-1]}", "sqs", "delete_queue", QueueUrl=url)


def secrets(account: Account) -> Iterator[Removal]:
    for item in account.pages("secretsmanager", "list_secrets", "SecretList"):
        if (name := item["Name"]).startswith(f"{account.name}/"):
            yield account.call(
                f"secret {name}", "secretsmanager", "delete_secret", SecretId=name, ForceDeleteWithoutRecovery=True
            )


def parameters(account: Account) -> Iterator[Removal]:
    below = {"Key": "Name", "Option": "BeginsWith", "Values": [f"/{account.name}/"]}
    for item in account.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=[below]):
        yield account.call(f"parameter {item['Name']}", "ssm", "delete_parameter", Name=item["Name"])


def logs(account: Account) -> Iterator[Removal]:
    """Log groups that the stack did not take with it, or that a function made anew."""
    for prefix in (f"{account.name}-", f"/aws/lambda/{account.name}-", f"/aws/kinesisfirehose/{account.name}-"):
        yield from log_groups(account, prefix)


def log_groups(account: Account, prefix: str) -> Iterator[Removal]:
    for item in account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
        name = item["logGroupName"]
        yield account.call(f"log group {name}", "logs", "delete_log_group", logGroupName=name)


def users(account: Account) -> Iterator[Removal]:
    for item in account.pages("iam", "list_users", "Users"):
        if account.ours(name := item["UserName"]):
            for policy in account.pages("iam", "list_attached_user_policies", "AttachedPolicies", UserName=name):
                arn = policy["PolicyArn"]
                yield account.call(f"policy of user {name}", "iam", "detach_user_policy", UserName=name, PolicyArn=arn)
            yield account.call(f"user {name}", "iam", "delete_user", UserName=name)


def roles(account: Account) -> Iterator[Removal]:
    """API Gateway's, which the stack keeps because the account's settings name it."""
    for item in account.pages("iam", "list_roles", "Roles"):
        if account.ours(name := item["RoleName"]):
            for policy in account.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name):
                arn = policy["PolicyArn"]
                yield account.call(f"policy of role {name}", "iam", "detach_role_policy", RoleName=name, PolicyArn=arn)
            for inline in account.pages("iam", "list_role_policies", "PolicyNames", RoleName=name):
                yield account.call(
                    f"policy of role {name}", "iam", "delete_role_policy", RoleName=name, PolicyName=inline
                )
            yield account.call(f"role {name}", "iam", "delete_role", RoleName=name)


def networks(account: Account) -> Iterator[Removal]:
    tagged = [{"Name": f"tag:{TAG}", "Values": [account.name]}]
    for group in account.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=tagged):
        name = group["GroupId"]
        yield account.call(f"security group {name}", "ec2", "delete_security_group", GroupId=name)
    for vpc in account.pages("ec2", "describe_vpcs", "Vpcs", Filters=tagged):
        yield account.call(f"VPC {vpc['VpcId']}", "ec2", "delete_vpc", VpcId=vpc["VpcId"])


Kind = Callable[[Account], Iterable[Removal]]
KINDS: tuple[Kind, ...] = (
    *(instances, databases, snapshots, rules, copied_buses, api_logs, apis, api_gateway_role, stacks),
    *(buckets, tables, queues, secrets, parameters, logs, users, roles, networks),
)
