"""Rates: moves that state nothing borrow from each other; exact marginals, grids as oracles."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from forecasting.domain.process import MoveSpec, Phrase, ProcessSpec
from forecasting.evidence.history import Past, Piece
from forecasting.inference import compile_count, pack
from forecasting.inference.poisson_lognormal import (
    log_marginal,
    numpy_mathematics,
    posterior_quantiles,
)
from forecasting.inference.prior import prior_arrays
from forecasting.models.rates import Rates, rate_data
from forecasting.models.world.parameters import parameters

MODEL = Rates()
PRIORS = MODEL.default_priors()
#: No move, one, two, all without an event, very uneven watches, sixty.
EDGES = [
    ([], []),
    ([0], [60]),
    ([0, 3], [60, 1200]),
    ([0] * 16, np.geomspace(8, 1600, 16)),
    ([0, 1, 40, 400, 2], [5, 2000, 80, 900, 0.5]),
    (np.arange(60) % 4, np.geomspace(8, 2000, 60)),
    ([0, 0, 0], [0, 0, 0]),
]


class Kept:
    """Keeps fits as an application does."""

    def fit(self, model, data, priors, **options):
        return model.fit(data, priors, 1, **options)


def settings(n, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        loc, scale = rng.uniform(-12, 2), np.exp(rng.normal(0, 0.8))
        count = float(rng.choice([0, 0, 1, 2, 5, 60, 300]))
        exposure = float(np.exp(rng.uniform(0, 8))) if count or rng.random() < 0.8 else 0.0
        yield loc, scale, count, exposure


def on_a_grid(loc, scale, count, exposure):
    """Log rates in small steps, and the log density there up to no constant."""
    low, high = loc - 10 * scale, loc + 10 * scale
    if count:
        peak = np.log(count / exposure)
        low, high = min(low, peak - 6), max(high, peak + 6)
    else:
        low = min(low, -np.log(exposure + 1e-9) - 30) if exposure else low
    x = np.linspace(low, high, 400_001)
    with np.errstate(over="ignore"):
        log_density = count * x - exposure * np.exp(x) - 0.5 * ((x - loc) / scale) ** 2
    return x, log_density - np.log(scale) - 0.5 * np.log(2 * np.pi)


def test_the_integral_over_a_log_rate_is_the_integral():
    for setting in settings(60, 0):
        x, log_density = on_a_grid(*setting)
        top = log_density.max()
        exact = np.log(np.trapezoid(np.exp(log_density - top), x)) + top
        log_integral = log_marginal(*(np.array([[v]]) for v in setting), numpy_mathematics())[0]
        assert log_integral == pytest.approx(exact, abs=2e-4), setting


def test_quantiles_of_a_log_rate_are_those_of_a_grid():
    levels = np.array([0.01, 0.1, 0.5, 0.9, 0.99])
    for setting in settings(40, 1):
        x, log_density = on_a_grid(*setting)
        density = np.exp(log_density - log_density.max())
        reached = np.cumsum(density) / density.sum()
        quantiles, log_norm = posterior_quantiles(levels, *setting)
        assert np.interp(quantiles, x, reached) == pytest.approx(levels, abs=1e-3), setting
        marginal = log_marginal(*(np.array([[v]]) for v in setting), numpy_mathematics())
        assert log_norm == pytest.approx(marginal[0], abs=2e-3)


def test_the_sampled_graph_is_the_numpy_likelihood():
    from pytensor.compile.mode import Mode

    data = rate_data([0, 1, 40, 3], [60, 2000, 80, 0.5])
    arrays = prior_arrays(PRIORS, PRIORS)
    with MODEL.build_model() as built:
        log_density = built.compile_logp(mode=Mode(linker="py", optimizer=None))
    rng, gaps = np.random.default_rng(1), []
    for _ in range(6):
        point = {name: np.asarray(rng.normal()) for name in built.initial_point()}
        at = []
        for rows in (data, rate_data([], [])):
            built.set_data("inputs", pack(MODEL.layout, {**rows, **arrays}))
            at.append(float(log_density(point)))
        draws = {
            "mu": [PRIORS["mu"].value("mu") + PRIORS["mu"].value("sd") * point["mu_z"]],
            "sigma": [
                np.exp(PRIORS["sigma"].value("mu") + PRIORS["sigma"].value("sd") * point["sigma_z"])
            ],
        }
        gaps.append(at[0] - at[1] - MODEL.log_likelihood(draws, data).sum())
    np.testing.assert_allclose(gaps, 0.0, atol=1e-8)


def test_a_fit_passes_the_gate_whatever_the_bank_has_and_compiles_once():
    before = compile_count()
    for counts, exposures in EDGES:
        fitted = MODEL.fit(rate_data(counts, exposures), PRIORS, 1)
        assert fitted.report.passed, (counts, fitted.report.reasons)
    assert compile_count() <= before + 1


def test_a_fit_has_the_moments_of_a_grid():
    data = rate_data([0, 3, 1, 0, 8], [60, 1200, 200, 900, 500])
    z = np.linspace(-5, 5, 121)
    first, second = (axis.ravel() for axis in np.meshgrid(z, z))
    draws = {
        "mu": PRIORS["mu"].value("mu") + PRIORS["mu"].value("sd") * first,
        "sigma": np.exp(PRIORS["sigma"].value("mu") + PRIORS["sigma"].value("sd") * second),
    }
    log_weight = MODEL.log_likelihood(draws, data).sum(axis=1) - 0.5 * (first**2 + second**2)
    weight = np.exp(log_weight - log_weight.max())
    fitted = MODEL.fit(data, PRIORS, 3)
    for name, values in draws.items():
        exact = np.sum(weight * values) / weight.sum()
        sample = fitted.draws[name]
        error = array_stats.mcse(sample.reshape(fitted.chains, -1), chain_axis=0, draw_axis=1)
        assert abs(sample.mean() - exact) < 4.5 * error, name


def test_what_was_never_at_risk_says_nothing():
    """A move out of a state that never was has no exposure: the fit stays to the last digit."""
    seen = MODEL.fit(rate_data([2, 1, 1], [546, 300, 180]), PRIORS, 3)
    more = MODEL.fit(rate_data([0, 2, 0, 1, 1], [0, 546, 0, 300, 180]), PRIORS, 3)
    for name, draws in seen.draws.items():
        np.testing.assert_allclose(more.draws[name], draws, rtol=1e-6)


def test_a_refit_at_a_new_anchor_moves_answers_by_little():
    phrases = {
        name: ProcessSpec(
            name, "event", ("waiting",), (MoveSpec("waiting", "waiting", Phrase("history")),)
        )
        for name in "abcd"
    }

    def asked(days):
        pasts = {}
        for number, name in enumerate(phrases):
            key = (name, "waiting > waiting")
            step = 200.0 * number
            pieces = [Piece(0.0, 200.0, True, (), 19_000.0 + 200.0 * k) for k in range(number)]
            pieces.append(Piece(0.0, 1000.0 + days - step, False, (), 19_000.0 + step))
            pasts[key] = Past(*key, tuple(pieces))
        drawn = parameters(phrases, pasts, points=2048, seed=1, fits=Kept())
        ahead = 365.0 - days
        return [-np.expm1(-drawn.hazard(*key).rate * ahead).mean() for key in pasts]

    # Day 20020 begins a quarter: a day before it, and one and three days after.
    before, there, after = (np.array(asked(day)) for day in (19, 21, 23))
    assert np.all(np.diff([before, there, after], axis=0) < 0.001)
    assert np.all(np.abs(before - 2 * there + after) < 0.005)
