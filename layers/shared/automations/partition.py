"""Addresses that differ between AWS's partitions."""

from urllib.parse import urlsplit

# https://docs.aws.amazon.com/general/latest/gr/mgmt-console.html (the host, and that a region's name may come before it)
# https://docs.amazonaws.cn/en_us/codebuild/latest/userguide/test-view-project-reports.html (China)
# https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/configure-account.html (GovCloud)
# https://docs.aws.eu/general/latest/gr/endpoints.html (European Sovereign Cloud)
_CONSOLES = {
    "cn-": "console.amazonaws.cn",
    "us-gov-": "console.amazonaws-us-gov.com",
    "eusc-": "console.amazonaws-eusc.eu",
}


def console_host(region: str) -> str:
    """The host of the AWS Management Console in the region's partition."""
    return next((host for prefix, host in _CONSOLES.items() if region.startswith(prefix)), "console.aws.amazon.com")


def console_url(region: str, service: str, fragment: str = "") -> str:
    """A service's page of the AWS Management Console in the event's own region and partition."""
    return f"https://{region}.{console_host(region)}/{service}/home?region={region}" + (
        f"#{fragment}" if fragment else ""
    )


def is_console_url(url: str, region: str) -> bool:
    """Whether the URL leads to the AWS Management Console of the region's partition, and nowhere else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = console_host(region)
    return parts.scheme == "https" and parts.netloc in {host, f"{region}.{host}"}
