"""The check of what SAM CLI built, on artifacts made here."""

import platform
import py_compile
import shutil
import sys
from pathlib import Path

import pydantic_core
import pytest
from local import artifacts
from local.artifacts import MACHINES, Artifact, Loaded, loaded, problems, problems_of_imports
from local.cloud import LocalError

NATIVE = next(Path(pydantic_core.__file__).parent.glob("*.so"))
HERE = next(name for name, machine in MACHINES.items() if machine == platform.machine())
ELSEWHERE = next(name for name in MACHINES if name != HERE)
BUDGET = {"function": 60}
AMPLE = {"function": 60_000}


@pytest.fixture
def function(tmp_path: Path) -> Artifact:
    return Artifact("OrderingFunction", tmp_path / "OrderingFunction", "3.13")


@pytest.fixture
def layer(tmp_path: Path) -> Artifact:
    return Artifact("SharedLayer", tmp_path / "SharedLayer", "3.13", HERE)


def add(artifact: Artifact, name: str, content: bytes = b"") -> Path:
    file = artifact.path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def add_native(artifact: Artifact, name: str) -> None:
    shutil.copy(NATIVE, add(artifact, name))


def compile_for(file: Path, python: str, mode: py_compile.PycInvalidationMode) -> None:
    tag = f"cpython-{python.replace('.', '')}"
    py_compile.compile(str(file), str(file.parent / "__pycache__" / f"{file.stem}.{tag}.pyc"), invalidation_mode=mode)


def test_a_module_and_machine_code_that_fit_are_fine(layer: Artifact) -> None:
    add_native(layer, f"fast/_fast.cpython-313-{platform.machine()}-linux-gnu.so")
    add_native(layer, "fast/_faster.abi3.so")
    add_native(layer, "fast.libs/libfast-1a2b.so.1")

    assert list(problems(layer, AMPLE)) == []


def test_machine_code_for_another_processor_is_named(layer: Artifact) -> None:
    add_native(layer, "fast/_fast.abi3.so")
    elsewhere = Artifact(layer.name, layer.folder, "3.13", ELSEWHERE)

    [problem] = problems(elsewhere, AMPLE)

    assert problem.startswith("SharedLayer: python/fast/_fast.abi3.so: ")
    assert f"it is for {platform.machine()}, and the layer is for {MACHINES[ELSEWHERE]}" in problem
    assert "sam build --no-cached" in problem


def test_a_module_for_another_python_is_named(layer: Artifact) -> None:
    add_native(layer, f"fast/_fast.cpython-311-{platform.machine()}-linux-gnu.so")

    [problem] = problems(layer, AMPLE)

    assert "it is for Python 3.11, and the runtime is 3.13" in problem


def test_machine_code_that_needs_a_newer_glibc_is_named(layer: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "GLIBC", (2, 0))
    add_native(layer, "fast/_fast.abi3.so")

    [problem] = problems(layer, AMPLE)

    assert "and Lambda has 2.0" in problem
    assert "manylinux_2_34" in problem


def test_a_function_has_no_machine_code(function: Artifact) -> None:
    add_native(function, "ordering/_fast.abi3.so")

    [problem] = problems(function, AMPLE)

    assert "a function runs on each architecture" in problem


def test_an_artifact_without_any_bytecode_is_fine(function: Artifact) -> None:
    add(function, "ordering/handler.py")

    assert list(problems(function, BUDGET)) == []
    assert not function.has_bytecode


def test_a_module_without_bytecode_beside_one_that_has_it_is_named(function: Artifact) -> None:
    compile_for(add(function, "ordering/handler.py"), "3.13", py_compile.PycInvalidationMode.UNCHECKED_HASH)
    compile_for(add(function, "ordering/order.py"), "3.12", py_compile.PycInvalidationMode.UNCHECKED_HASH)

    [problem] = problems(function, BUDGET)

    assert problem.startswith("OrderingFunction: ordering/order.py: it has no bytecode for Python 3.13")


@pytest.mark.parametrize(
    "mode", [py_compile.PycInvalidationMode.TIMESTAMP, py_compile.PycInvalidationMode.CHECKED_HASH]
)
def test_bytecode_that_is_checked_is_named(function: Artifact, mode: py_compile.PycInvalidationMode) -> None:
    compile_for(add(function, "ordering/handler.py"), "3.13", mode)

    [problem] = problems(function, BUDGET)

    assert "its bytecode is checked" in problem


