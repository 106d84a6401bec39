"""Pictures that are uploaded and deleted."""

import json
from io import BytesIO
from typing import Any

from PIL import Image

from automations import aws
from tests.proofs.situations import ANOTHER_ID, Situation
from tests.proofs.world import World
from tests.samples import sample

UPLOADS = "amzn-s3-demo-uploads"  # the one in the sample events
DERIVATIVES = "amzn-s3-demo-derivatives"
KEY = "photos/Seoul (2026) a+b %20.JPG"  # likewise


def _deployed(world: World) -> None:
    for bucket in (UPLOADS, DERIVATIVES):
        aws.s3().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    aws.s3().put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
    world.set(
        uploads_bucket=UPLOADS,
        derivatives_bucket=DERIVATIVES,
        image_sizes="64,32",
        image_formats="keep",
        max_image_pixels="1000000",
        max_image_bytes="1000000",
    )


def _upload(colour: str) -> dict[str, Any]:
    file = BytesIO()
    Image.new("RGB", (100, 80), colour).save(file, "JPEG")
    answer = aws.s3().put_object(Bucket=UPLOADS, Key=KEY, Body=file.getvalue())
    event = sample("image_resize/uploaded")
    event["detail"]["object"] |= {
        "key": KEY,
        "size": len(file.getvalue()),
        "etag": answer["ETag"].strip('"'),
        "version-id": answer["VersionId"],
    }
    return event


def _derivatives() -> dict[str, Any]:
    """What each derivative looks like, by its key."""
    s3, found = aws.s3(), {}
    for item in s3.list_objects_v2(Bucket=DERIVATIVES).get("Contents", []):
        picture = Image.open(BytesIO(s3.get_object(Bucket=DERIVATIVES, Key=item["Key"])["Body"].read()))
        found[item["Key"]] = (picture.format, picture.size, picture.getpixel((0, 0)))
    return found


def image_resize_uploaded(world: World) -> Situation:
    """A picture is uploaded."""
    _deployed(world)
    event = _upload("red")
    return Situation("image_resize", event, _derivatives, again=event | ANOTHER_ID)


def image_resize_replaced(world: World) -> Situation:
    """A picture is replaced by another one."""
    _deployed(world)
    older = _upload("red")
    return Situation("image_resize", _upload("blue"), _derivatives, older=older)


def image_resize_deleted(world: World) -> Situation:
    """A picture is deleted."""
    _deployed(world)
    older = _upload("red")
    world.deliver("image_resize", older)
    aws.s3().delete_object(Bucket=UPLOADS, Key=KEY)
    event: dict[str, Any] = json.loads(json.dumps(sample("image_resize/delete-marker")))
    event["detail"]["object"]["key"] = KEY
    return Situation("image_resize", event, _derivatives, older=older)


SITUATIONS = (image_resize_uploaded, image_resize_replaced, image_resize_deleted)
