"""Map: buses, rules, schedules, functions and what they touch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from nicegui import ui

from local.cloud import ROOT
from local.console.chart import STATION, Node, Station, drawing, nodes, overview, pretty
from local.console.pages.shell import BOX, Trouble, ask, complain, frame, heading, label, mono, notice, sure, title
from local.console.watch import Watch
from local.stack import Schedule

ALL = "All of them"
DRAWN = {"theme": "neutral", "flowchart": {"nodeSpacing": 12, "rankSpacing": 60, "wrappingWidth": 260}}
STYLE = ".nicegui-echart text { fill: currentColor; stroke: none } .drawing { color: inherit } .drawing b { font-weight: 600 }"
"""The drawings take the page's colour of text, in light and dark."""


class MapPage:
    """One visitor's page."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._found: Sequence[Station] = []

    def build(self) -> None:
        ui.add_css(STYLE)
        with frame("/map", self._watch):
            heading("Map", "What sends events to what, and what each function may call.")
            self._choice = ui.select([ALL], value=ALL, label="Automation", on_change=self._draw)
            self._choice.classes("w-full sm:w-96")
            self._content = ui.column().classes("w-full")
        ui.timer(0, self._show, once=True)

    async def _show(self) -> None:
        with self._content:
            ui.spinner(size="lg")
            try:
                self._found = await ask(self._watch.stations)
            except Trouble as trouble:
                self._content.clear()
                notice(str(trouble), "cloud_off")
                return
        self._choice.set_options([ALL, *(one.name for one in self._found)])
        self._draw()

    def _draw(self) -> None:
        self._content.clear()
        chosen = next((one for one in self._found if one.name == self._choice.value), None)
        with self._content:
            if chosen:
                self._one(chosen)
            else:
                self._all()

    def _all(self) -> None:
        """The overview, and a list that says the same."""
        label("Point at a name to see what it is connected with; choose an automation to see it whole.")
        with picture("All automations; the list below says the same"):
            ui.echart(overview(self._found), on_point_click=self._choose, renderer="svg").classes(
                "min-w-[44rem] w-full"
            ).style(f"height: {height(self._found)}px")
        for station in self._found:
            with ui.expansion(station.name, caption=station.description).classes(f"w-full {BOX}"):
                self._details(station)

    def _choose(self, click: Any) -> None:
        if click.name in (one.name for one in self._found):
            self._choice.set_value(click.name)

    def _one(self, station: Station) -> None:
        """One station with all that belongs to it."""
        if station.description:
            label(station.description).classes("break-words")
        drawn = {one.id: one for one in nodes(station)}
        with picture(f"What belongs to {station.name}; below stands the same"):
            ui.mermaid(
                drawing(drawn.values()), config=DRAWN, on_node_click=lambda click: self._open(drawn, click.node_id)
            ).classes("drawing min-w-[44rem]")
        self._details(station)
        for node in drawn.values():
            if node.id.startswith(("queue", "alarm")):
                with ui.expansion(f"{node.title}: {', '.join(node.lines)}").classes("w-full"):
                    sections(node.says)

    def _open(self, drawn: dict[str, Node], clicked: str) -> None:
        """Show what a node of the drawing says; Mermaid puts the drawing's own id before the node's."""
        node = drawn[clicked.split("-")[-1]]
        with ui.dialog(value=True), ui.card().classes("w-full"):
            title(node.title, classes="text-lg font-medium break-words")
            sections(node.says)
            if node.id == STATION:
                self._details(next(one for one in self._found if one.name == node.title))

    async def _fire(self, schedule: Schedule) -> None:
        does = f"Invoke {schedule.function} now, as its schedule {schedule.name} does. What it does is real."
        try:
            if not await sure(self._watch, does):
                return
            event_id = await ask(self._watch.fire, schedule)
        except Trouble as trouble:
            complain(str(trouble))
            return
        ui.navigate.to(f"/follow?event={event_id}")

    def _details(self, station: Station) -> None:
        """Its schedules, rules with their patterns, permissions and README."""
        with ui.column().classes("w-full gap-0"):
            for schedule in station.schedules:
                with ui.row().classes("items-center gap-2"):
                    label(f"Schedule {schedule.name}")
                    fire = partial(self._fire, schedule)
                    ui.button("Run it now", icon="play_arrow", on_click=fire).props("no-caps outline dense")
            for rule in station.rules:
                with ui.expansion(f"Rule {rule.name}, on the bus {rule.bus}").classes("w-full"):
                    mono(pretty(rule.pattern))
            if station.permissions:
                with ui.expansion("Permissions").classes("w-full"):
                    sections((", ".join(one.actions), f"on {', '.join(one.resources)}") for one in station.permissions)
            readme = ROOT / "functions" / station.folder / "README.md"
            if station.folder and readme.exists():
                with ui.expansion("README").classes("w-full"):
                    ui.markdown(readme.read_text(encoding="utf-8"))  # of the repository, not of an event
            if not (station.rules or station.schedules or station.inputs):
                title("No rule and no schedule invokes it.", 3, "text-sm opacity-70")


def picture(name: str) -> Any:
    """A frame for a drawing, which one moves sideways where it is wider than the page."""
    return (
        ui.element("div").classes(f"w-full overflow-auto {BOX}").props(f'role="img" aria-label="{name}" tabindex="0"')
    )


def sections(says: Iterable[tuple[str, str]]) -> None:
    for name, text in says:
        with ui.column().classes("gap-0 w-full mb-2"):
            if name:
                label(name).classes("text-sm font-medium break-words [overflow-wrap:anywhere]")
            mono(text)


def height(found: Sequence[Station]) -> int:
    """Of the overview, in pixels: each column has a line for each of its names."""
    return 40 + 25 * max(len(found), len({service for one in found for service in one.touches}))
