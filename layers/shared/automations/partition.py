"""Addresses that differ between AWS's partitions."""

# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


def console_url(region: str, service: str, fragment: str = "") -> str:
    """A page of the AWS Management Console in the event's own region and partition."""
    console = next((host for prefix, host in _CONSOLES.items() if region.startswith(prefix)), "console.aws.amazon.com")
    return f"https://{region}.{console}/{service}/home?region={region}" + (f"#{fragment}" if fragment else "")
