"""Whether those who know an event's schema can go on with its next one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local.schemas.openapi import COMPONENTS

_WORDS = frozenset({"description", "example", "title"})
"""Keywords that explain. Others say what an event may be."""


def incompatibilities(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Why the new document is not the same contract; empty when it is.

    An event has writers and readers on both sides of a change. A writer that knows the old schema must still write valid events, and a
    reader that knows the old one must be able to read them. So only what neither notices is compatible: words that explain, and
    further fields that nobody must write. All else is not, a wider limit as little as a narrower one.
    """
    documents = (old["components"]["schemas"], new["components"]["schemas"])
    envelopes = (documents[0]["AWSEvent"], documents[1]["AWSEvent"])
    return list(_differences("event", envelopes, documents, ()))


Pair = tuple[Any, Any]


def _differences(where: str, schemas: Pair, documents: Pair, above: tuple[Pair, ...]) -> Iterator[str]:
    """Compare two schemas, each with the references into its own document replaced by what they refer to."""
    references = (_reference(schemas[0]), _reference(schemas[1]))
    if all(references) and references in above:  # a model that holds itself: compared already
        return
    before, after = (_resolved(schema, document) for schema, document in zip(schemas, documents, strict=True))
    above = (*above, references)
    for keyword in sorted({*before, *after} - _WORDS):
        one, other = before.get(keyword), after.get(keyword)
        match keyword:
            case "properties":
                fields, more = one or {}, other or {}
                yield from (f"{where}.{name}: was removed" for name in fields if name not in more)
                for name in fields.keys() & more.keys():
                    yield from _differences(f"{where}.{name}", (fields[name], more[name]), documents, above)
                if before.get("additionalProperties") is False:
                    yield from (
                        f"{where}.{name}: is new, where the old takes no other" for name in more if name not in fields
                    )
            case "required":
                yield from (f"{where}.{name}: must be there now" for name in other or [] if name not in (one or []))
                yield from (
                    f"{where}.{name}: need not be there any more" for name in one or [] if name not in (other or [])
                )
            case "items" | "additionalProperties" if isinstance(one, dict) and isinstance(other, dict):
                yield from _differences(
                    f"{where}[]" if keyword == "items" else f"{where}.*", (one, other), documents, above
                )
            case "anyOf" | "oneOf" | "allOf" if one and other and len(one) == len(other):
                for number, pair in enumerate(zip(one, other, strict=True)):
                    yield from _differences(f"{where}({keyword} {number})", pair, documents, above)
            case _ if _said(one) != _said(other):  # to Python, 1 is True
                yield f"{where}: {keyword} was {_said(one)} and is {_said(other)}"


def _reference(schema: dict[str, Any]) -> str:
    alone = schema.get("allOf", [])
    return str(alone[0].get("$ref", "")) if len(alone) == 1 else str(schema.get("$ref", ""))


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Without a reference at its top; an `allOf` of one alone is that one."""
    while len(alone := schema.get("allOf", [])) == 1 or "$ref" in schema:
        inner = alone[0] if alone else document[schema["$ref"].removeprefix(COMPONENTS)]
        schema = {**inner, **{keyword: value for keyword, value in schema.items() if keyword not in {"allOf", "$ref"}}}
    return schema


def _said(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
