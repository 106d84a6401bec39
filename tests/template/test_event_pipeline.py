"""What event_pipeline's resources must have in common for nothing to be lost between them."""

import json
import re
from datetime import UTC, datetime

import pytest

from automations.events.sqs import Message
from event_pipeline.plan import plan
from tests.samples import EVENTS
from tests.template_file import RESOURCES, TEMPLATE

RULES = {name: item for name, item in RESOURCES.items() if item["Type"] == "AWS::Events::Rule" and "Ingest" in name}
PIPES = {
    name: item
    for name, item in RESOURCES.items()
    if item["Type"] == "AWS::Pipes::Pipe" and item["Condition"].startswith("Pipeline")
}
QUEUE = {"Fn::GetAtt": "IngestQueue.Arn"}
UNDELIVERED = {"Arn": {"Fn::GetAtt": "UndeliveredEventsQueue.Arn"}}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_feeds_the_queue_tries_again_and_keeps_what_it_could_not_deliver(name: str) -> None:
    [target] = RULES[name]["Properties"]["Targets"]

    assert target["Arn"] == QUEUE
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert target["DeadLetterConfig"] == UNDELIVERED


@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_feeds_the_queue_tries_again_and_says_what_it_could_not_deliver(name: str) -> None:
    properties = PIPES[name]["Properties"]
    [source] = properties["SourceParameters"].values()

    assert properties["Target"] == QUEUE
    assert source["DeadLetterConfig"] == UNDELIVERED
    assert source["MaximumRetryAttempts"] == 10


def test_the_queue_takes_messages_from_the_rules_and_from_nobody_else() -> None:
    [statement] = RESOURCES["IngestQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    named = re.findall(r'"Fn::GetAtt": "(\w+)\.Arn"', json.dumps(statement["Condition"]["ArnEquals"]["aws:SourceArn"]))

    assert set(named) == set(RULES)
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}


def test_a_message_stays_hidden_for_six_times_the_timeout_of_the_function() -> None:
    timeout = RESOURCES["EventPipelineFunction"]["Properties"].get(
        "Timeout", TEMPLATE["Globals"]["Function"]["Timeout"]
    )

    assert RESOURCES["IngestQueue"]["Properties"]["VisibilityTimeout"] >= 6 * timeout


def test_only_the_failed_messages_of_a_batch_come_again_and_in_the_end_they_are_kept() -> None:
    assert RESOURCES["IngestMapping"]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert RESOURCES["IngestQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == {
        "Fn::GetAtt": "IngestFailuresQueue.Arn"
    }


def test_firehose_finds_the_keys_of_the_partitions_in_every_record() -> None:
    destination = RESOURCES["EventsToS3"]["Properties"]["ExtendedS3DestinationConfiguration"]
    [extraction] = destination["ProcessingConfiguration"]["Processors"]
    query = next(
        p["ParameterValue"] for p in extraction["Parameters"] if p["ParameterName"] == "MetadataExtractionQuery"
    )
    keys = dict(re.findall(r"(\w+): \.(\w+)", query))
    batch = json.loads((EVENTS / "event_pipeline/batch.json").read_text())

    assert set(re.findall(r"!{partitionKeyFromQuery:(\w+)}", destination["Prefix"])) == set(keys)
    for message in batch["Records"]:
        record = plan(Message.model_validate(message), "bucket", "events", datetime.now(UTC)).record
        assert record
        assert set(keys.values()) <= set(json.loads(record.line))


def test_firehose_may_write_where_it_is_told_to() -> None:
    text = json.dumps(RESOURCES["FirehoseRole"]["Properties"]["Policies"])
    written = json.dumps([RESOURCES[name]["Properties"] for name in ("EventsToS3", "EventsToRedshift")])

    configured = set(re.findall(r'"(?:Prefix|ErrorOutputPrefix)": "(\w+)/', written))
    assert set(re.findall(r"PipelineBucket\.Arn}/(\w+)/\*", text)) == configured | {"manifests"}  # COPY's own