@pytest.mark.parametrize("name", ["ordering/tests/test_order.py", "a/b.pyi", "a/py.typed", "bin/tool", "a/a.js"])
def test_what_no_function_needs_is_named(function: Artifact, name: str) -> None:
    add(function, name)

    [problem] = problems(function, BUDGET)

    assert problem == f"OrderingFunction: {name}: no function needs it. Have `finish` in build.mk remove it"


def test_what_the_runtime_brings_is_named_in_a_layer(layer: Artifact) -> None:
    add(layer, "botocore/session.py")

    [problem] = problems(layer, BUDGET)

    assert "Lambda's Python brings it" in problem


def test_an_artifact_that_weighs_more_than_its_budget_is_named(function: Artifact, layer: Artifact) -> None:
    add_native(layer, "fast/_fast.abi3.so")
    add(function, "ordering/handler.py")

    [problem] = problems(layer, BUDGET | {"SharedLayer": 61})

    assert f"SharedLayer: it weighs {layer.kilobytes} kB zipped, and 61 are allowed" in problem
    assert list(problems(layer, BUDGET | {"SharedLayer": layer.kilobytes})) == []
    assert list(problems(function, BUDGET | {"OrderingFunction": 1})) == []


@pytest.fixture
def packages(function: Artifact, layer: Artifact) -> list[Artifact]:
    """A function that imports one package at once and one when it is needed; a third one nobody imports."""
    add(
        function,
        "ordering/handler.py",
        b"from typing import TYPE_CHECKING\nimport early\nfrom . import order\nif TYPE_CHECKING:\n    import absent\n"
        b"def late():\n    from seldom import part\n",
    )
    add(function, "ordering/__init__.py")
    add(function, "ordering/order.py")
    for package in ("early", "seldom", "unused"):
        add(layer, f"{package}/__init__.py")
        add(
            layer,
            f"{package}-1.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        )
        add(layer, f"{package}-1.0.dist-info/RECORD", f"{package}/__init__.py,,\n".encode())
    add(layer, "seldom/part.py")
    return [function, layer]


def test_a_package_that_no_function_imports_is_named(packages: list[Artifact]) -> None:
    found = loaded(packages, sys.executable)

    assert found.failed == {}
    assert list(problems_of_imports(packages, found)) == [
        "SharedLayer: unused: no function imports it. Leave it out of the layer's requirements"
    ]


def test_a_package_that_no_layer_has_is_named_although_it_is_imported_late(packages: list[Artifact]) -> None:
    shutil.rmtree(packages[1].path / "seldom")
    shutil.rmtree(packages[1].path / "seldom-1.0.dist-info")

    [problem] = problems_of_imports(packages, loaded(packages, sys.executable))

    assert "handler.py: No module named 'seldom'. Add its package to the requirements of a layer" in problem


def test_bytecode_that_python_does_not_take_is_named(function: Artifact) -> None:
    compile_for(add(function, "ordering/handler.py"), "3.13", py_compile.PycInvalidationMode.UNCHECKED_HASH)
    file = function.path / "ordering/handler.py"

    [problem] = problems_of_imports([function], Loaded(frozenset({file}), frozenset({file}), {}))

    assert "OrderingFunction: ordering/handler.py: Python does not take its bytecode" in problem


def test_the_functions_and_layers_of_the_built_template_are_found(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        """
        Globals: {Function: {Runtime: python3.13}}
        Resources:
          Topic: {Type: AWS::SNS::Topic}
          One: {Type: AWS::Serverless::Function, Properties: {CodeUri: One}}
          Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: Layer, CompatibleArchitectures: [arm64]}}
        """
    )

    assert artifacts.artifacts(tmp_path / "template.yaml") == [
        Artifact("One", tmp_path / "One", "3.13"),
        Artifact("Layer", tmp_path / "Layer", "3.13", "arm64"),
    ]


def test_before_a_build_it_says_how_to_build(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"nothing was built\. Build: make build"):
        artifacts.artifacts(tmp_path / "template.yaml")
