"""Events of AWS CodeBuild.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from automations.events import Detail, Event

# The API knows FAULT and TIMED_OUT beside the three that the document shows for finished builds:
# https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html
FinishedStatus = Literal["SUCCEEDED", "FAILED", "STOPPED", "FAULT", "TIMED_OUT"]


def _read_time(value: Any) -> Any:
    """Read `Nov 5, 2026 1:04:02 PM`. The document names no zone; the events' own `time` shows that it is UTC.

    A time in another form counts as absent: it is only shown, and a message must not be lost for it. White space is
    made plain first, because newer Java writes U+202F before AM and PM.
    """
    if not isinstance(value, str):
        return value
    try:
        return datetime.strptime(" ".join(value.split()), "%b %d, %Y %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        return None


BuildTime = Annotated[datetime | None, BeforeValidator(_read_time)]


class Phase(Detail):
    phase_type: str = Field(alias="phase-type")
    phase_status: str | None = Field(default=None, alias="phase-status")
    """None while it runs; the phase COMPLETED, which is the end of the build, never gets one."""
    phase_context: list[str] | None = Field(default=None, alias="phase-context")
    """Status codes with their messages; `": "` where there is nothing to say."""
    start_time: BuildTime = Field(default=None, alias="start-time")


class Source(Detail):
    location: str | None = None


class Logs(Detail):
    stream_name: str | None = Field(default=None, alias="stream-name")
    deep_link: str | None = Field(default=None, alias="deep-link")


class AdditionalInformation(Detail):
    """What is shown of a build. Its environment, which holds the environment variables, is left out on purpose."""

    build_number: int | None = Field(default=None, alias="build-number")
    build_start_time: BuildTime = Field(default=None, alias="build-start-time")
    initiator: str | None = None
    source: Source = Source()
    source_version: str | None = Field(default=None, alias="source-version")
    logs: Logs = Logs()
    phases: list[Phase] = Field(default_factory=list)


class Build(Detail):
    build_id: str = Field(alias="build-id", pattern=r"^arn:[^:]+:codebuild:[^:]+:[0-9]{12}:build/[^:/]+:[^:/]+$")
    """The build's ARN."""
    build_status: FinishedStatus = Field(alias="build-status")
    project_name: str = Field(alias="project-name", min_length=1)
    additional_information: AdditionalInformation = Field(
        default=AdditionalInformation(), alias="additional-information"
    )

    @property
    def project_arn(self) -> str:
        """What tells the project from one of the same name in another account or region; the build's ARN begins alike."""
        return self.build_id.rpartition(":")[0].replace(":build/", ":project/")


class BuildFinished(Event):
    """A build has ended, one way or another."""

    source: Literal["aws.codebuild"]
    detail_type: Literal["CodeBuild Build State Change"] = Field(alias="detail-type")
    detail: Build
