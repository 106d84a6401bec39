"""Settings of one function, read from its environment variables, and configuration that people write as JSON."""

import os
from typing import Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from automations.errors import SettingsError, explain


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


COMMA_SEPARATED = BeforeValidator(_split)
"""Reads `1600, 800,200` into a list: `sizes: Annotated[list[int], COMMA_SEPARATED]`."""


class EnvSettings(BaseModel):
    """Base of a function's settings: the field `alerts_topic` is read from the variable `ALERTS_TOPIC`.

    An empty variable counts as absent, because a CloudFormation parameter that was not given arrives as an empty string.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @classmethod
    def from_env(cls) -> Self:
        """Read the settings.

        Raises:
            SettingsError: names each variable that is missing or bad, and why. It never shows a value: the environment
                of a Lambda function holds credentials.
        """
        given = {name: os.environ.get(name.upper(), "") for name in cls.model_fields}
        try:
            return cls.model_validate({name: value for name, value in given.items() if value})
        except ValidationError as error:
            raise SettingsError(
                f"Bad settings of this function. {explain(error, str.upper, whole='together')}. "
                "They are set under Environment in template.yaml, most of them from a parameter of the stack."
            ) from None


class Configured(BaseModel):
    """Base of what people write. A field that is not known is a misspelt one; errors do not show the input: it may hold tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Configuration = TypeVar("Configuration", bound=BaseModel)


def read_configuration(model: type[Configuration], text: str, *, name: str, parameter: str) -> Configuration:
    """Read the JSON text of an SSM parameter.

    Args:
        name: what the whole is called in errors, such as `routes`.

    Raises:
        SettingsError: names the parameter, each bad field and why; it shows no value.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        bad = explain(error, lambda field: f"{name}.{field}" if field else name)
        raise SettingsError(f"Bad {name} in the parameter {parameter}. {bad}. Put a corrected one.") from None
