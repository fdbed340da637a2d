"""Two clocks: when a forecast was made and when it was recorded; what is marked does not count."""

import dataclasses
import datetime as dt
import json
import os
import pty
import select
import subprocess
import sys

import pytest

from forecasting.app.ledger.log import history, kind_of, log
from forecasting.app.scores.compare import compare, leaderboard
from forecasting.app.scores.frame import Selection, late
from forecasting.app.scores.score import calibration, late_note, scores
from forecasting.cli import run as cli
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import deadline, parse_instant
from tests import season as ours
from tests.season import DAY, START, Diary

MINUTE = dt.timedelta(minutes=1)
RUNG = "general-ceasefire-2026@2026-12-31"
NOW = "2026-11-22T12:00:00Z"


def logged(diary, issued, recorded, who="ann"):
    """Log a forecast of .9 that claims one moment and is recorded at another; give its mark."""
    log(diary.ledger, "q", forecaster=who, probability="0.9", at=issued, now=recorded)
    return [r["mark"] for r in history(diary.ledger, "q", forecaster=who)][-1]


def open_for_ten_days():
    diary = Diary()
    diary.write(0, ours.question("q", days=10))
    return diary


CLOSE = START + 10 * DAY


@pytest.mark.parametrize(
    ("issued", "recorded", "mark"),
    [
        (START + DAY, START + DAY, ""),
        (START + DAY, START + DAY + 15 * MINUTE, ""),
        (START + DAY, START + DAY + 15 * MINUTE + dt.timedelta(microseconds=1), "backdated"),
        (CLOSE - 5 * MINUTE, CLOSE - dt.timedelta(microseconds=1), ""),
        (CLOSE - 5 * MINUTE, CLOSE, "late"),
        (CLOSE - 5 * MINUTE, CLOSE + 5 * MINUTE, "late"),
        (START + DAY, CLOSE + DAY, "late"),
    ],
)
def test_the_two_clocks_say_the_mark(issued, recorded, mark):
    diary = open_for_ten_days()
    assert logged(diary, issued, recorded) == mark
    (row,) = history(diary.ledger, "q")
    assert (row["issued_at"], row["recorded_at"]) == (issued, recorded)
    assert row["kind"] == kind_of(issued, recorded)
    diary.write(12, ours.resolved(ours.question("q"), "yes", 10))
    assert len(scores(diary.ledger, by="question")) == (mark == "")


def test_recorded_when_the_outcome_could_be_known_is_late():
    # Known on day 5, and nobody here had said so when the forecast came in: it is late all the
    # same, and is not any more when the outcome is taken back.
    diary = open_for_ten_days()
    assert logged(diary, START + 4 * DAY, START + 4 * DAY) == ""
    assert logged(diary, START + 5 * DAY, START + 5 * DAY, "bob") == ""
    diary.write(7, ours.resolved(ours.question("q"), "yes", 5))
    assert {r["forecaster"]: r["mark"] for r in history(diary.ledger, "q")} == {
        "ann": "",
        "bob": "late",
    }
    assert {row["forecaster"] for row in scores(diary.ledger, by="question")} == {"ann"}
    diary.write(8, dataclasses.replace(ours.resolved(ours.question("q"), "", 8), status="reopened"))
    assert {r["mark"] for r in history(diary.ledger, "q")} == {""}


def test_imports_are_marked_and_a_replay_is_a_record_of_its_own():
    diary = open_for_ten_days()
    asked = ours.question("q", days=10)
    diary.write(20, *(ours.said(asked, kind, 0.5, 1, kind=kind) for kind in ("imported", "replay")))
    catalog = Catalog.of(diary.ledger)
    assert {f.kind: catalog.mark(f) for f in diary.ledger.forecasts()} == {
        "imported": "imported",
        "replay": "",
    }


def test_what_was_sealed_in_time_is_not_late_when_it_is_revealed():
    asked = ours.question("q", days=10)
    catalog = Catalog({"q": asked}, {}, {7: START + DAY, 8: CLOSE})
    shown = dataclasses.replace(ours.said(asked, "ann", 0.9, 1), recorded_at=CLOSE + DAY)
    assert catalog.mark(shown) == "late"
    assert catalog.mark(dataclasses.replace(shown, sealed=7)) == ""
    assert catalog.mark(dataclasses.replace(shown, sealed=8)) == "late"


def season_with_late_ones():
    """Eight questions, two forecasters; each also says the answer minutes after the close."""
    plain, tainted = Diary(), Diary()
    questions = [ours.question(f"q{i}", days=10) for i in range(9)]
    for diary in (plain, tainted):
        diary.write(0, *questions)
        for q in questions:
            diary.write(1, ours.said(q, "ann", 0.7, 1), ours.said(q, "bob", 0.4, 1))
    almost = 10 - 5 / 1440
    for q in questions:
        tainted.write(10, ours.said(q, "ann", 1.0, almost), ours.said(q, "bob", 1.0, almost))
    for diary in (plain, tainted):
        diary.write(11, *(ours.resolved(q, "yes", 10) for q in questions))
    return plain.ledger, tainted.ledger


