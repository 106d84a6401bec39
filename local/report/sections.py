"""What the report says of the month's numbers: tables, charts, and what each figure assumes. No AWS call is made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from local import prices
from local.metrics import METRICS
from local.report.figures import FAILED, GIVEN_UP, MILLISECONDS, PUBLISHED, RUNS, UNDELIVERED, ByDay, Figures
from local.report.month import Month
from local.report.remediations import Remediation, grouped
from local.report.savings import Hourly

MOST_ROWS = 25
"""Of one table."""
TOLD_APART = frozenset({"office_hours", "partner_relay", "rds_backup", "security_remediation", "slack_sender"})
"""Functions whose own metrics are in another section."""


@dataclass(frozen=True)
class Chart:
    """Bars. Their labels are days, or names.

    Attributes:
        by_day: the labels are days.
        money: the bars are US dollars.
    """

    title: str
    bars: Mapping[str, float]
    by_day: bool = True
    money: bool = False

    @property
    def shows(self) -> bool:
        return any(self.bars.values())

    def say(self, value: float) -> str:
        return dollars(value) if self.money else number(value)


@dataclass(frozen=True)
class Section:
    """Attributes:
    notes: sentences below the table: what is assumed, what is not counted.
    """

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class Function:
    """A deployed function.

    Attributes:
        folder: of its code.
        retried: whether Lambda tries again what it fails on.
        memory: MB that it has now.
        architecture: `arm64` or `x86_64`.
    """

    folder: str
    retried: bool
    memory: int
    architecture: str


@dataclass(frozen=True)
class Facts:
    """All that was read.

    Attributes:
        hourly: of the machines that keep office hours; None without office_hours.
        kept: how many snapshots of the month still exist; None without rds_backup.
        changed: by security_remediation; None without it.
        topics: the stack's SNS topics, by logical id; none where nobody counts their messages.
        real: whether it is AWS.
    """

    month: Month
    stack: str
    region: str
    functions: Sequence[Function]
    figures: Figures
    hourly: Hourly | None = None
    kept: int | None = None
    changed: Sequence[Remediation] | None = None
    topics: Sequence[str] = field(default=())
    real: bool = True


def empty(facts: Facts) -> bool:
    """Whether nothing at all happened."""
    return not facts.changed and not any(value for by_day in facts.figures.values.values() for value in by_day.values())


def sections(facts: Facts) -> list[Section]:
    """What there is to say, without what is not deployed."""
    found = []
    if facts.hourly is not None:
        found.append(office_hours(facts, facts.hourly))
    if facts.kept is not None:
        found.append(snapshots(facts, facts.kept))
    if facts.changed is not None:
        found.append(remediations(facts, facts.changed))
    return [section for section in (*found, messages(facts), work(facts), runs(facts), price(facts)) if section.rows]


# ---------------------------------------------------------------- each section


def office_hours(facts: Facts, hourly: Hourly) -> Section:
    saved = facts.figures.total("office_hours", "HoursSaved")
    money = "not known" if hourly.price is None else dollars(saved * hourly.price)
    hours_first = sorted(METRICS["office_hours"], key=lambda metric: metric.unit != "hours")
    hours, *counts = [(one.label, number(facts.figures.total("office_hours", one.name))) for one in hours_first]
    return Section(
        "Office hours",
        ("", "in the month"),
        [hours, ("money saved", money), *counts],
        (
            hourly.because,
            "An hour counts when its machine runs again: what is stopped at the end of the month counts in the next.",
        ),
        (_daily(facts, "Machine hours saved", facts.figures.by_day("office_hours", "HoursSaved")),),
    )


def snapshots(facts: Facts, kept: int) -> Section:
    def of(name: str) -> float:
        return facts.figures.total("rds_backup", f"Backups{name}")

    missed = _sum(facts.figures.by_day("rds_backup", f"Backups{name}") for name in ("Skipped", "Failed"))
    return Section(
        "Snapshots of databases",
        ("", "in the month"),
        [
            ("made", number(of("Created"))),
            ("of these still kept, here", number(kept)),
            ("copied to another region", number(of("Copied"))),
            ("old ones deleted", number(of("Deleted"))),
            ("missed", number(sum(missed.values()))),
            ("of these put off", number(of("Skipped"))),
            ("of these failed", number(of("Failed"))),
            ("found to be of no use", number(of("Broken"))),
        ],
        (
            "Missed: a snapshot, a copy or a deletion was put off or failed. What fails again when it is tried again counts again.",
        ),
        (
            _daily(facts, "Snapshots made", facts.figures.by_day("rds_backup", "BackupsCreated")),
            _daily(facts, "Snapshots missed", missed),
        ),
    )


def remediations(facts: Facts, changed: Sequence[Remediation]) -> Section:
    groups = grouped(changed)
    rows = [(one.name, one.kind, one.actor, number(one.closed), number(one.open)) for one in groups[:MOST_ROWS]]
    if rest := groups[MOST_ROWS:]:
        closed, left = sum(one.closed for one in rest), sum(one.open for one in rest)
        rows.append((f"{len(rest)} more rows", "", "", number(closed), number(left)))
    told = facts.figures.total("security_remediation", "IncidentsTold")
    by_day: dict[date, float] = {}
    by_actor: dict[str, float] = {}
    for one in changed:
        day = date.fromisoformat(one.day)
        by_day[day] = by_day.get(day, 0) + 1
        by_actor[one.actor] = by_actor.get(one.actor, 0) + 1
    most = dict(sorted(by_actor.items(), key=lambda item: (-item[1], item[0]))[:10])
    return Section(
        "Remediations",
        ("remediation", "how", "because of", "closed", "not closed"),
        rows or [("none", "", "", "0", "0")],
        (
            f"From the audit records. People were told of {_plural(told, 'incident')}, also of those where nothing was changed.",
            "'Not closed': it was begun and not verified. Look at it: python -m local security list",
        ),
        (_daily(facts, "Remediations", by_day), Chart("Remediations by who opened it", most, by_day=False)),
    )


def messages(facts: Facts) -> Section:
    rows = [(f"Slack: {label}", value) for label, value in _own(facts, "slack_sender")]
    for topic in facts.topics:
        rows.append((f"{topic}: published", number(facts.figures.total(topic, PUBLISHED))))
        rows.append((f"{topic}: could not be delivered", number(facts.figures.total(topic, UNDELIVERED))))
    if _deployed(facts, "partner_relay"):
        rows.append(("partners' events relayed", number(facts.figures.total("partner_relay", "PartnerEventsRelayed"))))
    sent = _sum(
        [
            facts.figures.by_day("slack_sender", "SlackMessagesPosted"),
            facts.figures.by_day("partner_relay", "PartnerEventsRelayed"),
            *(facts.figures.by_day(topic, PUBLISHED) for topic in facts.topics),
        ]
    )
    note = (
        "What is told by Slack and by mail counts in both." if facts.real else "The local cloud does not count mails."
    )
    return Section("Messages", ("", "in the month"), rows, (note,), (_daily(facts, "Messages sent", sent),))


def work(facts: Facts) -> Section:
    rows = [
        (one.folder, label, value)
        for one in facts.functions
        if one.folder not in TOLD_APART
        for label, value in _own(facts, one.folder)
        if value != "0"
    ]
    return Section("What else was done", ("automation", "what", "in the month"), rows)


def runs(facts: Facts) -> Section:
    def total(one: Function, name: str) -> float:
        return facts.figures.total(one.folder, name)

    rows = [
        (
            one.folder,
            number(total(one, RUNS)),
            number(total(one, FAILED)),
            number(max(total(one, FAILED) - total(one, GIVEN_UP), 0)) if one.retried else "-",
            number(total(one, GIVEN_UP)) if one.retried else "-",
        )
        for one in facts.functions
        if total(one, RUNS)
    ]
    return Section(
        "Failures and retries",
        ("function", "runs", "failed", "tried again", "given up"),
        rows,
        (
            "Lambda tries an event twice more; what it gives up waits in the failed-events queue: python -m local failed list",
            "A dash: the caller or the queue decides whether there is another try.",
        ),
        (
            _daily(facts, "Runs", _sum(facts.figures.by_day(one.folder, RUNS) for one in facts.functions)),
            _daily(facts, "Failed runs", _sum(facts.figures.by_day(one.folder, FAILED) for one in facts.functions)),
        ),
    )


def price(facts: Facts) -> Section:
    rows, bars, sums = [], {}, [0.0, 0.0, 0.0]
    for one in facts.functions:
        ran = facts.figures.total(one.folder, RUNS)
        used = facts.figures.total(one.folder, MILLISECONDS) / 1000 * one.memory / 1024
        costs = prices.of_lambda(used, ran, one.architecture)
        if ran:
            rows.append((one.folder, number(ran), f"{one.memory:,}", f"{used:,.2f}", dollars(costs)))
            bars[one.folder] = costs
            sums = [sums[0] + ran, sums[1] + used, sums[2] + costs]
    if rows:
        rows.append(("all", number(sums[0]), "", f"{sums[1]:,.2f}", dollars(sums[2])))
    architectures = sorted({one.architecture for one in facts.functions})
    per_second = ", ".join(f"${prices.GB_SECOND[one]:.10f} for a GB second on {one}" for one in architectures)
    rates = f"{per_second}, ${prices.INVOCATIONS:.2f} for a million runs"
    here = "" if facts.region == prices.REGION else f" The stack is in {facts.region}, where they may differ."
    took = "" if facts.real else " How long the runs took was measured on this machine, and says little about Lambda."
    return Section(
        "Price of the application: Lambda",
        ("function", "runs", "MB", "GB seconds", "price"),
        rows,
        (
            f"At list prices of {prices.READ} for {prices.REGION}, without the free tier: {rates}.{here}",
            f"With the memory that each function has now, and without the time that new environments take to start.{took}",
            "Logs, queues, tables, stored objects, metrics, alarms and secrets are not in it: see AWS Cost Explorer.",
        ),
        (Chart("Price by function", bars, by_day=False, money=True),),
    )


# ---------------------------------------------------------------- numbers


def number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def dollars(value: float) -> str:
    """With as many digits as are worth reading."""
    if value == 0 or value >= 0.1:
        return f"${value:,.2f}"
    return f"${value:.4f}" if value >= 0.0001 else "less than $0.0001"


def _plural(count: float, what: str) -> str:
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def _deployed(facts: Facts, folder: str) -> bool:
    return any(one.folder == folder for one in facts.functions)


def _own(facts: Facts, folder: str) -> list[tuple[str, str]]:
    """What the function counts of its own work: label and sum."""
    if not _deployed(facts, folder):
        return []
    return [
        (metric.label, number(facts.figures.total(folder, metric.name)))
        for metric in METRICS.get(folder, ())
        if metric.stat == "Sum"
    ]


def _sum(some: Iterable[ByDay]) -> dict[date, float]:
    total: dict[date, float] = {}
    for by_day in some:
        for day, value in by_day.items():
            total[day] = total.get(day, 0) + value
    return total


def _daily(facts: Facts, title: str, by_day: ByDay) -> Chart:
    return Chart(title, {f"{day:%-d %b}": by_day.get(day, 0) for day in facts.month.days})
