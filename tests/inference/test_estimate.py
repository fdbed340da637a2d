"""Numbers from paths: errors that are true, spreads that are the parameters', gates that refuse."""

import numpy as np
import pytest
from scipy.special import betaincinv

from forecasting.inference.estimate import (
    error,
    estimate,
    gate,
    log_odds,
    logged,
    logged_options,
    number_error,
    number_gate,
    quantiles,
    spread,
    value_of_information,
)
from forecasting.models.world.chance import number, uniforms
from forecasting.models.world.simulate import simulate
from tests.models.world.engine import entered, flip, world

POINTS, REPEATS = 512, 16


def outcomes(seed, p):
    return np.random.default_rng(seed).random(POINTS * REPEATS) < np.repeat(p, REPEATS)


def equal():
    return np.full(POINTS * REPEATS, 1 / (POINTS * REPEATS))


def test_uniforms_are_even_keyed_and_inside():
    u = uniforms(1000, 3, "x")
    assert sorted((u * 1000).astype(int)) == list(range(1000))
    assert np.array_equal(u, uniforms(1000, 3, "x"))
    assert not np.array_equal(u, uniforms(1000, 4, "x"))
    assert u.min() > 0
    assert u.max() < 1
    assert abs(np.corrcoef(u, uniforms(1000, 3, "y"))[0, 1]) < 0.12
    # Published results rest on this number: it is the same on every machine.
    assert number(7, "rate") == 11076200853903863798


@pytest.mark.parametrize("weighted", [False, True])
def test_the_monte_carlo_error_is_the_scatter_over_runs(weighted):
    means, errors = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed + 10_000)
        x = outcomes(seed, rng.beta(2, 6, POINTS)).astype(float)
        w = equal()
        if weighted:
            given = rng.random(len(x)) < 0.3
            w = given / given.sum()
        means.append(w @ x)
        errors.append(error(x, w, REPEATS))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.15)


def test_weights_of_a_condition_give_the_mean_of_the_kept():
    x = outcomes(0, np.full(POINTS, 0.4))
    given = outcomes(1, np.full(POINTS, 0.1))
    result = estimate(x, given / given.sum(), REPEATS)
    assert result.p == pytest.approx(x[given].mean())
    assert result.mcse == pytest.approx(np.sqrt(0.24 / given.sum()), rel=0.1)


@pytest.mark.parametrize(("a", "b"), [(2.0, 6.0), (30.0, 30.0), (0.5, 20.0)])
@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_spread_is_that_of_the_parameters_without_the_chance_within_a_point(a, b, share):
    results = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = outcomes(seed + 500, rng.beta(a, b, POINTS))
        given = rng.random(len(x)) < share
        results.append(estimate(x, given / given.sum(), REPEATS))
    true = np.sqrt(a * b / (a + b) ** 2 / (a + b + 1))
    # Under a condition it is never below its own uncertainty, so a little too wide.
    wide = 0.07 if share == 1.0 else 0.12
    assert np.sqrt(np.mean([each.sd**2 for each in results])) == pytest.approx(true, rel=wide)
    middle = np.mean([each.quantiles for each in results], axis=0)
    exact = betaincinv(a, b, np.array([0.05, 0.25, 0.5, 0.75, 0.95]))
    assert np.allclose(middle, exact, atol=0.02)


def test_without_spread_it_is_a_point_and_at_the_ends_it_stays_there():
    same = estimate(outcomes(3, np.full(POINTS, 0.3)), equal(), REPEATS)
    assert same.sd < 0.03
    for truth in (False, True):
        sure = estimate(np.full(POINTS * REPEATS, truth), equal(), REPEATS)
        assert (sure.p, sure.mcse, sure.sd) == (pytest.approx(float(truth)), 0.0, 0.0)
        assert sure.quantiles == pytest.approx((float(truth),) * 5)
        assert sure.gate == "passed"
    low, *_, high = spread(0.001, 0.0009)[1]
    assert 0 <= low <= high <= 1


