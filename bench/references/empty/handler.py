"""The floor: what the runtime costs without a function."""

from typing import Any


def lambda_handler(event: Any, context: Any) -> None: ...
