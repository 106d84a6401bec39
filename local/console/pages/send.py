"""Send: choose a sample event or write one, see which rules match and what stops the others, send it; upload a picture."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from local.cloud import LocalError
from local.commands.explain import Judged, remarks
from local.console.pages.shell import Trouble, ask, complain, frame, heading, label, mono, notice, sure, title
from local.console.samples import by_automation, typed
from local.console.watch import LARGEST, Watch
from local.explain import arrival, reasons
from local.stack import Schedule

FIRST = ("ec2_state_alerts", "stopped")
PAUSE = 0.3
"""Seconds without a key until the event is judged."""


class SendPage:
    """One visitor's page."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._samples, self._changes = watch, by_automation(), 0
        self._judging = asyncio.Lock()

    def build(self) -> None:
        with frame("/", self._watch):
            on_aws = self._watch.on_aws
            heading(
                "Explain an event" if on_aws else "Send an event",
                "Choose a sample or write your own. It is judged by the deployed rules as you type.",
            )
            with ui.element("div").classes("grid grid-cols-1 lg:grid-cols-2 gap-4 w-full"):
                with ui.column().classes("gap-2 min-w-0"):
                    self._choice()
                    self._editor = ui.codemirror(
                        self._samples[FIRST[0]][FIRST[1]],
                        on_change=self._judge,
                        language="JSON",
                        theme="oneDark",
                        line_wrapping=True,
                    ).classes("w-full h-96")
                    self._button = ui.button("Send", icon="send", on_click=self._send).props("no-caps")
                    self._button.props(add="outline" if on_aws else "")
                    self._upload()
                self._verdict = ui.column().classes("gap-1 min-w-0").props('aria-live="polite"')
        # NiceGUI names the box around it only, and a screen reader stops in the text itself.
        ui.run_javascript(f"getElement({self._editor.id}).editor.contentDOM.ariaLabel = 'The event, as JSON'")
        ui.timer(0, self._judge, once=True)

    def _choice(self) -> None:
        with ui.row().classes("w-full gap-2"):
            self._automation = ui.select(
                list(self._samples), value=FIRST[0], label="Automation", with_input=True, on_change=self._other
            )
            self._situation = ui.select(
                list(self._samples[FIRST[0]]), value=FIRST[1], label="Situation", with_input=True, on_change=self._load
            )
            for one in (self._automation, self._situation):
                one.classes("grow min-w-40")

    def _other(self) -> None:
        situations = list(self._samples[self._automation.value])
        self._situation.set_options(situations, value=situations[0])

    def _load(self) -> None:
        if text := self._samples[self._automation.value].get(self._situation.value):
            self._editor.set_value(text)

    def _upload(self) -> None:
        title("Or upload a picture")
        label("S3 sends its event by itself, and image_resize makes the derivatives.").classes("opacity-70")
        ui.upload(
            label="Drop a picture here",
            auto_upload=True,
            max_file_size=LARGEST,
            on_upload=self._put,
            on_rejected=lambda: ui.notify(
                f"It is no picture, or has more than {LARGEST // 2**20} MB.", type="negative"
            ),
        ).props('accept="image/*" flat bordered').classes("w-full")

    async def _put(self, upload: Any) -> None:
        name, content = upload.file.name, await upload.file.read()
        does = (
            f"Put the picture {name} into the uploads bucket, in place of one of the same name. S3 sends its event, and "
            "image_resize makes derivatives."
        )
        try:
            if not await sure(self._watch, does):
                return
            key = await ask(self._watch.upload, name, content)
        except Trouble as trouble:
            complain(str(trouble))
            return
        ui.notify(f"Uploaded as {key}.", type="positive")
        ui.navigate.to("/follow")

    async def _judge(self) -> None:
        """Judge what is written when nothing has been typed for a moment."""
        self._changes += 1
        change = self._changes
        await asyncio.sleep(PAUSE)
        async with self._judging:  # AWS takes seconds; what is typed meanwhile is judged once
            if change == self._changes and not self._verdict.is_deleted:
                await self._judge_now(change)

    async def _judge_now(self, change: int) -> None:
        if self._watch.on_aws:
            self._button.disable()
            self._verdict.clear()
            with self._verdict:
                ui.spinner(size="lg")
        try:
            event = typed(self._editor.value)
            judged = await ask(self._watch.explain, event)
            schedules = await ask(self._watch.schedules_of, event)
        except (LocalError, Trouble) as problem:
            event, judged, schedules = {}, [], []
            why = str(problem)
        else:
            why = ""
        if change != self._changes:
            return
        kept = {one.rule.name: self._watch.kept_from(one.rule, event) for one in judged if one.verdict.matches}
        self._button.set_enabled(bool(schedules) or not all(kept.values()))
        self._verdict.clear()
        with self._verdict:
            title("Which rules match")
            if why:
                notice(why, "edit")
            else:
                show(judged, event, schedules, kept)

    async def _send(self) -> None:
        self._button.disable()  # until it is sent: once is enough
        try:
            event = typed(self._editor.value)
            if not await self._sure(event):
                self._button.enable()
                return
            ways, event_id = await ask(self._watch.send, event)
        except (LocalError, Trouble) as problem:
            complain(str(problem))
            self._button.enable()
            return
        if ways:
            ui.navigate.to(f"/follow?event={event_id}" if event_id else "/follow")
        else:
            ui.notify("No rule matches: nothing was sent.", type="warning")

    async def _sure(self, event: Mapping[str, Any]) -> bool:
        """Whether it is to be sent; where nothing would be, nobody is asked."""
        if not self._watch.on_aws:
            return True
        does = await ask(self._watch.would_do, event)
        return not does or await sure(self._watch, f"To send this event {does}.")


