"""When the local cloud needs another deployment."""

from pathlib import Path

import pytest
from local.changed import SOURCES, digest
from local.cloud import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in SOURCES:
        file = tmp_path / name if "." in name else tmp_path / name / "a" / "handler.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


def test_each_source_counts(root: Path) -> None:
    before = digest(root)
    for file in sorted(root.rglob("*.*")):
        text = file.read_text()
        file.write_text(text + "changed")
        assert digest(root) != before, file
        file.write_text(text)

    assert digest(root) == before


def test_a_file_that_moves_or_goes_counts(root: Path) -> None:
    before, file = digest(root), root / "functions/a/handler.py"

    moved = file.rename(file.with_name("other.py"))
    assert digest(root) != before
    moved.unlink()
    assert digest(root) != before


def test_bytecode_and_other_folders_do_not_count(root: Path) -> None:
    before = digest(root)
    for name in ("functions/a/__pycache__/handler.pyc", "tests/new.py"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("x")

    assert digest(root) == before


def test_every_source_is_in_the_repository() -> None:
    assert all((ROOT / name).exists() for name in SOURCES)
