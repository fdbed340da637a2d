"""The placebo replay: outcomes drawn by the model's own world, asked by the bank's questions.

One simulation of the bank's world from the day before its first question opens is the truth of
many histories: each run takes one of its paths, so that ladders, windows and events have the luck
in common that the world gives them. Synthetic forecasters speak, a ledger's rows are made of it,
and the whole scoring path runs: frame, lifetime scores, intervals, calibration, sequence. What is
then claimed must be true as often as it says.
"""

import datetime as dt
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from forecasting.app.forecast.predict import OWN, Predictor
from forecasting.app.scores.frame import scoring_frame
from forecasting.bank import read_bank
from forecasting.calibration import frame as calibrate
from forecasting.comparison import against, sequential, sequential_steps
from forecasting.comparison.table import from_frame
from forecasting.domain import Forecast, Resolution, Value, Withdrawal
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import decimal_text
from forecasting.models.world.simulate import simulate
from forecasting.resources import locate

pytestmark = pytest.mark.deep

RUNS = 200
#: The world as it is learned is one of rare events; a busy one moves so many times as fast.
BUSY = 6.0
DAY = dt.timedelta(days=1)
#: How far from even the coin's forecasts are, on either side.
COIN = 0.25
EIGHTHS, QUARTERS = np.arange(8) / 8, np.arange(4) / 4
#: Moments of a window at which it is looked whether the question is decided.
LOOKS = 64


class World:
    """Each question's answer on every path, when it was decided, and the chance of a yes till then.

    The chance at a share of the window is that among the paths that had not decided the question:
    a forecaster who sees no more than that is calibrated.
    """

    def __init__(self, bank, questions, pace):
        start = min(q.opens for q in questions) - DAY
        # The placebo's world had begun and was known at the start, or it could simulate none.
        argued = partial(_argued_by, day=(start - DAY).date())
        known = {
            name: replace(
                p,
                moves=tuple(argued(move) for move in p.moves),
                since=p.since and min(p.since, start),
                delivery=p.delivery
                and replace(
                    p.delivery,
                    announced=min(p.delivery.announced, start),
                    announced_known=min(p.delivery.announced_known, start),
                ),
            )
            for name, p in bank.world.processes.items()
        }
        links = tuple(argued(link) for link in bank.world.links)
        bank = replace(bank, world=replace(bank.world, processes=known, links=links))
        predictor = Predictor(
            Catalog({q.id: q for q in questions}, {}), bank.evidence, bank, seed=0
        )
        run = predictor.model.run(
            OWN[0],
            questions,
            predictor.at(start, watched=dict.fromkeys(bank.world.processes, start)),
        )
        processes = tuple(
            replace(p, moves=tuple(replace(m, rate=np.asarray(m.rate) * pace) for m in p.moves))
            for p in run.world.processes
        )
        quick = replace(run.world, processes=processes)
        paths = simulate(quick, run.paths.horizon, seed=1)
        self.draws = quick.draws
        self.chance, self.decided, self.yes = {}, {}, {}
        for q in questions:
            event = predictor.asks[q.id].event
            ends = [q.opens + (q.closes - q.opens) * (k / LOOKS) for k in range(1, LOOKS + 1)]
            truth = np.array([paths.truth(event, q.opens, end) for end in ends])
            yes = truth[-1]
            rises, falls = (np.all(np.diff(s * truth.astype(int), axis=0) >= 0) for s in (1, -1))
            # What comes by the close is decided once it came, what holds through it once it ended.
            settled = truth if rises else ~truth if falls else np.zeros_like(truth)
            first = np.where(settled.any(axis=0), settled.argmax(axis=0) + 1, LOOKS)
            self.decided[q.id] = first / LOOKS
            self.yes[q.id] = yes
            self.chance[q.id] = [
                float(yes[first / LOOKS > share].mean()) if (first / LOOKS > share).any() else 0.5
                for share in EIGHTHS
            ]


def _argued_by(stated, day):
    return replace(stated, known_by=stated.known_by and min(stated.known_by, day))


def logit(p):
    return np.log(p) - np.log1p(-p)


def said(rng, world, questions, path):
    """Rows of (question, forecaster, share of the window, forecast), and withdrawals."""
    names = sorted({q.event for q in questions})
    place = np.array([names.index(q.event) for q in questions])
    noise = {
        who: rng.normal(0, 0.8, len(names))[place] + rng.normal(0, 0.5, len(place))
        for who in ("left", "right")
    }
    rows, taken = [], []
    for i, q in enumerate(questions):
        known = world.decided[q.id][path]
        for share, chance in zip(EIGHTHS, world.chance[q.id], strict=True):
            if share >= known:
                continue
            p = float(np.clip(chance, 1e-4, 1 - 1e-4))
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


