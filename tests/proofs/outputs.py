"""What comes out of a function beside its effects: log lines, metrics, and traces as X-Ray's SDK sends them."""

from __future__ import annotations

import importlib
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import botocore.client
import pytest
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context
from aws_xray_sdk.ext.botocore.patch import patch as trace_botocore
from botocore.client import BaseClient
from botocore.endpoint import Endpoint


@dataclass
class Outputs:
    """Attributes:
    logs: lines of all loggers, those of the libraries included, at the level DEBUG.
    metrics: lines of the embedded metric format, and whatever else is printed.
    traces: segments and subsegments, as JSON.
    """

    logs: io.StringIO = field(default_factory=io.StringIO)
    metrics: io.StringIO = field(default_factory=io.StringIO)
    traces: list[str] = field(default_factory=list)

    def send_entity(self, entity: Any) -> None:
        """Take what the SDK would send to X-Ray's daemon."""
        self.traces.append(entity.serialize())

    def texts(self) -> dict[str, str]:
        """By the kind of output."""
        return {
            "logs": self.logs.getvalue(),
            "metrics": self.metrics.getvalue(),
            "traces": json.dumps([json.loads(trace) for trace in self.traces], ensure_ascii=False),
        }


@contextmanager
def captured(function: str) -> Iterator[Outputs]:
    """Run the function at its most talkative: DEBUG for all loggers, and with traces, as on Lambda."""
    outputs = Outputs()
    handler = importlib.import_module(f"{function}.handler")
    with (
        pytest.MonkeyPatch.context() as changes,
        redirect_stdout(outputs.metrics),
        redirect_stderr(outputs.metrics),
        _logged(handler.logger, outputs.logs),
    ):
        changes.setattr(handler.tracer, "disabled", False)
        # The SDK wraps these for good; what they are now is put back at the end.
        for owner, wrapped in ((BaseClient, "_make_api_call"), (Endpoint, "prepare_request")):
            changes.setattr(owner, wrapped, getattr(owner, wrapped))
        changes.delattr(botocore.client, "_xray_enabled", raising=False)
        global_sdk_config.set_sdk_enabled(True)
        daemon = xray_recorder.emitter
        try:
            trace_botocore()
            xray_recorder.configure(sampling=False, emitter=outputs, context=Context(), context_missing="IGNORE_ERROR")
            with xray_recorder.in_segment("Lambda"):
                yield outputs
        finally:
            xray_recorder.configure(emitter=daemon)
            global_sdk_config.set_sdk_enabled(False)
            vars(botocore.client).pop("_xray_enabled", None)


@contextmanager
def _logged(powertools: Any, written: io.StringIO) -> Iterator[None]:
    """Everything that is logged, by the function's own logger and by those of the libraries."""
    everything, root = logging.StreamHandler(written), logging.getLogger()
    everything.addFilter(lambda record: not record.name.startswith("moto"))  # which is not there on Lambda
    own: logging.StreamHandler[Any] = powertools.registered_handler
    levels, stream = (root.level, powertools.log_level), own.setStream(written)
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    powertools.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(everything)
        own.setStream(stream or own.stream)
        root.setLevel(levels[0])
        powertools.setLevel(levels[1])
