"""A model as the OpenAPI 3.0 document that EventBridge's schema registry takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.cloud import LocalError

if TYPE_CHECKING:
    from local.schemas.published import Published

COMPONENTS = "#/components/schemas/"

_KEPT = frozenset(
    {
        *("$ref", "allOf", "anyOf", "default", "description", "discriminator", "enum", "example", "format", "items"),
        *("maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "multipleOf", "oneOf", "pattern"),
        *("properties", "required", "type", "uniqueItems", "additionalProperties"),
    }
)
"""Keywords that mean the same in JSON Schema 2020-12, which Pydantic writes, and in OpenAPI 3.0.

https://spec.openapis.org/oas/v3.0.3.html#schema-object
"""
_DROPPED = frozenset(
    {
        "title",  # Pydantic's, which says the name again
        "writeOnly",  # Pydantic's for a SecretStr; in OpenAPI it says that an answer never has the field, and an event has it
    }
)


class NotWritable(LocalError):
    """A model says something for which OpenAPI 3.0 has no words, or this module does not know them."""


def document(event: Published, version: int) -> dict[str, Any]:
    """The event's schema, with the envelope as `AWSEvent`, in the form of the schemas that EventBridge infers itself.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-schemas-infer-from-json.html

    Raises:
        NotWritable: the model cannot be written so.
    """
    # What a publisher serializes, by the names that are in the JSON.
    schema = event.model.model_json_schema(mode="serialization", ref_template=COMPONENTS + "{model}")
    details = schema.pop("$defs", {})
    try:
        envelope, parts = convert(schema), {name: convert(detail) for name, detail in sorted(details.items())}
    except NotWritable as error:
        raise NotWritable(f"{event.model.__name__} has no schema. {error}") from None
    for name, field in envelope["properties"].items():
        if name != "detail":  # AWS's own fields, which it explains itself
            field.pop("description", None)
            field.pop("example", None)
    about = envelope.pop("description", "")
    return {
        "openapi": "3.0.0",
        "info": {"version": f"{version}.0.0", "title": event.detail_type, **({"description": about} if about else {})},
        "paths": {},
        "components": {
            "schemas": {
                "AWSEvent": {
                    **envelope,
                    "x-amazon-events-detail-type": event.detail_type,
                    "x-amazon-events-source": event.source,
                },
                **parts,
            }
        },
    }


def convert(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of JSON Schema 2020-12 as OpenAPI 3.0 says the same.

    Raises:
        NotWritable: a keyword is not known here, or a value may be null that OpenAPI 3.0 cannot let be null.
    """
    written: dict[str, Any] = {}
    for keyword, value in schema.items():
        match keyword:
            case "const":
                written["enum"] = [value]
            case "examples":
                written["example"] = value[0]
            case "exclusiveMinimum" | "exclusiveMaximum":  # a number there, beside the limit a switch here
                written[keyword.replace("exclusiveM", "m")] = value
                written[keyword] = True
            case "properties":
                written[keyword] = {name: convert(field) for name, field in value.items()}
            case "items" | "additionalProperties" if isinstance(value, dict):
                written[keyword] = convert(value)
            case "prefixItems":  # a list whose items are of these kinds, in any order: the nearest there is
                kinds = [convert(item) for item in value]
                written["items"] = {"anyOf": [kind for n, kind in enumerate(kinds) if kind not in kinds[:n]]}
            case "anyOf" | "oneOf" | "allOf":
                written |= _combined(keyword, value)
            case "default" if value is None:
                pass  # nullable says it
            case _ if keyword in _KEPT:
                written[keyword] = value
            case _ if keyword not in _DROPPED:
                raise NotWritable(
                    f"OpenAPI 3.0 has no `{keyword}`. Give the field a `WithJsonSchema` that does without."
                )
    if "$ref" in written and len(written) > 1:  # what is beside a reference does not count
        written = {"allOf": [{"$ref": written.pop("$ref")}], **written}
    return written


def _combined(keyword: str, schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """Alternatives; one that is null makes the others nullable."""
    others = [convert(schema) for schema in schemas if schema != {"type": "null"}]
    if len(others) == len(schemas):
        return {keyword: others}
    if len(others) == 1 and "type" in others[0]:  # without a type, `nullable` has no effect
        enum = {"enum": [*others[0]["enum"], None]} if "enum" in others[0] else {}
        return {**others[0], **enum, "nullable": True}
    raise NotWritable("OpenAPI 3.0 cannot let a reference or alternatives be null. Let the field be absent, not null.")
