"""Attacks on images, snapshots of volumes and databases, and the settings of Amazon EC2 in a region."""

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from automations import aws
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.hooks import hook
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import call

FOREIGN, FOREIGN_TOO = "444455556666", "555566667777"


def answer(operation: str, response: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer an operation of Amazon EC2 that moto lacks. botocore has validated the request by then."""

    def handler(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), response(params["body"])

    hook(aws.ec2(), f"before-call.ec2.{operation}", handler)


def changed(event: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """The event with other request parameters; None takes one out."""
    other = deepcopy(event)
    request = other["detail"]["requestParameters"] | parameters
    other["detail"]["requestParameters"] = {name: value for name, value in request.items() if value is not None}
    return other


def items(*grants: dict[str, str]) -> dict[str, Any]:
    return {"items": list(grants)}


def _names(grants: Any) -> list[str]:
    return sorted(name for grant in grants for name in grant.values())


# ---------------------------------------------------------------- images


def image_shared_with(image: str) -> list[str]:
    found = aws.ec2().describe_image_attribute(ImageId=image, Attribute="launchPermission")
    return _names(found["LaunchPermissions"])


def _image(name: str, grants: list[dict[str, str]], *others: str) -> Attack:
    """An image that is shared with these and, as before, with others."""
    image = aws.ec2().register_image(Name="web")["ImageId"]
    kept: list[Any] = [{"UserId": other} for other in others]
    bad: list[Any] = [{key[:1].upper() + key[1:]: value for key, value in grant.items()} for grant in grants]
    aws.ec2().modify_image_attribute(ImageId=image, LaunchPermission={"Add": [*kept, *bad]})
    event = call(name, {"ami-0a1b2c3d4e5f67890": image})
    event = changed(event, launchPermission={"add": items(*grants)})
    return Attack(
        "image_shared",
        event,
        state=lambda: image_shared_with(image),
        opened=_names([*kept, *bad]),
        closed=_names(kept),
        revert=lambda: aws.ec2().modify_image_attribute(ImageId=image, LaunchPermission={"Remove": bad}),
        exempt=lambda: aws.ec2().create_tags(Resources=[image], Tags=[TAG]),  # type: ignore[list-item]
        harmless={
            "a share that is taken back": changed(event, launchPermission={"remove": items(*grants)}),
            "a share with the own account": changed(event, launchPermission={"add": items({"userId": ACCOUNT})}),
            "a description": changed(
                event, launchPermission=None, attributeType="description", description={"value": "Web"}
            ),
        },
    )


def image_shared_with_everyone() -> Attack:
    return _image("modify-image-attribute-public", [{"group": "all"}], FOREIGN)


def image_shared_with_an_account() -> Attack:
    return _image("modify-image-attribute-foreign-account", [{"userId": FOREIGN}], FOREIGN_TOO)


def image_shared_with_a_foreign_organization() -> Attack:
    """No record of this was found; the names in it are those of the API's LaunchPermission, as with accounts."""
    return _image(
        "modify-image-attribute-foreign-account",
        [
            {"organizationArn": f"arn:aws:organizations::{FOREIGN}:organization/o-a1b2c3d4e5"},
            {"organizationalUnitArn": f"arn:aws:organizations::{FOREIGN}:ou/o-a1b2c3d4e5/ou-ab12-11111111"},
        ],
        FOREIGN,
    )


# ---------------------------------------------------------------- snapshots of volumes


def snapshot_shared_with(snapshot: str) -> list[str]:
    found = aws.ec2().describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    return _names(found["CreateVolumePermissions"])


def _snapshot(name: str, *, users: list[str], groups: list[str], others: list[str]) -> Attack:
    ec2 = aws.ec2()
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

    def share(operation: Any, users: list[str], groups: list[str]) -> None:
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute="createVolumePermission",
            OperationType=operation,
            UserIds=users,
            GroupNames=groups,
        )

    share("add", [*users, *others], groups)
    event = call(name, {"snap-0f1e2d3c4b5a69788": snapshot})
    grants = [*({"userId": one} for one in users), *({"group": one} for one in groups)]
    event = changed(event, createVolumePermission={"add": items(*grants)})
    return Attack(
        "ebs_snapshot_shared",
        event,
        state=lambda: snapshot_shared_with(snapshot),
        opened=sorted([*users, *groups, *others]),
        closed=sorted(others),
        revert=lambda: share("remove", users, groups),
        exempt=lambda: ec2.create_tags(Resources=[snapshot], Tags=[TAG]),  # type: ignore[list-item]
        harmless={
            "a share that is taken back": changed(event, createVolumePermission={"remove": items(*grants)}),
            "a share with the own account": changed(event, createVolumePermission={"add": items({"userId": ACCOUNT})}),
        },
    )


def snapshot_shared_with_everyone() -> Attack:
    return _snapshot("modify-snapshot-attribute-public", users=[], groups=["all"], others=[FOREIGN])


def snapshot_shared_with_an_account() -> Attack:
    return _snapshot("modify-snapshot-attribute-foreign-account", users=[FOREIGN], groups=[], others=[FOREIGN_TOO])


