"""What our modules load on the template's Python, which runs this file alone: it has only what an artifact brings.

    python imports.py <folder of our modules> ...

Prints, as JSON, the files that were loaded, those of them that had to be compiled, and what could not be imported.
"""

import ast
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

compiled: set[str] = set()


def note_compiled(event: str, arguments: tuple[object, ...]) -> None:
    """https://docs.python.org/3/library/functions.html#compile: an auditing event, which loading bytecode does not raise."""
    if event == "compile" and isinstance(arguments[1], str):
        compiled.add(arguments[1])


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports at any depth, as a function may import what it seldom needs; not those for a type checker."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from (found for part in child.orelse for found in statements(ast.Module([part], [])))
        else:
            yield from statements(child)


def main(folders: list[str]) -> None:
    sys.addaudithook(note_compiled)
    failed: dict[str, str] = {}
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*.py")):
        root = next(parent for parent in path.parents if not (parent / "__init__.py").exists())
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        try:
            importlib.import_module(name)
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            for statement in statements(ast.parse(path.read_text())):
                exec(ast.unparse(statement), {"__package__": package})  # noqa: S102 - of our own modules
        except ImportError as error:
            failed[str(path)] = str(error)
    loaded = {file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    print(json.dumps({"loaded": sorted(loaded), "compiled": sorted(compiled & loaded), "failed": failed}))


if __name__ == "__main__":
    main(sys.argv[1:])
