"""What is left open on purpose: by a tag on the resource, or by an entry in the configuration.

Both need a reason and a last day. After it the exemption counts no more, and the message says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from automations.errors import SettingsError, explain
from automations.settings import Configured

TAG = re.compile(r"^\s*(?P<until>\d{4}-\d{2}-\d{2})[\s:/_-]+(?P<reason>\S.*)$")
"""`2026-12-31 vendor needs SSH until the migration`: a tag's value has letters, digits, spaces and + - = . _ : / @ only."""


class Exemption(Configured):
    """An entry of the configuration.

    Attributes:
        remediation: name of one, or `*`.
        resource: as messages name it, such as `Security group sg-0123456789abcdef0`; `*` stands for any characters.
        until: the last day on which it counts, in UTC.
    """

    remediation: str
    resource: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    until: date

    def covers(self, resource: str) -> bool:
        """A name may have brackets, which are of a pattern, too: the key of an S3 object, say."""
        return resource == self.resource or fnmatchcase(resource, self.resource)


@dataclass(frozen=True)
class Verdict:
    """Attributes:
    exempt: whether the resource is left as it is.
    why: the exemption that counts, or counted until it ran out; "" for none.
    """

    exempt: bool
    why: str = ""


def read_exemptions(text: str, parameter: str) -> tuple[Exemption, ...]:
    """Read the JSON list of exemptions.

    Raises:
        SettingsError: names the parameter and what is wrong.
    """
    try:
        return TypeAdapter(tuple[Exemption, ...]).validate_json(text)
    except ValidationError as error:
        raise SettingsError(
            f"The exemptions in the SSM parameter {parameter} cannot be read. {explain(error, whole='the list')}. "
            'Write a JSON list of {"remediation", "resource", "reason", "until": "2026-12-31"}.'
        ) from None


def judge(
    remediation: str,
    resource: str,
    tags: Mapping[str, str],
    tag: str,
    entries: Iterable[Exemption],
    today: date,
    also: Iterable[str] = (),
) -> Verdict:
    """Whether the resource is exempted from the remediation today. One exemption that counts is enough.

    Args:
        also: its other names.
    """
    names = (resource, *also)
    found = [
        (one.until, f"an entry in the configuration exempts it until {one.until}: {one.reason}")
        for one in entries
        if one.remediation in {remediation, "*"} and any(one.covers(name) for name in names)
    ]
    unreadable = ""
    if tag in tags:
        if said := _read_tag(tags[tag]):
            found.append((said[0], f"its tag {tag} exempts it until {said[0]}: {said[1]}"))
        else:
            unreadable = (
                f"Its tag {tag} does not count: write a last day and a reason, such as 2026-12-31 vendor access."
            )
    if not found:
        return Verdict(exempt=False, why=unreadable)
    until, why = max(found)
    if until < today:
        return Verdict(exempt=False, why=f"Its exemption has run out and does not count any more: {why}.")
    return Verdict(exempt=True, why=f"It is left as it is: {why}.")


def _read_tag(value: str) -> tuple[date, str] | None:
    said = TAG.match(value)
    try:
        return (date.fromisoformat(said["until"]), said["reason"].strip()) if said else None
    except ValueError:  # no such day
        return None
