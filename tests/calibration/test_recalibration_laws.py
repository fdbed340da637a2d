"""Recalibration: near the identity on little, right on much, and blind to what came later."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from forecasting.calibration import recalibrate
from forecasting.calibration.recalibration import LogOddsLine, Shared, by_quadrature, spot_rows
from forecasting.comparison import difference_interval
from tests.calibration.sampled import by_sampling, simulate
from tests.real_crowd import forecastbench

START = pd.Timestamp("2025-01-01", tz="UTC")
GRID = np.array([0.05, 0.2, 0.5, 0.8, 0.95])


def day(number):
    return START + pd.Timedelta(days=number)


def history(forecast, outcome, *, forecaster="ana", resolved=10, **columns):
    n = len(forecast)
    return pd.DataFrame(
        {
            "question": [f"q{i:04d}" for i in range(n)],
            "forecaster": forecaster,
            "forecast": forecast,
            "issued_at": day(0),
            "outcome": outcome,
            "resolved_at": day(resolved),
        }
        | columns
    )


def test_without_a_record_it_is_almost_the_identity():
    empty = history([], [])
    p = recalibrate(empty, as_of=day(20)).predict(GRID)
    # What is left is the spread of the priors, which draws in the ends a little.
    np.testing.assert_allclose(p, GRID, atol=0.025)
    assert np.all(abs(p - 0.5) <= abs(GRID - 0.5) + 1e-12)


@pytest.mark.parametrize("outcome", [[1] * 5, [0] * 5, [1, 0, 1, 0, 1]])
def test_five_outcomes_hardly_move_it(outcome):
    p = recalibrate(history([0.5, 0.3, 0.7, 0.4, 0.6], outcome)).predict(GRID)
    np.testing.assert_allclose(p, GRID, atol=0.12)


def test_a_long_record_decides():
    rng = np.random.default_rng(2)
    p = rng.uniform(0.02, 0.98, 3000)
    outcome = rng.random(3000) < expit(-0.6 + 0.5 * logit(p))
    fitted = recalibrate(history(p, outcome.astype(float)))
    row = fitted.table.iloc[0]
    assert row["alpha_lower"] < -0.6 < row["alpha_upper"]
    assert row["slope_lower"] < 0.5 < row["slope_upper"]
    np.testing.assert_allclose(fitted.predict(GRID), expit(-0.6 + 0.5 * logit(GRID)), atol=0.03)


def test_it_never_turns_two_forecasts_around():
    rng = np.random.default_rng(4)
    fitted = recalibrate(history(rng.random(40), rng.integers(0, 2, 40)))
    assert np.all(np.diff(fitted.predict(np.linspace(0, 1, 101))) >= 0)


def test_what_resolves_later_or_at_that_moment_does_not_count():
    early = history([0.9] * 30, [0] * 30)
    late = history([0.1] * 30, [1] * 30, resolved=20).assign(question=[f"z{i}" for i in range(30)])
    both = pd.concat([early, late])
    for moment in (day(15), day(20)):
        np.testing.assert_array_equal(
            recalibrate(both, as_of=moment).predict(GRID),
            recalibrate(early, as_of=moment).predict(GRID),
        )
    assert not np.allclose(
        recalibrate(both, as_of=day(21)).predict(GRID), recalibrate(early).predict(GRID)
    )


def test_many_updates_of_a_question_count_as_one():
    once = history([0.9] * 12, [0, 1] * 6)
    many = pd.concat([once.assign(issued_at=day(i)) for i in range(8)])
    np.testing.assert_allclose(
        recalibrate(many).predict(GRID), recalibrate(once).predict(GRID), atol=1e-12
    )


def test_rungs_of_one_event_count_as_one():
    outcome = [0, 1] * 6
    once = history([0.9] * 12, outcome)
    rungs = pd.concat(
        [once.assign(question=once["question"] + f"@{i}", event=once["question"]) for i in range(4)]
    )
    np.testing.assert_allclose(
        recalibrate(rungs).predict(GRID), recalibrate(once).predict(GRID), atol=1e-12
    )


def test_a_question_is_read_in_the_middle_of_its_window_and_enters_at_its_close():
    frame = pd.DataFrame(
        {
            "question": "q",
            "forecaster": "ana",
            "forecast": [0.2, 0.4, 0.6],
            "issued_at": [day(0), day(5), day(6)],
            "outcome": 1,
            "resolved_at": day(8),
            "opens": day(0),
            "closes": day(10),
        }
    )
    assert spot_rows(frame)["forecast"].tolist() == [0.4]
    # Resolved early, so that the noes of its batch may come in with it.
    assert spot_rows(frame, as_of=day(9)).empty
    assert len(spot_rows(frame, as_of=day(10))) == 1
    # Resolved before the middle: whether it is read was settled without it.
    assert spot_rows(frame.assign(resolved_at=day(4))).empty
    taken_back = frame.assign(withdrawn_at=[pd.NaT, day(5), pd.NaT])
    assert spot_rows(taken_back).empty


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(6)
    frame = history(rng.random(30), rng.integers(0, 2, 30), forecaster=["ana", "bo", "cy"] * 10)
    shuffled = frame.sample(frac=1, random_state=3)
    one, other = recalibrate(frame), recalibrate(shuffled)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.forecasters == ("ana", "bo", "cy")


def test_forecasters_lend_each_other_strength():
    rng = np.random.default_rng(8)
    p = rng.uniform(0.05, 0.95, 900)
    crowd = history(
        p,
        (rng.random(900) < expit(-0.8 + logit(p))).astype(float),
        forecaster=[f"f{i % 6}" for i in range(900)],
    )
    new = history([0.5] * 2, [0, 1], forecaster="new")
    alone = recalibrate(new).predict([0.5])
    among = recalibrate(pd.concat([crowd, new])).predict([0.5], forecaster="new")
    assert among[0] < alone[0] - 0.03


def test_it_must_be_said_whose_forecasts_they_are():
    fitted = recalibrate(history([0.3, 0.6], [0, 1], forecaster=["ana", "bo"]))
    with pytest.raises(LookupError, match="several"):
        fitted.predict([0.5])
    each = fitted.predict([0.3, 0.3], forecaster=["ana", "nobody"])
    assert each[0] == fitted.predict([0.3], forecaster="ana")[0]
    assert each[1] == fitted.predict([0.3], forecaster="another")[0]


def test_the_sums_are_those_of_a_plain_grid():
    # One forecaster, the four shared numbers and his two summed out by brute force.
    x, y, w = logit(np.array([0.8, 0.7, 0.9])), np.array([0.0, 1.0, 0.0]), np.ones(3)
    shared = Shared()
    rng = np.random.default_rng(11)
    size = 400_000

    def each_of(sd, scale):
        spread = scale[0] * np.exp(scale[1] * rng.normal(size=size))
        return rng.normal(0, sd, size) + spread * rng.normal(size=size)

    alpha = each_of(shared.intercept_sd, shared.intercept_scale)
    slope = each_of(shared.slope_sd, shared.slope_scale)
    eta = alpha[:, None] + np.exp(slope)[:, None] * x
    weight = np.exp((y * eta - np.logaddexp(0, eta)).sum(axis=1))
    weight /= weight.sum()
    q = expit(alpha + np.exp(slope) * logit(0.8))
    wanted, error = weight @ q, np.sqrt(weight**2 @ (q - weight @ q) ** 2)
    (a, b, each), _ = by_quadrature([(x, y, w)], shared)
    assert abs(each @ expit(a + np.exp(b) * logit(0.8)) - wanted) < 4.5 * error


def test_two_words_of_one_instant_share_its_weight_in_either_order():
    table = history([0.2, 0.8, 0.4], [1, 1, 0], opens=day(0), closes=day(10))
    table["question"] = ["q", "q", "r"]
    rows = spot_rows(table)
    assert rows["weight"].tolist() == [0.5, 0.5, 1.0]
    pd.testing.assert_frame_equal(spot_rows(table.iloc[::-1]), rows)
    taken = table.assign(withdrawn_at=[day(1), pd.NaT, pd.NaT])
    assert spot_rows(taken)[["forecast", "weight"]].values.tolist() == [[0.8, 1.0], [0.4, 1.0]]


@pytest.mark.parametrize("keep", ["first", "last"])
def test_a_good_crowd_is_not_spoiled(shared, keep):
    # Each question once, read as what had resolved by then teaches.
    table = forecastbench(shared).dropna(subset="outcome")
    table = table.sort_values("issued_at", kind="stable").drop_duplicates("question", keep=keep)
    lost = []
    for now, rows in table.groupby("issued_at"):
        read = recalibrate(table, as_of=now).predict(rows["forecast"], forecaster="crowd")
        lost.extend((read - rows["outcome"]) ** 2 - (rows["forecast"] - rows["outcome"]) ** 2)
    assert len(lost) == 128
    assert difference_interval(lost, range(128)).upper <= 0.005


@pytest.mark.deep
def test_both_ways_give_one_posterior():
    rng = np.random.default_rng(3)
    z = []
    for forecasters, questions in ((3, 40), (2, 5), (3, 150)):
        _, records = simulate(rng, forecasters=forecasters, questions=questions)
        sampled = by_sampling(records, seed=1)
        for exact, (alpha, log_slope) in zip(
            by_quadrature(records, Shared()), sampled, strict=True
        ):
            line = LogOddsLine(*exact)
            for p in (0.1, 0.5, 0.9):
                q = expit(alpha + np.exp(log_slope) * logit(p))
                # Effective draws are at least 400 by the gate.
                z.append((q.mean() - line.predict(p)) / (q.std() / 20))
    assert np.all(np.abs(z) < 4.5)


@pytest.mark.deep
def test_ranks_of_the_truth_are_uniform():
    rng = np.random.default_rng(13)
    ranks = []
    for _ in range(300):
        truth, records = simulate(rng, forecasters=2, questions=25)
        alpha, _, weight = by_quadrature(records, Shared())[0]
        ranks.append(weight[alpha < truth["alpha"][0]].sum())
    counts = np.histogram(ranks, bins=10, range=(0, 1))[0]
    # Chi-square with 9 degrees of freedom exceeds 27.9 once in a thousand.
    assert ((counts - 30) ** 2 / 30).sum() < 27.9


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"forecast": [1.2]}, "forecast"),
        ({"forecast": [np.nan]}, "forecast"),
        ({"outcome": [2]}, "outcome"),
    ],
)
def test_a_history_that_is_none_is_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        recalibrate(history([0.5], [1]).assign(**changes))
    with pytest.raises(ValueError, match="no column"):
        recalibrate(history([0.5], [1]).drop(columns="outcome"))
    with pytest.raises(ValueError, match="share"):
        recalibrate(history([0.5], [1]), share=1.0)
    with pytest.raises(ValueError, match="time zone"):
        recalibrate(history([0.5], [1]), as_of=pd.Timestamp("2025-01-01"))
