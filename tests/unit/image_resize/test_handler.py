import json
import sys
from datetime import datetime
from io import BytesIO
from threading import Barrier
from typing import Any
from unittest.mock import ANY

import boto3
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from automations import aws
from automations.errors import InvalidEvent, Refused, SettingsError
from image_resize import derivatives
from image_resize import picture as picture_module
from image_resize.derivatives import Unsettled
from image_resize.handler import lambda_handler
from tests.samples import sample

UPLOADS = "amzn-s3-demo-uploads"  # the one in the sample events
DERIVATIVES = "derivatives"
KEY = "photos/Seoul (2026) a+b %20.JPG"  # likewise
RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture(autouse=True)
def buckets(cloud, monkeypatch):
    for bucket in (UPLOADS, DERIVATIVES, "other"):
        boto3.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
        )
    for name, value in {
        "UPLOADS_BUCKET": UPLOADS,
        "DERIVATIVES_BUCKET": DERIVATIVES,
        "IMAGE_SIZES": "64,32",
        "IMAGE_FORMATS": "keep",
        "MAX_IMAGE_PIXELS": "1000000",
        "MAX_IMAGE_BYTES": "1000000",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def versioned():
    boto3.client("s3").put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})


def photo(colour: Any = RED, image_format: str = "JPEG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (100, 80), colour).save(file, image_format)
    return file.getvalue()


def upload(body: bytes, key: str = KEY) -> dict[str, Any]:
    """Put the source there, and return the event that S3 sends."""
    answer = boto3.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=body)
    event = sample("image_resize/uploaded")
    event["detail"]["object"] |= {"key": key, "size": len(body), "etag": answer["ETag"].strip('"')}
    event["detail"]["object"]["version-id"] = answer.get("VersionId")
    return event


def delete(key: str = KEY, **version: str) -> dict[str, Any]:
    answer = boto3.client("s3").delete_object(Bucket=UPLOADS, Key=key, **version)  # type: ignore[arg-type]
    event = sample("image_resize/delete-marker" if answer.get("DeleteMarker") else "image_resize/deleted")
    event["detail"]["object"]["key"] = key
    return event


