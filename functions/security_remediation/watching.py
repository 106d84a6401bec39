"""What the remediations share that keep the account watched: by CloudTrail, GuardDuty, Security Hub and AWS Config.

EventBridge gets API calls only while a trail logs them, so the trail that is stopped blinds this function as well.
https://docs.aws.amazon.com/eventbridge/latest/userguide/event-types.html
"""

from collections.abc import Mapping
from typing import Any

from automations import aws
from automations.errors import Refused
from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.reading import own_region, tags_of, unless_absent

ANY_DETECTOR = "arn:${AWS::Partition}:guardduty:${AWS::Region}:${AWS::AccountId}:detector/*"
THE_HUB = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:hub/default"
ANY_RECORDER = "arn:${AWS::Partition}:config:${AWS::Region}:${AWS::AccountId}:configuration-recorder/*"


def service_role(service: str, name: str) -> str:
    """The ARN of a service-linked role."""
    return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/aws-service-role/{service}/{name}"


def find_trail(record: CloudTrailRecord, parameter: str) -> Mapping[str, Any] | None:
    """The trail that the record names, by its name or its ARN; None when it is gone.

    A trail of several regions is changed in its home region only, so it is there that its calls are recorded.

    Raises:
        Refused: the trail is in another region, or in another account: a delegated administrator changes those of the
            organisation.
    """
    client = aws.cloudtrail()
    own_region(record, client, "trail")
    named = record.required(parameter)
    account = named.split(":")[4] if named.startswith("arn:") else ""
    if account and record.recipient_account_id and account != record.recipient_account_id:
        raise Refused(f"The trail {named} belongs to account {account}; look at it there.")
    answer = unless_absent(lambda: client.get_trail(Name=named), "TrailNotFoundException")
    return answer["Trail"] if answer else None


def trail_tags(arn: str) -> dict[str, str]:
    [answer] = aws.cloudtrail().list_tags(ResourceIdList=[arn])["ResourceTagList"]
    return tags_of({"Value": "", **tag} for tag in answer["TagsList"])
