"""Follow: each event as a line of stations, with what the functions logged about it and what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import quote

from nicegui import ui

from local.commands.failed import counted
from local.console import effects
from local.console.effects import Found, Reading, State
from local.console.journeys import Attempt, Journey, Run, Told
from local.console.pages.shell import (
    BOX,
    Trouble,
    as_json,
    ask,
    complain,
    frame,
    heading,
    label,
    mono,
    notice,
    printable,
    sure,
    title,
)
from local.console.watch import EXEMPT_DAYS, Watch
from local.page import STYLE, slack

EVERY = 1.0
"""Seconds between two looks."""
LISTED = 100
"""So many events stand in the list."""
HERE = "The page looks again each second."
ON_AWS = (
    "Read from the functions' logs when the page opens and when you press Look again; CloudWatch Logs shows a line some "
    "seconds late. Nothing listens on the buses: of an event only its id is known, unless it was sent from here."
)
NOTHING = "Nothing has happened yet. Send an event, or upload a picture."
NOTHING_ON_AWS = "No function has logged anything about an event in the last hour."
SIGNS = {
    "done": ("check_circle", "positive"),
    "failed": ("error", "negative"),
    "running": ("hourglass_top", "warning"),
    "left alone": ("remove_circle_outline", "grey"),
}
SYMBOLS = {
    "E-mail": "mail",
    "Slack": "forum",
    "Webhook": "webhook",
    "Remediation": "shield",
    effects.INSTANCE: "dns",
    effects.SNAPSHOT: "backup",
    effects.PICTURE: "image",
}
"""Of the last stations; any other one has that of a thing."""
USUAL = frozenset({"slack", "alerts"})
STYLE_OF_SLACK = "".join(line + "\n" for line in STYLE.splitlines() if line.startswith((".slack", ".fields")))


class FollowPage:
    """One visitor's page; `chosen` is the id of the event that is shown, the newest when it is empty."""

    def __init__(self, watch: Watch, chosen: str = "") -> None:
        self._watch, self._chosen = watch, chosen
        self._journeys: Sequence[Journey] = []
        self._entries: list[tuple[str, str, str, bool]] | None = None
        self._detailed: tuple[Journey | None, Sequence[str], Found] | None = None
        self._read = Reading()
        self._trouble = ""

    def build(self) -> None:
        ui.add_css(STYLE_OF_SLACK + ".slack .context { opacity: .7; font-size: 13px }")
        with frame("/follow", self._watch):
            heading(
                "Follow events", f"Those of the last hour, the newest first. {ON_AWS if self._watch.on_aws else HERE}"
            )
            if self._watch.on_aws:
                self._again()
            self._problem = ui.column().classes("w-full")
            with ui.element("div").classes("grid grid-cols-1 lg:grid-cols-[20rem_1fr] gap-4 w-full"):
                self._list = ui.column().classes("gap-1 min-w-0 max-h-60 lg:max-h-none overflow-auto no-wrap")
                self._detail = ui.column().classes("gap-2 min-w-0")
        if self._watch.on_aws:
            ui.timer(0, self._look_again, once=True)
        else:
            ui.timer(EVERY, self._look)

    def _again(self) -> None:
        with ui.row().classes("items-center gap-3"):
            self._button = ui.button("Look again", icon="refresh", on_click=self._look_again).props("no-caps outline")
            self._looked = label().props('role="status"')

    async def _look_again(self) -> None:
        """Look once, and say when it was; nobody can ask for it twice at a time."""
        self._button.disable()
        self._looked.set_text("Reading the functions' logs ...")
        try:
            await self._look()
        finally:
            self._looked.set_text("" if self._trouble else f"Looked at {clock(datetime.now(UTC))}.")
            self._button.enable()

    async def _look(self) -> None:
        try:
            self._journeys = await ask(self._watch.look)
        except Trouble as trouble:
            self._say(str(trouble))
        else:
            await self._show_or_say()

    async def _show_or_say(self) -> None:
        try:
            await self._show()
        except Trouble as trouble:
            self._say(str(trouble))
        else:
            self._say("")

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._problem.clear()
            if trouble:
                with self._problem:
                    notice(trouble, "cloud_off")

    async def _choose(self, journey: Journey) -> None:
        self._chosen = journey.id
        with self._problem:  # the entry that was chosen may be made anew meanwhile
            await (self._show_or_say() if self._watch.on_aws else self._look())

    async def _show(self) -> None:
        """Make anew what has changed, and leave the rest: a log that somebody has opened stays open."""
        shown = next((one for one in self._journeys if one.id == self._chosen), None)
        if shown is None and not self._chosen and self._journeys:
            shown = self._journeys[0]
        rules = await ask(self._watch.rules_of, shown) if shown else []
        if shown and self._read.is_due(shown, monotonic()):
            states, records = await ask(self._watch.touched, shown), await ask(self._watch.records, shown)
            self._read = self._read.next(shown, (states, records), monotonic())
        listed = self._journeys[:LISTED]
        entries = [(one.id, one.title, one.state, one is shown) for one in listed]
        if entries != self._entries:
            self._entries = entries
            self._list.clear()
            with self._list:
                if not self._journeys:
                    notice(NOTHING_ON_AWS if self._watch.on_aws else NOTHING, "inbox")
                for journey in listed:
                    self._entry(journey, journey is shown)
                if older := len(self._journeys) - len(listed):
                    label(f"and {counted(older, 'older event')}").classes("text-sm opacity-70 p-1")
        if (shown, rules, self._read.found) != self._detailed:
            self._detail.clear()
            with self._detail:
                if shown:
                    self._whole(shown, rules)
                elif self._journeys:
                    notice(f"Nothing is known of the event {self._chosen} yet.", "hourglass_top")
            self._detailed = shown, rules, self._read.found

    def _whole(self, journey: Journey, rules: Sequence[str]) -> None:
        """One event: its line of stations, what changed, the messages, the log, the event itself."""
        states, records = self._read.found
        stations(journey, rules, [state for some in states.values() for state in some], records)
        for record in records:
            self._remediation(record)
        for run in journey.runs:
            what_changed(run, states.get(run.function, []))
        if any(states.values()):
            with ui.row().classes("items-center gap-2"):
                ui.button("Read again", icon="refresh", on_click=self._read_again).props("no-caps outline dense")
                label("Read when a function had logged something; it may have changed since.").classes(
                    "text-xs opacity-70"
                )
        for told in journey.told:
            message(told)
        for run in journey.runs:
            log(run)
        if journey.event is not None:
            with ui.expansion("The event").classes(f"w-full {BOX}"):
                as_json(journey.event)

    async def _read_again(self) -> None:
        """Read anew what the functions touched: somebody else may have changed it."""
        self._read = Reading()
        with self._problem:  # the button may be made anew meanwhile
            await self._look()

    def _entry(self, journey: Journey, current: bool) -> None:
        symbol, colour = SIGNS[journey.state]
        button = ui.button(on_click=lambda: self._choose(journey)).props(
            "flat no-caps align=left color=inherit padding=xs"
        )
        with (
            button.classes("w-full shrink-0 bg-blue-500/15" if current else "w-full shrink-0"),
            ui.row().classes("items-center gap-2 no-wrap w-full"),
        ):
            ui.icon(symbol, color=colour).props(f'role="img" aria-label="{journey.state}"')
            with ui.column().classes("gap-0 min-w-0 items-start text-left"):
                label(journey.title).classes("text-sm break-words line-clamp-2")
                if journey.subject:
                    label(journey.subject).classes("text-xs [overflow-wrap:anywhere] line-clamp-2")
                label(f"{clock(journey.at)}  {journey.state}").classes("text-xs opacity-70")
        if current:
            button.props('aria-current="true"')

    def _remediation(self, record: Mapping[str, Any]) -> None:
        """What security_remediation found and did, with what was there before and after, and a way back."""
        title(f"{record['resource']} {record['finding']}")
        label(f"Now: {record['outcome']}. {record['remark']}").classes("break-words")
        for step in record["steps"]:
            label(f"- {step}").classes("text-sm break-words")
        with ui.element("div").classes("grid grid-cols-1 md:grid-cols-2 gap-2 w-full"):
            for name in ("before", "after"):
                with ui.column().classes(f"gap-1 min-w-0 {BOX} p-2"):
                    title(name.capitalize(), 3, "text-sm font-medium")
                    as_json(record[name])
        if record["before"]:
            ui.button("Undo", icon="undo", on_click=lambda: self._undo(record)).props("no-caps outline")

    async def _undo(self, record: Mapping[str, Any]) -> None:
        does = f"Put back what was there before: {record['resource']} {record['finding']}. It is exempt for {EXEMPT_DAYS} days."
        with self._problem:  # the button may be made anew meanwhile
            try:
                if not await sure(self._watch, does):
                    return
                until = await ask(self._watch.undo, record["id"])
            except Trouble as trouble:
                complain(str(trouble))
                return
            ui.notify(f"Put back. It is exempt until {until}.", type="positive")
            await self._read_again()