def keys(bucket: str = DERIVATIVES) -> list[str]:
    return sorted(one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", []))


def derivative(key: str) -> dict[str, Any]:
    return dict(boto3.client("s3").get_object(Bucket=DERIVATIVES, Key=key))


def picture(key: str) -> Image.Image:
    return Image.open(BytesIO(derivative(key)["Body"].read()))


def is_red(key: str) -> bool:
    red, _, blue = picture(key).convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    return bool(red > 200 and blue < 50)


def written() -> list[datetime]:
    return [one["LastModified"] for one in boto3.client("s3").list_objects_v2(Bucket=DERIVATIVES)["Contents"]]


# ---------------------------------------------------------------- uploads


def test_an_uploaded_picture_gets_a_derivative_of_each_size(context):
    event = upload(photo())

    assert lambda_handler(event, context) == {"key": KEY, "made": [f"32/{KEY}", f"64/{KEY}"], "deleted": []}

    assert {key: picture(key).size for key in keys()} == {f"64/{KEY}": (64, 51), f"32/{KEY}": (32, 26)}
    assert is_red(f"64/{KEY}")


def test_a_derivative_names_its_source_its_type_and_how_long_it_may_be_cached(versioned, context):
    event = upload(photo())
    lambda_handler(event, context)

    made = derivative(f"64/{KEY}")

    assert (made["ContentType"], made["CacheControl"]) == ("image/jpeg", "max-age=3600")
    assert made["Metadata"] == {
        "source-etag": event["detail"]["object"]["etag"],
        "source-version": event["detail"]["object"]["version-id"],
        "source-name-sha256": ANY,
        "recipe": "1",
    }


def test_there_is_a_derivative_of_each_format_with_its_own_key_and_type(monkeypatch, context):
    monkeypatch.setenv("IMAGE_FORMATS", "keep, jpeg, webp, avif")
    monkeypatch.setenv("IMAGE_SIZES", "32")
    lambda_handler(upload(photo(image_format="PNG"), "a.png"), context)

    assert {key: derivative(key)["ContentType"] for key in keys()} == {
        "32/a.png": "image/png",
        "32/a.png.jpg": "image/jpeg",
        "32/a.png.webp": "image/webp",
        "32/a.png.avif": "image/avif",
    }


@pytest.mark.parametrize(
    "key",
    [
        "a+b %20.png",
        "%2B.png",
        "사진/서울 야경 (2026).jpeg",
        "with space.png",
        "(parentheses).png",
        "no-directory.png",
        "a/very/deep/directory/of/directories/x.png",
        "/leading//double/slash.png",
        "./dots/../x.png",
        'quote"&<>\\.png',
        "emoji 🏞.PNG",
    ],
)
def test_a_key_is_used_as_it_stands(key, context):
    lambda_handler(upload(photo(), key), context)
    assert keys() == sorted([f"32/{key}", f"64/{key}"])

    lambda_handler(delete(key), context)
    assert keys() == []


def test_the_format_is_that_of_the_content_whatever_the_key_ends_in(context):
    lambda_handler(upload(photo(image_format="PNG"), "a.jpg"), context)

    assert (picture("64/a.jpg").format, derivative("64/a.jpg")["ContentType"]) == ("PNG", "image/png")


def test_the_sample_events_of_other_uploads_are_understood(context):
    for name in ("uploaded-korean-key", "uploaded-multipart"):
        event = sample(f"image_resize/{name}")
        upload(photo(), event["detail"]["object"]["key"])
        lambda_handler(event, context)

    assert "64/사진/서울 야경 (2026).jpeg" in keys()
    assert "64/photos/panorama.tiff" in keys()


# ---------------------------------------------------------------- twice, late, in any order, at the same time


def test_a_second_delivery_changes_nothing(context, logs, monkeypatch):
    event = upload(photo())
    lambda_handler(event, context)
    before = written()
    monkeypatch.setattr(derivatives, "render", None)

    assert lambda_handler(event, context) == {"key": KEY, "made": [], "deleted": []}

    assert written() == before
    assert "Its derivatives are right already" in logs.getvalue()


def test_a_new_picture_under_the_same_key_replaces_the_derivatives(context):
    lambda_handler(upload(photo(RED)), context)

    lambda_handler(upload(photo(BLUE)), context)

    assert not is_red(f"64/{KEY}")


@pytest.mark.parametrize("bucket", ["plain", "versioned"])
def test_the_newest_picture_wins_when_the_events_come_in_the_wrong_order(bucket, context, request):
    if bucket == "versioned":
        request.getfixturevalue("versioned")
    older, newer = upload(photo(BLUE)), upload(photo(RED))

    lambda_handler(newer, context)
    lambda_handler(older, context)

    assert is_red(f"64/{KEY}")
    assert derivative(f"64/{KEY}")["Metadata"]["source-etag"] == newer["detail"]["object"]["etag"]


def test_the_same_picture_as_a_new_version_is_named_by_the_derivatives(versioned, context):
    lambda_handler(upload(photo()), context)
    event = upload(photo())
    lambda_handler(event, context)

    assert derivative(f"64/{KEY}")["Metadata"]["source-version"] == event["detail"]["object"]["version-id"]


def test_a_late_deletion_event_leaves_the_derivatives_of_what_was_uploaded_since(context):
    upload(photo(BLUE))
    deleted = delete()
    lambda_handler(upload(photo(RED)), context)

    lambda_handler(deleted, context)

    assert is_red(f"64/{KEY}")


def while_rendering(monkeypatch: pytest.MonkeyPatch, *happenings: Any) -> None:
    """Let something happen after each rendering, before its result is written."""
    render, waiting = picture_module.render, list(happenings)

    def slow(*args: Any) -> Any:
        rendered = render(*args)
        if waiting:
            waiting.pop(0)()
        return rendered

    monkeypatch.setattr(derivatives, "render", slow)


def test_a_source_that_is_replaced_during_rendering_wins(context, monkeypatch):
    event = upload(photo(BLUE))
    while_rendering(monkeypatch, lambda: upload(photo(RED)))

    lambda_handler(event, context)

    assert is_red(f"64/{KEY}")
    assert is_red(f"32/{KEY}")


def test_a_source_that_is_deleted_during_rendering_has_no_derivatives_in_the_end(versioned, context, monkeypatch):
    event = upload(photo())
    while_rendering(monkeypatch, delete)

    lambda_handler(event, context)

    assert keys() == []


def before_the_download(monkeypatch: pytest.MonkeyPatch, happening: Any) -> None:
    get_object, waiting = aws.s3().get_object, [happening]

    def get(**request: Any) -> Any:
        if waiting:
            waiting.pop()()
        return get_object(**request)

    monkeypatch.setattr(aws.s3(), "get_object", get)


def test_a_source_that_is_replaced_between_the_look_and_the_download_wins(context, monkeypatch):
    event = upload(photo(BLUE))
    before_the_download(monkeypatch, lambda: upload(photo(RED)))

    lambda_handler(event, context)

    assert is_red(f"64/{KEY}")
    assert derivative(f"64/{KEY}")["Metadata"]["source-etag"] != event["detail"]["object"]["etag"]


def test_a_source_that_is_deleted_between_the_look_and_the_download_has_no_derivatives(versioned, context, monkeypatch):
    event = upload(photo())
    before_the_download(monkeypatch, delete)

    lambda_handler(event, context)

    assert keys() == []


def test_what_takes_the_place_of_the_source_is_not_downloaded_before_its_size_is_known(context, monkeypatch):
    event = upload(photo())
    before_the_download(monkeypatch, lambda: upload(b"x" * 1_000_001))

    with pytest.raises(Refused, match="has 1000001 bytes"):
        lambda_handler(event, context)

    assert keys() == []


def test_one_who_was_slow_repairs_what_another_did_in_the_meantime(context, monkeypatch):
    event = upload(photo(BLUE))
    while_rendering(monkeypatch, lambda: lambda_handler(upload(photo(RED)), context))

    lambda_handler(event, context)

    assert is_red(f"64/{KEY}")


def test_a_deletion_that_meets_a_new_upload_makes_its_derivatives_again(context, monkeypatch):
    lambda_handler(upload(photo(BLUE)), context)
    deleted = delete()
    delete_object, waiting = aws.s3().delete_object, [lambda: lambda_handler(upload(photo(RED)), context)]

    def slow(**request: Any) -> Any:
        if waiting:
            waiting.pop()()
        return delete_object(**request)

    monkeypatch.setattr(aws.s3(), "delete_object", slow)

    lambda_handler(deleted, context)

    assert is_red(f"64/{KEY}")
    assert is_red(f"32/{KEY}")


def test_a_source_that_never_rests_fails_the_event_so_that_lambda_tries_again(context, monkeypatch):
    event = upload(photo())
    while_rendering(monkeypatch, *(lambda shade=shade: upload(photo((shade, 0, 0))) for shade in range(0, 250, 25)))

    with pytest.raises(Unsettled, match=r"changed during each of 4 attempts"):
        lambda_handler(event, context)


def test_the_derivatives_are_written_at_the_same_time(context, monkeypatch):
    event = upload(photo())
    both, put_object = Barrier(2, timeout=30), aws.s3().put_object

    def put(**request: Any) -> Any:
        both.wait()
        return put_object(**request)

    monkeypatch.setattr(aws.s3(), "put_object", put)

    lambda_handler(event, context)

    assert keys() == [f"32/{KEY}", f"64/{KEY}"]


def test_when_one_derivative_cannot_be_written_the_event_fails_and_its_retry_writes_what_is_missing(
    context, monkeypatch
):
    event = upload(photo())
    put_object = aws.s3().put_object

    def put(**request: Any) -> Any:
        if request["Key"].startswith("64/"):
            raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "PutObject")
        return put_object(**request)

    monkeypatch.setattr(aws.s3(), "put_object", put)
    with pytest.raises(ClientError, match="SlowDown"):
        lambda_handler(event, context)
    assert f"64/{KEY}" not in keys()

    monkeypatch.setattr(aws.s3(), "put_object", put_object)
    lambda_handler(event, context)
    assert keys() == [f"32/{KEY}", f"64/{KEY}"]