def placebo(rng, world, questions, hashes, path):
    rows, taken = said(rng, world, questions, path)

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
    for q in questions:
        outcome = "yes" if world.yes[q.id][path] else "no"
        known = at(q, world.decided[q.id][path])
        outcomes[q.id] = Resolution(q.id, outcome, known, "https://example.org")
    withdrawals = [Withdrawal(q.id, who, at(q, share)) for q, who, share in taken]
    catalog = Catalog({q.id: q for q in questions}, outcomes)
    # What was taken back is given, so no ledger is read.
    return scoring_frame(None, catalog, forecasts, withdrawals=withdrawals)


@pytest.fixture(scope="module")
def bank():
    return read_bank(locate("questions"))


@pytest.fixture(scope="module")
def questions(bank):
    """The yes-no questions that are asked on every path."""
    given = {"russia-signs-given-firm", "russia-signs-given-soft", "relapse-after-deal"}
    return [q for q in bank.questions if q.type == "binary" and q.id not in given]


def histories(bank, questions, pace):
    hashes = {q.id: q.wording_hash for q in questions}
    world = World(bank, questions, pace)
    rng = np.random.default_rng(20)
    paths = rng.choice(world.draws, RUNS, replace=False)
    return [measured(placebo(rng, world, questions, hashes, path)) for path in paths]


@pytest.fixture(scope="module")
def runs(bank, questions):
    """Histories of the world as it is learned."""
    return histories(bank, questions, 1.0)


@pytest.fixture(scope="module")
def busy(bank, questions):
    """Histories in which about as much happens as does not."""
    return histories(bank, questions, BUSY)


def measured(frame):
    """Everything that one placebo says of itself."""
    table = {
        row["forecaster"]: row
        for row in from_frame(
            frame[frame["forecaster"] != "right"], kind="live", against="calibrated", resamples=499
        )
    }
    scored = against.lifetime_scores(frame, rule="brier", convention="half", window="scheduled")
    facts = frame.drop_duplicates("question").set_index("question")[["event", "too_soon"]]
    scored = scored.join(facts, on="question")
    pair = against.shared(frame, ["left"], "right", rule="brier")["left"]
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
        equal=against.difference(pair, 499),
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


def test_the_bank_s_structure_goes_through(questions, runs, busy):
    assert len(questions) >= 35
    assert len({q.event for q in questions}) >= 12
    assert sum(q.ladder is not None for q in questions) >= 15
    # Early answers there are, and many.
    few, many = (
        np.mean([run.scored["possible_coverage"].lt(1).mean() for run in histories])
        for histories in (runs, busy)
    )
    assert 0.02 < few < 0.2 < many < 0.6


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
def test_a_mean_of_so_few_events_has_no_interval(busy, who):
    # Where there is one it covers: tests/comparison/test_intervals.py, from 20 events on.
    rows = [run.table[who] for run in busy]
    assert max(row["n_events"] for row in rows) < 20
    assert all(np.isnan(row["lower"]) and "too few" in row["note"] for row in rows)


def test_an_interval_of_a_difference_covers(runs, busy):
    for histories in (runs, busy):
        held = np.mean(
            [
                run.equal["difference_lower"] <= 0 <= run.equal["difference_upper"]
                for run in histories
            ]
        )
        assert 0.93 - 2 * binomial(0.95) <= held <= 0.97 + 2 * binomial(0.95)


@pytest.mark.xfail(
    strict=True,
    reason="limits as far on either side cover .89 where few events carry the whole difference; "
    "the docstring of difference_interval says so",
)
def test_an_interval_of_a_lopsided_difference_covers(busy):
    # The loss of overconfidence hangs on the few events that go the other way.
    rows = [run.table["overconfident"] for run in busy]
    truth = sum(r["difference"] * r["n_shared"] for r in rows) / sum(r["n_shared"] for r in rows)
    held = np.mean([r["difference_lower"] <= truth <= r["difference_upper"] for r in rows])
    assert 0.93 - 2 * binomial(0.95) <= held <= 0.97 + 2 * binomial(0.95)


def test_percentiles_over_questions_do_not(busy):
    runs = busy
    # The negative control: questions of one event taken as independent.
    rng = np.random.default_rng(0)

    def holds(values, truth):
        means = values[rng.integers(0, len(values), (999, len(values)))].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        return low <= truth <= high

    held = [holds((run.pair["a"] - run.pair["b"]).to_numpy(), 0) for run in runs]
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
