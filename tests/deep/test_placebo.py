"""The placebo replay: outcomes drawn by chance through the bank's own windows, ladders and events.

Each question or ladder has one event time of known rate; questions of one event share most of
their luck. Synthetic forecasters speak, a ledger's rows are made of it, and the whole scoring
path runs: frame, lifetime scores, intervals, calibration, sequence. What is then claimed must be
true as often as it says.
"""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from forecasting.app import calibrate, paired
from forecasting.app.catalog import Catalog
from forecasting.app.frames import scoring_frame
from forecasting.app.score import from_frame
from forecasting.bank import read_bank
from forecasting.comparison import sequential, sequential_steps
from forecasting.domain import Forecast, Resolution, Value, Withdrawal
from forecasting.domain.forecast import decimal_text
from forecasting.resources import locate

pytestmark = pytest.mark.deep

RUNS = 200
#: The share of the variance of their luck that questions of one event have in common.
SHARED = 0.7
#: How far from even the coin's forecasts are, on either side.
COIN = 0.25
EIGHTHS, QUARTERS = np.arange(8) / 8, np.arange(4) / 4


def luck(rng, questions):
    """The rate of each question's event a day, and when it happened; rungs have both in common."""
    from scipy import stats

    event, unit = {}, {}
    rates, times = [], []
    window = {}
    for q in questions:
        name = q.ladder or q.id
        days = (q.closes - q.opens) / dt.timedelta(days=1)
        window[name] = max(days, window.get(name, 0.0))
    for q in questions:
        name = q.ladder or q.id
        if name not in unit:
            shared = event.setdefault(q.event, rng.normal())
            own = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * rng.normal()
            chance = 1 / (1 + np.exp(-rng.normal(-0.2, 1.2)))
            rate = -np.log1p(-chance) / window[name]
            unit[name] = rate, -stats.norm.logsf(own) / rate
        rates.append(unit[name][0])
        times.append(unit[name][1])
    return np.array(rates), np.array(times)


def logit(p):
    return np.log(p) - np.log1p(-p)


def said(rng, questions, rates, times):
    """Rows of (question, forecaster, share of the window, forecast), and withdrawals."""
    length = np.array([(q.closes - q.opens) / dt.timedelta(days=1) for q in questions])
    names = sorted({q.event for q in questions})
    place = np.array([names.index(q.event) for q in questions])
    noise = {
        who: rng.normal(0, 0.8, len(names))[place] + rng.normal(0, 0.5, len(place))
        for who in ("left", "right")
    }
    rows, taken = [], []
    for i, q in enumerate(questions):
        known = min(times[i] / length[i], 1.0)
        for share in EIGHTHS[known > EIGHTHS]:
            p = float(np.clip(-np.expm1(-rates[i] * length[i] * (1 - share)), 1e-6, 1 - 1e-6))
            rows.append((q, "calibrated", share, p))
            rows.append((q, "overconfident", share, 1 / (1 + np.exp(-2.5 * logit(p)))))
            if share in QUARTERS:
                rows += [
                    (q, who, share, 1 / (1 + np.exp(-logit(p) - noise[who][i]))) for who in noise
                ]
        rows.append((q, "even", 0.0, 0.5))
        first, later, gone = np.sort(rng.random(3))
        for share in (first, later):
            if share < known:
                rows.append((q, "coin", share, 0.5 + COIN * rng.choice([-1, 1])))
        if gone < known:
            taken.append((q, "coin", gone))
    return rows, taken


def placebo(rng, questions, hashes):
    rates, times = luck(rng, questions)
    rows, taken = said(rng, questions, rates, times)

    def at(q, share):
        return q.opens + (q.closes - q.opens) * float(share)

    forecasts = [
        Forecast(
            q.id,
            hashes[q.id],
            who,
            Value("binary", ("yes",), (decimal_text(p),)),
            at(q, share),
            "live",
        )
        for q, who, share, p in rows
    ]
    outcomes = {}
    for q, days in zip(questions, times, strict=True):
        happened = q.opens + dt.timedelta(days=min(days, 1e5))
        yes = happened < q.closes
        outcomes[q.id] = Resolution(
            q.id, "yes" if yes else "no", happened if yes else q.closes, "https://example.org"
        )
    withdrawals = [Withdrawal(q.id, who, at(q, share)) for q, who, share in taken]
    ledger = SimpleNamespace(withdrawals=lambda head=None: withdrawals)
    catalog = Catalog({q.id: q for q in questions}, outcomes)
    return scoring_frame(ledger, catalog, forecasts)


@pytest.fixture(scope="module")
def questions():
    bank = read_bank(locate("questions"))
    return [q for q in bank.questions if q.type == "binary"]


@pytest.fixture(scope="module")
def runs(questions):
    hashes = {q.id: q.wording_hash for q in questions}
    rng = np.random.default_rng(20)
    return [measured(placebo(rng, questions, hashes)) for _ in range(RUNS)]


