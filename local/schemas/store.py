"""The schemas as they are kept: each version in a file of schemas/, the newest ones in template.yaml, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud import ROOT, LocalError
from local.schemas.compatibility import incompatibilities
from local.schemas.openapi import document
from local.schemas.published import Published

SCHEMAS = ROOT / "schemas"
TEMPLATE = ROOT / "template.yaml"
BEGIN = "  # The newest of schemas/, written by `python -m local schemas write`:\n"
END = "  # End of the newest of schemas/.\n"
MAX_CONTENT = 100_000
"""Characters. https://docs.aws.amazon.com/cli/latest/reference/schemas/create-schema.html"""


@dataclass(frozen=True)
class Stored:
    """A version of a schema, as its file has it."""

    name: str
    version: int
    document: dict[str, Any]

    @property
    def path(self) -> str:
        """Below schemas/."""
        return f"{self.name}/{self.version}.json"

    @property
    def text(self) -> str:
        return json.dumps(self.document, indent=2, ensure_ascii=False) + "\n"


def versions() -> dict[str, list[Stored]]:
    """The versions of each schema, oldest first.

    Raises:
        LocalError: a file is no JSON.
    """
    found: dict[str, list[Stored]] = {}
    files = [file for file in SCHEMAS.glob("*/*.json") if file.stem.isdecimal()]
    for file in sorted(files, key=lambda file: (file.parent.name, int(file.stem))):
        try:
            content = json.loads(file.read_text())
        except ValueError as error:
            raise LocalError(f"{file} is no JSON: {error}. Restore it: git checkout {file}") from None
        found.setdefault(file.parent.name, []).append(Stored(file.parent.name, int(file.stem), content))
    return found


def newest(stored: Mapping[str, list[Stored]]) -> list[Stored]:
    return [of_one[-1] for of_one in stored.values()]


@dataclass(frozen=True)
class Change:
    """What a model's schema is beside the newest that is stored.

    Attributes:
        now: the schema with the version that it would have.
        before: the newest that is stored, if any.
        breaks: why it is not the same contract; then `now` has the next version.
    """

    now: Stored
    before: Stored | None
    breaks: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        if not self.before:
            return f"{self.now.name} is new."
        if not self.breaks:
            return f"{self.now.name} has changed compatibly."
        return f"{self.now.name} has changed incompatibly:\n" + "\n".join(f"  {reason}" for reason in self.breaks)


def changes(published: Iterable[Published], stored: Mapping[str, list[Stored]]) -> list[Change]:
    """What is not stored as the models say."""
    found = (change(event, stored.get(event.name, [])) for event in published)
    return [item for item in found if item]


def change(event: Published, stored: list[Stored]) -> Change | None:
    before = stored[-1] if stored else None
    if not before:
        return Change(Stored(event.name, 1, document(event, 1)), None)
    now = document(event, before.version)
    if now == before.document:
        return None
    if not (breaks := incompatibilities(before.document, now)):
        return Change(Stored(event.name, before.version, now), before)
    following = before.version + 1
    return Change(Stored(event.name, following, document(event, following)), before, tuple(breaks))


def without_model(published: Iterable[Published], stored: Mapping[str, list[Stored]]) -> list[str]:
    """Names of the schemas whose event is not published any more."""
    return sorted(set(stored) - {event.name for event in published})


def block(schemas: Iterable[Stored]) -> str:
    """The resources of the template for these schemas.

    The sources begin with the application's name, which is a parameter; so do the schemas' names.

    Raises:
        LocalError: a schema is too large for the registry, or `!Sub` would read something in it.
    """
    return "".join(_resource(schema) for schema in schemas)


def _resource(schema: Stored) -> str:
    content = json.dumps(schema.document, ensure_ascii=False, separators=(",", ":"))
    if "${" in content:
        raise LocalError(
            f"{schema.path} holds ${{, which CloudFormation's !Sub would replace. Write the pattern in another way."
        )
    if len(content) > MAX_CONTENT:
        raise LocalError(f"{schema.path} has {len(content)} characters, and the registry takes {MAX_CONTENT}.")
    source, _, detail_type = schema.name.partition("@")
    named = schema.document["components"]["schemas"]["AWSEvent"]["x-amazon-events-source"]
    key = '"x-amazon-events-source":'
    content = content.replace(f'{key}"{named}"', f'{key}"{_of_the_application(named)}"')
    return f"""\
  {_logical_id(schema.name)}:
    Type: AWS::EventSchemas::Schema
    Condition: RegisterEventSchemas
    Properties:
      RegistryName: !GetAtt SchemaRegistry.RegistryName
      SchemaName: {_substituted(f"{_of_the_application(source)}@{detail_type}")}
      Type: OpenApi3
      Content: {_substituted(content)}
"""


def _of_the_application(source: str) -> str:
    return re.sub(r"^com\.example\.", "com.${ApplicationName}.", source)


def _substituted(text: str) -> str:
    """As a YAML scalar, with `!Sub` when there is something to substitute."""
    quoted = "'" + text.replace("'", "''") + "'"
    return f"!Sub {quoted}" if "${" in text else quoted


def _logical_id(name: str) -> str:
    """`BasketCheckoutBasketSchema`: the end of the source, and the detail type."""
    source, _, detail_type = name.partition("@")
    words = re.split(r"[^0-9A-Za-z]+", f"{source.rpartition('.')[2]}.{detail_type}")
    return "".join(word[:1].upper() + word[1:] for word in words) + "Schema"


def block_of(template: str) -> tuple[str, str, str]:
    """The template's text before, in and after the schemas' resources.

    Raises:
        LocalError: the lines around them are not there.
    """
    before, begin, rest = template.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not (begin and end):
        raise LocalError(
            f"template.yaml must have the lines around the schemas:\n{BEGIN}{END}Restore it: git checkout template.yaml"
        )
    return before + begin, inside, end + after
