"""The artifacts for AWS, on the Python of the template's runtime.

The local cloud runs the functions on this machine's own Python; what only the other one refuses is seen here.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.template.test_template import FUNCTIONS, GLOBALS, folder_of
from tests.template_file import ROOT

VERSION = GLOBALS["Runtime"].removeprefix("python")


def runtime_python() -> str | None:
    """A Python of the runtime's version that works, from the PATH or pyenv."""
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{VERSION}.*/bin/python"))
    for candidate in (shutil.which(f"python{VERSION}"), *map(str, pyenv)):
        if candidate and subprocess.run([candidate, "-V"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    return folder


@pytest.mark.skipif(not runtime_python(), reason=f"no Python {VERSION} on this machine")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_imported_from_its_artifact_by_the_runtimes_python(function: str, artifacts: Path) -> None:
    # boto3 and what it stands on come with the runtime; here from the development environment, last on the path.
    path = [artifacts / function, artifacts / "SharedLayer" / "python", sysconfig.get_path("purelib")]
    program = f"import {folder_of(function)}.handler as it, pydantic; print(it.__file__, pydantic.__file__)"

    done = subprocess.run(
        [runtime_python() or "", "-c", program],
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
    assert handler.startswith(str(artifacts / function))
    assert pydantic.startswith(str(artifacts / "SharedLayer"))
