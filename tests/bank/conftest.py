"""The bundled bank, and a copy of it that a test may spoil."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "questions"


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(ROOT, tmp_path / "questions"))