def stations(
    journey: Journey, rules: Sequence[str], states: Sequence[State], records: Sequence[Mapping[str, Any]]
) -> None:
    """One event as a line of stations."""
    title(journey.title)
    mono(journey.id)
    with ui.element("ol").classes("flex flex-col md:flex-row md:flex-wrap gap-2 w-full p-0 list-none"):
        station("Event", "bolt", [clock(journey.at), source(journey)])
        station("Rule", "rule", list(rules) or ["not known" if journey.event is None else "none matches"])
        for run in journey.runs:
            station(
                "Function",
                "functions",
                [run.function, *told_of(run)],
                SIGNS["failed" if run.failed else "done" if run.ended else "running"][1],
            )
        for function in journey.awaited:
            station("Function", "functions", [function, "it runs"], SIGNS["running"][1])
        last = effects.stations([told.channel for told in journey.told], states)
        for name, lines in last.items():
            station(name, SYMBOLS.get(name, "inventory_2"), lines)
        if records:
            station("Remediation", SYMBOLS["Remediation"], [str(record["outcome"]) for record in records])


def station(name: str, symbol: str, lines: Sequence[str], colour: str = "primary") -> None:
    with (
        ui.element("li").classes("min-w-0 md:max-w-xs"),
        ui.card().classes("gap-0 p-2 h-full w-full").props("flat bordered"),
    ):
        with ui.row().classes("items-center gap-1 no-wrap"):
            ui.icon(symbol, color=colour)
            label(name).classes("text-xs uppercase opacity-70")
        for line in lines:
            label(line).classes("text-sm break-all")


