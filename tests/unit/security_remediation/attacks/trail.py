"""Attacks on what watches the account: its trails and their logs, GuardDuty, Security Hub."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from automations import aws
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import call

TRAIL = "management-events"
LOGS = "amzn-s3-demo-trail-logs"
EVERYTHING = {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": []}
ALL_MANAGEMENT_EVENTS = EVERYTHING | {"DataResources": []}
OBJECTS = {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::amzn-s3-demo-website/"]}]}


def create_trail(name: str = TRAIL, *, multi_region: bool = True, **settings: Any) -> str:
    """A trail that logs all management events, and its bucket; returns its ARN."""
    aws.s3().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    return add_trail(name, multi_region=multi_region, **settings)


def add_trail(name: str, *, multi_region: bool = True, **settings: Any) -> str:
    client = aws.cloudtrail()
    arn = client.create_trail(
        Name=name,
        S3BucketName=LOGS,
        IsMultiRegionTrail=multi_region,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=False,
        IsOrganizationTrail=False,
        **settings,
    )["TrailARN"]
    select(name, ALL_MANAGEMENT_EVENTS)
    client.start_logging(Name=name)
    return arn


def select(name: str, *selectors: Mapping[str, Any]) -> None:
    aws.cloudtrail().put_event_selectors(TrailName=name, EventSelectors=selectors)  # type: ignore[arg-type]


def tag_trail(arn: str) -> None:
    aws.cloudtrail().add_tags(ResourceId=arn, TagsList=[TAG])  # type: ignore[list-item]


def trail_stopped() -> Attack:
    arn, client = create_trail(), aws.cloudtrail()
    client.stop_logging(Name=arn)
    return Attack(
        "trail_stopped",
        call("stop-logging"),
        state=lambda: client.get_trail_status(Name=arn)["IsLogging"],
        opened=False,
        closed=True,
        revert=lambda: client.start_logging(Name=arn),
        exempt=lambda: tag_trail(arn),
    )


def trail_stopped_by_name() -> Attack:
    attack = trail_stopped()
    attack.event["detail"]["requestParameters"]["name"] = TRAIL
    return attack


def _selectors(kind: str) -> Any:
    return aws.cloudtrail().get_event_selectors(TrailName=TRAIL)[kind]  # type: ignore[literal-required]


def _recorded(selectors: Any) -> Any:
    """As CloudTrail spells it."""
    if isinstance(selectors, dict):
        return {name[0].lower() + name[1:]: _recorded(value) for name, value in selectors.items()}
    return [_recorded(one) for one in selectors] if isinstance(selectors, list) else selectors


def narrowed(put: list[dict[str, Any]], closed: list[dict[str, Any]]) -> Attack:
    """The trail's basic selectors are `put`."""
    arn = create_trail()
    select(TRAIL, *put)
    event = call("put-event-selectors-narrowed")
    event["detail"]["requestParameters"]["eventSelectors"] = _recorded(put)
    wide = call("put-event-selectors-narrowed")
    wide["detail"]["requestParameters"]["eventSelectors"] = _recorded([ALL_MANAGEMENT_EVENTS])
    return Attack(
        "trail_selectors",
        event,
        state=lambda: _selectors("EventSelectors"),
        opened=put,
        closed=closed,
        revert=lambda: select(TRAIL, ALL_MANAGEMENT_EVENTS),
        exempt=lambda: tag_trail(arn),
        harmless={"all management events": wide},
    )


def selectors_without_management_events() -> Attack:
    put = {
        "ReadWriteType": "ReadOnly",
        "IncludeManagementEvents": False,
        "ExcludeManagementEventSources": [],
        **OBJECTS,
    }
    return narrowed([put], closed=[ALL_MANAGEMENT_EVENTS, put])


def selectors_without_writes() -> Attack:
    put = EVERYTHING | OBJECTS | {"ReadWriteType": "ReadOnly"}
    return narrowed([put], closed=[ALL_MANAGEMENT_EVENTS, put | {"IncludeManagementEvents": False}])


def selectors_without_kms() -> Attack:
    put = ALL_MANAGEMENT_EVENTS | {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}
    return narrowed([put], closed=[ALL_MANAGEMENT_EVENTS])