def measured(frame):
    """Everything that one placebo says of itself."""
    table = {
        row["forecaster"]: row
        for row in from_frame(
            frame[frame["forecaster"] != "right"],
            kind="live",
            against="calibrated",
            resamples=499,
        )
    }
    scored = paired.lifetime_scores(frame, rule="brier", convention="half", window="scheduled")
    facts = frame.drop_duplicates("question").set_index("question")[["event", "too_soon"]]
    scored = scored.join(facts, on="question")
    pair = paired.shared(frame, "left", "right", rule="brier")
    steps = sequential_steps(
        pair["a"],
        pair["b"],
        scheduled_close=pair["closes"],
        cluster=pair["event"].tolist(),
        as_of=pd.Timestamp("2040-01-01", tz="UTC"),
    )
    line = sequential(steps.score_a, steps.score_b)
    return SimpleNamespace(
        table=table,
        scored=scored[~scored["too_soon"]],
        pair=pair,
        equal=paired.found(pair, 499),
        missed=bool(np.any((line.lower > 0) | (line.upper < 0))),
        calibration={
            who: calibrate.from_frame(frame[frame["forecaster"] == who])
            for who in ("calibrated", "overconfident")
        },
    )


def binomial(share, n=RUNS):
    return np.sqrt(share * (1 - share) / n)


def within(values, expected):
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return abs(np.mean(values) - expected) <= 3 * error


def test_the_bank_s_structure_goes_through(questions, runs):
    assert len(questions) >= 40
    assert len({q.event for q in questions}) >= 12
    assert sum(q.ladder is not None for q in questions) >= 15
    # Early answers there are, and many.
    early = [run.scored["possible_coverage"].lt(1).mean() for run in runs]
    assert 0.2 < np.mean(early) < 0.6


def test_who_knows_nothing_has_no_skill(runs):
    assert all(run.table["even"]["skill"] == 0 for run in runs)
    # Noise of .25 costs its square while it stood, and on average nothing else.
    rest = []
    for run in runs:
        mine = run.scored[run.scored["forecaster"] == "coin"]
        rest.append(float((mine["skill"] + COIN**2 * mine["coverage"]).mean()))
        assert run.table["coin"]["skill"] == pytest.approx(float(mine["skill"].mean()))
    assert within(rest, 0)
    # And who does know has skill: the law above can fail.
    assert not within([run.table["calibrated"]["skill"] for run in runs], 0)


@pytest.mark.parametrize("who", ["calibrated", "overconfident", "coin", "left"])
def test_an_interval_of_a_mean_covers(runs, who):
    total = sum(run.table[who]["mean"] * run.table[who]["n_questions"] for run in runs)
    truth = total / sum(run.table[who]["n_questions"] for run in runs)
    held = np.mean([run.table[who]["lower"] <= truth <= run.table[who]["upper"] for run in runs])
    assert 0.93 - 2 * binomial(0.95) <= held <= 0.97 + 2 * binomial(0.95)


def test_an_interval_of_a_difference_covers(runs):
    held = np.mean(
        [run.equal["difference_lower"] <= 0 <= run.equal["difference_upper"] for run in runs]
    )
    assert 0.93 - 2 * binomial(0.95) <= held <= 0.97 + 2 * binomial(0.95)
    rows = [run.table["overconfident"] for run in runs]
    truth = sum(r["difference"] * r["n_shared"] for r in rows) / sum(r["n_shared"] for r in rows)
    assert truth > 0
    held = np.mean([r["difference_lower"] <= truth <= r["difference_upper"] for r in rows])
    assert 0.93 - 2 * binomial(0.95) <= held <= 0.97 + 2 * binomial(0.95)


def test_percentiles_over_questions_do_not(runs):
    # The negative control: questions of one event taken as independent.
    rng = np.random.default_rng(0)

    def holds(values, truth):
        means = values[rng.integers(0, len(values), (999, len(values)))].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        return low <= truth <= high

    held = [holds((run.pair["a"] - run.pair["b"]).to_numpy(), 0) for run in runs]
    assert np.mean(held) < 0.95 - 3 * binomial(0.95)
    mine = [run.scored.loc[run.scored["forecaster"] == "left", "score"] for run in runs]
    truth = float(pd.concat(mine).mean())
    held = [holds(scores.to_numpy(), truth) for scores in mine]
    assert np.mean(held) < 0.95 - 3 * binomial(0.95)


def test_p_values_of_miscalibration_are_small_as_rarely_as_they_say(runs):
    p = np.array([run.calibration["calibrated"]["p_value"] for run in runs])
    for a in (0.01, 0.05, 0.1):
        assert (p <= a).mean() <= a + 3 * binomial(a)
    # Overconfidence is found more often than that.
    worse = np.array([run.calibration["overconfident"]["p_value"] for run in runs])
    assert (worse <= 0.05).mean() > 3 * max((p <= 0.05).mean(), 0.05)


def test_the_sequence_of_equal_forecasters_seldom_misses(runs):
    assert np.mean([run.missed for run in runs]) <= 0.05 + 3 * binomial(0.05)