def test_the_gate():
    assert gate(0.5, 0.01) == "passed"
    assert gate(0.5, 0.0101).startswith("refused: Monte Carlo error")
    assert gate(0.0012, 0.0005) == "passed"
    assert gate(0.0012, 0.0006) == "refused: Monte Carlo error .0006 of .0012: at most .0005"
    assert gate(0.99, 0.004).startswith("refused")
    few = np.zeros(POINTS * REPEATS)
    few[:5] = 0.2
    assert estimate(outcomes(0, np.full(POINTS, 0.5)), few, REPEATS).gate.startswith("refused")


def test_recorded_numbers_are_never_certain_and_options_sum_to_one():
    assert (logged(0.0), logged(1.0), logged(0.3)) == (0.0001, 0.9999, 0.3)
    shares = logged_options([0.0, 0.25, 0.75])
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0.00009
    assert log_odds(0.2) == pytest.approx(np.log(0.25))


def test_options_sum_to_one():
    choice = np.random.default_rng(0).integers(0, 3, POINTS * REPEATS)
    assert sum(estimate(choice == k, equal(), REPEATS).p for k in range(3)) == pytest.approx(1)


def test_quantiles_are_order_statistics_with_atoms_and_weights():
    x = np.r_[np.zeros(50), np.arange(1, 51)]
    levels = quantiles(x, np.full(100, 0.01))
    assert len(levels) == 99
    assert levels[:50] == (0.0,) * 50
    assert levels[50:] == tuple(float(k) for k in range(1, 50))
    heavy = quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.0, 0.5, 0.5]), (10, 50, 51, 99))
    assert heavy == (1.0, 1.0, 2.0, 2.0)
    rng = np.random.default_rng(0)
    values = rng.normal(size=POINTS * REPEATS)
    assert number_error(values, equal(), REPEATS) == pytest.approx(0.5 / np.sqrt(8192), rel=0.1)
    assert number_gate(0.004) == "passed"
    assert number_gate(0.02).startswith("refused")


def test_information_is_worth_the_brier_uncertainty_that_it_removes():
    rng = np.random.default_rng(0)
    hint = rng.random(8192) < 0.3
    target = rng.random(8192) < np.where(hint, 0.8, 0.2)
    w = rng.random(8192)
    w /= w.sum()
    of_hint, of_itself, of_nothing = (
        value_of_information(target, np.array([answer, ~answer]), w)
        for answer in (hint, target, np.ones(8192, bool))
    )
    p, q = w @ target, w @ hint
    yes, no = (w * hint) @ target / q, (w * ~hint) @ target / (1 - q)
    assert of_hint == pytest.approx(p * (1 - p) - q * yes * (1 - yes) - (1 - q) * no * (1 - no))
    assert of_itself == pytest.approx(p * (1 - p))
    assert of_nothing == pytest.approx(0, abs=1e-12)


def test_information_on_a_conditional_target_is_worth_what_its_score_would_gain():
    rng = np.random.default_rng(1)
    met, hint = rng.random(8192) < 0.2, rng.random(8192) < 0.4
    target = met & (rng.random(8192) < np.where(hint, 0.9, 0.3))
    w = np.full(8192, 1 / 8192)
    # That the condition is met is no news to a score that counts only then.
    assert value_of_information(target, np.array([met, ~met]), w, met) == pytest.approx(0)
    p = target[met].mean()
    left = [
        (met & seen).mean() * (q := target[met & seen].mean()) * (1 - q) for seen in (hint, ~hint)
    ]
    value = value_of_information(target, np.array([hint, ~hint]), w, met)
    assert value == pytest.approx(met.mean() * p * (1 - p) - sum(left))
    never = np.zeros(8192, bool)
    assert value_of_information(target, np.array([hint, ~hint]), w, never) == 0


def test_joint_marginal_and_conditional_agree_to_the_last_digit():
    paths = simulate(world(flip("A", 0.01), flip("B", 0.02)), 60.0)
    a, b = entered(paths, "A", "on", 60), entered(paths, "B", "on", 60)
    w, given = paths.weights(), paths.weights(a)
    assert w @ (a & b) == pytest.approx((w @ a) * (given @ b), abs=1e-15)
    assert not paths.weights(np.zeros(4096, bool)).any()
