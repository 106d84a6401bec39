"""Create AWS clients once, in a process that has created none. Runs on the template's Python; prints its CPU milliseconds.

python bench/create.py ("one after the other" | "in threads" | client | resource) service ...
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from operator import attrgetter

from automations import aws


def main(way: str, services: list[str]) -> None:
    begin = time.process_time()
    match way:
        case "one after the other":
            for service in services:
                getattr(aws, service)()
        case "in threads":
            with ThreadPoolExecutor(len(services)) as pool:
                list(pool.map(lambda service: getattr(aws, service)(), services))
        case _:
            create = attrgetter(way)(import_module("boto3"))
            for service in services:
                create(service)
    print((time.process_time() - begin) * 1e3)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
