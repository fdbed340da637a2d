"""A score over a question's lifetime: windows, conventions, and every type of question."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.errors import InvalidInput
from forecasting.scoring import crps_piecewise, lifetime, rps
from tests.scoring.frames import DAY, START, day, frame
from tests.scoring.frames import frame as frame_of

KEYS = ["question", "forecaster"]


def rows(*forecasts, closed=None, **more):
    """A question open for ten days; each forecast is (value, issued day[, withdrawn day])."""
    forecast, issued = zip(*(each[:2] for each in forecasts), strict=True)
    taken = [day(each[2]) if len(each) > 2 else pd.NaT for each in forecasts]
    more |= {"withdrawn_at": taken, "closed_at": pd.NaT if closed is None else day(closed)}
    return frame_of(forecast, issued, **more)


def one(frame, **options):
    (row,) = lifetime.score(frame, **options).to_dict("records")
    return row


def test_a_case_worked_by_hand():
    # Open days 0-10, known yes on day 8. Forecast .6 on day 2, .9 on day 4, withdrawn on day 7.
    #   days 0-2   none   2 x .25 = .50
    #   days 2-4   .6     2 x .16 = .32
    #   days 4-7   .9     3 x .01 = .03
    #   days 7-10  none   3 x .25 = .75     (withdrawn on 7; the answer known on 8)
    # Sum 1.60, over 10 days: .16.
    row = one(rows((0.6, 2), (0.9, 4, 7), closed=8))
    assert row["score"] == pytest.approx(0.16)
    assert row["reference"] == 0.25
    assert row["skill"] == pytest.approx(0.09)
    assert row["coverage"] == pytest.approx(0.5)
    assert row["possible_coverage"] == pytest.approx(0.8)
    assert row["n_forecasts"] == 2
    assert row["proper"]
    assert (row["rule"], row["convention"], row["window"]) == ("brier", "half", "scheduled")


def test_the_same_case_in_the_other_conventions_and_windows():
    frame = rows((0.6, 2), (0.9, 4, 7), closed=8)
    assert one(frame, convention="full")["score"] == pytest.approx(0.32)
    # ln 2 for 5 days, -ln .6 for 2, -ln .9 for 3.
    surprise = (5 * np.log(2) - 2 * np.log(0.6) - 3 * np.log(0.9)) / 10
    assert one(frame, rule="log")["score"] == pytest.approx(surprise)
    # Until the resolution 8 days: (.50 + .32 + .03 + 1 x .25) / 8.
    until = one(frame, window="until-resolution")
    assert until["score"] == pytest.approx(1.10 / 8)
    assert not until["proper"]
    last = one(frame, window="last")
    assert last["score"] == 0.25
    assert not last["proper"]
    assert one(rows((0.6, 2), (0.9, 4), closed=8), window="last")["score"] == pytest.approx(0.01)


def test_a_forecast_before_the_opening_counts_from_the_opening():
    assert one(rows((0.9, -5)))["score"] == pytest.approx(0.01)
    # Of two before the opening the later one stands.
    early = one(rows((0.1, -5), (0.9, -1)))
    assert early["score"] == pytest.approx(0.01)
    assert early["n_forecasts"] == 1


def test_silence_scores_as_ignorance_and_leaving_after_a_good_day_is_not_rewarded():
    silent = one(rows((0.9, 11)))
    assert (silent["score"], silent["skill"], silent["coverage"]) == (0.25, 0.0, 0.0)
    assert one(rows((0.9, 0, 1)))["score"] > one(rows((0.9, 0)))["score"]


def test_what_is_said_after_the_answer_is_known_changes_nothing():
    before = one(rows((0.6, 2), closed=8))
    after = one(rows((0.6, 2), (1.0, 8), (0.0, 9), closed=8))
    assert before == after


def test_an_impossible_forecast_that_never_stood_does_not_spoil_the_score():
    frame = rows((0.0, -1), (0.5, 0), closed=8)
    assert one(frame, rule="log")["score"] == pytest.approx(np.log(2))
    assert one(rows((0.0, 0), (0.5, 1)), rule="log")["score"] == np.inf


def test_scores_are_averaged_and_never_forecasts():
    # Half the time .0 and half the time 1.0: the mean forecast .5 would score .25.
    assert one(rows((0.0, 0), (1.0, 5)))["score"] == pytest.approx(0.5)


def test_a_question_whose_answer_was_known_before_it_opened_scores_as_ignorance():
    row = one(rows((0.9, 0), closed=-1))
    assert (row["score"], row["coverage"], row["possible_coverage"]) == (0.25, 0.0, 0.0)
    assert one(rows((0.9, 0), closed=-1), window="until-resolution")["score"] == 0.25
    assert one(rows((0.9, 0), closed=-1), window="last")["score"] == 0.25


def test_a_resolution_after_the_close_adds_no_time():
    assert one(rows((0.9, 0), closed=30)) == one(rows((0.9, 0)))


def test_a_change_of_the_clocks_alters_no_duration():
    # Kyiv goes from +2 to +3 in the night to 30 March 2025: that day has 23 hours.
    midnight = [pd.Timestamp(f"2025-03-{d}", tz="Europe/Kyiv") for d in (29, 30, 31)]
    frame = rows((0.0, 0), (1.0, 0))
    frame["opens"], frame["closes"] = midnight[0], midnight[2]
    frame["issued_at"] = midnight[:2]
    # 24 hours at a score of 1, then 23 hours at 0.
    assert one(frame)["score"] == pytest.approx(24 / 47, abs=1e-12)
    autumn = [pd.Timestamp(f"2025-10-{d}", tz="Europe/Kyiv") for d in (25, 26, 27)]
    frame["opens"], frame["closes"] = autumn[0], autumn[2]
    frame["issued_at"] = autumn[:2]
    assert one(frame)["score"] == pytest.approx(24 / 49, abs=1e-12)


def test_columns_may_stand_in_different_zones():
    frame = rows((0.6, 2), (0.9, 4, 7), closed=8)
    moved = frame.assign(
        issued_at=frame["issued_at"].dt.tz_convert("Asia/Tokyo"),
        closes=frame["closes"].dt.tz_convert("America/New_York"),
        opens=[value.to_pydatetime() for value in frame["opens"]],
    )
    pd.testing.assert_frame_equal(lifetime.score(frame), lifetime.score(moved))


PIECES = st.lists(
    st.tuples(
        st.sampled_from([0.05, 0.2, 0.5, 0.7, 1.0]),
        st.integers(-3, 13),
        st.one_of(st.none(), st.integers(0, 12)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda piece: piece[1],
)


@given(pieces=PIECES, closed=st.one_of(st.none(), st.integers(0, 12)), outcome=st.integers(0, 1))
def test_a_clock_that_ticks_through_the_days_finds_the_same(pieces, closed, outcome):
    frame = rows(
        *((p, at) if stay is None else (p, at, at + stay) for p, at, stay in pieces),
        outcome=outcome,
        closed=closed,
    )
    total, covered = 0.0, 0
    for today in range(10):
        standing = None
        for p, at, stay in sorted(pieces, key=lambda piece: piece[1]):
            if at <= today:
                standing = None if stay is not None and at + stay <= today else p
        ended = closed is not None and closed <= today
        if standing is None or ended:
            total += 0.25
        else:
            total += (standing - outcome) ** 2
            covered += 1
    row = one(frame)
    assert row["score"] == pytest.approx(total / 10, abs=1e-12)
    assert row["coverage"] == pytest.approx(covered / 10)
    for today in (0, 4, 9):
        spot = one(frame, window="spot", at=day(today))
        in_force = lifetime.standing(frame, at=day(today))
        assert spot["coverage"] == len(in_force)


@given(pieces=PIECES, cut=st.integers(0, 9))
def test_saying_the_same_again_changes_nothing(pieces, cut):
    frame = rows(*((p, at) for p, at, _ in pieces))
    earlier = frame[frame["issued_at"] < day(cut)]
    if earlier.empty or (frame["issued_at"] == day(cut)).any():
        return
    again = earlier.sort_values("issued_at", kind="stable").tail(1).assign(issued_at=day(cut))
    split = pd.concat([frame, again], ignore_index=True)
    for window in ("scheduled", "until-resolution", "last"):
        before, after = one(frame, window=window), one(split, window=window)
        assert after["score"] == pytest.approx(before["score"], abs=1e-12)
        assert after["coverage"] == before["coverage"]


def crowd(seed=0):
    rng = np.random.default_rng(seed)
    frames = [
        rows(
            *((round(rng.random(), 2), when) for when in rng.choice(12, 4, replace=False) - 1),
            question=f"q{question}",
            forecaster=f"f{forecaster}",
        ).assign(outcome=question % 2, closed_at=day(question) if question % 3 == 2 else pd.NaT)
        for question in range(8)
        for forecaster in range(3)
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("window", ["scheduled", "until-resolution", "last", "spot"])
def test_the_order_of_rows_does_not_matter(window):
    frame, at = crowd(), 0.4 if window == "spot" else None
    expected = lifetime.score(frame, window=window, at=at).set_index(KEYS).sort_index()
    mixed = frame.sample(frac=1, random_state=1)
    scores = lifetime.score(mixed, window=window, at=at).set_index(KEYS).sort_index()
    pd.testing.assert_frame_equal(expected, scores)


@pytest.mark.parametrize("window", ["scheduled", "until-resolution", "last", "spot"])
def test_questions_and_forecasters_do_not_touch_each_other(window):
    frame, at = crowd(), 0.4 if window == "spot" else None
    together = lifetime.score(frame, window=window, at=at)
    assert len(together) == 24
    apart = [
        lifetime.score(part, window=window, at=at) for _, part in frame.groupby(KEYS, sort=False)
    ]
    pd.testing.assert_frame_equal(together, pd.concat(apart, ignore_index=True))


def test_a_spot_is_a_share_of_the_window_an_instant_or_one_for_each_question():
    frame = pd.concat(
        [rows((0.6, 2), (0.9, 4), closed=8), rows((0.3, 0), question="r")], ignore_index=True
    )
    half = lifetime.score(frame, window="spot", at=0.5)
    np.testing.assert_allclose(half["score"], [0.01, 0.49])
    assert half["proper"].all()
    np.testing.assert_allclose(
        lifetime.score(frame, window="spot", at=day(3))["score"], [0.16, 0.49]
    )
    each = lifetime.score(frame, window="spot", at={"q": day(2), "r": day(9)})
    np.testing.assert_allclose(each["score"], [0.16, 0.49])
    late = lifetime.score(frame, window="spot", at=0.85)
    np.testing.assert_allclose(late["score"], [0.25, 0.49])
    assert late["possible_coverage"].tolist() == [0.0, 1.0]
    assert late["coverage"].tolist() == [0.0, 1.0]


def test_a_horizon_asks_only_questions_still_open_then():
    frame = pd.concat(
        [
            rows((0.6, 2), (0.9, 4), closed=5, question="early"),
            rows((0.3, 0), outcome=0, question="late"),
            rows((0.3, 9), outcome=0, question="silent"),
        ],
        ignore_index=True,
    )
    far = lifetime.at_horizon(frame, 7)
    assert far["question"].tolist() == ["early", "late"]
    assert far["outcome"].mean() == 0.5
    np.testing.assert_allclose(far["score"], [0.16, 0.09])
    near = lifetime.at_horizon(frame, 4)
    assert near["question"].tolist() == ["late"]
    assert near["outcome"].mean() == 0
    assert near["at"].iloc[0] == day(6)
    assert lifetime.at_horizon(frame, 11).empty
    with pytest.raises(InvalidInput, match="days_before_close"):
        lifetime.at_horizon(frame, 0)


def test_a_window_keeps_microseconds():
    frame = rows((0.0, 0), (1.0, 0))
    frame["closes"] = START + pd.Timedelta(microseconds=4)
    frame.loc[1, "issued_at"] = START + pd.Timedelta(microseconds=1)
    assert one(frame)["score"] == pytest.approx(0.25)


def test_long_windows_do_not_overflow():
    frame = rows((0.9, 0))
    frame["closes"] = pd.Timestamp("2500-01-01", tz="UTC").as_unit("us")
    assert one(frame)["score"] == pytest.approx(0.01)


def typed(forecasts, outcome, question="q", **more):
    """Forecasts on days 0, 5, ... of a window of ten days."""
    days = range(0, 5 * len(forecasts), 5)
    return frame(forecasts, days, outcome=outcome, question=question, **more)


def test_vectors_score_with_brier_log_and_rps():
    frame = typed([[0.5, 0.25, 0.25], (0.0, 0.5, 0.5)], 1)
    # Full: .25 + .5625 + .0625 = .875 and .25 + .25 = .5; mean .6875, half of it .34375.
    (brier,) = lifetime.score(frame).to_dict("records")
    assert brier["score"] == pytest.approx(0.34375)
    assert brier["reference"] == pytest.approx(1 / 3)
    assert brier["question_type"] == "categorical"
    (log,) = lifetime.score(frame, rule="log").to_dict("records")
    assert log["score"] == pytest.approx((np.log(4) + np.log(2)) / 2)
    assert log["reference"] == pytest.approx(np.log(3))
    (ranked,) = lifetime.score(frame, rule="rps").to_dict("records")
    expected = rps([[0.5, 0.25, 0.25], [0, 0.5, 0.5]], [1, 1]).mean()
    assert ranked["score"] == pytest.approx(expected)
    assert ranked["reference"] == pytest.approx(2 / 9)
    assert ranked["question_type"] == "ordered"


def test_quantile_forecasts_with_few_and_with_many_levels_share_a_scale():
    few = {0.25: 2.0, 0.5: 5.0, 0.75: 8.0}
    many = {round(k / 20, 2): float(np.interp(k / 20, [0, *few, 1], [0, *few.values(), 10]))
            for k in range(1, 20)}  # fmt: skip
    both = lifetime.score(typed([few, many], 6.0, lower=0.0, upper=10.0), rule="crps")
    (row,) = both.to_dict("records")
    expected = crps_piecewise([list(few.values())], [6.0], levels=list(few), lower=0.0, upper=10.0)
    assert row["score"] == pytest.approx(expected[0])
    assert row["question_type"] == "numeric"
    # Uniform on [0, 10] at 6: 10 (.6^3 + .4^3) / 3.
    assert row["reference"] == pytest.approx(10 * (0.6**3 + 0.4**3) / 3)


def test_levels_may_come_in_any_order():
    up, down = {0.25: 2.0, 0.75: 8.0}, {0.75: 8.0, 0.25: 2.0}
    scores = [
        lifetime.score(typed([f], 6.0, lower=0.0, upper=10.0), rule="crps")["score"].item()
        for f in (up, down)
    ]
    assert scores[0] == scores[1]


def test_question_types_are_told_apart_so_that_nobody_averages_over_them():
    mixed = pd.concat(
        [
            typed([0.8], 1),
            typed([[0.2, 0.3, 0.5]], 2, question="r"),
        ],
        ignore_index=True,
    )
    scores = lifetime.score(mixed)
    assert scores["question_type"].tolist() == ["binary", "categorical"]
    np.testing.assert_allclose(scores["score"], [0.04, 0.19])
    with pytest.raises(InvalidInput, match=r"rps.*does not score binary"):
        lifetime.score(mixed, rule="rps")


def test_outcomes_may_be_booleans_and_forecasts_integers():
    frame = typed([1, 0], True)
    assert lifetime.score(frame)["score"].item() == 0.5
    assert lifetime.score(frame.assign(forecast=[1, 0]))["score"].item() == 0.5


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("outcome", [0, 1]),
        ("closes", [START + 10 * DAY, START + 11 * DAY]),
        ("opens", [START, START - DAY]),
        ("closed_at", [pd.NaT, START + 9 * DAY]),
        ("forecast", [0.5, [0.5, 0.5]]),
        ("forecast", [[0.2, 0.3, 0.5], [0.5, 0.5]]),
    ],
)
def test_a_question_says_one_thing_in_all_its_rows(column, values):
    frame = typed([0.8, 0.9], 1).assign(**{column: pd.Series(values, dtype=object)})
    with pytest.raises(InvalidInput, match=f"{column}.*question 'q'"):
        lifetime.score(frame)


def test_a_missing_column_and_an_empty_frame_are_named():
    frame = typed([0.8], 1)
    with pytest.raises(InvalidInput, match="without closed_at"):
        lifetime.score(frame.drop(columns="closed_at"))
    with pytest.raises(InvalidInput, match="empty"):
        lifetime.score(frame.iloc[:0])
    with pytest.raises(InvalidInput, match="lower and upper"):
        lifetime.score(typed([{0.5: 1.0}], 1.0), rule="crps")


@pytest.mark.parametrize(
    "options",
    [
        {"window": "spot"},
        {"at": 0.5},
        {"window": "spot", "at": 1.0},
        {"window": "spot", "at": -0.1},
        {"window": "spot", "at": "noon"},
        {"window": "spot", "at": pd.Timestamp("2025-03-02")},
        {"window": "spot", "at": {"other": START}},
        {"window": "until-bored"},
        {"rule": "spin"},
        {"convention": "double"},
    ],
)
def test_options_that_mean_nothing(options):
    with pytest.raises(InvalidInput):
        lifetime.score(typed([0.8], 1), **options)
