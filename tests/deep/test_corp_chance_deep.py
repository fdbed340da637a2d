"""Consistency bands and p-values of miscalibration by many runs, at each size of a record."""

import numpy as np
import pytest

from forecasting.calibration import corp
from forecasting.calibration.isotonic import isotonic

pytestmark = pytest.mark.deep

RUNS = 1_000
SIZES = (50, 200, 1_000)


def said(rng, n, rounded):
    p = rng.beta(0.8, 1.2, n)
    return np.clip(np.round(p * 20) / 20, 0.05, 0.95) if rounded else p


@pytest.mark.parametrize("rounded", [False, True], ids=["continuous", "to 5 %"])
@pytest.mark.parametrize("n", SIZES)
def test_p_values_are_small_as_rarely_as_they_say(n, rounded):
    rng = np.random.default_rng(n + rounded)
    p = np.empty(RUNS)
    for run in range(RUNS):
        forecast = said(rng, n, rounded)
        p[run] = corp(forecast, rng.random(n) < forecast, resamples=199, seed=run).p_value
    for a in (0.01, 0.05, 0.1):
        assert (p <= a).mean() <= a + 3 * np.sqrt(a * (1 - a) / RUNS)
    # And not only because they never are: 200 draws know a tenth to a few hundredths.
    assert (p <= 0.1).mean() >= 0.06


@pytest.mark.parametrize("rounded", [False, True], ids=["continuous", "to 5 %"])
@pytest.mark.parametrize("n", SIZES)
def test_bands_hold_calibrated_curves(n, rounded):
    rng = np.random.default_rng(n)
    forecast = said(rng, n, rounded)
    d = corp(forecast, np.zeros(n), seed=1)
    band = d.band(0.9)
    pooled = d.pooled
    drawn = rng.binomial(pooled.n, pooled.value, (RUNS, len(pooled.value))).astype(float)
    curves = isotonic(drawn, pooled.n)
    inside = (band["lower"].to_numpy() <= curves) & (curves <= band["upper"].to_numpy())
    # Each point by itself, with what 1,000 runs and 1,000 draws leave open.
    assert inside.mean(axis=0).min() >= 0.88 - 3 * np.sqrt(0.1 * 0.9 / RUNS)
    # Ties broken by lot, ranks are uniform: on average the band is no wider than it must be.
    null = np.sort(d._null[0], axis=0)
    lot = rng.random(curves.shape)
    rank = np.empty_like(curves)
    for x in range(curves.shape[1]):
        below = np.searchsorted(null[:, x], curves[:, x] - 1e-12)
        level = np.searchsorted(null[:, x], curves[:, x] + 1e-12, side="right") - below
        rank[:, x] = (below + lot[:, x] * (level + 1)) / (len(null) + 1)
    assert 0.88 <= ((rank >= 0.05) & (rank <= 0.95)).mean() <= 0.92


@pytest.mark.parametrize("n", [50, 200])
def test_twenty_updates_taken_as_independent_fail(n):
    # The negative control, for band and p-value.
    rng = np.random.default_rng(n)
    small, held = [], []
    for run in range(200):
        forecast = said(rng, n, True)
        outcome = rng.random(n) < forecast
        # Every update says what the question's first did; its outcome is one.
        d = corp(np.repeat(forecast, 20), np.repeat(outcome, 20), resamples=199, seed=run)
        small.append(d.p_value <= 0.05)
        band = d.band(0.9)
        held.append(
            ((band["lower"] <= d.event_rate) & (d.event_rate <= band["upper"])).to_numpy().mean()
        )
    assert np.mean(small) > 0.7
    assert np.mean(held) < 0.75
