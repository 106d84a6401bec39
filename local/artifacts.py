"""What `sam build` made, held against what Lambda takes and what the budget allows."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import yaml
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from local import imports
from local.cloud import ROOT, LocalError

BUILT = ROOT / ".aws-sam" / "build" / "template.yaml"
BUDGET = ROOT / "budget.toml"

MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""As Linux and the names of modules call Lambda's architectures."""
ELF_MACHINES = {"EM_AARCH64": "aarch64", "EM_X86_64": "x86_64"}
GLIBC = (2, 34)
"""Of Amazon Linux 2023, on which Lambda's Python runs since 3.12.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, https://docs.aws.amazon.com/linux/al2023/release-notes/"""
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "six")
"""Packages that Lambda's Python brings, in its own version. https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"""
UNNEEDED = re.compile(r"(^|/)(bin|tests?)/|\.(pyi|c|js|css)$|(^|/)py\.typed$")
AGAIN = "Build again: .venv/bin/sam build --no-cached"


@dataclass(frozen=True)
class Artifact:
    """A built function or layer.

    Attributes:
        name: its logical id.
        python: version of the runtime's Python, such as `3.13`.
        architecture: the only one that it is deployed for; empty for a function, which is deployed for any.
    """

    name: str
    folder: Path
    python: str
    architecture: str = ""

    @property
    def path(self) -> Path:
        """Where Python looks in it for modules."""
        return self.folder / "python" if self.architecture else self.folder

    @cached_property
    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    @cached_property
    def has_bytecode(self) -> bool:
        """Whether it was built with bytecode at all, which needs the runtime's Python on the machine that builds."""
        return any(file.suffix == ".pyc" for file in self.files)

    @cached_property
    def kilobytes(self) -> int:
        """What it weighs when it is zipped as SAM CLI does, in kB of 1,000 bytes, rounded up."""
        buffer = BytesIO()
        with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
            for file in self.files:
                archive.write(file, file.relative_to(self.folder))
        return -(-buffer.tell() // 1000)


def artifacts(built: Path) -> list[Artifact]:
    """The functions and layers of the template that SAM CLI built.

    Raises:
        LocalError: there is none.
    """
    if not built.exists():
        raise LocalError(f"There is no {built}: nothing was built. Build: make build")
    template = yaml.safe_load(built.read_text())
    python = template["Globals"]["Function"]["Runtime"].removeprefix("python")
    return [
        _artifact(name, item, built.parent, python) for name, item in template["Resources"].items() if _is_built(item)
    ]


def _is_built(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] in {"AWS::Serverless::Function", "AWS::Serverless::LayerVersion"}


def _artifact(name: str, resource: Mapping[str, Any], folder: Path, python: str) -> Artifact:
    properties = resource["Properties"]
    if "ContentUri" not in properties:
        return Artifact(name, folder / properties["CodeUri"], python)
    [architecture] = properties["CompatibleArchitectures"]
    return Artifact(name, folder / properties["ContentUri"], python, architecture)


def all_problems(built: Iterable[Artifact]) -> list[str]:
    """What is wrong with the artifacts: with each; when they are fine, and this machine can import them, with all together."""
    built = list(built)
    found = [problem for artifact in built for problem in problems(artifact, budget())]
    if not found and (python := runtime_python(built[0].python)):
        found = list(problems_of_imports(built, loaded(built, python)))
    return found


def problems(artifact: Artifact, budget: Mapping[str, int]) -> Iterator[str]:
    """What is wrong with an artifact: each the file, the reason and the remedy."""
    for file in artifact.files:
        name = file.relative_to(artifact.folder).as_posix()
        reasons = [*_machine_code(artifact, file), *_bytecode(artifact, file)]
        if UNNEEDED.search(name):
            reasons.append("no function needs it. Have `finish` in build.mk remove it")
        if artifact.architecture and name.removeprefix("python/").split("/")[0] in OF_THE_RUNTIME:
            reasons.append("Lambda's Python brings it. Leave it out in requirements/compile")
        yield from (f"{artifact.name}: {name}: {reason}" for reason in reasons)
    allowed = budget.get(artifact.name, budget["function"])
    if artifact.kilobytes > allowed:
        yield (
            f"{artifact.name}: it weighs {artifact.kilobytes} kB zipped, and {allowed} are allowed. "
            "Leave out what made it grow, or allow more in budget.toml"
        )


def _machine_code(artifact: Artifact, file: Path) -> Iterator[str]:
    with file.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return
        if not artifact.architecture:
            yield "it is machine code, and a function runs on each architecture. Put its package into a layer"
            return
        elf, wanted = ELFFile(stream), MACHINES[artifact.architecture]
        machine = ELF_MACHINES.get(elf["e_machine"], elf["e_machine"])
        if machine != wanted:
            yield f"it is for {machine}, and the layer is for {wanted}. {AGAIN}"
        if tag := re.search(r"\.cpython-(\d)(\d+)-", file.name):
            version = ".".join(tag.groups())
            if version != artifact.python:
                yield f"it is for Python {version}, and the runtime is {artifact.python}. {AGAIN}"
        if (newest := max(_glibc(elf), default=GLIBC)) > GLIBC:
            yield (
                f"it needs glibc {_dotted(newest)}, and Lambda has {_dotted(GLIBC)}. "
                "Pin a version of its package with a wheel for manylinux_2_34 or older"
            )


def _glibc(elf: ELFFile) -> Iterator[tuple[int, ...]]:
    """The versions of glibc whose symbols it needs."""
    section = elf.get_section_by_name(".gnu.version_r")
    if isinstance(section, GNUVerNeedSection):
        for _, symbols in section.iter_versions():
            for symbol in symbols:
                if number := re.fullmatch(r"GLIBC_([\d.]+)", symbol.name):
                    yield tuple(map(int, number[1].split(".")))


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def _bytecode(artifact: Artifact, file: Path) -> Iterator[str]:
    if file.suffix != ".py" or not artifact.has_bytecode:
        return
    tag = f"cpython-{artifact.python.replace('.', '')}"
    cached = file.parent / "__pycache__" / f"{file.stem}.{tag}.pyc"
    if not cached.exists():
        yield f"it has no bytecode for Python {artifact.python}. {AGAIN}"
    elif int.from_bytes(cached.read_bytes()[4:8], "little") != 1:  # https://peps.python.org/pep-0552/#specification
        yield f"the validity of its bytecode is checked, against a time that a zip file does not keep. {AGAIN}"


def budget() -> dict[str, int]:
    """Allowed kB by logical id; `function` for each function that is not named."""
    return tomllib.loads(BUDGET.read_text())


def runtime_python(version: str) -> str | None:
    """A Python of this version on this machine, found as build.mk does; none where machine code for Lambda does not run."""
    if not (sys.platform == "linux" and platform.machine() in MACHINES.values()):
        return None
    done = subprocess.run(
        [Path(sys.executable).parent / "uv", "python", "find", "--no-python-downloads", version],
        env={**os.environ, "PYENV_VERSION": version},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


@dataclass(frozen=True)
class Loaded:
    """What the functions load on the runtime's Python.

    Attributes:
        files: of all modules.
        compiled: those of them that were compiled, for want of bytecode that Python takes.
        failed: why a module could not be imported, by its file.
    """

    files: frozenset[Path]
    compiled: frozenset[Path]
    failed: Mapping[str, str]


def loaded(built: Iterable[Artifact], python: str) -> Loaded:
    """Import all modules of all functions, and whatever they import, with the layers that fit this machine.

    Raises:
        LocalError: that Python ended with an error.
    """
    here = [item for item in built if fits_here(item)]
    ours = [item.path / "automations" if item.architecture else item.path for item in here]
    with TemporaryDirectory() as folder:
        for package in OF_THE_RUNTIME:  # in the version of the development environment
            for found in Path(sysconfig.get_path("purelib")).glob(f"{package}*"):
                (Path(folder) / found.name).symlink_to(found)
        done = subprocess.run(
            [python, "-BP", imports.__file__, *map(str, ours)],
            env={
                "PYTHONPATH": os.pathsep.join([*(str(item.path) for item in here), folder]),
                "AWS_DEFAULT_REGION": "ap-northeast-2",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise LocalError(f"The functions cannot be imported by {python}:\n{done.stderr[-2000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Loaded(frozenset(map(Path, answer["loaded"])), frozenset(map(Path, answer["compiled"])), answer["failed"])


def fits_here(artifact: Artifact) -> bool:
    """Whether this machine can load it."""
    return not artifact.architecture or MACHINES[artifact.architecture] == platform.machine()


def problems_of_imports(built: Iterable[Artifact], found: Loaded) -> Iterator[str]:
    """What the functions lack, and what they do not need."""
    if found.failed:
        for file, error in found.failed.items():
            yield f"{file}: {error}. Add its package to the requirements of a layer"
        return
    for artifact in built:
        if artifact.architecture and fits_here(artifact):
            for package in unused(artifact, found.files):
                yield f"{artifact.name}: {package}: no function imports it. Leave it out of the layer's requirements"
        if artifact.has_bytecode:
            for compiled in sorted(found.compiled):
                if compiled.is_relative_to(artifact.folder):
                    name = compiled.relative_to(artifact.folder)
                    yield f"{artifact.name}: {name}: Python does not take its bytecode. {AGAIN}"


def unused(layer: Artifact, files: Iterable[Path]) -> list[str]:
    """The distributions in a layer of which no file was loaded."""
    known = set(files)
    return sorted(
        item.name
        for item in distributions(path=[str(layer.path)])
        if not any(layer.path / file in known for file in item.files or ())
    )
