"""Events of Amazon S3.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from typing import Literal

from pydantic import Field

from automations.events import Detail, Event

DeletionType = Literal["Permanently Deleted", "Delete Marker Created"]


class Bucket(Detail):
    name: str = Field(min_length=1)


class Object(Detail):
    """Which object. Unlike in S3's own notifications, the key is not URL-encoded: it is used as it stands.

    Attributes:
        size: in bytes. Absent when the object was deleted.
        etag: of the object, or of the delete marker. Absent when the object was deleted permanently.
        version_id: absent in a bucket without versioning.
        sequencer: a hexadecimal number that grows with each event of the same key.
    """

    key: str = Field(min_length=1)
    size: int | None = None
    etag: str | None = None
    version_id: str | None = Field(default=None, alias="version-id")
    sequencer: str | None = None


class ObjectChange(Detail):
    bucket: Bucket
    object: Object
    deletion_type: DeletionType | None = Field(default=None, alias="deletion-type")


class ObjectChanged(Event):
    """An object was created or replaced, or one of its versions was deleted.

    Deleting a version says nothing about the object: another version, or the same object uploaded anew, may be there.
    """

    source: Literal["aws.s3"]
    detail_type: Literal["Object Created", "Object Deleted"] = Field(alias="detail-type")
    detail: ObjectChange
