"""Builds that ended, as the unit tests and the proofs tell of them."""

from typing import Any

from tests.samples import sample


def finished(status: str, minute: int = 0, project: str = "web-site") -> dict[str, Any]:
    """A build of its own for each minute, which ended in that minute with the status."""
    event = sample(
        f"codebuild_slack/{ {'SUCCEEDED': 'succeeded', 'STOPPED': 'stopped'}.get(status, 'failed') }",
        build_id=f"arn:aws:codebuild:ap-northeast-2:111122223333:build/{project}:00000000-0000-0000-0000-{minute:012}",
        build_status=status,
        project_name=project,
    )
    information(event)["phases"][-1]["start-time"] = f"Nov 6, 2026 1:{minute:02}:00 PM"
    return event


def information(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["detail"]["additional-information"]
    return found
