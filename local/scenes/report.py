"""The report of the month, played after everything else."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from local.commands.report import read, tell
from local.page import REPORT
from local.report import figures
from local.report.month import month
from local.report.page import page
from local.stage import Stage


def monthly_report(stage: Stage) -> None:
    """What the automations saved, changed, told, failed and cost this month, in one page."""
    function, project = "CodebuildSlackFunction", f"{stage.stack.parameters['CodebuildProjectPrefix']}report"
    build = f"arn:aws:codebuild:{stage.cloud.region}:{stage.cloud.account}:build/{project}:{uuid4()}"

    def reported() -> float:
        """Builds reported in the month so far. Little else is asked for: AWS charges for each metric."""
        so_far = figures.read(stage.stack, {"codebuild_slack": function}, month("", datetime.now(UTC)))
        return so_far.total("codebuild_slack", "BuildMessages")

    before = reported()
    stage.send(stage.sample("codebuild_slack/failed", project_name=project, build_id=build), expect="BuildFinished")
    stage.expect("one more build is counted", lambda: reported() > before, function)
    title, about, sections = tell(read(stage.stack, month("", datetime.now(UTC))))
    kept = stage.keep(REPORT, page(title, about, sections).encode())
    for section in sections:
        stage.say("report", f"{section.title}: {len(section.rows)} rows")
    stage.say("page", kept.name)
