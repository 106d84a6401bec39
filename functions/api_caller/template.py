"""Text with JMESPath expressions over the event in it: `builds/{{detail."build-id"}}`.

An expression stands between `{{` and the next `}}`. Its result is text, a number, true or false; anything else is
refused, so that a field which is missing never becomes an empty piece of a request. https://jmespath.org/specification.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jmespath  # type: ignore[import-untyped]
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True)
class Expression:
    """A JMESPath expression. jmespath keeps the last ones that it compiled."""

    text: str

    def __post_init__(self) -> None:
        try:
            jmespath.compile(self.text)
        except JMESPathError:  # its text shows the expression on several lines
            raise ValueError("this is no JMESPath expression") from None

    def of(self, event: dict[str, Any]) -> Any:
        """Evaluate it.

        Raises:
            ValueError: names the expression, and not what it met in the event.
        """
        try:
            return jmespath.search(self.text, event)
        except JMESPathError as error:
            raise ValueError(f"{self.text} cannot be evaluated: {type(error).__name__}") from None


@dataclass(frozen=True)
class Template:
    """Attributes:
    literals: what stands before, between and after the expressions: one more than these.
    """

    literals: tuple[str, ...]
    expressions: tuple[Expression, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read it.

        Raises:
            ValueError: says what is wrong.
        """
        pieces = _EXPRESSION.split(text)
        literals = tuple(pieces[::2])
        if any("{{" in literal or "}}" in literal for literal in literals):
            raise ValueError("{{ and }} come in pairs, and an expression holds no }}: put a space between its braces")
        return cls(literals, tuple(Expression(piece.strip()) for piece in pieces[1::2]))

    def text(self, event: dict[str, Any], encode: Callable[[str], str] = str) -> str:
        """Fill it in; `encode` is applied to what comes from the event only.

        Raises:
            ValueError: names the expression whose result is no text.
        """
        parts = [self.literals[0]]
        for expression, literal in zip(self.expressions, self.literals[1:], strict=True):
            parts += [encode(_text(expression, expression.of(event))), literal]
        return "".join(parts)

    def value(self, event: dict[str, Any]) -> Any:
        """Fill it in as a JSON value: one expression with nothing around it keeps the type of its result.

        Raises:
            ValueError: names the expression that gives nothing.
        """
        if len(self.expressions) != 1 or self.literals != ("", ""):
            return self.text(event)
        value = self.expressions[0].of(event)
        if value is None:
            raise _nothing(self.expressions[0])
        return value


def _text(expression: Expression, value: Any) -> str:
    match value:
        case None:
            raise _nothing(expression)
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
    raise ValueError(f"{expression.text} gives a {'list' if isinstance(value, list) else 'map'}, where text must stand")


def _nothing(expression: Expression) -> ValueError:
    return ValueError(f"the event has nothing at {expression.text}")


def parse_json(value: Any, at: str = "") -> Any:
    """Make a template of each text in a JSON value.

    Raises:
        ValueError: names where in the value the bad text is.
    """
    match value:
        case dict():
            for name in value:
                if "{{" in name:
                    raise ValueError(f"{_below(at, name)}: a name holds no expressions")
            return {name: parse_json(part, _below(at, name)) for name, part in value.items()}
        case list():
            return [parse_json(part, _below(at, index)) for index, part in enumerate(value)]
        case str():
            try:
                return Template.parse(value)
            except ValueError as error:
                raise ValueError(f"{at}: {error}" if at else str(error)) from None
    return value


def fill_json(value: Any, event: dict[str, Any], at: str) -> Any:
    """Fill in each template of what `parse_json` made.

    Raises:
        ValueError: names where in the value the trouble is.
    """
    match value:
        case dict():
            return {name: fill_json(part, event, _below(at, name)) for name, part in value.items()}
        case list():
            return [fill_json(part, event, _below(at, index)) for index, part in enumerate(value)]
        case Template():
            try:
                return value.value(event)
            except ValueError as error:
                raise ValueError(f"{at}: {error}") from None
    return value


def _below(at: str, name: str | int) -> str:
    return f"{at}.{name}" if at else str(name)
