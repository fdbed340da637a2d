"""A file that is asked for where nothing can be written is refused in one line, at any door."""

import os

import pytest

from forecasting import clock
from forecasting.cli import run as cli
from forecasting.store import backup
from forecasting.store.condition import permissions
from tests.workspace import NOW, workspace

DOORS = {
    "review": ("review", "--out", "{at}"),
    "paths": ("scenario", "paths", "--out", "{at}/w.svg"),
    "calibration": ("calibration", "--out", "{at}/c.csv"),
    "page": ("calibration", "--out", "{at}/c.html"),
    "export": ("export", "jsonl", "--out", "{at}/e.jsonl"),
    "anchor": ("anchor", "--out", "{at}/a.txt"),
}


@pytest.fixture
def database(tmp_path):
    return workspace(tmp_path / "w")


@pytest.mark.parametrize("door", DOORS)
def test_no_folder_that_takes_no_file_is_an_unexpected_fault(door, database, tmp_path, capsys):
    place = tmp_path / "a-file"
    place.write_text("no folder")
    with clock.at(NOW):
        code = cli(["--db", database, *(word.format(at=place) for word in DOORS[door])])
    err = capsys.readouterr().err
    assert code == 2, err
    (line,) = [one for one in err.splitlines() if one.startswith("error: ")]
    assert "cannot be written (Not a directory)" in line or "File exists" in line, line
    assert "Try: a folder that you can write to" in line
    assert place.read_text() == "no folder"


def test_a_backup_says_that_its_own_file_cannot_be_written(database, tmp_path, monkeypatch):
    def refused(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.touch", refused)
    with pytest.raises(Exception, match=r"copy.db\): cannot be written \(Permission denied\)"):
        backup(database, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize(("lacks", "words"), [
    ({os.W_OK}, "cannot be written to"),
    ({os.R_OK}, "cannot be read ("),
    ({os.R_OK, os.W_OK}, "cannot be read or written to"),
])  # fmt: skip
def test_the_doctor_names_what_is_lacking_and_no_more(tmp_path, monkeypatch, lacks, words):
    path = tmp_path / "w.db"
    path.write_text("")
    monkeypatch.setattr(os, "access", lambda _, mode: not any(mode & each for each in lacks))
    assert words in permissions(path).detail
