"""What a person does on the pages, and what the tests send."""

import json
import os
from typing import Any

from local.cloud import ROOT
from local.stack import Stack

HACK = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>{{window.hacked=1}}"
IMAGES = ROOT / "docs" / "images"


def heading(page, name: str):
    return page.get_by_role("heading", name=name, exact=True)


def write(page, event: dict[str, Any] | str) -> None:
    """Replace what is in the editor."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(event if isinstance(event, str) else json.dumps(event))


def choose(page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def sample(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def shoot(page, name: str) -> None:
    """Keep what one sees for the README, when that is asked for."""
    if os.environ.get("WRITE_SCREENSHOTS"):
        page.screenshot(path=IMAGES / f"console-{name}.png")


def fail(stack: Stack, event: dict[str, Any], reason: str = "Slack refused") -> None:
    function = stack.resources["CodebuildSlackFunction"]
    record = {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:ap-northeast-2:111122223333:function:{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responsePayload": {"errorType": "DeliveryError", "errorMessage": reason},
    }
    stack.queue(stack.outputs["FailedEventsQueue"].split("/")[-1], json.dumps(record))