# ---------------------------------------------------------------- deletions


def test_a_deleted_source_loses_the_derivatives_of_all_sizes_and_formats(context, monkeypatch):
    monkeypatch.setenv("IMAGE_FORMATS", "keep,jpeg,webp,avif")
    lambda_handler(upload(photo()), context)
    assert len(keys()) == 8

    assert len(lambda_handler(delete(), context)["deleted"]) == 8

    assert keys() == []


def test_a_delete_marker_deletes_the_derivatives_and_its_removal_brings_them_back(versioned, context):
    lambda_handler(upload(photo()), context)
    marker = boto3.client("s3").delete_object(Bucket=UPLOADS, Key=KEY)["VersionId"]
    lambda_handler(sample("image_resize/delete-marker"), context)
    assert keys() == []

    lambda_handler(delete(VersionId=marker), context)

    assert is_red(f"64/{KEY}")


def test_the_derivatives_stay_when_only_an_old_version_is_deleted(versioned, context):
    old = upload(photo(BLUE))["detail"]["object"]["version-id"]
    lambda_handler(upload(photo(RED)), context)
    boto3.client("s3").delete_object(Bucket=UPLOADS, Key=KEY, VersionId=old)

    lambda_handler(sample("image_resize/old-version-expired"), context)

    assert is_red(f"64/{KEY}")


