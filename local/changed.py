"""Whether what is deployed on the local cloud is what would be deployed now."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from local.cloud import ROOT

SOURCES = ("template.yaml", "samconfig.toml", "build.mk", "functions", "layers", "local/stack.py", "local/left_out.py")
"""What a deployment is made from."""


def digest(root: Path = ROOT) -> str:
    """The same as long as a deployment would be the same."""
    found = sha256(sys.version.encode())
    for file in _files(root):
        found.update(f"\n{file.relative_to(root)}\n".encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        source = root / name
        inside = sorted(source.rglob("*")) if source.is_dir() else [source]
        yield from (file for file in inside if file.is_file() and "__pycache__" not in file.parts)
