from typing import Any

import pytest

from automations import aws
from automations.errors import InvalidEvent, Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediations import resolver_query_logging_deleted
from tests.unit.security_remediation.attacks import baseline as attacks
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed")


def deleted(config: str, **detail: Any) -> dict[str, Any]:
    return call("delete-resolver-query-log-config", {"rqlc-0123456789abcdef": config}, **detail)


def taken_out(config: str, vpc: str) -> dict[str, Any]:
    names = {"rqlc-0123456789abcdef": config, "vpc-0123456789abcdef0": vpc}
    return call("disassociate-resolver-query-log-config", names, eventID=f"event-{vpc}")


def test_the_calls_of_one_deletion_are_judged_in_any_order(enforce, alerts, context):
    vpcs = [attacks.create_vpc() for _ in range(3)]
    config = attacks.create_query_logging(*vpcs)
    attacks.take_query_logging()
    before = attacks.query_logging_state()
    attacks.delete_query_logging(config, *vpcs)
    first, second, third = vpcs

    for event in (taken_out(config, third), taken_out(config, first), deleted(config), taken_out(config, second)):
        lambda_handler(event, context)

    assert attacks.query_logging_state() == before


def test_what_another_call_makes_at_the_same_time_is_taken(enforce, alerts, context, monkeypatch):
    attacked = attacks.query_logging()
    create = aws.route53resolver().create_resolver_query_log_config

    def late(**arguments: Any) -> Any:
        create(**arguments)
        return create(**arguments)  # ResourceExistsException

    monkeypatch.setattr(aws.route53resolver(), "create_resolver_query_log_config", late)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_what_was_made_anew_and_does_not_work_is_a_failure_that_says_so(enforce, alerts, context, monkeypatch):
    attacked = attacks.query_logging()
    client = aws.route53resolver()
    attacks.create_query_logging(creator=attacked.event["detail"]["requestParameters"]["resolverQueryLogConfigId"])
    listed = client.list_resolver_query_log_configs()
    for one in listed["ResolverQueryLogConfigs"]:
        one["Status"] = "FAILED"
    monkeypatch.setattr(client, "_make_api_call", _answering(client, "ListResolverQueryLogConfigs", listed))

    with pytest.raises(Refused, match="failed, or is being deleted"):
        lambda_handler(attacked.event, context)


def _answering(client: Any, operation: str, answer: Any) -> Any:
    real = client._make_api_call
    return lambda name, arguments: answer if name == operation else real(name, arguments)


def test_the_new_configuration_comes_back_too_when_it_is_deleted_within_the_hour(enforce, alerts, context):
    attacked = attacks.query_logging()
    lambda_handler(attacked.event, context)
    [(_, _, _, vpcs)] = attacked.state()
    [new] = aws.route53resolver().list_resolver_query_log_configs()["ResolverQueryLogConfigs"]
    attacks.delete_query_logging(new["Id"], *vpcs)

    lambda_handler(deleted(new["Id"], eventID="another"), context)

    assert attacked.state() == attacked.closed


def test_a_deletion_that_was_never_noted_is_told_with_what_to_do(enforce, alerts, calls, context):
    config = attacks.create_query_logging()
    attacks.delete_query_logging(config)
    calls.clear()

    lambda_handler(deleted(config), context)
    lambda_handler(taken_out(config, attacks.create_vpc()), context)

    assert [one for one in writes(calls) if one != "CreateVpc"] == []
    for message in alerts.received():
        assert message["Subject"].startswith("[CRITICAL] Resolver query logging ")
        assert "Look which VPCs have no query logging" in message["Message"]


def test_vpcs_that_are_gone_are_left(enforce, alerts, context):
    attacked = attacks.query_logging()
    [(name, to, tags, (kept, gone))] = attacked.closed
    aws.ec2().delete_vpc(VpcId=gone)

    lambda_handler(attacked.event, context)

    assert attacked.state() == [(name, to, tags, [kept])]


def test_a_vpc_that_is_gone_makes_no_configuration_anew(enforce, alerts, calls, context):
    vpc = attacks.create_vpc()
    config = attacks.create_query_logging(vpc)
    attacks.take_query_logging()
    attacks.delete_query_logging(config, vpc)
    aws.ec2().delete_vpc(VpcId=vpc)
    calls.clear()

    lambda_handler(taken_out(config, vpc), context)

    assert writes(calls) == []


def test_a_vpc_that_another_configuration_logs_to_the_same_place_is_logged(enforce, alerts, calls, context):
    vpc = attacks.create_vpc()
    config = attacks.create_query_logging(vpc)
    attacks.create_query_logging(vpc, creator="another")
    attacks.take_out(config, vpc)
    calls.clear()

    lambda_handler(taken_out(config, vpc), context)

    assert writes(calls) == []
    assert alerts.received()[0]["Subject"].startswith("[WARNING]")


def test_an_association_that_is_going_does_not_count(enforce, alerts, calls, context, monkeypatch):
    """Resolver takes VPCs out in its own time. Until then it refuses to associate them, and the event is tried again."""
    attacked = attacks.vpc_taken_out_of_query_logging()
    attacked.revert()
    client = aws.route53resolver()
    listed = client.list_resolver_query_log_config_associations()
    for one in listed["ResolverQueryLogConfigAssociations"]:
        one["Status"] = "DELETING"
    monkeypatch.setattr(client, "_make_api_call", _answering(client, "ListResolverQueryLogConfigAssociations", listed))
    calls.clear()

    with pytest.raises(Exception, match="still, after its change"):
        lambda_handler(attacked.event, context)


def test_a_shared_configuration_is_not_noted_and_its_vpc_comes_back(enforce, alerts, context, monkeypatch):
    attacked = attacks.vpc_taken_out_of_query_logging()
    client = aws.route53resolver()
    listed = client.list_resolver_query_log_configs()
    for one in listed["ResolverQueryLogConfigs"]:
        one["ShareStatus"] = "SHARED_WITH_ME"
    with monkeypatch.context() as patched:
        patched.setattr(client, "_make_api_call", _answering(client, "ListResolverQueryLogConfigs", listed))
        assert resolver_query_logging_deleted.snapshot() == {}
        lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_record_that_does_not_name_its_configuration_is_told_and_fails(enforce, alerts, context):
    with pytest.raises(InvalidEvent, match="resolverQueryLogConfigId"):
        lambda_handler(call("delete-resolver-query-log-config", requestParameters=None), context)


def test_a_configuration_of_another_region_is_refused(enforce, alerts, context):
    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(call("delete-resolver-query-log-config", awsRegion="eu-west-1"), context)
