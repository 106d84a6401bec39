import pytest

from automations.partition import console_url, is_console_url

CONSOLES = [
    ("ap-northeast-2", "console.aws.amazon.com"),
    ("us-east-1", "console.aws.amazon.com"),
    ("cn-northwest-1", "console.amazonaws.cn"),
    ("us-gov-east-1", "console.amazonaws-us-gov.com"),
    ("eusc-de-east-1", "console.amazonaws-eusc.eu"),
]


@pytest.mark.parametrize(("region", "console"), CONSOLES)
def test_a_page_of_the_console_is_in_the_regions_own_partition(region, console):
    assert console_url(region, "ec2") == f"https://{region}.{console}/ec2/home?region={region}"
    assert console_url(region, "ec2", "Instances:").endswith(f"region={region}#Instances:")


@pytest.mark.parametrize(("region", "console"), CONSOLES)
def test_only_a_page_of_the_regions_own_console_is_one(region, console):
    assert is_console_url(console_url(region, "ec2"), region)
    assert is_console_url(f"https://{console}/cloudwatch/home?region={region}", region)
    for url in (
        f"http://{console}/",
        f"https://{console}.example.com/",
        f"https://{console}@example.com/",
        f"https://example{console}/",
        "https://example.com/",
        "https://[",
        "",
    ):
        assert not is_console_url(url, region)


def test_the_console_of_another_partition_is_not_the_regions_own():
    for region, _ in CONSOLES[2:]:
        assert not is_console_url("https://console.aws.amazon.com/", region)
