"""What the pages have in common: the frame around each, questions to the cloud that may fail, words for what is not there."""

from __future__ import annotations

import json
import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from nicegui import run, ui

from local.cloud import LocalError
from local.console.troubles import said
from local.console.watch import Watch

T = TypeVar("T")
log = logging.getLogger(__name__)

PAGES = {
    "/": ("Send", "send"),
    "/follow": ("Follow", "timeline"),
    "/map": ("Map", "account_tree"),
    "/failed": ("Failed", "report"),
}
"""Name and symbol of each page."""
TITLE = "EventBridge Automations"
BLUE = "#2f6db5"
"""White on it, and it on black, can be read. https://www.w3.org/TR/WCAG22/#contrast-minimum"""
RUST = "#a8431a"
"""The header's colour on AWS, so that nobody takes an account for the local cloud. White on it can be read, too."""
BOX = "border rounded border-gray-500/40"
"""Tailwind's classes of a frame."""


class Trouble(Exception):
    """The cloud could not be asked; the message says why and what to do."""


def pages(watch: Watch) -> dict[str, tuple[str, str]]:
    """Name and symbol of each page. On AWS the first is there to explain; to send something is asked twice."""
    return PAGES | {"/": ("Explain", "rule")} if watch.on_aws else PAGES


@contextmanager
def frame(here: str, watch: Watch) -> Iterator[None]:
    """The page at this path: its name, the way to the others, and a place for what the `with` block makes."""
    ui.page_title(f"{pages(watch)[here][0]} - {TITLE}{' on AWS' if watch.on_aws else ''}")
    ui.colors(primary=BLUE)
    dark = ui.dark_mode(None)  # as the system says, until somebody chooses
    with ui.header().classes("items-center gap-1 px-2 py-1 sm:px-4") as header:
        if watch.on_aws:
            header.style(f"background-color: {RUST} !important")
            where(watch)
        ui.label(TITLE).classes("max-md:hidden text-lg font-medium mr-4")
        with ui.element("nav").props('aria-label="Pages"').classes("flex gap-1 grow"):
            for path, (name, symbol) in pages(watch).items():
                button = (
                    ui.button(name, icon=symbol)
                    .classes("max-sm:[&_.q-icon]:hidden")
                    .props(f'flat no-caps color=white href="{path}" padding="xs sm"')
                )
                if path == here:
                    button.props('aria-current="page"').classes("bg-white/20")
        with ui.button(icon="contrast", on_click=lambda: dark.set_value(not dark.value)).props(
            'flat round color=white aria-label="Light or dark"'
        ):
            ui.tooltip("Light or dark")
    content = ui.element("div").classes("w-full max-w-7xl mx-auto p-1 sm:p-4")
    ui.skip_link("Skip to the content", target=content)
    with content:
        yield


def where(watch: Watch) -> None:
    """Say in which account, region and stack one is; the account once AWS has said it."""
    stack = watch.stack
    shown = ui.label(f"AWS, region {stack.cloud.region}, stack {stack.name}").classes("w-full font-medium break-words")

    async def add_account() -> None:
        try:
            account = await ask(watch.account)
        except Trouble:  # the page says it
            return
        shown.set_text(f"AWS account {account}, region {stack.cloud.region}, stack {stack.name}")

    ui.timer(0, add_account, once=True)


async def sure(watch: Watch, does: str) -> bool:
    """Whether somebody means it: on AWS the stack's name must be typed; on the local cloud nobody is asked.

    Args:
        does: what would be changed, as a sentence.

    Raises:
        Trouble: the account is not known.
    """
    if not watch.on_aws:
        return True
    account, stack = await ask(watch.account), watch.stack
    with ui.dialog() as dialog, ui.card().classes("w-full gap-2"):
        title("This changes something on AWS", classes="text-lg font-medium")
        label(does).classes("break-words")
        for name, value in (("Account", account), ("Region", stack.cloud.region), ("Stack", stack.name)):
            label(f"{name}: {value}").classes("font-mono text-sm break-all")
        typed = ui.input(f"Type {stack.name} to go on").classes("w-full").props("autofocus autocomplete=off")
        typed.on("keydown.enter", lambda: dialog.submit(True) if typed.value == stack.name else None)
        with ui.row().classes("justify-end w-full"):
            ui.button("Change nothing", on_click=lambda: dialog.submit(False)).props("no-caps flat")
            go_on = ui.button("Go on", color="negative", on_click=lambda: dialog.submit(typed.value == stack.name))
            go_on.props("no-caps").bind_enabled_from(typed, "value", lambda text: text == stack.name)
    agreed = await dialog is True
    dialog.delete()
    if not agreed:
        ui.notify("Nothing was changed.")
    return agreed


def printable(text: str) -> str:
    """The text without halves of letters, which JSON can hold and a page cannot get."""
    return text.encode("utf-8", "replace").decode()


def label(text: str = "") -> Any:
    """A text as it is."""
    return ui.label(printable(text))


def complain(text: str) -> None:
    """Say for some seconds what went wrong."""
    ui.notify(printable(text), type="negative", multi_line=True)


def heading(text: str, explanation: str = "") -> None:
    """A page's name, and a sentence about it."""
    title(text, 1, "text-2xl font-medium")
    if explanation:
        label(explanation).classes("opacity-70 mb-2")


def title(text: str, level: int = 2, classes: str = "text-lg font-medium mt-3") -> None:
    """A heading that a screen reader knows as one."""
    label(text).classes(classes).props(f'role="heading" aria-level="{level}"')


def notice(text: str, symbol: str = "info") -> None:
    """Say why there is nothing, or what went wrong."""
    with ui.row().classes("items-center gap-2 no-wrap p-3 my-2 w-full").classes(BOX).props('role="status"'):
        ui.icon(symbol).classes("text-xl")
        label(text).classes("break-words min-w-0")


def mono(text: str) -> Any:
    """A line as it is, in a fixed-width font."""
    return label(text).classes("font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere] min-w-0 max-w-full")


def as_json(value: Any) -> None:
    """A value as JSON that a person reads."""
    mono(json.dumps(value, indent=2, ensure_ascii=False))


async def ask(question: Callable[..., T], *arguments: Any) -> T:
    """The answer of the cloud, without keeping the page from working meanwhile.

    Raises:
        Trouble: there is none.
        CancelledError: somebody has left the page meanwhile, so there is nothing more to do on it.
    """
    page = ui.context.client
    answer: T | None = None
    try:
        answer = await run.io_bound(question, *arguments)
    except (LocalError, BotoCoreError, ClientError) as error:
        trouble = said(error)
    except Exception as error:
        log.exception("%s", question)
        trouble = (
            f"Something went wrong here that should not: {type(error).__name__}: {error}. The terminal has more of it."
        )
    else:
        trouble = ""
    if page.is_deleted or (answer is None and not trouble):  # NiceGUI gives None when it is ended meanwhile
        raise CancelledError
    if trouble or answer is None:
        raise Trouble(trouble)
    return answer
