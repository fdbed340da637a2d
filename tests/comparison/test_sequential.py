"""Looking after every step: the guarantee holds, and only in an order fixed beforehand."""

import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from forecasting.comparison import sequential, sequential_steps
from forecasting.comparison.sequential import log_mixture, prior_scale, radius

NAN = float("nan")
DIFFERENCES = st.lists(st.floats(-1, 1), min_size=1, max_size=40)


def by_quadrature(s, v, rho, c):
    """The mixture from its definition: bets 1 - t of the limit, weighted by a gamma density."""
    ratio, a, w = rho / c**2, (v + rho) / c**2, (c * s + v + rho) / c**2
    peak = min(1.0, (a - 1) / w)

    def log_kernel(t):
        return (a - 1) * math.log(t) - w * t

    top = log_kernel(peak)
    points = [peak] if peak < 1 else None
    area = integrate.quad(
        lambda t: math.exp(log_kernel(t) - top), 0, 1, points=points, limit=500, epsabs=0
    )[0]
    norm = ratio * math.log(ratio) - special.gammaln(ratio)
    norm -= math.log(special.gammainc(ratio, ratio))
    return norm + top + math.log(area) + (c * s + v) / c**2


@pytest.mark.parametrize(
    ("s", "v"), [(3, 2), (200, 1000), (-0.5, 0.2), (-10, 200), (-500, 2000), (-4200, 20000)]
)
def test_the_mixture_is_what_it_is_defined_to_be(s, v):
    # The last two underflow in the closed form.
    rho = prior_scale(0.05, 100)
    mixture = log_mixture(np.array([float(s)]), np.array([float(v)]), rho=rho, scale=2.0)
    assert mixture[0] == pytest.approx(by_quadrature(s, v, rho, 2.0), abs=1e-8)


@given(v=st.floats(0, 1e4), s=st.floats(-500, 500), more=st.floats(0.01, 10))
def test_the_mixture_rises_with_the_evidence_and_falls_with_the_noise(v, s, more):
    def at(s, v):
        return log_mixture(np.array([s]), np.array([v]), rho=12.0, scale=2.0)[0]

    assert at(s + more, v) >= at(s, v) - 1e-9
    assert at(s, v + more) <= at(s, v) + 1e-9
    # No evidence is worth at most 1.
    assert at(0.0, v) <= 1e-9


def test_the_parameter_of_the_mixture():
    # 100 / (2 ln 20 + ln(1 + 2 ln 20)) = 100 / (5.991465 + 1.944690).
    assert prior_scale(0.05, 100) == pytest.approx(100 / (5.991465 + 1.944690), rel=1e-6)


def test_the_radius_is_where_the_mixture_reaches_its_level():
    v = np.array([0.0, 1.0, 30.0, 1e3, 1e6])
    limit = radius(v, alpha=0.025, rho=12.0, scale=2.0)
    np.testing.assert_allclose(log_mixture(limit, v, rho=12.0, scale=2.0), np.log(40), atol=1e-8)
    assert (np.diff(limit) > 0).all()


def test_the_sequence_and_the_evidence_step_by_step():
    a, b = np.array([0.1, 0.5, 0.2]), np.array([0.3, 0.1, 0.6])
    result = sequential(a, b, v_opt=1)
    # Differences -.2, .4, -.4; their means before each step 0, -.2, .1.
    assert result.difference == pytest.approx([-0.2, 0.1, -0.2 / 3])
    variance = np.array([0.04, 0.04 + 0.36, 0.04 + 0.36 + 0.25])
    rho = prior_scale(0.05, 1)
    for step, (total, v) in enumerate(zip([-0.2, 0.2, -0.2], variance, strict=True)):
        log_a = log_mixture(np.array([-total]), np.array([v]), rho=rho, scale=2.0)[0]
        assert result.e_a[step] == pytest.approx(math.exp(log_a))
    # Three steps say nothing: the bounds themselves.
    assert result.lower.tolist() == [-1, -1, -1]
    assert result.upper.tolist() == [1, 1, 1]


@given(d=DIFFERENCES)
def test_swapping_the_two_mirrors_the_result(d):
    zero = np.zeros(len(d))
    ahead, back = sequential(d, zero), sequential(zero, d)
    np.testing.assert_allclose(back.lower, -ahead.upper, atol=1e-12)
    np.testing.assert_allclose(back.upper, -ahead.lower, atol=1e-12)
    np.testing.assert_allclose(back.e_a, ahead.e_b)


@given(d=DIFFERENCES, later=st.floats(-1, 1))
def test_no_later_step_changes_an_earlier_one(d, later):
    zero = np.zeros(len(d) + 1)
    short, long = sequential(d, zero[1:]), sequential([*d, later], zero)
    for name in ("lower", "upper", "e_a", "e_b"):
        np.testing.assert_allclose(getattr(long, name)[:-1], getattr(short, name), rtol=1e-12)


