"""Lambda functions, as records name them."""

import re

from automations import aws
from automations.errors import Refused
from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.reading import unless_absent

ANY_FUNCTION = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"  # versions and aliases, too
GONE = "ResourceNotFoundException"

# Name, partial or whole ARN, with or without a version or alias:
# https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
NAMED = re.compile(
    r"^(?:(?:arn:[^:]+:lambda:[^:]+:)?(?P<account>\d{12}):)?(?:function:)?(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?$"
)


def function_name(record: CloudTrailRecord) -> tuple[str, str]:
    """The function's name, and the version or alias that stands with it, "" for none.

    Raises:
        Refused: it is another account's.
    """
    given = record.required("functionName")
    found = NAMED.match(given)
    if not found:
        return given, ""
    account = found["account"]
    if account and account != (record.recipient_account_id or account):
        raise Refused(f"The Lambda function {given} belongs to account {account}, where this function cannot look.")
    return found["name"], found["qualifier"] or ""


def function_tags(arn: str) -> dict[str, str]:
    """The function's tags; the ARN may be that of a version or an alias, which have none."""
    function = ":".join(arn.split(":")[:7])
    answer = unless_absent(lambda: aws.lambda_().list_tags(Resource=function), GONE)
    return answer["Tags"] if answer else {}
