"""build.mk: how a build comes by the runtime's Python, and what it does without one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.template_file import ROOT

FINDS = f'case "$*" in *find*) [ "$PYENV_VERSION" = 9.9 ] && echo {sys.executable};; *) exit 1;; esac'
FETCHES = (
    f'case "$*" in *install*) touch "$0".fetched;; *--managed-python*) [ -e "$0".fetched ] && echo {sys.executable};;'
    " *) exit 2;; esac"
)
HAS_NONE = 'echo "no Python" >&2; exit 1'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artifact, before it is finished."""
    folder = tmp_path / "artifact"
    for name in (
        "a/__init__.py",
        "a/tests/test_a.py",
        "a/a.pyi",
        "bin/tool",
        "a-1.dist-info/WHEEL",
        "a-1.dist-info/METADATA",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def finish(folder: Path, uv: str) -> str:
    """Finish the artifact with this program for `uv`; what was written to stdout, which is what SAM CLI shows."""
    tools = folder.parent / "tools"
    tools.mkdir()
    (tools / "uv").write_text(f"#!/bin/sh\n{uv}\n")
    (tools / "uv").chmod(0o755)
    makefile = folder.parent / "Makefile"
    makefile.write_text(f"include {ROOT / 'build.mk'}\nall:\n\t@$(call finish,{folder})\n")
    done = subprocess.run(
        ["make", "-f", makefile],
        env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHON_VERSION": "9.9"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


COMPILED = f"a/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
KEPT = {"a/__init__.py", "a-1.dist-info/METADATA"}


@pytest.mark.parametrize("uv", [FINDS, FETCHES], ids=["found", "fetched"])
def test_a_python_that_uv_finds_or_fetches_compiles_what_is_kept(folder: Path, uv: str) -> None:
    assert finish(folder, uv) == ""

    assert files(folder) == KEPT | {COMPILED}
    assert (folder / COMPILED).read_bytes()[4:8] == b"\x01\0\0\0"  # https://peps.python.org/pep-0552/#specification


def test_without_one_the_build_says_that_it_ships_without_bytecode(folder: Path) -> None:
    assert "built without bytecode, which works and starts slower" in finish(folder, HAS_NONE)

    assert files(folder) == KEPT