@given(d=DIFFERENCES, factor=st.floats(0.1, 10))
def test_scores_and_bounds_in_other_units(d, factor):
    # V_t and its optimum are in squared units, and so is the 1 below which V_t does not count.
    zero = np.zeros(len(d))
    plain = sequential(d, zero)
    scaled = sequential(
        np.multiply(d, factor), zero, bounds=(-factor * 1.0, factor), v_opt=100 * factor**2
    )
    np.testing.assert_allclose(scaled.e_a, plain.e_a, rtol=1e-6)


def test_ties_are_no_evidence_and_one_step_is_a_comparison():
    tie = sequential([0.25] * 50, [0.25] * 50)
    assert tie.e_a == pytest.approx(np.ones(50))
    assert (tie.lower < 0).all()
    assert (tie.upper > 0).all()
    assert "neither is shown to be better" in tie.reading
    one = sequential([0.1], [0.3])
    assert one.e_a[0] > 1 > one.e_b[0]
    assert one.reading.startswith("After 1 step, the 95 % confidence sequence")


def test_a_steady_difference_is_found_and_named():
    rng = np.random.default_rng(0)
    a = rng.random(400) * 0.2
    b = a + 0.1 + 0.1 * rng.random(400)
    result = sequential(a, b)
    assert result.upper[-1] < 0
    # Half of the level on each side: the limits are where one side's evidence would reach 40.
    d = a - b
    before = np.concatenate([[0.0], (np.cumsum(d) / np.arange(1, 401))[:-1]])
    v = np.array([max(1.0, ((d - before) ** 2).sum())])
    reach = np.array([400 * (result.upper[-1] - d.mean())])
    assert log_mixture(reach, v, rho=prior_scale(0.05, 100), scale=2.0) == pytest.approx(
        math.log(40)
    )
    assert result.upper[-1] - d.mean() == pytest.approx(d.mean() - result.lower[-1])
    assert result.e_a[-1] > 20
    assert result.e_b[-1] < 1
    assert "A scored better on these questions" in result.reading
    assert "B scored better" in sequential(a + 0.15, a).reading


def brier_differences(rng, runs, steps):
    """Two noisy forecasters of known chances: differences of half Brier, and their expectation."""
    chance = rng.uniform(0.05, 0.95, (runs, steps))
    happened = rng.random((runs, steps)) < chance
    a, b = (np.clip(chance + rng.normal(0, 0.15, chance.shape), 0, 1) for _ in range(2))
    return (a - happened) ** 2 - (b - happened) ** 2, (a - chance) ** 2 - (b - chance) ** 2


def share_of_misses(runs, steps, seed):
    """How often the sequence misses the running mean of the expected differences at any step."""
    difference, expected = brier_differences(np.random.default_rng(seed), runs, steps)
    count, zero = np.arange(1, steps + 1), np.zeros(steps)
    missed = false_alarm = 0
    for d, truth in zip(difference, expected, strict=True):
        result = sequential(d, zero, v_opt=10)
        mean = np.cumsum(truth) / count
        missed += bool(np.any((mean < result.lower) | (result.upper < mean)))
        # Stop at the first step at which A seems better while so far it is not.
        false_alarm += bool(np.any((result.e_a >= 20) & (mean >= 0)))
    return missed / runs, false_alarm / runs


@pytest.mark.parametrize(
    ("runs", "steps", "slack"),
    # Three standard errors of .05 among 60 are .084.
    [(60, 200, 0.084), pytest.param(2_000, 300, 0.0, marks=pytest.mark.deep)],
)
def test_stopping_when_it_looks_best_does_not_break_it(runs, steps, slack):
    missed, false_alarm = share_of_misses(runs, steps, seed=int(slack == 0))
    assert max(missed, false_alarm) <= 0.05 + slack


def test_stopping_when_a_plain_interval_looks_best_does():
    # The negative control: mean +- 1.96 standard errors, looked at after every step from the 10th.
    difference, expected = brier_differences(np.random.default_rng(0), 200, 200)
    count = np.arange(1, 201)
    mean = np.cumsum(difference, axis=1) / count
    square = np.cumsum(difference**2, axis=1) / count
    error = np.sqrt(np.maximum(square - mean**2, 1e-12) / count)
    truth = np.cumsum(expected, axis=1) / count
    assert np.any((np.abs(mean - truth) > 1.96 * error)[:, 9:], axis=1).mean() > 0.2


