"""What is in the account before the stack."""

import json
from pathlib import Path

import pytest
from local.cloud import REGION, Aws
from local.seed import seed, seed_pictures
from local.stack import PARAMETERS, UPLOADS

pytestmark = pytest.mark.usefixtures("cloud")


def test_the_samples_pictures_are_there_and_no_event_came_of_them() -> None:
    aws = Aws(None, REGION)
    s3, sqs, events = aws.client("s3"), aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="look")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="look", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="look", Targets=[{"Id": "look", "Arn": attributes["QueueArn"]}])

    seed_pictures(aws)
    seed(aws, "http://127.0.0.1:4567", PARAMETERS)

    for sample in Path("events/image_resize").glob("uploaded*.json"):
        key = json.loads(sample.read_text())["detail"]["object"]["key"]
        assert s3.get_object(Bucket=UPLOADS, Key=key)["Body"].read().startswith(b"\xff\xd8")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)

    s3.put_object(Bucket=UPLOADS, Key="later.jpg", Body=b"")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "later.jpg"
