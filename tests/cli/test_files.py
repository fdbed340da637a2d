"""A file that is not there, and a place that takes none, are told in one line at every door."""

import os
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.cli import run as cli
from forecasting.files import absent
from forecasting.store import backup
from forecasting.store.condition import permissions
from tests.workspace import NOW, workspace

#: What reads a file, with the name beside it that is meant.
READ = {
    "table": (("import", "csv", "{}"), "record.cvs", "record.csv"),
    "any": (("import", "{}"), "record.cvs", "record.csv"),
    "lines": (("import", "jsonl", "{}"), "ledger.jsnol", "ledger.jsonl"),
    "news": (("news", "import", "{}"), "fed.xml", "feed.xml"),
    "anchor": (("verify", "--anchor", "{}"), "ancor.txt", "anchor.txt"),
    "question": (("questions", "add", "{}"), "mine.yml", "mine.yaml"),
    "check": (("questions", "check", "{}"), "mine.yml", "mine.yaml"),
    "backup": (("restore", "{}", "--force"), "backup.bd", "backup.db"),
}


@pytest.fixture
def database(tmp_path):
    return workspace(tmp_path / "w")


@pytest.mark.parametrize("door", READ)
def test_the_name_that_is_meant_is_the_way_out(door, database, tmp_path, monkeypatch, capsys):
    words, typed, meant = READ[door]
    monkeypatch.chdir(tmp_path)
    Path(meant).write_text("")
    # What is no database to restore from has the exit code of a database that cannot be used.
    code = 3 if door == "backup" else 2
    assert cli(["--db", database, *(word.format(typed) for word in words)]) == code
    err = capsys.readouterr().err
    assert f"({typed}): does not exist. Try: {meant}" in err


def test_a_link_that_leads_nowhere_is_not_its_own_way_out(tmp_path):
    link = tmp_path / "record.csv"
    link.symlink_to(tmp_path / "nothing")
    assert absent("file", link, hint="a whole path").hint == "a whole path"


def test_what_is_like_none_gets_the_usual_way_out(tmp_path):
    (tmp_path / "summit.yaml").write_text("")
    fault = absent("file", tmp_path / "nowhere.yaml", hint="a whole path")
    assert fault.hint == "a whole path"
    assert "nor does its folder" in absent("file", "/no/such/a.csv", hint="x").message


@pytest.mark.parametrize(
    ("name", "way"), [("w.gif", "Try: w.svg"), ("none/w.svg", "does not exist. Try: mkdir -p")]
)
def test_the_place_of_a_picture_is_checked_before_the_work(
    name, way, database, tmp_path, monkeypatch, capsys
):
    def worked(*_, **__):
        raise AssertionError

    monkeypatch.setattr("forecasting.app.book.Book.simulated", worked)
    assert cli(["--db", database, "scenario", "paths", "--out", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert way in err


DOORS = {
    "review": ("review", "--out", "{at}"),
    "paths": ("scenario", "paths", "--out", "{at}/w.svg"),
    "calibration": ("calibration", "--out", "{at}/c.csv"),
    "page": ("calibration", "--out", "{at}/c.html"),
    "export": ("export", "jsonl", "--out", "{at}/e.jsonl"),
    "anchor": ("anchor", "--out", "{at}/a.txt"),
}


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