def test_when_the_newest_version_is_deleted_the_one_before_is_shown(versioned, context):
    upload(photo(RED))
    newest = upload(photo(BLUE))
    lambda_handler(newest, context)

    lambda_handler(delete(VersionId=newest["detail"]["object"]["version-id"]), context)

    assert is_red(f"64/{KEY}")


def test_a_second_deletion_changes_nothing(context):
    lambda_handler(upload(photo()), context)
    event = delete()
    lambda_handler(event, context)

    assert lambda_handler(event, context) == {"key": KEY, "made": [], "deleted": []}


def test_a_late_upload_event_of_what_was_deleted_makes_nothing(versioned, context):
    event = upload(photo())
    lambda_handler(delete(), context)

    lambda_handler(event, context)

    assert keys() == []


def test_an_upload_event_whose_object_is_missing_is_refused_and_leaves_no_derivatives(context):
    event = upload(photo())
    lambda_handler(event, context)
    delete()

    with pytest.raises(Refused, match=r"s3://amzn-s3-demo-uploads/photos/Seoul \(2026\) a\+b %20\.JPG does not exist"):
        lambda_handler(event, context)

    assert keys() == []


def test_a_replayed_upload_of_what_was_deleted_since_is_no_failure(context):
    event = upload(photo())
    delete()

    assert lambda_handler(event | {"replay-name": "again"}, context)["made"] == []


# ---------------------------------------------------------------- what is not its own


def test_an_object_that_it_did_not_make_is_neither_overwritten_nor_deleted(context):
    boto3.client("s3").put_object(Bucket=DERIVATIVES, Key=f"64/{KEY}", Body=b"somebody's")

    with pytest.raises(Refused, match=r"s3://derivatives/64/photos/.* exists and was not made of this source"):
        lambda_handler(upload(photo()), context)
    lambda_handler(delete(), context)

    assert keys() == [f"64/{KEY}"]
    assert derivative(f"64/{KEY}")["Body"].read() == b"somebody's"


