"""Failed: what waits in the queues, why, and trying it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from nicegui import ui

from local.commands.failed import age, counted
from local.console.pages.shell import Trouble, as_json, ask, complain, frame, heading, label, mono, notice, sure
from local.console.watch import Watch
from local.failed import FailedEvent
from local.retry import Leave, Step

READ = (
    "SQS has no way to read without receiving: to look hides the messages from others for a moment, and counts as a "
    "receive of each. The page looks when it opens and when you press Look again."
)
ONCE = (
    "The local cloud tries an event that a rule delivers once, and keeps none that failed. On AWS it is tried three times, "
    "and then waits here."
)


class FailedPage:
    """One visitor's page."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def build(self) -> None:
        with frame("/failed", self._watch):
            heading(
                "Failed events",
                "They wait in queues for 14 days. What succeeds when it is tried again is deleted there.",
            )
            if self._watch.on_aws:
                label(READ).classes("text-sm opacity-70 mb-2")
            with ui.row():
                ui.button("Look again", icon="refresh", on_click=self._show).props("no-caps outline")
                self._all = ui.button("Retry all", icon="replay", on_click=self._retry_all).props("no-caps")
            self._content = ui.column().classes("w-full").props('aria-live="polite"')
        self._ids: list[str] = []
        self._found: Sequence[tuple[FailedEvent, str, Step]] = []
        self._all.disable()
        ui.timer(0, self._show, once=True)

    async def _show(self) -> None:
        self._content.clear()
        with self._content:  # not where the button is that asked for it, which is gone now
            ui.spinner(size="lg")
            try:
                notes = await ask(self._watch.not_seen)
                found = await ask(self._watch.failed)
            except Trouble as trouble:
                self._content.clear()
                notice(str(trouble), "cloud_off")
                return
        self._found = found
        self._ids = [item.id for item, _, step in found if not isinstance(step, Leave)]
        self._all.set_enabled(bool(self._ids))
        self._content.clear()
        with self._content:
            for note in notes:
                label(note).classes("text-sm break-words")
            if not found:
                notice("Nothing waits in the queues.", "check_circle")
                if not self._watch.on_aws:
                    label(ONCE).classes("text-sm opacity-70")
            for item, target, step in found:
                self._entry(item, target, step)

    def _entry(self, item: FailedEvent, target: str, step: Step) -> None:
        with ui.card().classes("w-full gap-1 p-3").props("flat bordered"):
            label(item.title or f"({item.source})").classes("font-medium break-words")
            label(f"for {target}, {age(datetime.now(UTC) - item.since)} ago").classes("text-sm opacity-70")
            mono(": ".join(part for part in (item.error, item.reason) if part))
            label(f"A retry would do: {step}").classes("text-sm break-words")
            with ui.row():
                button = ui.button("Retry", icon="replay", on_click=lambda: self._retry([item.id])).props(
                    "no-caps outline"
                )
                button.set_enabled(not isinstance(step, Leave))
            with ui.expansion("The event; it may hold personal data").classes("w-full"):
                if item.event is None:
                    mono(item.body)
                else:
                    as_json(item.event)

    def _does(self, ids: Sequence[str]) -> str:
        """What trying these again does, in a sentence."""
        steps = Counter(str(step) for item, _, step in self._found if item.id in ids)
        parts = [f"{step} ({count} times)" if count > 1 else step for step, count in steps.items()]
        return f"Try {counted(len(ids), 'event')} again: {'; '.join(parts)}. What they do is real; what succeeds is deleted."

    async def _retry_all(self) -> None:
        await self._retry(self._ids)

    async def _retry(self, ids: Sequence[str]) -> None:
        try:
            if not await sure(self._watch, self._does(ids)):
                return
        except Trouble as trouble:
            complain(str(trouble))
            return
        self._all.disable()
        self._content.clear()  # nothing is to be pressed twice
        with self._content:  # not where the button is that asked for it, which is gone now
            ui.spinner(size="lg")
            try:
                done, problems = await ask(self._watch.retry, ids)
            except Trouble as trouble:
                done, problems = 0, [str(trouble)]
            ui.notify(f"{done} of {len(ids)} succeeded.", type="negative" if problems else "positive")
            for problem in problems:
                complain(problem)
            await self._show()
