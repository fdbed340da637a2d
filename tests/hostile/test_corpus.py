"""Hostile files: one line that names what is wrong, the contract's code, no write, at once."""

import errno
import json
import os
import re
import subprocess
import sys

import pytest

from forecasting.errors import InvalidInput
from forecasting.files import read_plain
from tests.hostile.corpus import FILES
from tests.hostile.reading import COMMANDS, IMPORTS, LATE

#: Of a file that a reader refuses whole. `rows` are files that are read and whose rows are all
#: refused, with line and reason; `check` and `table` are the command that lists faults; a file
#: that is no backup is a database that cannot be used.
CODES = {"rows": 0, "check": 1, "table": 1, "restore": 3}
MEGABYTES = 300


@pytest.fixture(scope="module")
def results(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.hostile.reading", str(folder)],
        cwd=root, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "FORECASTING_HOME": str(folder), "FORECASTING_FORECASTER": "ana",
             "FORECASTING_NOW": "2026-11-22T12:00:00Z"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    *outcomes, end = (json.loads(line) for line in ran.stdout.splitlines())
    assert end == {"unchanged": True}, "the content digest is not what it was"
    return outcomes


def test_there_are_sixty_files_and_each_reader_meets_some():
    assert len({hostile.name for hostile in FILES}) == len(FILES) >= 60
    met = {reader: 0 for reader in COMMANDS}
    for hostile in FILES:
        for reader in hostile.words:
            met[reader] += 1
    assert min(met.values()) >= 2, met
    for reader in ("news", "rows", "question", "check", "table", "config", "anchor", "restore"):
        assert met[reader] >= 12, reader


def test_every_file_was_handed_to_its_readers(results):
    assert len(results) == sum(len(hostile.words) + len(IMPORTS) for hostile in FILES)


def _each(results):
    return [(f"{result['name']} to {result['reader']}", result) for result in results]


def test_the_code_is_the_contracts(results):
    wrong = [
        (what, result["code"], result["err"][:200])
        for what, result in _each(results)
        if result["reader"] not in IMPORTS
        and {result["code"], result.get("json", result)["code"]} != {CODES.get(result["reader"], 2)}
    ]
    assert wrong == []


def test_a_track_record_is_refused_whole_or_row_by_row(results):
    """Of a table without a fault in its form each row is refused for what it says."""
    for what, result in _each(results):
        if result["reader"] in IMPORTS and result["code"] != 2:
            assert result["code"] == 0, what
            assert re.search(r"^added +0 *$", result["out"], re.MULTILINE), what


def test_what_is_wrong_is_named_in_one_line_that_a_terminal_can_be_sent(results):
    for what, result in _each(results):
        text = result["err"] if result["code"] >= 2 else result["err"] + result["out"]
        assert result["word"] in text, what
        assert text.replace("\n", "").isprintable(), what
        assert "Traceback" not in text, what
        assert "error: unexpected" not in text, what
        if result["code"] >= 2:
            assert text.startswith("error: "), what
            assert text.count("\n") == 1, what
            assert len(text) < 2000, what
            assert result["out"] == "", what
        elif result["reader"] == "rows":
            assert "added       0" in text, what


def test_with_json_the_error_is_json(results):
    errors = [
        (what, result["json"])
        for what, result in _each(results)
        if "json" in result and result["code"] >= 2
    ]
    assert len(errors) > 50
    for what, result in errors:
        assert result["out"] == "", what
        error = json.loads(result["err"])["error"]
        assert set(error) == {"code", "message", "hint", "where"}, what
        assert error["code"] == result["code"], what
        assert result["err"].replace("\n", "").isprintable(), what


def test_nothing_was_written(results):
    assert [what for what, result in _each(results) if not result["unchanged"]] == []


def test_none_was_stopped_by_the_alarm_and_all_took_less_than_300_mb(results):
    for what, result in _each(results):
        assert result["code"] != LATE, what
        assert result["megabytes"] < MEGABYTES, what


def test_a_file_that_may_not_be_read_is_one_line(tmp_path, monkeypatch):
    """By a system call that refuses, because root, as whom tests may run, reads every file."""
    from forecasting.store.anchor import read_anchor_file

    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(OSError, match="Permission denied"):
        read_plain(tmp_path / "x", most=10)
    with pytest.raises(InvalidInput, match=r"cannot be read \(Permission denied\)"):
        read_anchor_file(tmp_path / "x")


def test_a_plain_file_is_read_to_its_limit_and_no_further(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"12345")
    assert read_plain(file, most=5) == b"12345"
    (tmp_path / "link").symlink_to(file)
    assert read_plain(tmp_path / "link", most=5) == b"12345"
    for what in (lambda: read_plain(file, most=4), lambda: read_plain("a\0b", most=4)):
        with pytest.raises(OSError, match=r"larger than 4 bytes|not a file name"):
            what()
