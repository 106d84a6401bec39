"""Commands of the AWS CLI, as the tests of the documents read them."""

import pytest

from tests.aws_cli import Call, read, run


def test_a_command_becomes_a_call() -> None:
    assert read("aws ssm put-parameter --name /a --type String --overwrite --value '{}'") == Call(
        "ssm", "put_parameter", {"Name": "/a", "Type": "String", "Overwrite": True, "Value": "{}"}, {}
    )


def test_json_lists_and_numbers_are_what_the_service_takes() -> None:
    sns = read(
        'aws sns subscribe --topic-arn arn --protocol sms --notification-endpoint +1 --attributes \'{"a": "b"}\''
    )
    lambda_ = read("aws lambda put-function-concurrency --function-name f --reserved-concurrent-executions 0")

    assert (sns.arguments["Endpoint"], sns.arguments["Attributes"]) == ("+1", {"a": "b"})
    assert lambda_.arguments["ReservedConcurrentExecutions"] == 0


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("aws sqs purge --queue-url q", "sqs has no operation purge"),
        ("aws sqs purge-queue --url q", "sqs purge-queue has no option --url"),
        ("aws sqs purge-queue", 'Missing required parameter in input: "QueueUrl"'),
        ("aws sqs purge-queue q", "q belongs to no option"),
        ("aws sns subscribe --topic-arn a --protocol sms --attributes '[]'", "Invalid type for parameter Attributes"),
    ],
)
def test_a_command_that_aws_would_refuse_is_refused(command: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(command)


def test_what_a_command_inside_prints_is_part_of_the_outer_one() -> None:
    class Client:
        def describe_stacks(self, **arguments: str) -> dict[str, object]:
            return {"Stacks": [{"Outputs": [{"OutputKey": "Queue", "OutputValue": arguments["StackName"]}]}]}

        def get_queue_attributes(self, **arguments: str) -> dict[str, object]:
            return {"Attributes": arguments, "ResponseMetadata": {}}

    inner = "aws cloudformation describe-stacks --stack-name s --query \"Stacks[0].Outputs[?OutputKey=='Queue'].OutputValue\""
    found = run(f'aws sqs get-queue-attributes --queue-url "$({inner} --output text)"', lambda _: Client())

    assert found == '{"Attributes": {"QueueUrl": "s"}}'
