"""Metaculus' zips of earlier years, and the bots that a question does not count."""

import csv
import datetime as dt
import io
import math
import zipfile
from dataclasses import replace

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.exchange.same_as import plain_address
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import FORMATS, rewritten, table

ZIP = FORMATS / "metaculus.zip"


def scaling(row):
    """Give what a zip of 2024 has of a range, where today's have four columns and its grid."""
    epoch = dt.datetime(1970, 1, 1)
    date = row["Question Type"] == "date"
    ends = [
        (dt.datetime.fromisoformat(row[name]) - epoch).total_seconds() if date else float(row[name])
        for name in ("Lower Bound", "Upper Bound")
    ]
    return {
        "Range Min": ends[0],
        "Range Max": ends[1],
        "Zero Point": 0.0 if row["Question ID"] == "5" else None,
        "Open Lower Bound": row["Open Lower Bound"] == "True",
        "Open Upper Bound": row["Open Upper Bound"] == "True",
    }


NEWER = ("Categories", "Leaderboard Tags", "MC Options (Current)", "MC Options (All)",
         "MC Options History", "Question Weight", "Is Bot")  # fmt: skip
OF_2024 = ("Question URL", "Lower Bound", "Open Lower Bound", "Upper Bound", "Open Upper Bound",
           "Continuous Range", "Forecaster Count")  # fmt: skip


def of_year(year, path):
    """Write the fixture with the columns that the site's zip had in a year."""
    left = NEWER + (OF_2024 if year == 2024 else ())
    with zipfile.ZipFile(ZIP) as whole, zipfile.ZipFile(path, "w") as out:
        for member in ("question_data.csv", "forecast_data.csv", "score_data.csv"):
            rows = []
            for one in csv.DictReader(io.StringIO(whole.read(member).decode())):
                more = {"MC Options": one.get("MC Options (Current)", "")}
                if year == 2024:
                    more["Scaling"] = repr(scaling(one)) if one.get("Lower Bound") else ""
                row = one | (more if member == "question_data.csv" else {})
                rows.append({name: cell for name, cell in row.items() if name not in left})
            out.writestr(member, table(rows))
    return path


@pytest.mark.parametrize("year", [2024, 2025])
def test_the_zip_of_an_earlier_year_is_the_same_record(year, tmp_path, tmp_path_factory):
    with memory(tmp_path_factory.mktemp("ledger")) as now, memory(tmp_path) as then:
        today = import_record(now, ZIP, now=NOW, me="ana", check_scores=True)
        old = import_record(
            then, of_year(year, tmp_path / "old.zip"), now=NOW, me="ana", check_scores=True
        )
        assert (old["in"], old["added"]) == (today["in"], today["added"])
        assert len(old["refused"]) == len(today["refused"]) == 1
        for one, other in zip(now.questions(), then.questions(), strict=True):
            assert (other.id, other.title, other.event) == (one.id, one.title, one.event)
            assert other.space == replace(one.space, zero_point=other.space.zero_point)
            assert other.space.zero_point == pytest.approx(one.space.zero_point, abs=1e-6)
            assert plain_address(other.source) == plain_address(one.source)
        assert [one.value.labels for one in then.forecasts()] == [
            one.value.labels for one in now.forecasts()
        ]
        mine, theirs = (
            {(one["question"], one["rule"], one["forecaster"]): one["ours"] for one in rows}
            for rows in (old["scores"]["rows"], today["scores"]["rows"])
        )
        assert mine == pytest.approx(theirs)


def test_a_range_that_is_none_is_one_refused_row(tmp_path, ledger):
    path = of_year(2024, tmp_path / "old.zip")
    for cell in ("[1, 2]", "{'Range Min': 1}", "{'Range Min': __import__('os')}", "{" * 9000):
        broken = rewritten(
            path,
            tmp_path / "broken.zip",
            lambda member, rows, cell=cell: [
                one | ({"Scaling": cell} if one.get("Scaling") else {}) for one in rows
            ],
        )
        reasons = [one["reason"] for one in import_record(ledger, broken, now=NOW)["refused"]]
        assert sum("Scaling (" in one and "is no range" in one for one in reasons) >= 3


def crowd_of(path, numbers, *, bots_count):
    """Write one question of ten days that came out yes; each of `numbers` stands from a day on."""

    def change(member, rows):
        if member == "question_data.csv":
            return [
                one | {"Include Bots in Aggregates": str(bots_count)}
                for one in rows
                if one["Question ID"] == "1"
            ]
        if member != "forecast_data.csv":
            return None
        model = next(one for one in rows if one["Forecaster ID"]) | {"End Time": ""}
        return [
            model
            | {
                "Forecaster ID": str(place), "Forecaster Username": who, "Probability Yes": p,
                "Is Bot": str(who.startswith("bot")),
                "Start Time": f"2025-01-{day:02} 00:00:00+00:00",
            }
            for place, (who, day, p) in enumerate(numbers, start=1)
        ]  # fmt: skip

    return rewritten(ZIP, path, change)


@pytest.mark.parametrize("me", ["", "ana"])
def test_bots_that_a_question_leaves_out_are_no_peers_and_are_scored_against_people(
    me, ledger, tmp_path, tmp_path_factory
):
    numbers = [("a", 1, "0.9"), ("b", 1, "0.6"), ("bot1", 1, "0.2"), ("bot2", 3, "0.8")]
    numbers.append(("c", 6, "0.5"))
    left_out = crowd_of(tmp_path / "m.zip", numbers, bots_count=False)
    options = {"me": me, "user": "bot1"} if me else {}
    scores = import_record(ledger, left_out, now=NOW, check_scores=True, **options)["scores"]
    log = {who: math.log(float(p)) for who, _, p in numbers}
    two, three = (log["a"] + log["b"]) / 2, (log["a"] + log["b"] + log["c"]) / 3
    # Two people for five days and three for five; bot2 is met from the next change on.
    early = {who: 100 * 2 * (log[who] - two) * 0.5 for who in ("a", "b", "bot1")}
    late = {who: 100 * 1.5 * (log[who] - three) * 0.5 for who in log}
    wanted = {who: early.get(who, 0.0) + late[who] for who in log}
    ours = {
        one["forecaster"].rpartition(":")[2]: one["ours"]
        for one in scores["rows"]
        if one["rule"] == "peer"
    }
    if me:
        ours["bot1"] = ours.pop("ana")
    assert ours == pytest.approx(wanted)
    assert ours["a"] + ours["b"] + ours["c"] == pytest.approx(0)
    spot = {
        one["forecaster"].rpartition(":")[2]: one["ours"]
        for one in scores["rows"]
        if one["rule"] == "spot_peer"
    }
    # The crowd's number is shown on the fourth, when a and b alone are people.
    assert spot["bot2"] == pytest.approx(100 * 2 * (log["bot2"] - two))
    assert spot["b"] == pytest.approx(100 * 2 * (log["b"] - two))
    with memory(tmp_path_factory.mktemp("all")) as other:
        counted = crowd_of(tmp_path / "all.zip", numbers, bots_count=True)
        rows = import_record(other, counted, now=NOW, check_scores=True)["scores"]["rows"]
    everybody = [one["ours"] for one in rows if one["rule"] == "peer"]
    assert len(everybody) == 5
    assert sum(everybody) == pytest.approx(0)
    assert not any(one == pytest.approx(wanted["a"]) for one in everybody)
