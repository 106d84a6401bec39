"""Log groups that exist and forget."""

from botocore.exceptions import ClientError

from automations import aws


def ensure_log_group(name: str, retention_days: int) -> None:
    """Create the log group, unless it is there. A retention that somebody else has set is left as it is."""
    logs = aws.logs()
    try:
        logs.create_log_group(logGroupName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
        if _retention(name) is not None:
            return
    logs.put_retention_policy(logGroupName=name, retentionInDays=retention_days)


def _retention(name: str) -> int | None:
    """In days; None when the group never forgets. The name itself comes first of those that begin with it."""
    groups = aws.logs().describe_log_groups(logGroupNamePrefix=name, limit=1)["logGroups"]
    return next((group.get("retentionInDays") for group in groups if group["logGroupName"] == name), None)
