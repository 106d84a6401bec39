import pytest
from botocore.exceptions import ClientError
from local.cloud import Aws
from local.forwarder import forwarder
from local.stack import Rule

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


@pytest.mark.parametrize(
    ("source", "bus", "hears"),
    [
        ("aws.ec2", "default", True),
        ("aws.ec2", "eventbridge-automations", False),
        ("aws.partner/zendesk.com/1/default", "default", True),
        ("aws.partner/zendesk.com/1/default", "aws.partner/zendesk.com/1/default", True),
        ("com.example.shop", "default", True),
        ("com.example.shop", "eventbridge-automations", True),
        ("awsome", "eventbridge-automations", True),
    ],
)
def test_a_rule_hears_what_arrives_on_its_bus_without_being_forwarded(source: str, bus: str, hears: bool) -> None:
    assert Rule("Rule", "Function", bus, "{}", "arn").hears(source) is hears
