"""Graphs and their priors: sourced, and calibrated by simulation."""

import datetime as dt
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.special import expit, logit

from forecasting.bank.usable import bundled_bank
from forecasting.calibration.recalibration import Shared, by_quadrature
from forecasting.domain.prior import stated_over
from forecasting.models import weibull
from forecasting.models.deliveries import Deliveries
from forecasting.models.priors import CASE, RESUME, SETTINGS
from forecasting.models.rates import Rates
from forecasting.models.spells import Spells
from tests.calibration import sampled
from tests.inference.sbc import calibrate
from tests.models.oracles import simulated


def graph_priors():
    """Give the default priors by graph, and of spells by what ends them."""
    spells = {
        f"spells ({name})": Spells(name, instant=name == "first-claim").default_priors()
        for name in SETTINGS
    }
    spells["spells (peace-agreement)"][CASE.name] = CASE
    deliveries = Deliveries().default_priors() | {RESUME.name: RESUME}
    return {"rates": Rates().default_priors(), **spells, "deliveries": deliveries}


def test_every_prior_has_a_source_known_before_march_2025():
    for name, priors in graph_priors().items():
        for prior in priors.values():
            assert prior.known_by < dt.date(2025, 3, 1), (name, prior.name)
            assert len(prior.source) > 20, (name, prior.name)
            assert "judgement" in prior.source or "doi:" in prior.source, (name, prior.name)


#: Fits are made as they are used: shorter chains fall below the gate's effective sizes.
N = 200
MODELS = {
    "rates": Rates(),
    "spells": Spells(),
    "spells-instant": Spells("first-claim", instant=True),
    "spells-lasting": Spells("peace-agreement"),
    "deliveries": Deliveries(),
}


def quantity(model, draws):
    """A probability that each graph is there for."""
    if isinstance(model, Rates):
        # A move of which nothing was seen: the chance of an event within a year, by quadrature.
        nodes, weights = np.polynomial.hermite_e.hermegauss(15)
        mu, sigma = (np.asarray(draws[name])[:, None] for name in ("mu", "sigma"))
        chance = -np.expm1(-365.0 * np.exp(mu + sigma * nodes))
        return chance @ weights / weights.sum()
    if isinstance(model, Spells):
        return weibull.survival(draws, 2.0 * model.t0, t0=model.t0)[:, 0]
    wait = np.exp(draws["theta"] + draws["first"] * np.log(10.0 / 14.0))
    return np.asarray(draws["w"] * -np.expm1(-wait))


def usual(model):
    """The priors that a graph is fitted under: of deliveries, those that the bank states."""
    return stated_over(model.default_priors(), bundled_bank().priors, "exchanges")


def calibrated(model, *, priors=None, data=None, n=N):
    all_priors = usual(model) | (priors or {})

    def fit(rows, seed):
        fitted = model.fit(rows if data is None else data(rows), all_priors, seed)
        return fitted.draws, fitted.report.passed

    return calibrate(
        type(model).__name__,
        partial(simulated, model, priors=usual(model)),
        fit,
        n=n,
        seed=1,
        quantities=lambda draws, _: {"P": quantity(model, draws)},
    )


@pytest.mark.deep
@pytest.mark.parametrize("name", MODELS)
def test_ranks_are_uniform_and_the_gate_lets_every_fit_pass(name):
    check = calibrated(MODELS[name])
    assert check.p > 0.001, check.p_values
    assert check.refused <= 0.01 * N


def _doubled(rows):
    return rows | {"exposures": 2.0 * rows["exposures"]}


def _ends_as_seen(rows):
    """Every spell that still held is taken as one that ended then."""
    kind = np.where(
        (rows["kind"] == weibull.HELD) & (rows["lower"] > 0), weibull.ENDED, rows["kind"]
    )
    return rows | {"kind": kind}


def _shares_of_what_is_open(rows):
    """The unit of today's model: a part as a share of what remained, not of what was agreed."""
    shares = np.clip(rows["shares"] * 1.6, None, 0.999)
    return rows | {"shares": shares}


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "broken"),
    [("rates", _doubled), ("spells", _ends_as_seen), ("deliveries", _shares_of_what_is_open)],
)
def test_broken_data_are_caught(name, broken):
    assert calibrated(MODELS[name], data=broken).p < 0.001


@pytest.mark.deep
def test_a_wrong_prior_is_caught():
    model = MODELS["rates"]
    wide = model.default_priors()["mu"]
    shifted = replace(wide, values=(wide.value("mu") + 2.0, 0.5))
    assert calibrated(model, priors={"mu": shifted}, n=100).p < 0.001


def simulate(rng):
    """The line of the first of two forecasters."""
    truth, records = sampled.simulate(rng, forecasters=2, questions=25)
    return {name: truth[name][0] for name in ("alpha", "log_slope")}, {"records": records}


def learned(data, seed):
    alpha, log_slope, weight = by_quadrature(data["records"], Shared())[0]
    at = np.random.default_rng(seed).choice(weight.size, 400, p=weight / weight.sum())
    return {"alpha": alpha[at], "log_slope": log_slope[at]}, True


def fitted(fit, n, **options):
    def predicted(draws, _):
        return {"P": expit(draws["alpha"] + np.exp(draws["log_slope"]) * logit(0.8))}

    return calibrate("recalibration", simulate, fit, n=n, seed=1, quantities=predicted, **options)


@pytest.mark.deep
def test_ranks_are_uniform():
    check = fitted(learned, 150)
    assert check.p > 0.01, check.p_values


def test_with_no_data_learned_the_prior_is_calibrated():
    # Each simulation draws from the prior that it says.
    def prior(_, seed):
        rng = np.random.default_rng(seed)
        each = [simulate(rng)[0] for _ in range(9)]
        return {key: np.stack([draw[key] for draw in each]) for key in each[0]}, True

    assert min(fitted(prior, 40, levels=9).p_values.values()) > 0.001
