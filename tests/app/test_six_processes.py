"""A world of six processes on a new conflict: one screen of YAML, and the update by hand.

A count of n in T days leaves its rate as Gamma(n + 1/2, T), a guess is worth one case: Gamma(1, T).
Within w days of silence to come nothing happens with probability (T / (T + w)) to that power.
"""

import datetime as dt

import pytest

import forecasting as fc
from forecasting.bank import check, read_bank

NOW = "2026-11-28T12:00:00Z"
YEAR, MONTH = 365.25, 365.25 / 12
WORLD = """\
watched: 2026-11-28
processes:
  convoy: {event: 3 in 70 weeks, since 2026-11-28: ""}
  raid: {event: 0 in 2 y, since 2026-11-28: ""}
  truce: {moves: {none > on: once in 8 mo}, since 2026-11-28: none}
  corridor: {moves: {shut > open: 1 in 3 y}, since 2026-11-28: shut}
  siege: {moves: {on > lifted: once in 2 y}, since 2026-11-28: on}
  talks: {event: 2 in 1 y, since 2026-11-28: ""}
questions:
  convoy-2027: {title: Will a convoy arrive?, closes: 2027-06-30, answer: convoy by close}
  raid-2027: {title: Will there be a raid?, closes: 2027-06-30, answer: raid by close}
  truce-2027: {title: Will a truce begin?, closes: 2027-06-30, answer: truce=on by close}
  corridor-2027: {title: Will it open?, closes: 2027-06-30, answer: corridor=open by close}
  siege-2027: {title: Does the siege go on?, closes: 2027-06-30, answer: siege=on through close}
  talks-2027: {title: Will they meet?, closes: 2027-06-30, answer: talks by close}
"""
#: Cases, and days; the answer is that something happens, but for the siege.
RATES = {
    "convoy-2027": (3.5, 490.0),
    "raid-2027": (0.5, 2 * YEAR),
    "truce-2027": (1.0, 8 * MONTH),
    "corridor-2027": (1.5, 3 * YEAR),
    "siege-2027": (1.0, 2 * YEAR),
    "talks-2027": (2.5, YEAR),
}


def test_six_processes_on_one_screen_come_out_as_by_hand(tmp_path, monkeypatch):
    assert len(WORLD.splitlines()) <= 24
    assert max(map(len, WORLD.splitlines())) <= 100
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    with fc.init(tmp_path / "sudan", forecaster="ana") as book:
        folder = tmp_path / "sudan" / "questions"
        (folder / "worlds" / "world.yaml").write_text(WORLD)
        assert check(read_bank(folder)) == []
        book.reload()
        table = book.update().set_index("question")
    ahead = dt.datetime(2027, 7, 1, tzinfo=dt.UTC) - dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
    days = ahead / dt.timedelta(days=1)
    assert table["logged"].all()
    for name, (cases, seen) in RATES.items():
        quiet = (seen / (seen + days)) ** cases
        right = quiet if name.startswith("siege") else 1 - quiet
        assert table.loc[name, "after"] == pytest.approx(right, abs=0.01), name
