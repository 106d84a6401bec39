"""The derivatives of one uploaded object: which there must be, which there are, and how the one becomes the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from automations import aws
from automations.errors import AutomationError, Refused
from image_resize.memory import at_most, room
from image_resize.picture import Derivative, Format, Limits, Unreadable, render

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from image_resize.handler import Settings

RECIPE = "1"
"""Part of each derivative's metadata. Another value has all derivatives made anew at the next event of their source."""

CACHE_CONTROL = "max-age=3600"
"""Not longer: when the source is replaced, the derivatives change and keep their keys."""

EXTENSIONS: Mapping[Format, str] = {"keep": "", "jpeg": ".jpg", "webp": ".webp", "avif": ".avif"}
LONGEST_KEY = 1024  # bytes; https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MOST_ROUNDS = 4
AT_ONCE = 10
"""Calls of S3 at the same time: as many as botocore keeps connections for."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Unsettled(AutomationError):
    """The source changed again and again in the meantime. Trying again helps."""


@dataclass(frozen=True)
class Source:
    """The uploaded object as it is now.

    Attributes:
        version: "" in a bucket that never had versioning.
        size: in bytes.
    """

    etag: str
    version: str
    size: int


@dataclass(frozen=True)
class Absent:
    """There is no such object now.

    Attributes:
        deleted: S3 says that it was deleted. It can say so only in a bucket with versioning.
    """

    deleted: bool


@dataclass(frozen=True)
class Plan:
    """Attributes:
    make: the key of each derivative to write, by size and format.
    """

    make: Mapping[tuple[int, Format], str]
    delete: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What was found in the end, and what was done for it."""

    source: Source | Absent
    made: list[str]
    deleted: list[str]


def reconcile(key: str, settings: Settings) -> Outcome:
    """Make the derivatives those of the source as it is now, whatever the event said.

    Events come late, twice, in any order and at the same time. None of this matters, because no event is believed: every
    one of them has the same effect. And whoever has written or deleted something looks again afterwards, until there is
    nothing left to do. So one who was slow, and wrote what was right when it began, sees that the source has changed and
    repairs it. Reading after a write is consistent in S3:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel

    Raises:
        Refused: the source is no picture, or too large. Nothing was written.
        Unsettled: the source changed during each of several rounds.
    """
    made: set[str] = set()
    deleted: set[str] = set()
    for _ in range(MOST_ROUNDS):
        source = look_up(settings.uploads_bucket, key)
        todo = plan(key, source, existing(wanted(key, settings), settings), settings)
        if not todo.make and not todo.delete:
            return Outcome(source, sorted(made), sorted(deleted))
        if todo.make and isinstance(source, Source):
            made |= _make(key, source, todo.make, settings)
        for derivative in todo.delete:
            aws.s3().delete_object(Bucket=settings.derivatives_bucket, Key=derivative)
            deleted.add(derivative)
    raise Unsettled(
        f"{_name(settings, key)} changed during each of {MOST_ROUNDS} attempts to make its derivatives. "
        "Lambda's retries try again; after the last one the event is in the failed-events queue."
    )


def plan(key: str, source: Source | Absent, existing: Mapping[str, Mapping[str, str]], settings: Settings) -> Plan:
    """Decide from the source and the metadata of the objects that lie where its derivatives belong."""
    name = _name(settings, key)
    own = {at: metadata for at, metadata in existing.items() if metadata.get("source-name-sha256") == _digest(name)}
    if isinstance(source, Absent):
        return Plan(make={}, delete=tuple(own))
    keys = wanted(key, settings)
    stamp = stamped(name, source)
    if all(own.get(at) == stamp for at in keys.values()):
        return Plan(make={})
    if source.size > settings.max_image_bytes:
        raise Refused(
            f"{name} has {source.size} bytes, more than MAX_IMAGE_BYTES ({settings.max_image_bytes}). "
            "Upload a smaller file, or raise the stack's parameter MaxImageBytes."
        )
    if too_long := [at for at in keys.values() if len(at.encode()) > LONGEST_KEY]:
        raise Refused(
            f"The derivatives of {name} cannot be named: '{too_long[0]}' is longer than the {LONGEST_KEY} bytes that S3 "
            "allows. Upload the picture under a shorter key."
        )
    if foreign := sorted(existing.keys() - own.keys()):
        raise Refused(
            f"The derivatives of {name} cannot be written: s3://{settings.derivatives_bucket}/{foreign[0]} exists and was "
            "not made of this source. Delete it, or rename one of the two sources."
        )
    return Plan(make=keys)


