"""The report of the month, on the deployed application."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.cloud import wait_for
from local.commands.report import read
from local.receiver import Answer
from local.report.figures import FAILED, GIVEN_UP, MILLISECONDS, RUNS
from local.report.month import month
from local.report.sections import Facts
from local.scenes.office_hours import office_hours
from local.scenes.security_remediation import administrator_made
from local.stage import SECONDS, Stage


def facts(stage: Stage) -> Facts:
    return read(stage.stack, month("", datetime.now(UTC)))


def closed(about: Facts) -> list[tuple[str, str]]:
    return [(one.name, one.kind) for one in about.changed or () if one.closed]


def test_what_the_scenes_did_is_counted_once(stage: Stage) -> None:
    before = facts(stage).figures
    known = closed(facts(stage))

    office_hours(stage)
    administrator_made(stage)

    after = facts(stage)
    assert after.figures.total("office_hours", "HoursSaved") - before.total("office_hours", "HoursSaved") == 13.0
    assert after.figures.total("office_hours", RUNS) - before.total("office_hours", RUNS) == 2
    assert after.figures.total("office_hours", FAILED) == before.total("office_hours", FAILED)
    assert after.figures.total("office_hours", MILLISECONDS) > before.total("office_hours", MILLISECONDS)
    new = list(closed(after))
    for one in known:
        new.remove(one)
    assert new == [("administrator_policy", "exact undo")]


def test_an_event_that_fails_three_times_is_given_up_once(stage: Stage) -> None:
    def total(name: str) -> float:
        return facts(stage).figures.total("partner_relay", name)

    before = {name: total(name) for name in (RUNS, FAILED, GIVEN_UP)}
    stage.receiver.always("/crm", Answer(404))
    stage.stack.send(stage.sample("partner_relay/zendesk-ticket-created", note="i-0123456789abcd0ff"))

    assert wait_for(lambda: total(GIVEN_UP) == before[GIVEN_UP] + 1 and total(FAILED) == before[FAILED] + 3, SECONDS)
    assert total(RUNS) == before[RUNS] + 3


def test_the_report_is_printed_and_written_into_one_file(run, started, stage: Stage, tmp_path: Path) -> None:
    office_hours(stage)
    file = tmp_path / "report.html"

    status, output = run("report", "--hourly-price", "0.05", "--html", str(file))

    assert status == 0, output
    for words in ("machine hours saved", "Failures and retries", "At the $0.05 for an hour", f"Written to {file}"):
        assert words in output
    text = file.read_text()
    assert "<h2>Office hours</h2>" in text
    assert "<svg" in text
    assert "money saved" in text


def test_without_a_price_the_remedy_is_said(run, started, stage: Stage) -> None:
    office_hours(stage)

    output = run("report")[1]

    assert "not known" in output
    assert "The local cloud has no price list. Give the price of a machine's hour yourself: --hourly-price" in output


def test_a_month_before_the_local_cloud_was_there_is_empty(run, started) -> None:
    last = datetime.now(UTC).replace(day=1) - timedelta(days=1)

    status, output = run("report", "--month", f"{last:%Y-%m}")

    assert status == 0, output
    assert f"{last:%B %Y}\nNothing ran, and nothing was changed." in output


def test_a_month_to_come_is_refused(run, started) -> None:
    status, output = run("report", "--month", "2999-01")

    assert status == 1
    assert "January 2999 has not begun." in output
