"""The report of the month, played after everything else."""

from __future__ import annotations

from datetime import UTC, datetime

from local.commands.report import read, tell
from local.page import REPORT
from local.report import figures
from local.report.month import month
from local.report.page import page
from local.stage import Stage


def monthly_report(stage: Stage) -> None:
    """What the automations saved, changed, told, failed and cost this month, in one page."""
    folder, function, metric = "ec2_state_alerts", "Ec2StateAlertsFunction", "InstanceAlerts"

    def alerts() -> float:
        """Those of the month so far. Nothing else is asked for: AWS charges for each metric."""
        now = month("", datetime.now(UTC))
        return figures.read(stage.stack, {folder: function}, now).total(folder, metric)

    before = alerts()
    stage.send(stage.sample(f"{folder}/terminated"), expect="InstanceStateChanged")
    stage.expect("one more alert is counted", lambda: alerts() > before, function)
    title, about, sections = tell(read(stage.stack, month("", datetime.now(UTC))))
    kept = stage.keep(REPORT, page(title, about, sections).encode())
    for section in sections:
        stage.say("report", f"{section.title}: {len(section.rows)} rows")
    stage.say("page", kept.name)
