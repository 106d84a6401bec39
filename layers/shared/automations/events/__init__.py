"""Models of the events, one module for each source. Only the fields that the automations use; others are ignored."""

from typing import Any

from aws_lambda_powertools.utilities.parser.models import EventBridgeModel
from pydantic import BaseModel, ConfigDict, model_validator


class Event(EventBridgeModel):
    """The envelope that every event has. Errors do not show the input: it may hold personal data."""

    model_config = ConfigDict(hide_input_in_errors=True, populate_by_name=True)


class Detail(BaseModel):
    """Base of what is in `detail`, and of its parts. A field that is null counts as absent."""

    model_config = ConfigDict(hide_input_in_errors=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else given