def advanced_selectors() -> Attack:
    arn, client = create_trail(), aws.cloudtrail()
    category: dict[str, Any] = {"Field": "eventCategory", "Equals": ["Management"]}
    all_of_them: Any = {"Name": "Management events", "FieldSelectors": [category]}
    data: Any = {
        "Name": "Objects",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        ],
    }
    few: Any = {
        "Name": "Management events",
        "FieldSelectors": [
            category,
            {"Field": "readOnly", "Equals": ["true"]},
            {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
        ],
    }
    client.put_event_selectors(TrailName=arn, AdvancedEventSelectors=[data, few])
    return Attack(
        "trail_selectors",
        call("put-event-selectors-advanced"),
        state=lambda: _selectors("AdvancedEventSelectors"),
        opened=[data, few],
        closed=[all_of_them, data],
        revert=lambda: client.put_event_selectors(TrailName=arn, AdvancedEventSelectors=[all_of_them, data]),
        exempt=lambda: tag_trail(arn),
    )


def _rules() -> list[dict[str, Any]]:
    try:
        return aws.s3().get_bucket_lifecycle_configuration(Bucket=LOGS)["Rules"]  # type: ignore[return-value]
    except ClientError:
        return []


def put_rules(*rules: Any) -> None:
    if rules:
        aws.s3().put_bucket_lifecycle_configuration(Bucket=LOGS, LifecycleConfiguration={"Rules": [*rules]})
    else:
        aws.s3().delete_bucket_lifecycle(Bucket=LOGS)


BAD = {"ID": "expire-after-1-day", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
OTHER = {"ID": "drafts", "Status": "Enabled", "Filter": {"Prefix": "drafts/"}, "Expiration": {"Days": 7}}


def lifecycle(
    bad: dict[str, Any], others: list[dict[str, Any]], left: list[dict[str, Any]], prefix: str = ""
) -> Attack:
    create_trail(S3KeyPrefix=prefix)
    put_rules(bad, *others)
    event = call("put-bucket-lifecycle-trail-logs")
    recorded = event["detail"]["requestParameters"]["LifecycleConfiguration"]
    recorded["Rule"] = [bad, *others] if others else bad
    late, another_bucket = (call("put-bucket-lifecycle-trail-logs") for _ in range(2))
    late["detail"]["requestParameters"]["LifecycleConfiguration"]["Rule"]["Expiration"]["Days"] = 365
    another_bucket["detail"]["requestParameters"]["bucketName"] = "amzn-s3-demo-website"
    return Attack(
        "trail_log_lifecycle",
        event,
        state=_rules,
        opened=[bad, *others],
        closed=left,
        revert=lambda: put_rules(*others),
        exempt=lambda: aws.s3().put_bucket_tagging(Bucket=LOGS, Tagging={"TagSet": [TAG]}),  # type: ignore[list-item]
        harmless={"after a year": late, "no trail logs there": another_bucket},
    )


def expiry_of_everything() -> Attack:
    return lifecycle(BAD, others=[], left=[])


def expiry_beside_other_rules() -> Attack:
    bad = BAD | {"Filter": {"Prefix": f"audit/AWSLogs/{ACCOUNT}/CloudTrail/"}}
    return lifecycle(bad, others=[OTHER], left=[OTHER], prefix="audit")


def expiry_beside_a_transition() -> Attack:
    """A record of one rule, with more than its expiry to it."""
    moved = {key: value for key, value in BAD.items() if key != "Expiration"} | {
        "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]
    }
    return lifecycle(moved | {"Expiration": {"Days": 90}}, others=[], left=[moved])


def _detectors() -> list[str]:
    client = aws.guardduty()
    return [client.get_detector(DetectorId=one)["Status"] for one in client.list_detectors()["DetectorIds"]]


def _detector(name: str) -> tuple[str, dict[str, Any]]:
    detector = aws.guardduty().create_detector(Enable=True)["DetectorId"]
    return detector, call(name, {"12abc34d567e8fa901bc2d34e56789f0": detector})


def detector_suspended() -> Attack:
    client = aws.guardduty()
    detector, event = _detector("update-detector-suspended")
    frequency, enabled = (_detector_event("update-detector-suspended", detector) for _ in range(2))
    frequency["detail"]["requestParameters"] = {"detectorId": detector, "findingPublishingFrequency": "SIX_HOURS"}
    enabled["detail"]["requestParameters"]["enable"] = True
    client.update_detector(DetectorId=detector, Enable=False)
    return Attack(
        "guardduty_detector",
        event,
        state=_detectors,
        opened=["DISABLED"],
        closed=["ENABLED"],
        revert=lambda: client.update_detector(DetectorId=detector, Enable=True),
        exempt=lambda: _tag_detector(detector),
        harmless={"another setting": frequency, "enabled": enabled},
    )


def _detector_event(name: str, detector: str) -> dict[str, Any]:
    return call(name, {"12abc34d567e8fa901bc2d34e56789f0": detector})


def _tag_detector(detector: str) -> None:
    """moto has no TagResource of GuardDuty."""
    from moto.guardduty.models import guardduty_backends

    guardduty_backends[ACCOUNT]["ap-northeast-2"].detectors[detector].tags[TAG["Key"]] = TAG["Value"]


def detector_deleted() -> Attack:
    client = aws.guardduty()
    detector, event = _detector("delete-detector")
    client.delete_detector(DetectorId=detector)
    return Attack(
        "guardduty_detector",
        event,
        state=_detectors,
        opened=[],
        closed=["ENABLED"],
        revert=lambda: client.create_detector(Enable=True),
    )


def _hub() -> bool:
    try:
        return bool(aws.securityhub().describe_hub())
    except ClientError:
        return False


def hub_disabled() -> Attack:
    client = aws.securityhub()
    client.enable_security_hub()
    client.disable_security_hub()
    return Attack(
        "security_hub",
        call("disable-security-hub"),
        state=_hub,
        opened=False,
        closed=True,
        revert=client.enable_security_hub,
    )


ATTACKS: list[MakeAttack] = [
    trail_stopped,
    trail_stopped_by_name,
    selectors_without_management_events,
    selectors_without_writes,
    selectors_without_kms,
    advanced_selectors,
    expiry_of_everything,
    expiry_beside_other_rules,
    expiry_beside_a_transition,
    detector_suspended,
    detector_deleted,
    hub_disabled,
]
