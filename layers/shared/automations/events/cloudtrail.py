"""API calls and console sign-ins as AWS CloudTrail records them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

A record that its model refuses is an attack that nobody sees, so only what every record has is required.
"""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from automations.errors import InvalidEvent
from automations.events import Detail, Event


def _members(value: Any) -> Any:
    return value if isinstance(value, dict) else None


Members = Annotated[dict[str, Any] | None, BeforeValidator(_members)]
"""An object; anything else that a service records there counts as nothing."""


class _Part(Detail):
    model_config = ConfigDict(alias_generator=to_camel)


class SessionIssuer(_Part):
    """The role, or more rarely the user, whose temporary credentials were used."""

    arn: str | None = None
    user_name: str | None = None


class SessionContext(_Part):
    """Absent, or empty, where long-term credentials were used: users with access keys, root.

    Attributes:
        ec2_role_delivery: "1.0" or "2.0", the version of the instance metadata service that gave the credentials out.
    """

    session_issuer: SessionIssuer | None = None
    ec2_role_delivery: str | None = None


class UserIdentity(_Part):
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

    Attributes:
        type: Root, IAMUser, AssumedRole, AWSAccount, AWSService and others. Root has no `user_name`.
        invoked_by: the AWS service that made the call on the identity's behalf.
    """

    type: str = ""
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    user_name: str | None = None
    access_key_id: str | None = None
    session_context: SessionContext | None = None
    invoked_by: str | None = None

    @property
    def issuer(self) -> SessionIssuer:
        return (self.session_context and self.session_context.session_issuer) or SessionIssuer()

    @property
    def arns(self) -> list[str]:
        """The ARNs of who made the call: the session, or the user, and the role behind it."""
        return [arn for arn in (self.arn, self.issuer.arn) if arn]

    def among(self, patterns: Iterable[str]) -> bool:
        """Whether one of them matches one of the patterns, in which `*` stands for any characters."""
        return any(fnmatchcase(arn, pattern) for pattern in patterns for arn in self.arns)


class AffectedResource(_Part):
    type: str | None = None
    arn: str | None = Field(default=None, alias="ARN")
    account_id: str | None = None


class CloudTrailRecord(_Part):
    """One record.

    Attributes:
        source_ip_address: an address, or the name of an AWS service, or `AWS Internal`.
        request_parameters, response_elements: in the shape of the service, which is not always that of its API.
        additional_event_data: what is part of neither, such as `MFAUsed` of a console sign-in.
        management_event: false for data events, which the console's event history does not show.
    """

    event_id: str = Field(alias="eventID")
    event_name: str
    event_source: str
    event_time: datetime | None = None
    aws_region: str = ""
    source_ip_address: str | None = Field(default=None, alias="sourceIPAddress")
    user_agent: str | None = None
    user_identity: UserIdentity = UserIdentity()
    request_parameters: Members = None
    response_elements: Members = None
    additional_event_data: Members = None
    error_code: str | None = None
    error_message: str | None = None
    recipient_account_id: str | None = None
    resources: list[AffectedResource] | None = None
    management_event: bool | None = None

    @property
    def failed(self) -> bool:
        """Whether AWS refused the call. A console sign-in that failed has no `errorCode`, but says so in its response."""
        return bool(self.error_code) or (self.response_elements or {}).get("ConsoleLogin", "Success") != "Success"

    def parameter(self, name: str) -> Any:
        """A request parameter; None without it. Up to `eventVersion` 1.05 Amazon S3's values are lists of one."""
        value = (self.request_parameters or {}).get(name)
        return value[0] if isinstance(value, list) and len(value) == 1 else value

    def required(self, name: str) -> str:
        """A request parameter as text.

        Raises:
            InvalidEvent: the record has none, so nobody can tell what the call was about.
        """
        value = self.parameter(name)
        if isinstance(value, str) and value:
            return value
        raise self.unusable(f"has no usable requestParameters.{name}, so it cannot be judged")

    def unusable(self, why: str) -> InvalidEvent:
        """The error to raise for a record that lacks what the decision needs."""
        return InvalidEvent(
            f"CloudTrail's record of {self.event_name} {why}. Look at it in CloudTrail: event ID {self.event_id}."
        )


class ApiCall(Event):
    """An API call, or a sign-in to the console, that CloudTrail recorded. The call may have failed."""

    detail_type: Literal["AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail"] = Field(
        alias="detail-type"
    )
    detail: CloudTrailRecord
