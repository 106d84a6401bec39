"""The artifacts for AWS, on the Python of the template's runtime.

The local cloud runs the functions on this machine's own Python; what only the other one refuses is seen here.
"""

import os
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest
from local.artifacts import Artifact, all_problems, artifacts, budget, fits_here, problems, runtime_python

from tests.template.test_template import FUNCTIONS, GLOBALS, folder_of
from tests.template_file import ROOT

VERSION = GLOBALS["Runtime"].removeprefix("python")
PYTHON = runtime_python(VERSION) or ""
needs_the_runtimes_python = pytest.mark.skipif(not PYTHON, reason=f"no Python {VERSION} on this machine")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    folder, tools = tmp_path_factory.mktemp("aws-sam") / "build", Path(sys.executable).parent
    done = subprocess.run(
        [tools / "sam", "build", "--no-cached", "--build-dir", folder],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {artifact.name: artifact for artifact in artifacts(folder / "template.yaml")}


def test_what_is_built_fits_lambda_and_the_budget(built: dict[str, Artifact]) -> None:
    assert all_problems(built.values()) == []


def test_the_command_shows_what_each_weighs(built: dict[str, Artifact], run) -> None:
    template = next(iter(built.values())).folder.parent / "template.yaml"

    status, said = run("artifacts", "--built", str(template))

    assert status == 0
    assert all(name in said for name in built)
    assert "Wrong." not in said


def test_the_command_fails_when_something_is_wrong(built: dict[str, Artifact], run) -> None:
    file = built["OrderingFunction"].folder / "ordering" / "order.pyi"
    file.touch()

    status, said = run("artifacts", "--built", str(file.parents[2] / "template.yaml"))

    file.unlink()
    assert status == 1
    assert "Wrong. OrderingFunction: ordering/order.pyi: no function needs it." in said


@needs_the_runtimes_python
def test_every_artifact_has_bytecode_that_does_not_say_where_it_was_built(built: dict[str, Artifact]) -> None:
    assert [name for name, artifact in built.items() if not artifact.has_bytecode] == []
    for artifact in built.values():
        here = str(artifact.folder.parent).encode()
        assert [file for file in artifact.files if file.suffix == ".pyc" and here in file.read_bytes()] == []


def test_the_layers_of_one_architecture_do_not_pass_for_the_other(built: dict[str, Artifact]) -> None:
    for layer in (artifact for artifact in built.values() if artifact.architecture):
        other = replace(layer, architecture="arm64" if layer.architecture == "x86_64" else "x86_64")
        native = [file for file in layer.files if ".so" in file.name]

        found = list(problems(other, budget()))

        assert len(found) == len(native) > 0
        assert all("it is for " in problem for problem in found)


@needs_the_runtimes_python
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_imported_from_its_artifact_by_the_runtimes_python(
    function: str, built: dict[str, Artifact]
) -> None:
    layers = [artifact for artifact in built.values() if artifact.architecture and fits_here(artifact)]
    shared = next(layer for layer in layers if layer.name.startswith("Shared"))
    mine = [layer.path for layer in layers if layer is shared or function == "ImageResizeFunction"]
    # boto3 and what it stands on come with the runtime; here from the development environment, last on the path.
    path = [built[function].path, *mine, sysconfig.get_path("purelib")]
    program = f"import {folder_of(function)}.handler as it, pydantic; print(it.__file__, pydantic.__file__)"

    done = subprocess.run(
        [PYTHON, "-c", program],
        env={
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_DEFAULT_REGION": "ap-northeast-2",
            "PATH": os.environ["PATH"],
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    handler, pydantic = done.stdout.split()
    assert handler.startswith(str(built[function].folder))
    assert pydantic.startswith(str(shared.folder))
