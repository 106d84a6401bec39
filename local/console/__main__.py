"""Serve the console on this machine: `make console` calls it, once the local cloud runs or for a stack on AWS."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Response
from nicegui import app, ui

from local import cloud as local_cloud
from local import terminal
from local.cloud import LOOPBACK, LocalError
from local.console.guard import Guard, hosts
from local.console.pages.chart import MapPage
from local.console.pages.failed import FailedPage
from local.console.pages.follow import FollowPage
from local.console.pages.send import SendPage
from local.console.pages.shell import TITLE
from local.console.watch import Watch


def serve(watch: Watch, port: int, browser: bool) -> None:
    """Serve the pages until the program is interrupted."""

    def send() -> None:
        SendPage(watch).build()

    def follow(event: str = "") -> None:
        FollowPage(watch, event).build()

    def chart() -> None:
        MapPage(watch).build()

    def failed() -> None:
        FailedPage(watch).build()

    def picture(bucket: str, key: str) -> Response:
        try:
            found = watch.picture(bucket, key)
        except (BotoCoreError, ClientError):  # the cloud does not answer; the page says so
            found = None
        if not found:
            return Response("There is no such picture.", status_code=404, media_type="text/plain")
        return Response(found[0], media_type=found[1])

    for path, page in {"/": send, "/follow": follow, "/map": chart, "/failed": failed}.items():
        ui.page(path)(page)
    app.get("/picture/{bucket}")(picture)
    app.add_middleware(Guard, allowed=hosts(port))
    app.on_startup(lambda: print(f"The console is on http://{LOOPBACK}:{port}/ (end it with Ctrl-C)", flush=True))
    ui.run(host=LOOPBACK, port=port, title=TITLE, show=browser, reload=False, dark=None, show_welcome_message=False)


def watch_of(chosen: argparse.Namespace) -> Watch:
    """What the pages ask. AWS is not asked yet: the pages say what is missing, and work once that is mended.

    Raises:
        LocalError: the local cloud is meant, and does not run.
    """
    stack = terminal.chosen_stack(chosen)
    if terminal.is_on_aws(chosen):
        return Watch(stack, on_aws=True)
    watch = Watch(stack, state=local_cloud.STATE)
    watch.keep_up()
    return watch


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.console", description=__doc__, parents=[terminal.target()])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--no-browser", action="store_true")
    chosen = parser.parse_args()
    try:
        terminal.check_free(chosen.port)
        watch = watch_of(chosen)
    except LocalError as error:
        print(f"Failed. {error}", file=sys.stderr)
        return 1
    with suppress(KeyboardInterrupt):  # which the server raises again once it has ended
        serve(watch, chosen.port, not chosen.no_browser)
    return 0


if __name__ in {"__main__", "__mp_main__"}:
    sys.exit(main())
