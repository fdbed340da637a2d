"""Which forecasts a calibration review takes: one an event, and no outcome has a say in it."""

import numpy as np
import pandas as pd
import pytest

from forecasting.app import calibrate, pictures
from forecasting.app.frames import Selection
from tests.app import season as ours


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


def test_no_rung_stands_in_for_another_because_of_what_happened():
    # An event between day 5 and day 10 closes the short rung after its half and the long one
    # before: among those still open the short one is left, and it came true each time.
    frame = pd.DataFrame([row for i in range(60) for row in ladder(7.0, f"e{i}")])
    frame["withdrawn_at"] = pd.to_datetime(frame["withdrawn_at"], utc=True)
    frame["closed_at"] = pd.to_datetime(frame["closed_at"], utc=True)
    taken = calibrate.one_an_event(frame, 0.5)
    # Whose lot is the long rung has no forecast then, instead of one that is known to come true.
    assert 0 < len(taken) < 60
    never = pd.DataFrame([row for i in range(60) for row in ladder(99.0, f"e{i}")])
    for column in ("withdrawn_at", "closed_at"):
        never[column] = pd.to_datetime(never[column], utc=True)
    lots = calibrate.one_an_event(never, 0.5)
    assert len(lots) == 60
    assert set(taken["question"]) <= set(lots["question"])


def test_what_resolved_too_soon_leaves_its_place_empty():
    frame = pd.DataFrame(
        [
            {**row, "too_soon": row["question"].endswith("@10")}
            for i in range(30)
            for row in ladder(99.0, f"e{i}")
        ]
    )
    for column in ("withdrawn_at", "closed_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    taken = calibrate.one_an_event(frame, 0.5)
    assert 0 < len(taken) < 30
    assert taken["question"].str.endswith("@20").all()


def test_rows_in_any_order_give_the_same():
    frame = pd.DataFrame([row for i in range(9) for row in ladder(99.0, f"e{i}")])
    for column in ("withdrawn_at", "closed_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    mixed = frame.iloc[np.random.default_rng(0).permutation(len(frame))]
    one, two = (calibrate.one_an_event(f, 0.5)["question"].tolist() for f in (frame, mixed))
    assert one == two


@pytest.mark.parametrize("picture", ["mcb-dsc", "murphy"])
def test_a_picture_of_several_says_how_many_questions_each_has_and_all_share(picture):
    book = ours.season(events=12)
    rows = pictures.table(book.ledger, picture, selection=Selection())
    n = {row["forecaster"]: row["n"] for row in rows}
    assert len(n) >= 2
    assert {row["n_shared"] for row in rows} == {min(row["n_shared"] for row in rows)}
    assert 0 <= rows[0]["n_shared"] <= min(n.values())


@pytest.mark.parametrize("score", ["brier", "log"])
def test_the_parts_add_up_to_the_mean_of_the_score_asked_for(score):
    book = ours.season(events=24)
    found = calibrate.calibration(book.ledger, selection=Selection(forecaster="ann"), score=score)
    parts = found["miscalibration"] - found["discrimination"] + found["uncertainty"]
    assert found["mean_score"] == pytest.approx(parts)
    curve = pd.DataFrame(found["curve"])
    said, hits, n = (curve[name].to_numpy() for name in ("forecast", "events", "n"))
    by_hand = hits * (1 - said) ** 2 + (n - hits) * said**2
    if score == "log":
        by_hand = -hits * np.log(said) - (n - hits) * np.log1p(-said)
    assert found["mean_score"] == pytest.approx(by_hand.sum() / n.sum())


def test_the_binned_parts_add_up_to_the_mean_brier_score():
    book = ours.season(events=24)
    found = calibrate.calibration(book.ledger, selection=Selection(forecaster="ann"))
    parts = found["binned"]
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"]
    assert total + parts["within_bins"] == pytest.approx(found["mean_score"])


def test_in_mid_season_the_table_says_that_it_leans_to_what_ends_early_and_can_leave_it_out():
    # Everybody says .5 and half of the events come, on day 25 of 40: on day 30 only yes was seen.
    diary = ours.Diary()
    asked = [ours.question(f"q{i}") for i in range(20)]
    diary.write(0, *asked, *(ours.said(q, "ann", 0.5, 0.0) for q in asked))
    diary.write(25, *(ours.resolved(q, "yes", 25.0) for q in asked[:10]))
    middle = {"selection": Selection(forecaster="ann"), "now": ours.START + 30 * ours.DAY}
    found = calibrate.calibration(diary.ledger, **middle)
    assert (found["n"], found["n_early"]) == (10, 10)
    assert "past_close=True" in found["reading"]
    closed = Selection(forecaster="ann", closed_by=middle["now"])
    assert calibrate.calibration(diary.ledger, selection=closed)["n"] == 0
    diary.write(40, *(ours.resolved(q, "no", 40.0) for q in asked[10:]))
    after = ours.START + 40 * ours.DAY
    closed = Selection(forecaster="ann", closed_by=after)
    whole = calibrate.calibration(diary.ledger, selection=closed, now=after)
    assert (whole["n"], whole["n_early"]) == (20, 0)
    assert "past_close=True" not in whole["reading"]
    assert whole["curve"][0]["event_rate"] == 0.5


def test_a_second_word_of_the_same_instant_corrects_the_first():
    asked = ours.question("q")
    diary = ours.Diary()
    diary.write(0, asked, ours.said(asked, "ann", 0.9, 0.0), ours.said(asked, "ann", 0.2, 0.0))
    diary.write(40, ours.resolved(asked, "no", 40.0))
    found = calibrate.calibration(diary.ledger, selection=Selection(forecaster="ann"))
    assert found["mean_score"] == pytest.approx(0.04)


def test_a_row_a_forecaster_pools_them_partially():
    book = ours.season(events=40, people={"cal": (0.0, 0.1, 1.0), "hot": (2.5, 0.1, 1.0)})
    now = ours.START + 400 * ours.DAY
    rows = {
        row["forecaster"]: row
        for row in calibrate.by_group(book.ledger, "forecaster", selection=Selection(), now=now)
    }
    # Who says too much yes: events come less often than they say, and their 80 % reads as less.
    assert rows["hot"]["intercept_upper"] < rows["cal"]["intercept"]
    assert rows["hot"]["reads_80"] < rows["cal"]["reads_80"]
    start = Selection(as_of=ours.START)
    assert calibrate.by_group(book.ledger, "forecaster", selection=start, now=now) == []