def test_two_sources_whose_derivatives_have_the_same_key_do_not_take_them_from_each_other(context, monkeypatch):
    monkeypatch.setenv("IMAGE_FORMATS", "keep,webp")
    lambda_handler(upload(photo(RED), "a.jpg"), context)

    with pytest.raises(Refused, match=r"a\.jpg\.webp exists and was not made of this source"):
        lambda_handler(upload(photo(BLUE), "a.jpg.webp"), context)
    lambda_handler(delete("a.jpg.webp"), context)

    assert is_red("64/a.jpg.webp")


def test_an_event_of_another_bucket_is_refused(context):
    boto3.client("s3").put_object(Bucket="amzn-s3-demo-uploads", Key="photos/cat.jpg", Body=photo())

    with pytest.raises(Refused, match="of the bucket amzn-s3-demo-backups, not of UPLOADS_BUCKET"):
        lambda_handler(sample("image_resize/other-bucket"), context)

    assert keys() == []


def test_the_source_is_never_touched(context):
    body = photo()
    lambda_handler(upload(body), context)

    assert keys(UPLOADS) == [KEY]
    assert boto3.client("s3").get_object(Bucket=UPLOADS, Key=KEY)["Body"].read() == body


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is not an image"),
        (b"hello", "is not an image"),
        (photo()[:600], "is truncated"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_key_and_nothing_is_written(body, why, context, logs):
    event = upload(body)

    with pytest.raises(Refused, match=rf"s3://{UPLOADS}/photos/Seoul \(2026\) a\+b %20\.JPG is refused: it {why}"):
        lambda_handler(event, context)

    assert keys() == []
    [line] = [json.loads(line) for line in logs.getvalue().splitlines() if "is refused" in line]
    assert (line["reason"], line["correlation_id"]) == ("Refused", event["id"])


def test_a_picture_of_too_many_pixels_is_refused_with_the_limit(context, monkeypatch):
    monkeypatch.setenv("MAX_IMAGE_PIXELS", "7999")

    with pytest.raises(Refused, match=r"it has more than 7999 pixels \(MAX_IMAGE_PIXELS: 7999\)"):
        lambda_handler(upload(photo()), context)

    assert keys() == []


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux limits memory by RLIMIT_DATA")
def test_a_picture_that_takes_more_memory_than_the_function_has_is_refused(context, monkeypatch):
    monkeypatch.setenv("MAX_IMAGE_PIXELS", "10000000")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
    file = BytesIO()
    Image.new("RGBA", (3000, 3000)).save(file, "PNG")
    event = upload(file.getvalue())

    with pytest.raises(Refused, match=r"takes up to 114 MB to decode, and there are 34 MB"):
        lambda_handler(event, context)
    assert keys() == []

    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    lambda_handler(event, context)
    assert keys() == [f"32/{KEY}", f"64/{KEY}"]


def test_a_file_that_is_too_large_is_refused_before_it_is_downloaded(context, monkeypatch):
    body = photo()
    monkeypatch.setenv("MAX_IMAGE_BYTES", str(len(body) - 1))
    monkeypatch.setattr(aws.s3(), "get_object", None)

    with pytest.raises(Refused, match=rf"has {len(body)} bytes, more than MAX_IMAGE_BYTES \({len(body) - 1}\)"):
        lambda_handler(upload(body), context)

    assert keys() == []


def test_a_key_that_leaves_no_room_for_the_size_is_refused_and_can_be_deleted(context, monkeypatch):
    key = "가" * 340 + ".jpg"  # 1,024 bytes
    head_object = aws.s3().head_object

    def head(**request: Any) -> Any:  # moto takes a key of any length here, S3 does not
        assert len(request["Key"].encode()) <= 1024
        return head_object(**request)

    monkeypatch.setattr(aws.s3(), "head_object", head)

    with pytest.raises(Refused, match="is longer than the 1024 bytes that S3 allows"):
        lambda_handler(upload(photo(), key), context)

    assert lambda_handler(delete(key), context) == {"key": key, "made": [], "deleted": []}


def test_nothing_is_half_written_when_the_last_derivative_cannot_be_made(context, monkeypatch):
    monkeypatch.setenv("IMAGE_FORMATS", "keep,avif")

    def break_down(*_: Any) -> Any:
        raise OSError

    monkeypatch.setattr("PIL.AvifImagePlugin._save", break_down)
    monkeypatch.setitem(Image.SAVE, "AVIF", break_down)

    with pytest.raises(OSError):  # noqa: PT011 # there is nothing more to it
        lambda_handler(upload(photo()), context)

    assert keys() == []


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("DERIVATIVES_BUCKET", UPLOADS, "DERIVATIVES_BUCKET: Value error, must not be UPLOADS_BUCKET"),
        ("DERIVATIVES_BUCKET", "", "DERIVATIVES_BUCKET: Field required"),
        ("IMAGE_SIZES", "64,big", r"IMAGE_SIZES\.1: Input should be a valid integer"),
        ("IMAGE_SIZES", "0", r"IMAGE_SIZES\.0: Input should be greater than or equal to 1"),
        ("IMAGE_FORMATS", "keep,bmp", r"IMAGE_FORMATS\.1: Input should be 'keep', 'jpeg', 'webp' or 'avif'"),
        ("MAX_IMAGE_PIXELS", "many", "MAX_IMAGE_PIXELS: Input should be a valid integer"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_is_done(name, value, why, context, monkeypatch):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=why):
        lambda_handler(upload(photo()), context)

    assert keys() == []
    assert keys(UPLOADS) == [KEY]


@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("object", {"size": 5}, r"detail\.object\.key: Field required"),
        ("object", {"key": ""}, r"detail\.object\.key: String should have at least 1 character"),
        ("bucket", {}, r"detail\.bucket\.name: Field required"),
    ],
)
def test_a_malformed_event_is_refused_by_the_name_of_its_field(part, value, why, context):
    with pytest.raises(InvalidEvent, match=why):
        lambda_handler(sample("image_resize/uploaded", **{part: value}), context)


