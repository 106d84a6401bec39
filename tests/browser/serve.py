"""Serve the console for the tests: `python -m tests.browser.serve ENDPOINT PORT INBOX`."""

import sys
from pathlib import Path

from local.cloud import Cloud
from local.console.__main__ import serve
from local.console.watch import Watch
from local.stack import Stack

if __name__ == "__main__":
    endpoint, port, inbox = sys.argv[1:]
    watch = Watch(Stack(Cloud(endpoint, Path("/dev/null"))), Path(inbox))
    if Path(inbox).exists():  # the stopped cloud of the tests has none
        watch.open_tap()
    serve(watch, int(port), browser=False)