def wanted(key: str, settings: Settings) -> dict[tuple[int, Format], str]:
    """The key of each derivative, by size and format.

    It depends on nothing that is in the picture, so that it is known where they are, also when the source is gone.
    """
    return {
        (size, format_): f"{size}/{key}{EXTENSIONS[format_]}"
        for size in settings.image_sizes
        for format_ in settings.image_formats
    }


def stamped(name: str, source: Source) -> dict[str, str]:
    """The metadata of a derivative: ASCII, as S3 demands, and so the source's name only as a digest."""
    version = {"source-version": source.version} if source.version else {}
    return {"source-name-sha256": _digest(name), "source-etag": source.etag, "recipe": RECIPE} | version


def look_up(bucket: str, key: str) -> Source | Absent:
    """What is there now under the key.

    A key whose latest version is a delete marker is answered with 404 and `x-amz-delete-marker`:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    try:
        answer = aws.s3().head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        if error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-delete-marker") == "true":
            return Absent(deleted=True)
        # A bucket that does not exist is answered in the same way, and is an error.
        aws.s3().head_bucket(Bucket=bucket)
        return Absent(deleted=False)
    return _source(answer)


def existing(keys: Mapping[tuple[int, Format], str], settings: Settings) -> dict[str, dict[str, str]]:
    """The metadata of each object that lies under one of the keys."""

    def metadata(at: str) -> dict[str, str] | None:
        try:
            return aws.s3().head_object(Bucket=settings.derivatives_bucket, Key=at)["Metadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
        return None

    possible = [at for at in keys.values() if len(at.encode()) <= LONGEST_KEY]
    return {at: found for at, found in zip(possible, at_once(metadata, possible), strict=True) if found is not None}


def at_once(call: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call for all items at the same time, because a call of S3 is little work and much waiting.

    Raises:
        Exception: the first one, when the calls that had begun have ended.
    """
    aws.s3()  # which is made here, once
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(call, items))


def _make(key: str, source: Source, keys: Mapping[tuple[int, Format], str], settings: Settings) -> set[str]:
    """Render all derivatives, then write them; nothing when the source is not that one any more."""
    name = _name(settings, key)
    memory = settings.aws_lambda_function_memory_size
    # On disk, and read from there piece by piece, a large picture takes no memory beside its pixels.
    with TemporaryFile() as file:
        if not _download(settings.uploads_bucket, key, source, file):
            return set()
        try:
            with at_most(memory):
                limits = Limits(settings.max_image_pixels, room(memory))
                derivatives = render(file, settings.image_sizes, settings.image_formats, limits)
        except Unreadable as reason:
            raise Refused(
                f"{name} is refused: {reason} (MAX_IMAGE_PIXELS: {settings.max_image_pixels}). Nothing was written. "
                "Upload another picture under this key, or delete it."
            ) from reason

    def write(derivative: Derivative) -> None:
        aws.s3().put_object(
            Bucket=settings.derivatives_bucket,
            Key=keys[derivative.size, derivative.format],
            Body=derivative.body,
            ContentType=derivative.content_type,
            CacheControl=CACHE_CONTROL,
            Metadata=stamped(name, source),
        )

    at_once(write, derivatives)
    return set(keys.values())


def _download(bucket: str, key: str, source: Source, file: IO[bytes]) -> bool:
    """Write the source's bytes to the file; say whether it is still there, and no other one in its place."""
    try:
        copyfileobj(aws.s3().get_object(Bucket=bucket, Key=key, IfMatch=f'"{source.etag}"')["Body"], file)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"PreconditionFailed", "NoSuchKey"}:
            return False
        raise
    return True


def _source(answer: HeadObjectOutputTypeDef) -> Source:
    return Source(etag=answer["ETag"].strip('"'), version=answer.get("VersionId", ""), size=answer["ContentLength"])


def _name(settings: Settings, key: str) -> str:
    return f"s3://{settings.uploads_bucket}/{key}"


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()
