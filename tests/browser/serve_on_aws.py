"""Serve the console for a stack on AWS, and note what it calls: `python -m tests.browser.serve_on_aws STACK PORT CALLS`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config
from local.cloud import Aws
from local.console.__main__ import serve
from local.console.watch import Watch
from local.stack import Stack

name, port, calls = sys.argv[1:]


@dataclass(frozen=True)
class Recorded(Aws):
    """An account that notes the name of each operation before it is called."""

    def client(self, service: str, config: Config | None = None) -> Any:
        client = super().client(service, config)
        client.meta.events.register("before-call", note)
        return client


def note(model: Any, **_: Any) -> None:
    with Path(calls).open("a", encoding="utf-8") as file:
        file.write(f"{model.service_model.service_name}:{model.name}\n")


if __name__ == "__main__":
    serve(Watch(Stack(Recorded(), name), on_aws=True), int(port), browser=False)
