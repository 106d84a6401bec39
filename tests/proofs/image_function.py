"""The process of the proof of images: gives pictures to image_resize's handler, one after the other, as S3's events would.

    python -m tests.proofs.image_function <folder>

In the folder, `keys.json` has the key of each picture, which lies beside it in a file with its number. The outcome of each is
appended to `outcomes` there (pickled) before the next one is begun, so that it is known at which one the process ended; what it
took of memory stands in `peak` in the end. Nothing but the function is loaded here, so that its memory is the function's.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
from dataclasses import astuple, dataclass, field
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


@dataclass
class Buckets:
    """S3, as much of it as the function calls, in memory."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def put_object(self, Bucket: str, Key: str, Body: bytes, **stored: Any) -> None:  # noqa: N803 # S3's names
        etag = f'"{hashlib.sha256(Body).hexdigest()[:32]}"'
        size = len(Body)
        self.objects[Bucket, Key] = {"Metadata": {}, "ETag": etag, "ContentLength": size, **stored, "Body": Body}

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if found := self.objects.get((Bucket, Key)):
            return found
        raise ClientError({"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPHeaders": {}}}, "HeadObject")  # type: ignore[typeddict-item]

    def get_object(self, Bucket: str, Key: str, IfMatch: str) -> dict[str, Any]:  # noqa: N803
        found = self.head_object(Bucket, Key)
        return found | {"Body": BytesIO(found["Body"])}


@dataclass(frozen=True)
class Outcome:
    """Attributes:
    error: the exception's name; "" when the function succeeded.
    written: what is in the derivatives bucket: type and content by key.
    """

    error: str
    message: str
    written: dict[str, tuple[str, bytes]]


def deliver(key: str, data: bytes) -> Outcome:
    """Upload it to empty buckets, and let the function have the event."""
    from automations import aws
    from image_resize.handler import lambda_handler

    buckets = Buckets()
    buckets.put_object(os.environ["UPLOADS_BUCKET"], key, data)
    aws.s3 = lambda: buckets  # type: ignore[assignment]
    error = message = ""
    try:
        lambda_handler(_event(key), _context())
    except Exception as failure:
        error, message = type(failure).__name__, str(failure)
    derivatives = os.environ["DERIVATIVES_BUCKET"]
    written = {
        at: (stored["ContentType"], stored["Body"])
        for (bucket, at), stored in buckets.objects.items()
        if bucket == derivatives
    }
    return Outcome(error, message, written)


def _event(key: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(Path("events/image_resize/uploaded.json").read_text())
    event["detail"]["object"]["key"] = key
    return event


def _context() -> Any:
    return SimpleNamespace(
        function_name="image-resize",
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        invoked_function_arn="arn:aws:lambda:ap-northeast-2:111122223333:function:image-resize",
        aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    )


def peak() -> int:
    """The most memory that this process has had, in bytes: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html

    It is not `ru_maxrss`, which begins with that of the process that started this one.
    """
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def main(folder: Path) -> None:
    if hasattr(os, "sched_setaffinity"):  # as many processors as Lambda gives: decoders start a thread for each
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with (folder / "outcomes").open("wb") as outcomes:
        for number, key in enumerate(json.loads((folder / "keys.json").read_text())):
            pickle.dump(astuple(deliver(key, (folder / str(number)).read_bytes())), outcomes)
            outcomes.flush()
    if sys.platform == "linux":
        (folder / "peak").write_text(str(peak()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
