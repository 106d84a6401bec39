"""Map: buses, rules, schedules, functions and what they touch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from nicegui import ui

from local.cloud import ROOT
from local.console.chart import Station, drawing
from local.console.pages.shell import BOX, Trouble, ask, frame, heading, mono, notice, title
from local.console.watch import Watch
from local.stack import Schedule

DRAWN = {"theme": "neutral", "flowchart": {"nodeSpacing": 10, "rankSpacing": 120}}


class MapPage:
    """One visitor's page."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def build(self) -> None:
        with frame("/map", self._watch):
            heading(
                "Map", "What sends events to what, and which services each function may call. Open one to look into it."
            )
            self._content = ui.column().classes("w-full")
        ui.timer(0, self._show, once=True)

    async def _show(self) -> None:
        with self._content:
            try:
                found = await ask(self._watch.stations)
            except Trouble as trouble:
                notice(str(trouble), "cloud_off")
                return
            with (
                ui.element("div")
                .classes("w-full max-h-[36rem] overflow-auto bg-white rounded")
                .props('role="img" aria-label="The map; the list below says the same"')
            ):
                ui.mermaid(
                    drawing(found), config=DRAWN, on_node_click=lambda click: self._open(found, click.node_id)
                ).classes("min-w-[60rem]")
            for station in found:
                self._entry(station)

    def _open(self, found: Sequence[Station], node: str) -> None:
        """Show the station of this node of the drawing; a bus or a service has nothing more to show."""
        if station := next((one for number, one in enumerate(found) if node.split("-")[-1] == f"s{number}"), None):
            with ui.dialog(value=True), ui.card().classes("w-full"):
                title(station.name)
                ui.label(station.description)
                details(station)

    async def _fire(self, schedule: Schedule) -> None:
        try:
            event_id = await ask(self._watch.fire, schedule)
        except Trouble as trouble:
            ui.notify(str(trouble), type="negative", multi_line=True)
            return
        ui.navigate.to(f"/follow?event={event_id}")

    def _entry(self, station: Station) -> None:
        """A station: what it is for, its schedules, and the rest."""
        with ui.expansion(station.name, caption=station.description).classes(f"w-full {BOX}"):
            for schedule in station.schedules:
                with ui.row().classes("items-center gap-2"):
                    ui.label(f"Schedule {schedule.name}")
                    fire = partial(self._fire, schedule)
                    ui.button("Run it now", icon="play_arrow", on_click=fire).props("no-caps outline dense")
            details(station)


def details(station: Station) -> None:
    """Its rules with their patterns, its permissions and README."""
    with ui.column().classes("w-full gap-0"):
        for rule in station.rules:
            with ui.expansion(f"Rule {rule.name}, on the bus {rule.bus}").classes("w-full"):
                mono(json.dumps(json.loads(rule.pattern), indent=2, ensure_ascii=False))
        if station.permissions:
            with ui.expansion("Permissions").classes("w-full"):
                for one in station.permissions:
                    mono(f"{', '.join(one.actions)}\n    on {', '.join(one.resources)}")
        readme = ROOT / "functions" / station.folder / "README.md"
        if station.folder and readme.exists():
            with ui.expansion("README").classes("w-full"):
                ui.markdown(readme.read_text(encoding="utf-8"))  # of the repository, not of an event
        if not (station.rules or station.schedules):
            title("No rule and no schedule invokes it.", 3, "text-sm opacity-70")
