"""What a demo leaves in an account, found by its name and removed."""

import json
from typing import Any

import pytest
from local.cloud import Aws
from local.removal import KINDS, TAG, Account, command, find, remove

from tests.unit.conftest import REGION

NAME = "demo-one"


@pytest.fixture
def account(cloud: None) -> Account:
    return Account(Aws(region=REGION), NAME)


def client(account: Account, service: str) -> Any:
    return account.client(service)


def furnish(account: Account, name: str) -> None:
    """Make one of each in the account, as a demo of this name and its scenes would."""
    s3 = client(account, "s3")
    s3.create_bucket(Bucket=f"{name}-uploads", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=f"{name}-uploads", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=f"{name}-uploads", Key="a", Body=b"a")
    s3.delete_object(Bucket=f"{name}-uploads", Key="a")  # leaves a marker
    client(account, "sqs").create_queue(QueueName=f"{name}-look-alerts")
    client(account, "secretsmanager").create_secret(Name=f"{name}/slack", SecretString="s")
    client(account, "ssm").put_parameter(Name=f"/{name}/routes", Value="[]", Type="String")
    client(account, "dynamodb").create_table(
        TableName=f"{name}-OrdersTable",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    events = client(account, "events")
    events.create_event_bus(Name=f"{name}-copy-1")
    for bus, rule in (("default", f"{name}-look-events"), (f"{name}-copy-1", f"{name}-copy-1")):
        events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": ["a"]}))
        target = {"Id": "look", "Arn": f"arn:aws:sqs:{REGION}:123456789012:x"}
        events.put_targets(Rule=rule, EventBusName=bus, Targets=[target])
    iam = client(account, "iam")
    iam.create_user(UserName=f"{name}-alice")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}]}
    policy = iam.create_policy(PolicyName=f"p-{name}", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=f"{name}-alice", PolicyArn=policy)
    trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName=f"{name}-ApiGatewayAccountRole-1",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.attach_role_policy(RoleName=f"{name}-ApiGatewayAccountRole-1", PolicyArn=policy)
    iam.put_role_policy(
        RoleName=f"{name}-ApiGatewayAccountRole-1", PolicyName="Own", PolicyDocument=json.dumps(document)
    )
    ec2, tags = client(account, "ec2"), [{"Key": TAG, "Value": name}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])["Vpc"]
    group = {"ResourceType": "security-group", "Tags": tags}
    ec2.create_security_group(GroupName="web", Description="-", VpcId=vpc["VpcId"], TagSpecifications=[group])
    instance = [{"ResourceType": "instance", "Tags": tags}]
    ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=instance)
    rest = client(account, "apigateway").create_rest_api(name=f"{name}-orders")["id"]
    http = client(account, "apigatewayv2").create_api(Name=f"{name}-shop", ProtocolType="HTTP")["ApiId"]
    logs = client(account, "logs")
    for group_name in (
        f"/aws/vendedlogs/apigateway/{rest}/prod",
        f"API-Gateway-Execution-Logs_{rest}/prod",
        f"/aws/vendedlogs/apigateway/{http}/default",
        f"{name}-ImageResizeLogGroup",
    ):
        logs.create_log_group(logGroupName=group_name)
    rds = client(account, "rds")
    login = {"MasterUsername": "admin1", "MasterUserPassword": "not-a-secret"}
    rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-orders",
        Engine="mysql",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        **login,
    )
    rds.create_db_snapshot(
        DBInstanceIdentifier=f"{name}-orders", DBSnapshotIdentifier=f"automations-{name}-orders-20261122-1500"
    )
    client(account, "cloudformation").create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    )


def test_an_empty_account_has_nothing(account: Account) -> None:
    assert find(account) == []


def test_all_of_a_demo_is_removed_and_nothing_of_another(account: Account) -> None:
    furnish(account, "demo-two")
    others = [removal.what for removal in find(Account(account.cloud, "demo-two"))]
    furnish(account, NAME)
    assert len(find(account)) == len(others)

    failed = remove(account, lambda what: None)

    assert failed == []
    assert find(account) == []
    secrets = client(account, "secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert [secret["Name"] for secret in secrets] == ["demo-two/slack"]
    iam = client(account, "iam")
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["demo-two-ApiGatewayAccountRole-1"]
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["demo-two-alice"]
    assert [removal.what for removal in find(Account(account.cloud, "demo-two"))] == others


def test_every_kind_of_thing_is_found(account: Account) -> None:
    furnish(account, NAME)
    client(account, "apigateway").update_account(
        patchOperations=[
            {
                "op": "replace",
                "path": "/cloudwatchRoleArn",
                "value": f"arn:aws:iam::123456789012:role/{NAME}-ApiGatewayAccountRole-1",
            }
        ]
    )

    empty = [kind.__name__ for kind in KINDS if not list(kind(account))]

    assert empty in ([], ["api_gateway_role"])  # moto may not keep the account's role


def test_what_cannot_be_removed_is_named_with_its_command_and_the_rest_goes(account: Account) -> None:
    furnish(account, NAME)
    table = f"{NAME}-OrdersTable"
    client(account, "dynamodb").update_table(TableName=table, DeletionProtectionEnabled=True)

    failed = remove(account, lambda what: None)

    assert [(removal.what if removal else "", removal.command if removal else "") for removal, _ in failed] == [
        (f"table {table}", f"aws dynamodb delete-table --table-name {table} --region {REGION}")
    ]
    assert [removal.what for removal in find(account)] == [f"table {table}"]


def test_a_service_that_does_not_answer_is_said_and_the_rest_goes(account: Account, monkeypatch) -> None:
    furnish(account, NAME)
    monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    failed = remove(account, lambda what: None)

    assert [reason.split(":")[0] for _, reason in failed] == [
        "databases could not be listed",
        "snapshots could not be listed",
    ]
    monkeypatch.delenv("AWS_ENDPOINT_URL_RDS")
    assert all(removal.what.startswith(("database", "snapshot")) for removal in find(account))


def test_a_command_is_one_that_the_aws_cli_takes() -> None:
    cloud = Aws("play ground", "eu-west-1")

    assert command(cloud, "events", "remove_targets", {"Rule": "r", "Ids": ["a", "b"]}) == (
        "aws events remove-targets --rule r --ids a b --region eu-west-1 --profile 'play ground'"
    )
    assert command(cloud, "rds", "delete_db_instance", {"DBInstanceIdentifier": "x", "SkipFinalSnapshot": True}) == (
        "aws rds delete-db-instance --db-instance-identifier x --skip-final-snapshot --region eu-west-1 "
        "--profile 'play ground'"
    )
