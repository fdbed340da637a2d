"""Recalibration finds again the lines that made its data."""

import numpy as np
import pytest
from scipy.special import expit, logit

from forecasting.calibration.recalibration import Shared, by_quadrature
from tests.calibration import sampled
from tests.inference.sbc import calibrate


def simulate(rng):
    """The line of the first of two forecasters."""
    truth, records = sampled.simulate(rng, forecasters=2, questions=25)
    return {name: truth[name][0] for name in ("alpha", "log_slope")}, {"records": records}


def learned(data, seed):
    alpha, log_slope, weight = by_quadrature(data["records"], Shared())[0]
    at = np.random.default_rng(seed).choice(weight.size, 400, p=weight / weight.sum())
    return {"alpha": alpha[at], "log_slope": log_slope[at]}, True


def calibrated(fit, n, **options):
    def predicted(draws, _):
        return {"P": expit(draws["alpha"] + np.exp(draws["log_slope"]) * logit(0.8))}

    return calibrate("recalibration", simulate, fit, n=n, seed=1, quantities=predicted, **options)


@pytest.mark.deep
def test_ranks_are_uniform():
    check = calibrated(learned, 150)
    assert check.p > 0.01, check.p_values


def test_with_no_data_learned_the_prior_is_calibrated():
    # Each simulation draws from the prior that it says.
    def prior(_, seed):
        rng = np.random.default_rng(seed)
        each = [simulate(rng)[0] for _ in range(9)]
        return {key: np.stack([draw[key] for draw in each]) for key in each[0]}, True

    assert min(calibrated(prior, 40, levels=9).p_values.values()) > 0.001
