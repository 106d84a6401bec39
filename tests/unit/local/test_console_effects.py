"""What functions touched: what their log lines name, and what the cloud says of it."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from local.cloud import Aws
from local.console import effects
from local.console.effects import Reading, State, Thing, beginning, look_at, plain, stations, things
from local.console.journeys import Attempt, Journey, Run
from local.stack import Stack

EVENT = {
    "version": "0",
    "id": "5e1f7f0e-0000-4000-8000-000000000001",
    "source": "com.example.shop",
    "detail-type": "Parcel",
    "time": "2026-11-09T06:31:14Z",
    "account": "111122223333",
    "region": "ap-northeast-2",
    "resources": [],
    "detail": {"parcel": "p-1"},
}
HACK = "<script>window.hacked=1</script>"


def run(function: str, *lines: Mapping[str, Any]) -> Run:
    return Run(function, [Attempt("r", lines)])


@dataclass(frozen=True)
class Account(Aws):
    def client(self, service: str, config: Config | None = None) -> Any:
        return boto3.client(service, config=config)  # type: ignore[call-overload]


@pytest.fixture
def stack(cloud: None) -> Stack:
    """An account with the buckets and tables of a stack."""
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    place: Any = {"LocationConstraint": "ap-northeast-2"}
    for bucket in ("uploads", "derivatives", "pipeline"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    for table, keys in {"orders": ["customer", "order_id"], "calls": ["call_key"]}.items():
        schema: Any = [
            {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ]
        named: Any = [{"AttributeName": key, "AttributeType": "S"} for key in keys]
        dynamodb.create_table(
            TableName=table, KeySchema=schema, AttributeDefinitions=named, BillingMode="PAY_PER_REQUEST"
        )
    found = Stack(Account())
    found.__dict__.update(
        outputs={"UploadsBucket": "uploads", "DerivativesBucket": "derivatives"},
        parameters={"ApiCallerRequestParameter": "/request"},
        resources={"PipelineBucket": "pipeline", "OrdersTable": "orders", "ApiCallsTable": "calls"},
    )
    return found


@pytest.mark.parametrize(
    ("function", "lines", "expected"),
    [
        ("Ec2StateAlertsFunction", [{"instance": "i-1"}], [("EC2 instance", "i-1")]),
        (
            "OfficeHoursFunction",
            [{"stopped": ["i-1"], "skipped": {"i-2": "why"}, "failed": {}}],
            [("EC2 instance", "i-1"), ("EC2 instance", "i-2")],
        ),
        (
            "RdsBackupFunction",
            [{"snapshots": {"created": ["automations-a"], "deleted": ["automations-b"]}}],
            [("RDS snapshot", "automations-a"), ("RDS snapshot", "automations-b")],
        ),
        ("RdsBackupFunction", [{"snapshot": "automations-a"}], [("RDS snapshot", "automations-a")]),
        ("ImageResizeFunction", [{"key": "a/b.jpg", "made": []}], [("Picture", "a/b.jpg")]),
        (
            "EventPipelineFunction",
            [{"key": "quarantine/1.ndjson"}, {"counts": {"EventsDelivered": 1}}],
            [
                ("Record in S3", "events/source=com.example.shop/date=2026-11-09/", EVENT["id"]),
                ("S3 object", "PipelineBucket", "quarantine/1.ndjson"),
            ],
        ),
        (
            "ApiCallerFunction",
            [{"kept": "s3://answers/2026/11/09/1.json"}, {"call": "c-1"}],
            [("S3 object", "answers", "2026/11/09/1.json"), ("DynamoDB item", json.dumps(EVENT))],
        ),
        ("OrderingFunction", [{"customer": "c", "order_id": "o"}], [("Order", "c", "o")]),
        (
            "ApigatewayLoggingFunction",
            [{"stage": "api1/prod", "log_groups": ["/a", "/b"]}],
            [("API stage", "api1", "prod"), ("Log group", "/a"), ("Log group", "/b")],
        ),
        ("CodebuildSlackFunction", [{"build": "web"}], []),
        ("Ec2StateAlertsFunction", [{"message": "Failed"}], []),
    ],
)
def test_what_a_run_names_is_looked_at(
    function: str, lines: list[dict[str, Any]], expected: list[tuple[str, ...]]
) -> None:
    assert [(one.kind, *one.name) for one in things(run(function, *lines), EVENT)] == expected


def test_no_more_than_a_few_of_many_things_are_read() -> None:
    many = run("OfficeHoursFunction", {"stopped": [f"i-{number}" for number in range(100)] * 2})

    assert len(things(many, None)) == effects.MOST


def test_an_instance_is_shown_with_its_state_and_tags(stack: Stack) -> None:
    ec2 = boto3.client("ec2")
    tags: Any = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": HACK}]}]
    [made] = ec2.run_instances(
        ImageId="ami-12c6146b", InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags
    )["Instances"]
    ec2.stop_instances(InstanceIds=[made["InstanceId"]])

    [state] = look_at(stack, Thing("EC2 instance", (made["InstanceId"],)))

    assert (state.word, state.facts) == ("stopped", {"type": "t3.micro", "Name": HACK})


@pytest.mark.parametrize(
    "thing",
    [
        Thing("EC2 instance", ("i-0fedcba9876543210",)),
        Thing("RDS snapshot", ("automations-none",)),
        Thing("S3 object", ("PipelineBucket", "quarantine/none")),
        Thing("S3 object", ("no-bucket-of-this-name", "none")),
        Thing("Order", ("customer", "none")),
        Thing("Log group", ("/none",)),
        Thing("API stage", ("none", "prod")),
        Thing("Picture", ("none.jpg",)),
    ],
)
def test_what_is_gone_is_said_so(stack: Stack, thing: Thing) -> None:
    [state] = look_at(stack, thing)

    assert state.lacking == "It is not there (any more)."


def test_what_may_not_be_read_says_why(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("ec2")
    monkeypatch.setattr(Account, "client", lambda *_: client)
    with Stubber(client) as answers:
        answers.add_client_error("describe_instances", "UnauthorizedOperation", "You may not do this.")

        [state] = look_at(stack, Thing("EC2 instance", ("i-1",)))

    assert "You may not do this." in state.lacking


def test_a_snapshot_is_shown_with_its_status_and_what_it_is_of(stack: Stack) -> None:
    rds = boto3.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="orders", DBInstanceClass="db.t4g.micro", Engine="mysql", AllocatedStorage=20
    )
    rds.create_db_snapshot(DBSnapshotIdentifier="automations-orders", DBInstanceIdentifier="orders")

    [state] = look_at(stack, Thing("RDS snapshot", ("automations-orders",)))

    assert (state.word, state.facts["of"]) == ("available", "instance orders")


def test_an_object_is_shown_with_how_its_text_begins(stack: Stack) -> None:
    boto3.client("s3").put_object(Bucket="pipeline", Key="a", Body=HACK.encode(), ContentType="text/html")

    [state] = look_at(stack, Thing("S3 object", ("PipelineBucket", "a")))

    assert state == State("S3 object", "s3://pipeline/a", "", {"size": f"{len(HACK)} bytes", "type": "text/html"}, HACK)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", ""),
        (b"\xff\xfe\xfd\xfc\xfb\xfa", ""),
        (b"", ""),
        ("가나다".encode(), "가나다"),
        (("x" + "가" * 2000).encode(), "x" + "가" * 1333 + " [...]"),
    ],
)
def test_only_text_is_shown_and_no_letter_is_cut(content: bytes, text: str) -> None:
    assert beginning(content) == text


def test_a_picture_is_shown_with_the_derivatives_of_it_that_there_are(stack: Stack) -> None:
    s3 = boto3.client("s3")
    s3.put_object(Bucket="uploads", Key="a.jpg", Body=b"jpeg")
    own, other = (sha256(f"s3://uploads/{key}".encode()).hexdigest() for key in ("a.jpg", "a.jpg.webp"))
    for key, source in {"1024/a.jpg": own, "320/a.jpg": own, "320/a.jpg.webp": other, "320/a.jpgx": own}.items():
        s3.put_object(Bucket="derivatives", Key=key, Body=b"jpeg", Metadata={"source-name-sha256": source})

    found = look_at(stack, Thing("Picture", ("a.jpg",)))

    assert [state.picture for state in found] == [
        ("uploads", "a.jpg"),
        ("derivatives", "320/a.jpg"),
        ("derivatives", "1024/a.jpg"),
    ]


@pytest.mark.parametrize("packed", [gzip.compress, bytes])
def test_a_record_is_found_among_the_newest_of_its_day(stack: Stack, packed: Any) -> None:
    s3, partition = boto3.client("s3"), "events/source=com.example.shop/date=2026-11-09/"
    lines = [json.dumps({"event_id": one}).encode() for one in ("other", EVENT["id"])]
    s3.put_object(Bucket="pipeline", Key=f"{partition}1", Body=packed(b"\n".join(lines)))
    s3.put_object(Bucket="pipeline", Key=f"{partition}2", Body=b"{}")

    [state] = look_at(stack, Thing("Record in S3", (partition, str(EVENT["id"]))))
    [missing] = look_at(stack, Thing("Record in S3", (partition, "none")))

    assert (state.name, json.loads(state.text)) == (f"s3://pipeline/{partition}1", {"event_id": EVENT["id"]})
    assert "newest objects there (yet)" in missing.lacking


def test_an_order_is_shown_as_it_is_in_the_table(stack: Stack) -> None:
    item: Any = {
        "customer": {"S": "c"},
        "order_id": {"S": "o"},
        "total": {"N": "8400.5"},
        "lines": {"L": [{"M": {"name": {"S": HACK}}}]},
    }
    boto3.client("dynamodb").put_item(TableName="orders", Item=item)

    [state] = look_at(stack, Thing("Order", ("c", "o")))

    assert state.facts == {
        "table": "orders",
        "customer": "c",
        "lines": json.dumps([{"name": HACK}]),
        "order_id": "o",
        "total": "8400.5",
    }


def test_a_calls_item_is_found_by_the_key_that_the_configuration_makes_of_the_event(
    stack: Stack,
) -> None:
    request = {"name": "parcels", "method": "GET", "url": "https://api.example.com/", "key": "{{detail.parcel}}"}
    ssm, thing = boto3.client("ssm"), Thing("DynamoDB item", (json.dumps(EVENT),))
    ssm.put_parameter(Name="/request", Value=json.dumps(request), Type="String")
    boto3.client("dynamodb").put_item(TableName="calls", Item={"call_key": {"S": "parcels/p-1"}})

    [state] = look_at(stack, thing)
    ssm.put_parameter(Name="/request", Value=json.dumps(request | {"key": "{{detail.none}}"}), Overwrite=True)
    [other] = look_at(stack, thing)

    assert (state.name, state.facts) == ("parcels/p-1", {"table": "calls", "call_key": "parcels/p-1"})
    assert "cannot be made of this event" in other.lacking


def test_a_log_group_says_for_how_long_it_keeps_its_lines(stack: Stack) -> None:
    logs = boto3.client("logs")
    for name in ("/forgets", "/keeps"):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName="/forgets", retentionInDays=14)

    found = [look_at(stack, Thing("Log group", (name,)))[0].facts for name in ("/forgets", "/keeps")]

    assert found == [{"retention": "14 days"}, {"retention": "for ever"}]


def test_a_rest_stage_and_an_http_stage_are_shown_with_their_logs(stack: Stack) -> None:
    rest, http = boto3.client("apigateway"), boto3.client("apigatewayv2")
    old = rest.create_rest_api(name="orders")["id"]
    [root] = rest.get_resources(restApiId=old)["items"]
    rest.put_method(restApiId=old, resourceId=root["id"], httpMethod="GET", authorizationType="NONE")
    rest.put_integration(restApiId=old, resourceId=root["id"], httpMethod="GET", type="MOCK")
    deployment = rest.create_deployment(restApiId=old)["id"]
    rest.create_stage(restApiId=old, stageName="prod", deploymentId=deployment)
    level: Any = [{"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"}]
    rest.update_stage(restApiId=old, stageName="prod", patchOperations=level)
    new = http.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    http.create_stage(ApiId=new, StageName="$default", AccessLogSettings={"DestinationArn": "arn:of:group"})

    [first] = look_at(stack, Thing("API stage", (old, "prod")))
    [second] = look_at(stack, Thing("API stage", (new, "$default")))

    assert first.facts == {"access logs": "none", "execution logs": "*/*: INFO"}
    assert second.facts == {"access logs": "arn:of:group", "execution logs": "none"}


def test_the_last_stations_count_messages_and_name_states() -> None:
    states = [
        State("EC2 instance", "i-1", "running"),
        State("EC2 instance", "i-2", lacking="It is not there (any more)."),
        State("S3 object", "s3://a/b"),
    ]

    assert stations(["Slack", "E-mail", "Slack"], states) == {
        "Slack": ["2 messages"],
        "E-mail": ["1 message"],
        "EC2 instance": ["1 there", "i-1: running", "1 not there"],
        "S3 object": ["1 there"],
    }


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (True, "true"), (["가"], '["가"]'), (None, "null")])
def test_a_field_of_an_item_is_shown_as_text(value: Any, text: str) -> None:
    assert plain(value) == text


def reading(*words: str) -> tuple[list[float], float | None]:
    """When a state is read whose word becomes these, one with each reading, and when it is to be read after them."""
    journey, now, reads, read = Journey("one"), 0.0, [], Reading()
    for word in words:
        while not read.is_due(journey, now):
            now += 1
            assert now < 1000, "it is not read any more"
        reads.append(now)
        read = read.next(journey, ({"F": [State("EC2 instance", "i-1", word)]}, ()), now)
    return reads, read.until


def test_what_is_at_rest_is_read_twice_and_then_no_more() -> None:
    assert reading("running", "running") == ([0, 1], None)


def test_what_changes_is_read_on_and_what_takes_long_more_seldom() -> None:
    assert reading("stopped", "pending", "pending", "pending", "running", "running") == ([0, 1, 2, 4, 8, 9], None)


def test_another_event_and_another_line_of_the_log_are_read_at_once() -> None:
    read = Reading().next(Journey("one"), ({}, ()), 0).next(Journey("one"), ({}, ()), 1)

    assert not read.is_due(Journey("one"), 100)
    assert read.is_due(Journey("two"), 100)
    assert read.is_due(Journey("one", runs=[run("F", {"message": "Done"})]), 100)
