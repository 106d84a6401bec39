"""What a person wants to know of a build that ended, read from its event."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from automations.events.codebuild import BuildFinished, Phase
from automations.partition import console_host, is_console_url

PIPELINE = "codepipeline/"


def finished_at(event: BuildFinished) -> datetime:
    """When the build ended: the start of its phase COMPLETED, else the time of the event, which is seconds later."""
    phases = event.detail.additional_information.phases
    ends = (phase.start_time for phase in phases if phase.phase_type == "COMPLETED")
    return next(ends, None) or event.time


def duration(event: BuildFinished) -> str:
    """How long the build took, from its start to its end, such as `1 h 2 min 3 s`; "" without a start."""
    start = event.detail.additional_information.build_start_time
    if not start:
        return ""
    minutes, seconds = divmod(max(0, int((finished_at(event) - start).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def unsuccessful_phase(event: BuildFinished) -> Phase | None:
    """The first phase that did not succeed. Later ones may have: POST_BUILD runs after a BUILD that failed."""
    phases = event.detail.additional_information.phases
    return next((phase for phase in phases if phase.phase_status not in {None, "SUCCEEDED"}), None)


def reason(phase: Phase) -> str:
    """What CodeBuild says of the phase, a line for each context; an empty one is written `: `."""
    return "\n".join(context for context in phase.phase_context or [] if context.strip(": "))


def initiator(event: BuildFinished) -> str:
    """Who started the build. CodePipeline puts `codepipeline/` before its pipeline's name; a user's name stands alone.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html
    """
    name = event.detail.additional_information.initiator or ""
    return f"pipeline {name.removeprefix(PIPELINE)}" if name.startswith(PIPELINE) else name


def source(event: BuildFinished) -> str:
    """Where the source is, without the user name or token that a repository's URL may hold."""
    return re.sub(r"(?<=://)[^/]*@", "", event.detail.additional_information.source.location or "")


def logs_url(event: BuildFinished) -> str:
    """The build's log where there is one, else the build's own page, in the console of the event's partition.

    The event's link is taken as it is, because its form is CodeBuild's own and has changed (`#logEvent:`, `#logsV2:`).
    AWS documents it for the partition `aws` alone, so one that leads to another console, or anywhere else, is not
    taken; nor is one without a log stream, which says `null`: CodeBuild creates the stream while it provisions.
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_LogsLocation.html
    """
    logs = event.detail.additional_information.logs
    if logs.stream_name and logs.deep_link and is_console_url(logs.deep_link, event.region):
        return logs.deep_link
    account, resource = event.detail.build_id.split(":", 5)[4:]
    build = resource.removeprefix("build/")
    path = f"codesuite/codebuild/{account}/projects/{quote(build.split(':')[0])}/build/{quote(build, safe='')}"
    return f"https://{event.region}.{console_host(event.region)}/{path}?region={event.region}"
