import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws

FACTORIES = {name: value for name, value in vars(aws).items() if hasattr(value, "cache_clear") and name != "_session"}


@pytest.fixture(autouse=True)
def new_clients(_lambda_environment):
    aws.forget_clients()
    yield
    aws.forget_clients()


@pytest.mark.parametrize("name", FACTORIES)
def test_each_client_is_made_once_and_has_the_common_retries_and_timeouts(name):
    client = FACTORIES[name]()

    assert FACTORIES[name]() is client
    config = client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (config.connect_timeout, config.read_timeout) == (3, 15 if name == "s3" else 5)  # S3 carries files


def test_all_clients_are_forgotten():
    before = {name: factory() for name, factory in FACTORIES.items()}

    aws.forget_clients()

    assert all(factory() is not before[name] for name, factory in FACTORIES.items())


def test_an_empty_endpoint_url_counts_as_absent_and_a_given_one_is_used(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    assert aws.sns().meta.endpoint_url == "https://sns.ap-northeast-2.amazonaws.com"

    aws.forget_clients()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert aws.sns().meta.endpoint_url == "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("client", "operation", "request_of"),
    [
        (aws.events, "put_events", {"Entries": [{"Detail": "{}"}]}),
        (aws.firehose, "put_record_batch", {"DeliveryStreamName": "s", "Records": [{"Data": b""}]}),
        (aws.kinesis, "put_records", {"StreamName": "s", "Records": [{"Data": b"", "PartitionKey": "a"}]}),
        (aws.rds_data, "execute_statement", {"resourceArn": "a" * 11, "secretArn": "a" * 11, "sql": "select 1"}),
        (aws.sqs, "send_message", {"QueueUrl": "https://sqs.ap-northeast-2.amazonaws.com/1/q", "MessageBody": "a"}),
    ],
)
def test_an_error_of_a_call_that_carries_a_payload_does_not_repeat_it(client, operation, request_of):
    def message(code: str, text: str) -> str:
        with Stubber(client()) as stubber:
            stubber.add_client_error(operation, code, text)
            with pytest.raises(ClientError) as refused:
                getattr(client(), operation)(**request_of)
        return str(refused.value)

    assert "4242" not in message("ValidationException", "Value '4242' failed to satisfy constraint")
    assert message("DatabaseErrorException", "row (4242); SQLState: 23502").endswith("SQLState: 23502")
    for denied in ("AccessDenied", "AccessDeniedException"):
        assert "is not authorized" in message(denied, "User: a is not authorized to perform: b")


def test_errors_of_other_calls_say_what_aws_said():
    with Stubber(aws.sns()) as stubber:
        stubber.add_client_error("publish", "NotFound", "Topic does not exist")
        with pytest.raises(ClientError, match="Topic does not exist"):
            aws.sns().publish(TopicArn="arn:aws:sns:ap-northeast-2:111122223333:alerts", Message="a")
