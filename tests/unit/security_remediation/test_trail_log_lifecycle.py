import pytest
from botocore.stub import Stubber

from automations import aws
from security_remediation.handler import lambda_handler
from security_remediation.remediations import trail_log_lifecycle
from tests.unit.security_remediation.attacks import trail as attacks
from tests.unit.security_remediation.conftest import audit_records, call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_a_rule_with_a_date_is_audited_and_put_back(alerts, context):
    bad = attacks.BAD | {"Expiration": {"Date": "2030-01-01T00:00:00+00:00"}}
    attacked = attacks.lifecycle(bad, others=[], left=[])
    was = attacked.state()

    lambda_handler(attacked.event, context)
    assert attacked.state() == []
    trail_log_lifecycle.restore(audit_records()[0]["before"])

    assert attacked.state() == was


def test_a_record_that_shows_no_rules_is_judged_by_the_bucket(alerts, context):
    attacked = attacks.expiry_beside_other_rules()
    attacked.event["detail"]["requestParameters"]["LifecycleConfiguration"] = ""

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_an_older_record_with_lists_is_read(alerts, context):
    attacked = attacks.expiry_of_everything()
    request = attacked.event["detail"]["requestParameters"]
    attacked.event["detail"]["requestParameters"] = {
        "bucketName": [attacks.LOGS],
        "host": [f"{attacks.LOGS}.s3.ap-northeast-2.amazonaws.com"],
        "lifecycle": [""],
        "LifecycleConfiguration": [request["LifecycleConfiguration"]],
    }

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_bucket_that_is_gone_is_told(alerts, calls, context):
    attacked = attacks.expiry_of_everything()
    aws.s3().delete_bucket(Bucket=attacks.LOGS)
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_a_bucket_without_trail_logs_is_not_even_looked_at(alerts, calls, context):
    outcome = lambda_handler(call("put-bucket-lifecycle-trail-logs"), context)

    assert outcome["outcomes"]["trail_log_lifecycle"] == "harmless"
    assert calls == ["DescribeTrails"]


def test_the_smallest_size_for_transitions_is_kept(cloud):
    """moto knows nothing of it."""
    attacks.create_trail()
    move = {"ID": "move", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 30}]}
    with Stubber(aws.s3()) as s3:
        s3.add_response(
            "get_bucket_lifecycle_configuration",
            {"Rules": [attacks.BAD, move], "TransitionDefaultMinimumObjectSize": "varies_by_storage_class"},
        )
        s3.add_response("get_bucket_tagging", {"TagSet": []})
        state = trail_log_lifecycle.read(record_of("put-bucket-lifecycle-trail-logs"))
    todo = trail_log_lifecycle.plan(record_of("put-bucket-lifecycle-trail-logs"), state, None)  # type: ignore[arg-type]

    assert todo is not None
    assert todo.change["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    assert todo.change["LifecycleConfiguration"]["Rules"] == [move]
