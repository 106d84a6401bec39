"""Python models of schemas, for applications that read or write the events: one module for each schema."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud import LocalError
from local.schemas.store import Stored


@dataclass(frozen=True)
class Schema:
    """A schema as the registry has it. `kind` is `OpenApi3` or `JSONSchemaDraft4`."""

    name: str
    kind: str
    content: str

    @property
    def module(self) -> str:
        """`com_example_basket_checkoutbasket`."""
        return re.sub(r"\W", "_", self.name).lower()


def from_files(schemas: Iterable[Stored]) -> list[Schema]:
    return [Schema(schema.name, "OpenApi3", json.dumps(schema.document)) for schema in schemas]


def from_registry(client: Any, registry: str, prefix: str = "") -> Iterator[Schema]:
    """The newest version of each schema in the registry whose name begins with the prefix.

    Raises:
        LocalError: there is no such registry.
    """
    try:
        client.describe_registry(RegistryName=registry)
    except client.exceptions.NotFoundException:
        raise LocalError(
            f"There is no schema registry {registry} in {client.meta.region_name}. That of a stack is its output "
            "SchemaRegistry, and it is in the stack's region."
        ) from None
    pages = client.get_paginator("list_schemas").paginate(
        RegistryName=registry, **({"SchemaNamePrefix": prefix} if prefix else {})
    )
    for name in [item["SchemaName"] for page in pages for item in page["Schemas"]]:
        answer = client.describe_schema(RegistryName=registry, SchemaName=name)
        yield Schema(name, answer["Type"], answer["Content"])


def generate(schemas: Iterable[Schema], output: Path) -> list[Path]:
    """Write a package of Pydantic models into the folder; returns its modules.

    Raises:
        LocalError: no model can be made of a schema.
    """
    # Only here, because it takes longer to load than most commands take to run.
    from datamodel_code_generator import Error, Formatter, InputFileType, LiteralType, PythonVersion
    from datamodel_code_generator import generate as generate_models
    from datamodel_code_generator.enums import DataModelType

    output.mkdir(parents=True, exist_ok=True)
    (output / "__init__.py").touch()
    written = []
    for schema in schemas:
        file = output / f"{schema.module}.py"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Pydantic does not take pattern on SecretStr")
            try:
                generate_models(
                    schema.content,
                    input_filename=schema.name,
                    input_file_type=InputFileType.OpenAPI if schema.kind == "OpenApi3" else InputFileType.JsonSchema,
                    output=file,
                    output_model_type=DataModelType.PydanticV2BaseModel,
                    target_python_version=PythonVersion.PY_311,
                    use_annotated=True,
                    use_standard_collections=True,
                    use_union_operator=True,
                    use_schema_description=True,
                    strict_nullable=True,
                    enum_field_as_literal=LiteralType.All,
                    disable_timestamp=True,
                    allow_remote_refs=False,
                    formatters=[Formatter.RUFF_CHECK, Formatter.RUFF_FORMAT],
                )
            except Error as error:
                raise LocalError(f"No model can be made of {schema.name}: {error}") from None
        written.append(file)
    return written