def show(
    judged: Sequence[Judged], event: Mapping[str, Any], schedules: Sequence[Schedule], kept: Mapping[str, str]
) -> None:
    """The schedule that sends such an event; the rules that match, the near misses with what stops them, the names of the others.

    Args:
        kept: why the event cannot be sent to a rule that it matches, by the rule.
    """
    for schedule in schedules:
        with ui.card().classes("w-full gap-1 p-2").props("flat bordered"):
            with ui.row().classes("items-center gap-2 no-wrap max-w-full"):
                ui.icon("schedule", color="positive").props('role="img" aria-label="is sent by"')
                label(f"The schedule {schedule.name} sends such an event").classes("font-medium break-words")
            label(f"to {schedule.function}, by no bus and no rule").classes("text-sm opacity-70 break-all")
            mono("Sent from here, it gets the time of now.")
    if schedules:
        return
    label(arrival(event)).classes("opacity-70")
    if not any(one.verdict.matches for one in judged):
        notice("No rule matches, so there is nothing to send.", "block")
    for one in judged:
        if one.verdict.other_kind:
            continue
        with ui.card().classes("w-full gap-1 p-2").props("flat bordered"):
            with ui.row().classes("items-center gap-2 no-wrap max-w-full"):
                good = one.verdict.matches
                ui.icon("check_circle" if good else "cancel", color="positive" if good else "negative").props(
                    f'role="img" aria-label="{"matches" if good else "does not match"}"'
                )
                label(one.rule.name).classes("font-medium break-all")
            label(f"to {one.rule.function}, on the bus {one.rule.bus}").classes("text-sm opacity-70 break-all")
            pattern = json.loads(one.rule.pattern)
            for line in reasons(one.verdict, pattern, event) + remarks(one.rule, event):
                mono(line)
            if one.rule.enabled and (why := kept.get(one.rule.name)):
                mono(f"it is not sent from here: {why}")
    if others := sorted(one.rule.name for one in judged if one.verdict.other_kind):
        with ui.expansion(f"{len(others)} are about other sources and detail types").classes("w-full"):
            label(", ".join(others)).classes("text-sm break-words")
