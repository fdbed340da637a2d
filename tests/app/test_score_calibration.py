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
