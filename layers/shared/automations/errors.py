"""The errors that have a name here, and the one way in which a failed invocation explains itself."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import ValidationError

MOST_PROBLEMS = 20
"""That an explanation names."""


class AutomationError(Exception):
    """Base of the errors below. The message names the thing, the reason and the remedy, and never holds a payload."""


class SettingsError(AutomationError):
    """A setting is missing or bad."""


class InvalidEvent(AutomationError):
    """The event does not have the shape that its model demands."""


class Refused(AutomationError):
    """The input was read and cannot be processed, now or later: trying again does not help."""


class SecretError(AutomationError):
    """A secret is absent, unreadable or empty."""


class DeliveryError(AutomationError):
    """A message could not be handed over in the time there was. Trying again may help.

    Attributes:
        failures: the reasons by the receivers' names, where there were several receivers.
    """

    def __init__(self, message: str, failures: Mapping[str, Exception] | None = None) -> None:
        super().__init__(message)
        self.failures = dict(failures or {})


class Rejected(DeliveryError):
    """The receiver answered that it will never take this message (4xx other than 408, 425 and 429; a redirect)."""


def explain(error: ValidationError, name: Callable[[str], str] = str, whole: str = "event") -> str:
    """Say where and why validation failed, field by field, without any of the values. The first fields stand for all: a list that
    somebody else filled may hold any number of wrong items.

    Args:
        name: makes the name that the reader knows from the field's path.
        whole: what to call the thing when it is wrong as a whole.

    >>> class Size(BaseModel): width: int
    >>> explain(...)  # "detail.width: Input should be a valid integer"
    """
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    told = [
        f"{name('.'.join(str(part) for part in problem['loc'])) or whole}: {problem['msg']}"
        for problem in problems[:MOST_PROBLEMS]
    ]
    if more := len(problems) - len(told):
        told.append(f"and {more} more")
    return "; ".join(told)


Handler = Callable[..., Any]


def log_failure(logger: Logger) -> Callable[[Handler], Handler]:
    """Decorate a handler so that its failure is one readable log line, and still a failure.

    Lambda writes a stack trace by itself; this adds the sentence that explains it, with the event's id that
    `inject_lambda_context` put into the logger. An event that its model refuses becomes `InvalidEvent`, which names the
    fields and not their values.

    All lines about an event that is replayed from an archive have the replay's name, as `replay`.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def logged(event: Any, context: Any) -> Any:
            logger.append_keys(replay=event.get("replay-name") if isinstance(event, Mapping) else None)
            try:
                return handler(event, context)
            except ValidationError as error:
                invalid = InvalidEvent(f"The event is not a valid {error.title}. {explain(error)}")
                logger.error(str(invalid), reason=type(invalid).__name__)
                raise invalid from None
            except Exception as error:
                logger.error(str(error), reason=type(error).__name__)
                raise

        return logged

    return decorate
