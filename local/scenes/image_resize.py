"""image_resize, played."""

import io

from PIL import Image

from local.photo import photograph
from local.stage import SceneFailed, Stage


def image_resize(stage: Stage) -> None:
    """A photo is uploaded; its derivatives appear, upright and without the place where it was taken."""
    s3, uploads, derivatives = (
        stage.client("s3"),
        stage.stack.outputs["UploadsBucket"],
        stage.stack.outputs["DerivativesBucket"],
    )
    function, key, photo = "ImageResizeFunction", "photos/한강 (dusk) a+b %20.JPG", photograph()
    stage.keep("pictures/source.jpg", photo)
    s3.put_object(Bucket=uploads, Key=key, Body=photo, ContentType="image/jpeg")
    stage.s3_event("ImageUploaded", key, "Object Created")

    def derivative(name: str) -> bytes | None:
        try:
            body: bytes = s3.get_object(Bucket=derivatives, Key=name)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return body

    for size in (1600, 800, 200):
        for name in (f"{size}/{key}", f"{size}/{key}.webp"):
            content = stage.expect(f"s3://{derivatives}/{name}", lambda name=name: derivative(name), function)  # type: ignore[misc]
            picture = Image.open(io.BytesIO(content))
            if max(picture.size) != size or picture.getexif():
                raise SceneFailed(f"{name} is {picture.size} with EXIF {dict(picture.getexif())}.")
            kept = stage.keep(f"pictures/{size}.{(picture.format or '').lower()}", content)
            stage.say(
                "", f"{picture.format} {picture.width}x{picture.height}, {len(content):,} bytes, no EXIF: {kept.name}"
            )

    s3.delete_object(Bucket=uploads, Key=key)
    stage.s3_event("ImageDeleted", key, "Object Deleted")
    stage.expect(
        "the derivatives of the deleted picture are gone",
        lambda: not any(derivative(f"{size}/{key}{suffix}") for size in (1600, 800, 200) for suffix in ("", ".webp")),
        function,
    )


def image_that_is_none(stage: Stage) -> None:
    """Something else is uploaded as a picture: it is refused, and the event waits in the failed-events queue."""
    s3, uploads, function, key = (
        stage.client("s3"),
        stage.stack.outputs["UploadsBucket"],
        "ImageResizeFunction",
        "holiday.png",
    )
    s3.put_object(Bucket=uploads, Key=key, Body=b"%PDF-1.7 this is no picture")
    event = stage.s3_event("ImageUploaded", key, "Object Created", refuses=True)
    # MiniStack tries an event of a rule only once and uses no failure destination; a direct invocation does both.
    stage.stack.send(event)
    failed = stage.expect(
        "the event is in the failed-events queue",
        lambda: [item for item in stage.stack.failed_events() if item["requestPayload"]["id"] == event["id"]],
        function,
    )
    stage.say("reason", str(failed[0]["responsePayload"].get("errorMessage", "")))
