from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations.errors import Refused
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.attacks.ec2 import answer, changed
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")
IMAGE = "ami-0a1b2c3d4e5f67890"


@pytest.fixture
def recycle_bin(deployed: None) -> list[dict[str, Any]]:
    """What is in the Recycle Bin, which moto lacks."""
    kept: list[dict[str, Any]] = []

    def listing(body: dict[str, Any]) -> dict[str, Any]:
        return {"Images": [one for one in kept if one["ImageId"] == body["ImageId.1"]]}

    answer("ListImagesInRecycleBin", listing)
    return kept


def test_an_image_that_the_recycle_bin_keeps_is_told_with_the_command_that_restores_it(
    recycle_bin, alerts, calls, context
):
    until = datetime(2026, 11, 25, 2, 28, tzinfo=UTC)
    recycle_bin += [{"ImageId": IMAGE, "RecycleBinExitTime": until}, {"ImageId": "ami-1", "RecycleBinExitTime": until}]

    lambda_handler(call("deregister-image"), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"] == f"[WARNING] AMI {IMAGE} was deregistered"
    assert "keeps it until 2026-11-25 02:28 UTC" in message["Message"]
    assert f"restore-image-from-recycle-bin --image-id {IMAGE} --region ap-northeast-2" in message["Message"]


@pytest.mark.parametrize("deleted", [False, None])
def test_an_image_that_it_does_not_keep_is_told_with_its_snapshots(deleted, recycle_bin, alerts, context):
    lambda_handler(changed(call("deregister-image"), deleteAssociatedSnapshots=deleted), context)

    [message] = alerts.received()
    assert "The Recycle Bin does not have it" in message["Message"]
    assert f"Name=description,Values=*{IMAGE}*" in message["Message"]


@pytest.mark.parametrize("deleted", [True, "true"])
def test_snapshots_that_went_with_it_are_not_said_to_be_left(deleted, recycle_bin, alerts, context):
    lambda_handler(changed(call("deregister-image"), deleteAssociatedSnapshots=deleted), context)

    [message] = alerts.received()
    assert "The call deleted its snapshots too" in message["Message"]
    assert "Its snapshots are left" not in message["Message"]


def refuse(code: str) -> None:
    def refused(_: dict[str, Any]) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, "ListImagesInRecycleBin")

    answer("ListImagesInRecycleBin", refused)


def test_a_recycle_bin_that_does_not_know_it_does_not_have_it(alerts, context):
    refuse("InvalidAMIID.NotFound")

    lambda_handler(call("deregister-image"), context)

    assert "The Recycle Bin does not have it" in alerts.received()[0]["Message"]


def test_a_recycle_bin_that_cannot_be_read_is_a_failure(alerts, context):
    refuse("UnauthorizedOperation")

    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        lambda_handler(call("deregister-image"), context)


def test_an_image_of_another_region_is_refused(alerts, calls, context):
    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(call("deregister-image", awsRegion="eu-west-1"), context)

    assert calls == []
