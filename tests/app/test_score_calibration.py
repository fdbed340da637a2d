"""Which forecasts a calibration review takes: one an event, and no outcome has a say in it."""

import numpy as np
import pandas as pd
import pytest

from forecasting.app.scores.frame import Selection, resolved
from forecasting.app.scores.score import by_group, calibration
from forecasting.calibration import frame as calibrate
from forecasting.review import pictures
from forecasting.store.read import Head
from tests import season as ours


def rows(name, closes, happened, *, event="e", who="me", too_soon=False):
    """A binary question open from day 0, with an event on a day, or none."""
    start = pd.Timestamp("2025-01-01", tz="UTC")
    day = pd.Timedelta(days=1)
    yes = happened < closes
    return {
        "question": name,
        "forecaster": who,
        "forecast": 0.5,
        "issued_at": start,
        "withdrawn_at": pd.NaT,
        "opens": start,
        "closes": start + closes * day,
        "closed_at": start + happened * day if yes else pd.NaT,
        "outcome": int(yes),
        "type": "binary",
        "event": event,
        "topic": "war",
        "too_soon": too_soon,
    }


def ladder(happened, event):
    return [rows(f"{event}@{days}", days, happened, event=event) for days in (10, 20)]


def framed(rows):
    frame = pd.DataFrame(rows)
    for column in ("withdrawn_at", "closed_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def picks(frame, seed=0):
    return calibrate.picked(frame, calibrate.at_share(0.5), seed=seed)


def names(picked):
    return [set(picked.rows["question"].iloc[rows]) for rows in picked.picks]


def test_no_rung_stands_in_for_another_because_of_what_happened():
    # An event between day 5 and day 10 closes the short rung after its half and the long one
    # before: among those still open the short one is left, and it came true each time.
    picked = picks(framed([row for i in range(60) for row in ladder(7.0, f"e{i}")]))
    # Where the pick is the long rung there is no forecast, instead of one known to come true.
    assert picked.n == pytest.approx(30)
    assert picks(framed([row for i in range(60) for row in ladder(99.0, f"e{i}")])).n == 60


def test_what_resolved_too_soon_is_never_picked_and_takes_no_place():
    rows = [
        {**row, "too_soon": row["question"].endswith("@10")}
        for i in range(30)
        for row in ladder(99.0, f"e{i}")
    ]
    chosen = names(picks(framed(rows)))
    assert chosen == [{f"e{i}@20" for i in range(30)}]


def test_one_question_an_event_is_picked_and_each_equally_often():
    rungs = [rows(f"{e}@{d}", d, 99.0, event=e) for e in "abcd" for d in (10, 20, 30)]
    others = [rows(f"{e}@{d}", d, 99.0, event=e, who="you") for e in "ab" for d in (10, 20)]
    picked = picks(framed([*rungs, *others]))
    assert len(picked.picks) >= 50
    for pick in picked.picks:
        assert sorted(picked.rows["event"].iloc[pick]) == list("abcd")
    often = pd.Series(np.concatenate(picked.picks)).value_counts()
    events = picked.rows["event"].iloc[often.index]
    # Five answers of a and b, three of c and d.
    assert often[(events == "a").to_numpy()].eq(len(picked.picks) / 5).all()
    assert often[(events == "c").to_numpy()].eq(len(picked.picks) / 3).all()


def test_picks_follow_the_seed_and_no_row_order_nor_other_event():
    table = framed([row for i in range(9) for row in ladder(99.0, f"e{i}")])
    mixed = table.iloc[np.random.default_rng(0).permutation(len(table))]
    first = names(picks(table))
    assert first == names(picks(mixed))
    assert first != names(picks(table, seed=1))
    fewer = names(picks(table[table["event"] != "e3"]))
    assert [one - {"e3@10", "e3@20"} for one in first] == fewer


def test_the_luck_of_the_pick_moves_the_mean_score_no_more():
    # Rungs said at 0 and at 90 %, and none came: one pick scores 0 or .81.
    rungs = [
        {**row, "forecast": 0.0 if row["closes"].day == 11 else 0.9}
        for i in range(12)
        for row in ladder(99.0, f"e{i}")
    ]
    for seed in range(3):
        result = calibrate.from_frame(framed(rungs), seed=seed)
        assert result["mean_score"] == pytest.approx(0.405)
        assert result["n"] == 12
        assert result["picks"] >= 50
        assert [point["n"] for point in result["curve"]] == [6, 6]


def test_a_picture_of_several_says_how_many_questions_each_has_and_all_share():
    book = ours.season(events=12)
    frame = resolved(book.ledger, Selection(), seals=pictures.seals_of("mcb-dsc"))
    rows = pictures.table(frame, "mcb-dsc")
    n = {row["forecaster"]: row["n_questions"] for row in rows}
    assert len(n) >= 2
    assert {row["n_shared"] for row in rows} == {min(row["n_shared"] for row in rows)}
    assert 0 <= rows[0]["n_shared"] <= min(n.values())


@pytest.mark.parametrize("score", ["brier", "log"])
def test_the_parts_add_up_to_the_mean_of_the_score_asked_for(score):
    book = ours.season(events=24)
    result = calibration(book.ledger, selection=Selection(forecaster="ann"), score=score)
    parts = result["miscalibration"] - result["discrimination"] + result["uncertainty"]
    assert result["mean_score"] == pytest.approx(parts)
    curve = pd.DataFrame(result["curve"])
    p, hits, n = (curve[name].to_numpy() for name in ("forecast", "events", "n"))
    by_hand = hits * (1 - p) ** 2 + (n - hits) * p**2
    if score == "log":
        by_hand = -hits * np.log(p) - (n - hits) * np.log1p(-p)
    assert result["mean_score"] == pytest.approx(by_hand.sum() / n.sum())


def test_in_mid_season_the_table_says_that_it_leans_to_what_ends_early_and_can_leave_it_out(
    tmp_path,
):
    # Everybody says .5 and half of the events come, on day 25 of 40: on day 30 only yes was seen.
    diary = ours.Diary()
    asked = [ours.question(f"q{i}") for i in range(20)]
    diary.write(0, *asked, *(ours.said(q, "ann", 0.5, 0.0) for q in asked))
    diary.write(25, *(ours.resolved(q, "yes", 25.0) for q in asked[:10]))
    middle = {"selection": Selection(forecaster="ann"), "now": ours.START + 30 * ours.DAY}
    result = calibration(diary.ledger, **middle)
    assert (result["n"], result["n_early"]) == (10, 10)
    assert "past_close=True" in result["reading"]
    # A page has no arguments.
    head = Head(7, "ab" * 32)
    pictures.save_calibration(result, tmp_path / "page.html", title="ann", head=head)
    page = (tmp_path / "page.html").read_text()
    assert "which favours early answers." in page
    assert "past_close" not in page
    closed = Selection(forecaster="ann", closed_by=middle["now"])
    assert calibration(diary.ledger, selection=closed)["n"] == 0
    diary.write(40, *(ours.resolved(q, "no", 40.0) for q in asked[10:]))
    after = ours.START + 40 * ours.DAY
    closed = Selection(forecaster="ann", closed_by=after)
    whole = calibration(diary.ledger, selection=closed, now=after)
    assert (whole["n"], whole["n_early"]) == (20, 0)
    assert "past_close=True" not in whole["reading"]
    assert whole["curve"][0]["event_rate"] == 0.5


def test_a_second_word_of_the_same_instant_corrects_the_first():
    asked = ours.question("q")
    diary = ours.Diary()
    diary.write(0, asked, ours.said(asked, "ann", 0.9, 0.0), ours.said(asked, "ann", 0.2, 0.0))
    diary.write(40, ours.resolved(asked, "no", 40.0))
    result = calibration(diary.ledger, selection=Selection(forecaster="ann"))
    assert result["mean_score"] == pytest.approx(0.04)


def test_a_row_a_forecaster_pools_them_partially():
    book = ours.season(events=40, people={"cal": (0.0, 0.1, 1.0), "hot": (2.5, 0.1, 1.0)})
    now = ours.START + 400 * ours.DAY
    rows = {
        row["forecaster"]: row
        for row in by_group(book.ledger, "forecaster", selection=Selection(), now=now)
    }
    # Who says too much yes: events come less often than they say, and their 80 % reads as less.
    assert rows["hot"]["intercept_upper"] < rows["cal"]["intercept"]
    assert rows["hot"]["reads_80"] < rows["cal"]["reads_80"]
    start = Selection(as_of=ours.START)
    assert by_group(book.ledger, "forecaster", selection=start, now=now) == []
