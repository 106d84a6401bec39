import pytest
from botocore.exceptions import ClientError
from local.cloud import Aws
from local.forwarder import forwarder

from tests.unit.conftest import REGION

TINY = """
Parameters: {Label: {Type: String}}
Resources: {Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: !Ref Label}}}
Outputs: {Queue: {Value: !GetAtt Queue.QueueName}}
"""


@pytest.fixture
def account(cloud: None, monkeypatch, tmp_path) -> Aws:
    """An account of moto, which does not know a list of parameters in a rule's pattern: a smaller template stands in."""
    (tmp_path / "template.yaml").write_text(TINY)
    monkeypatch.setattr("local.forwarder.TEMPLATE", tmp_path / "template.yaml")
    return Aws(region=REGION)


def stacks(account: Aws) -> list[str]:
    return [stack["StackName"] for stack in account.client("cloudformation").describe_stacks()["Stacks"]]


def test_the_stack_exists_for_the_length_of_the_block(account: Aws) -> None:
    with forwarder(account, "forwarder", Label="one") as outputs:
        assert stacks(account) == ["forwarder"]
        assert outputs == {"Queue": "one"}

    assert stacks(account) == []


def test_the_stack_is_deleted_when_the_block_fails(account: Aws) -> None:
    with pytest.raises(ZeroDivisionError), forwarder(account, "forwarder", Label="one"):
        raise ZeroDivisionError

    assert stacks(account) == []


def test_a_stack_of_that_name_that_exists_is_left_alone(account: Aws) -> None:
    with forwarder(account, "forwarder", Label="one"):
        with pytest.raises(ClientError, match="AlreadyExists"), forwarder(account, "forwarder", Label="two"):
            pass
        assert stacks(account) == ["forwarder"]