def told_of(run: Run) -> list[str]:
    """What a function's station says: how long, cold or warm, how many attempts."""
    last = run.attempts[-1].report
    if not last:
        return ["it runs"]
    init = f", after a start of {last.init:.0f} ms" if last.init else ""
    return [f"{last.duration:.0f} ms{init}", "cold" if run.cold else "warm", counted(len(run.attempts), "attempt")]


def what_changed(run: Run, states: Sequence[State]) -> None:
    """What the function says that it did, why earlier attempts failed, and what it touched, as it is now."""
    title(run.says)
    labelled({name: shown(value) for name, value in run.facts.items()})
    if len(run.attempts) > 1:
        title("Attempts", 3, "text-sm font-medium")
        with ui.element("ol").classes("list-decimal pl-5 m-0 w-full"):
            for attempt in run.attempts:
                with ui.element("li").classes("text-sm"):
                    label(tried(attempt)).classes("break-words")
    if drawn := [state for state in states if state.picture]:
        with ui.row().classes("gap-3"):
            for state in drawn:
                picture(state)
    for state in (state for state in states if not state.picture):
        with ui.column().classes(f"gap-1 w-full min-w-0 {BOX} p-2"):
            word = f": {state.word}" if state.word else ""
            title(f"{state.kind} {state.name}{word}", 3, "text-sm font-medium [overflow-wrap:anywhere]")
            if state.lacking:
                label(state.lacking).classes("text-sm break-words")
            labelled(state.facts)
            if state.text:
                mono(state.text)


def labelled(facts: Mapping[str, str]) -> None:
    """Names and values, one below the other."""
    with ui.element("dl").classes("grid grid-cols-[fit-content(40%)_1fr] gap-x-3 gap-y-1 text-sm m-0 w-full"):
        for name, value in facts.items():
            with ui.element("dt").classes("opacity-70 min-w-0"):
                label(name).classes("[overflow-wrap:anywhere]")
            with ui.element("dd").classes("min-w-0 m-0"):
                label(value).classes("[overflow-wrap:anywhere]")


def tried(attempt: Attempt) -> str:
    """When an attempt began, how long it took, and why it failed."""
    took = f"{attempt.report.duration:.0f} ms" if attempt.report else "it runs"
    went = f"failed: {attempt.why}" if attempt.failed else "went well" if attempt.report else ""
    return ", ".join(part for part in (clock(attempt.began), took, went) if part)


def picture(state: State) -> None:
    bucket, key = state.picture or ("", "")
    with ui.element("figure").classes("m-0"):
        ui.image(f"/picture/{bucket}?key={quote(key, safe='', errors='replace')}").props(
            f"fit=contain alt={json.dumps(f'{bucket}: picture')}"
        ).classes("w-40 h-32")
        label(state.name).classes("text-xs break-all max-w-40")
        label(state.facts.get("size", "")).classes("text-xs opacity-70")


def shown(value: Any) -> str:
    """A value that a function logged, as a person reads it."""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(part)}" for name, part in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def message(told: Told) -> None:
    """A message to people, as they see it; a webhook as it came."""
    title(where(told))
    if told.mail:
        subject, body = told.mail
        with ui.column().classes(f"gap-2 w-full min-w-0 {BOX} p-3"):
            title(subject, 3, "font-medium break-words")
            mono(body)  # its facts stand in columns
    elif told.blocks:
        ui.html(printable(slack(told.blocks)), sanitize=True)  # it escapes; the browser removes what is left
    else:
        mono(told.text).classes(f"{BOX} p-2 w-full")


def where(told: Told) -> str:
    """Where people see a message."""
    if told.channel == "Webhook":
        return f"To {told.to}"
    place = "By e-mail" if told.channel == "E-mail" else "In Slack"
    return place if told.to in USUAL else f"{place}, to {told.to}"


def log(run: Run) -> None:
    """The lines that the function logged about the event."""
    with ui.expansion(f"{run.function} logged {counted(len(run.lines), 'line')}").classes(f"w-full {BOX}"):
        for line in run.lines:
            as_json(line)


def source(journey: Journey) -> str:
    return str(journey.event["source"]) if journey.event else "only its id is known"


def clock(at: datetime | None) -> str:
    return f"{at.astimezone():%H:%M:%S}" if at else ""