def test_late_forecasts_stay_out_of_every_table_of_the_live_record():
    tables = []
    for ledger in season_with_late_ones():
        comparison = compare(ledger, "ann", "bob", now=START + 40 * DAY, resamples=99)
        rows, _ = leaderboard(ledger, sample=False)
        tables.append(
            (
                scores(ledger),
                scores(ledger, window="last"),
                calibration(ledger, selection=Selection(forecaster="ann"), share=0.9999),
                comparison,
                rows,
            )
        )
    for plain, tainted in zip(*tables, strict=True):
        assert repr(plain) == repr(tainted)


def test_what_is_left_out_is_counted():
    plain, tainted = season_with_late_ones()
    assert (late(plain, Selection()), late_note(plain, Selection())) == (0, "")
    assert late(tainted, Selection()) == 18
    assert late(tainted, Selection(forecaster="ann", question="q0")) == 1
    assert "1 late forecast left out" in late_note(tainted, Selection("live", "", "ann", "q0"))
    assert late(tainted, Selection(as_of=START + 5 * DAY)) == 0
    assert late(tainted, Selection(kind="imported")) == 0


@pytest.mark.parametrize("command", ["score", "calibration", "leaderboard", "compare"])
def test_each_command_says_how_many_came_late(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-06-01T00:00:00Z")
    path = tmp_path / "season.db"
    diary = ours.season(path, events=3)
    asked = ours.question("x", days=10)
    diary.write(400, asked, ours.said(asked, "ann", 0.9, 10))
    diary.ledger.close()
    who = ["ann", "bob"] if command == "compare" else []
    more = {"leaderboard": ["--no-sample"], "calibration": ["--forecaster", "ann"]}.get(command, [])
    assert cli(["--db", str(path), command, *who, *more, "--json"]) == 0
    assert "1 late forecast left out" in capsys.readouterr().err


def test_a_deadline_says_its_zone_and_that_it_is_outside(forecast):
    shown = json.loads(forecast("questions", "show", RUNG, "--json").out)
    assert shown["deadline"] == ("end of 2026-12-31 Europe/Kyiv")
    # Across a clock change the deadline is still the local midnight.
    assert "end of 2026-10-25 Europe/Kyiv" in deadline(
        parse_instant("2026-10-25T22:00Z"), "Europe/Kyiv"
    )
    assert "before 2026-10-25 01:00+03:00" in deadline(
        parse_instant("2026-10-24T22:00Z"), "Europe/Kyiv"
    )


def test_a_local_time_is_read_in_the_zone_and_the_zone_is_said(forecast):
    output = forecast("log", RUNG, "0.1", "--at", "2026-11-22T13:50", "--json")
    entry = json.loads(output.out)
    assert (entry["issued_at"], entry["kind"]) == ("2026-11-22T11:50:00Z", "live")
    assert output.err == "2026-11-22T13:50 read in Europe/Kyiv: 2026-11-22T11:50:00Z\n"
    assert forecast("log", RUNG, "0.1", "--at", "2026-11-22T11:51Z").err == ""


DOUBTFUL = "2026-10-25T03:30"


@pytest.mark.parametrize(
    "arguments",
    [
        ("log", RUNG, "0.1", "--at", DOUBTFUL),
        ("withdraw", RUNG, "--at", DOUBTFUL),
        ("resolve", RUNG, "yes", "--source", "https://example.org", "--at", DOUBTFUL),
        ("annul", RUNG, "--source", "https://example.org", "--at", DOUBTFUL),
        ("dispute", RUNG, "yes", "--source", "https://example.org", "--at", DOUBTFUL),
        ("news", "add", "x", "--source", "y", "--known-at", DOUBTFUL),
        ("news", "add", "x", "--source", "y", "--known-at", "2026-11-01", "--event-at", DOUBTFUL),
        ("score", "--as-of", DOUBTFUL),
        ("update", RUNG, "--as-of", DOUBTFUL),
        ("explain", RUNG, "--as-of", DOUBTFUL),
    ],
)
def test_without_a_terminal_a_doubtful_time_is_refused_with_both_readings(forecast, arguments):
    output = forecast(*arguments, code=2)
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "occurs twice in Europe/Kyiv" in output.err
    assert "2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z" in output.err


def test_at_a_terminal_a_doubtful_time_is_asked_about(forecast):
    ours_end, theirs = pty.openpty()
    command = [sys.executable, "-m", "forecasting", "--db", str(forecast.path), "--json"]
    with subprocess.Popen(
        [*command, "log", RUNG, "0.1", "--at", DOUBTFUL],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "FORECASTING_NOW": NOW, "FORECASTING_FORECASTER": "ana"},
    ) as running:
        os.close(theirs)
        asked = b""
        while b"which" not in asked and select.select([ours_end], [], [], 120)[0]:
            asked += os.read(ours_end, 4096)
        os.write(ours_end, b"2\n")
        out, _ = running.communicate(timeout=120)
    os.close(ours_end)
    assert b"1  2026-10-25T00:30:00Z" in asked
    assert b"2  2026-10-25T01:30:00Z" in asked
    assert json.loads(out)["issued_at"] == "2026-10-25T01:30:00Z"