def snapshot_shared_with_both() -> Attack:
    return _snapshot("modify-snapshot-attribute-public", users=[FOREIGN, FOREIGN_TOO], groups=["all"], others=[])


# ---------------------------------------------------------------- snapshots of databases


def db_snapshot_shared_with(name: str, clustered: str = "db") -> list[str]:
    call: Any = getattr(aws.rds(), f"describe_{clustered}_snapshot_attributes")
    kind = "DBClusterSnapshot" if "cluster" in clustered else "DBSnapshot"
    found = call(**{f"{kind}Identifier": name})[f"{kind}AttributesResult"][f"{kind}Attributes"]
    return sorted(value for one in found if one["AttributeName"] == "restore" for value in one["AttributeValues"])


def _db_snapshot(name: str, event: dict[str, Any], bad: str, *, clustered: str) -> Attack:
    """A snapshot that is shared with one, and was with another account before."""
    rds: Any = aws.rds()
    kind = "DBClusterSnapshot" if "cluster" in clustered else "DBSnapshot"
    owner = {"MasterUsername": "owner", "MasterUserPassword": "not-a-secret"}
    if clustered == "db_cluster":
        rds.create_db_cluster(DBClusterIdentifier="source", Engine="aurora-postgresql", **owner)
    else:
        size: Any = {"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}
        rds.create_db_instance(DBInstanceIdentifier="source", Engine="postgres", **size, **owner)
    source = {"DBClusterIdentifier" if clustered == "db_cluster" else "DBInstanceIdentifier": "source"}
    snapshot = {f"{kind}Identifier": name}
    arn = getattr(rds, f"create_{clustered}_snapshot")(**snapshot, **source)[kind][f"{kind}Arn"]
    modify = getattr(rds, f"modify_{clustered}_snapshot_attribute")
    modify(**snapshot, AttributeName="restore", ValuesToAdd=[FOREIGN_TOO, bad])
    return Attack(
        "rds_snapshot_shared",
        event,
        state=lambda: db_snapshot_shared_with(name, clustered),
        opened=sorted([FOREIGN_TOO, bad]),
        closed=[FOREIGN_TOO],
        revert=lambda: modify(**snapshot, AttributeName="restore", ValuesToRemove=[bad]),
        exempt=lambda: rds.add_tags_to_resource(ResourceName=arn, Tags=[TAG]),
        harmless={
            "a share that is taken back": changed(event, valuesToAdd=None, valuesToRemove=[bad]),
            "a share with the own account": changed(event, valuesToAdd=[ACCOUNT]),
            "another attribute": changed(event, attributeName="another"),
        },
    )


def db_snapshot_shared_with_an_account() -> Attack:
    event = call("modify-db-snapshot-attribute-foreign-account")
    return _db_snapshot("orders-before-migration", event, FOREIGN, clustered="db")


def db_snapshot_shared_with_everyone_by_its_arn() -> Attack:
    event = call("modify-db-snapshot-attribute-foreign-account")
    arn = f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:orders-before-migration"
    event = changed(event, dBSnapshotIdentifier=arn, valuesToAdd="all")
    return _db_snapshot("orders-before-migration", event, "all", clustered="db")


def cluster_snapshot_shared_with_everyone() -> Attack:
    event = call("modify-db-cluster-snapshot-attribute-public")
    return _db_snapshot("ledger-before-migration", event, "all", clustered="db_cluster")


# ---------------------------------------------------------------- settings


def serial_console_switched_on() -> Attack:
    """moto has no serial console."""
    console = {"on": True}

    def switch(*, on: bool) -> dict[str, Any]:
        console["on"] = on
        return {"SerialConsoleAccessEnabled": on}

    answer("GetSerialConsoleAccessStatus", lambda _: {"SerialConsoleAccessEnabled": console["on"]})
    answer("EnableSerialConsoleAccess", lambda _: switch(on=True))
    answer("DisableSerialConsoleAccess", lambda _: switch(on=False))
    return Attack(
        "serial_console",
        call("enable-serial-console-access"),
        state=lambda: aws.ec2().get_serial_console_access_status()["SerialConsoleAccessEnabled"],
        opened=True,
        closed=False,
        revert=lambda: aws.ec2().disable_serial_console_access(),
    )


def ebs_encryption_switched_off() -> Attack:
    return Attack(
        "ebs_encryption",
        call("disable-ebs-encryption-by-default"),
        state=lambda: aws.ec2().get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
        opened=False,
        closed=True,
        revert=lambda: aws.ec2().enable_ebs_encryption_by_default(),
    )


ATTACKS: list[MakeAttack] = [
    image_shared_with_everyone,
    image_shared_with_an_account,
    image_shared_with_a_foreign_organization,
    snapshot_shared_with_everyone,
    snapshot_shared_with_an_account,
    snapshot_shared_with_both,
    db_snapshot_shared_with_an_account,
    db_snapshot_shared_with_everyone_by_its_arn,
    cluster_snapshot_shared_with_everyone,
    serial_console_switched_on,
    ebs_encryption_switched_off,
]