def early_yes(rng, questions=300):
    """Equal forecasters, .15 above and below the chance, on one season; a YES is known early."""
    chance = rng.uniform(0.2, 0.8, questions)
    happened = rng.random(questions) < chance
    closes = np.linspace(90, 100, questions)
    known = np.where(happened, closes * rng.random(questions), closes)
    a, b = ((chance + shift - happened) ** 2 for shift in (0.15, -0.15))
    return a, b, closes, known


def rejections(runs, seed):
    rng = np.random.default_rng(seed)
    scheduled = by_resolution = 0
    for _ in range(runs):
        a, b, closes, known = early_yes(rng)
        steps = sequential_steps(
            a, b, scheduled_close=closes, cluster=range(len(a)), as_of=closes[-1]
        )
        result = sequential(steps.score_a, steps.score_b)
        scheduled += bool(np.any((result.e_a >= 20) | (result.lower > 0) | (result.upper < 0)))
        # All that has resolved, as it resolves: what most people would count.
        order = np.argsort(known)
        result = sequential(a[order], b[order])
        by_resolution += bool(np.any(result.e_a >= 20))
    return scheduled / runs, by_resolution / runs


@pytest.mark.parametrize(
    ("runs", "slack", "fooled"),
    [(30, 0.12, 0.9), pytest.param(2_000, 0.0, 0.95, marks=pytest.mark.deep)],
)
def test_equal_forecasters_and_early_yes(runs, slack, fooled):
    scheduled, by_resolution = rejections(runs, seed=int(slack == 0))
    assert scheduled <= 0.05 + slack
    # The negative control: in order of resolution the one who leans to YES seems the better.
    assert by_resolution >= fooled


def steps_of(**changes):
    arguments = {
        "score_a": [0.1, 0.3, 0.0, 0.2],
        "score_b": [0.2, 0.4, 0.5, 0.2],
        "scheduled_close": [5, 9, 20, 7],
        "cluster": ["truce", "truce", "summit", "swap"],
        "as_of": 30,
    } | changes
    a, b = arguments.pop("score_a"), arguments.pop("score_b")
    return sequential_steps(a, b, **arguments)


def test_an_event_is_one_step_at_its_latest_close():
    steps = steps_of()
    assert steps.cluster.tolist() == ["swap", "truce", "summit"]
    assert steps.score_a == pytest.approx([0.2, 0.2, 0.0])
    assert steps.score_b == pytest.approx([0.2, 0.3, 0.5])
    assert steps.n_questions.tolist() == [1, 2, 1]
    assert (steps.waiting, steps.held_by) == (0, None)


def test_an_early_resolution_waits_for_its_scheduled_close():
    assert steps_of(as_of=8).cluster.tolist() == ["swap"]
    assert steps_of(as_of=8).waiting == 3
    assert steps_of(as_of=9).cluster.tolist() == ["swap", "truce"]
    nothing = steps_of(as_of=1)
    assert (len(nothing.score_a), nothing.waiting) == (0, 4)


def test_what_was_a_step_stays_the_same_step():
    whole = steps_of().score_a
    for now in (6, 8, 10, 21):
        part = steps_of(as_of=now).score_a
        np.testing.assert_allclose(part, whole[: len(part)])


def test_a_late_answer_holds_up_what_comes_after():
    late = {"score_a": [0.1, NAN, 0.0, 0.2], "score_b": [0.2, NAN, 0.5, 0.2]}
    steps = steps_of(**late)
    assert steps.cluster.tolist() == ["swap"]
    assert steps.held_by == "truce"
    assert steps.waiting == 2
    # Not yet due, it holds up nothing.
    assert steps_of(**late, as_of=8).held_by is None


@given(seed=st.integers(0, 99))
def test_the_order_of_rows_decides_nothing(seed):
    rng = np.random.default_rng(seed)
    closes, cluster = rng.integers(0, 6, 12), rng.integers(0, 5, 12)
    a, b, order = rng.random(12), rng.random(12), rng.permutation(12)
    plain = sequential_steps(a, b, scheduled_close=closes, cluster=cluster, as_of=9)
    moved = sequential_steps(
        a[order], b[order], scheduled_close=closes[order], cluster=cluster[order], as_of=9
    )
    assert moved.cluster.tolist() == plain.cluster.tolist()
    np.testing.assert_allclose(moved.score_a, plain.score_a)


def test_closes_may_be_datetimes():
    days = pd.to_datetime([f"2026-01-{day:02d}" for day in (5, 9, 20, 7)], utc=True)
    for closes in (days, list(days), pd.Series(days, index=[3, 1, 0, 2])):
        steps = steps_of(scheduled_close=closes, as_of=datetime(2026, 1, 10, tzinfo=UTC))
        assert steps.cluster.tolist() == ["swap", "truce"]