def test_an_event_of_another_kind_is_refused(context):
    with pytest.raises(InvalidEvent, match="detail-type: Input should be 'Object Created' or 'Object Deleted'"):
        lambda_handler(sample("image_resize/uploaded") | {"detail-type": "Object Tags Added"}, context)


def error(operation: str, code: str = "AccessDenied") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@pytest.mark.parametrize("operation", ["head_object", "get_object", "put_object"])
def test_an_aws_error_fails_the_event(operation, context, monkeypatch):
    event = upload(photo())

    def fail(**_: Any) -> Any:
        raise error(operation)

    monkeypatch.setattr(aws.s3(), operation, fail)

    with pytest.raises(ClientError, match="AccessDenied"):
        lambda_handler(event, context)


def test_an_uploads_bucket_that_does_not_exist_is_an_error_and_not_a_deletion(context, monkeypatch):
    lambda_handler(upload(photo()), context)
    event = delete()
    boto3.client("s3").delete_bucket(Bucket=UPLOADS)
    head_object = aws.s3().head_object

    def head(**request: Any) -> Any:  # moto says NoSuchBucket; S3 cannot, an answer to HEAD has no body
        try:
            return head_object(**request)
        except ClientError as failure:
            failure.response["Error"]["Code"] = "404"
            raise

    monkeypatch.setattr(aws.s3(), "head_object", head)

    with pytest.raises(ClientError, match="HeadBucket"):
        lambda_handler(event, context)

    assert keys() == [f"32/{KEY}", f"64/{KEY}"]


def test_the_metrics_count_derivatives(context, capsys):
    lambda_handler(upload(photo()), context)
    lambda_handler(delete(), context)

    made, deleted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (made["PicturesResized"], deleted["DerivativesDeleted"]) == ([2.0], [2.0])
